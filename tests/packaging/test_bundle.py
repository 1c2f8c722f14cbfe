"""A program that is frozen with goanna in it, by PyInstaller, on either half. Slow: `make package`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.cores import backends
from support.distributions import run
from support.packages import needed

pytestmark = pytest.mark.packaging

PROGRAM = """
import goanna

class Ping(goanna.Event):
    number: int

class Pings(goanna.Listener):
    @goanna.handles(Ping)
    def ping(self, event): ...

class Prints(Pings):
    def ping(self, event): print(event, flush=True)

hub = goanna.Dispatcher(Pings)
queue = goanna.queued(Prints())
hub.add(queue)
hub.publisher(Ping)(number=1)
print(goanna.BACKEND, "left", queue.close(30))
report = goanna.install()
print(report.module, len(report.fast) + len(report.stock), len(report.fast))
"""


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program in a bundle."""
    needed("PyInstaller")
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "PyInstaller", "--log-level", "WARN", "--onedir", "program.py"]
    for name in ("dist", "work", "spec"):
        command += [f"--{name}path", str(folder / name)]
    assert run(*command, cwd=folder).returncode == 0
    return folder / "dist" / "program" / "program"


@pytest.mark.parametrize("choice", backends())
def test_a_bundle_has_both_halves_and_can_install(bundle: Path, choice: str) -> None:
    done = run(bundle, GOANNA_BACKEND=choice)
    assert (done.returncode, done.stderr) == (0, "")
    ping, left, report = done.stdout.splitlines()
    assert (ping, left) == ("Ping(number=1)", f"{choice} left 0")
    module, all_of_them, fast = report.split()
    assert (module, all_of_them) == ("pymongo.monitoring", "23")
    assert int(fast) == 23 if choice == "c" else int(fast) >= 3
