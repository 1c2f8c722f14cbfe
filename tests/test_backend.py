"""Which core is loaded, why the other is not, and what the command line says of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

from conftest import Copy, backends, copy_of


def python(*arguments: str, path: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments, and nothing of goanna in the environment but what is given."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GOANNA_")}
    if path is not None:
        inherited["PYTHONPATH"] = str(path)
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env={**inherited, **environment}, timeout=60
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder with a copy of the package that has no extension module."""
    with copy_of("py").active() as package:
        assert package is not None
        source = Path(package.__file__ or "").parent
    shutil.copytree(source, tmp_path / "goanna", ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    return tmp_path


SHOW = "import goanna; print(goanna.BACKEND)"


@pytest.mark.parametrize("choice", ["", "auto"])
def test_auto_takes_the_best_there_is(choice: str) -> None:
    assert python("-c", SHOW, GOANNA_BACKEND=choice).stdout.strip() == backends()[0]


@pytest.mark.parametrize("choice", backends())
def test_the_environment_chooses(choice: str) -> None:
    done = python("-c", SHOW, GOANNA_BACKEND=choice)
    assert (done.stdout.strip(), done.stderr) == (choice, "")


def test_another_value_is_an_error() -> None:
    done = python("-c", SHOW, GOANNA_BACKEND="C")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "ImportError: GOANNA_BACKEND is 'C'; it must be one of auto, c, py"


def test_without_the_extension_auto_is_pure_and_c_is_an_error(copied: Path) -> None:
    assert python("-c", SHOW, path=copied).stdout.strip() == "py"
    done = python("-c", SHOW, path=copied, GOANNA_BACKEND="c")
    assert done.returncode == 1
    assert "ImportError: GOANNA_BACKEND=c asks for the compiled core, but the installed goanna has no " in done.stderr


def test_a_broken_extension_is_reported_and_not_fatal(copied: Path) -> None:
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    (copied / "goanna" / f"_core{suffix}").write_bytes(b"this is no shared object")
    assert python("-c", SHOW, path=copied).stdout.strip() == "py"
    done = python("-m", "goanna", "doctor", path=copied)
    assert "the compiled core is not used: the extension module did not load:" in done.stdout
    assert f"_core{suffix}" in done.stdout


def test_require_compiled(copied: Path) -> None:
    code = "import goanna; goanna.require_compiled(); print('fine')"
    done = python("-c", code, path=copied)
    assert "RuntimeError: goanna runs on its pure core: the installed goanna has no extension module" in done.stderr
    assert "GOANNA_BUILD_EXT=require pip install" in done.stderr
    done = python("-c", code, GOANNA_BACKEND="py")
    assert "GOANNA_BACKEND=py asks for the pure core; unset GOANNA_BACKEND or set it to c" in done.stderr
    if "c" in backends():
        assert python("-c", code).stdout == "fine\n"


def test_require_compiled_in_both(goanna: ModuleType, backend: str) -> None:
    if backend == "c":
        assert goanna.require_compiled() is None
    else:
        with pytest.raises(RuntimeError, match="goanna runs on its pure core"):
            goanna.require_compiled()


def test_doctor_says_which_core_and_from_where(both: dict[str, Copy]) -> None:
    compiled, pure = python("-m", "goanna", "doctor"), python("-m", "goanna", "doctor", GOANNA_BACKEND="py")
    assert compiled.stdout.startswith("goanna 0.1.0 runs on its compiled core\n  loaded from   /")
    assert "_core." in compiled.stdout.splitlines()[1]
    assert "set GOANNA_BACKEND=py" in compiled.stdout
    assert pure.stdout.startswith("goanna 0.1.0 runs on its pure core\n")
    assert "_core_py.py" in pure.stdout.splitlines()[1]
    assert "unset GOANNA_BACKEND or set it to c" in pure.stdout
    assert "  found " in pure.stdout
    assert (compiled.returncode, pure.returncode) == (0, 0)
    assert compiled.stderr == pure.stderr == ""


def test_doctor_can_insist(both: dict[str, Copy]) -> None:
    assert python("-m", "goanna", "doctor", "--require-compiled").returncode == 0
    assert python("-m", "goanna", "doctor", "--require-compiled", GOANNA_BACKEND="py").returncode == 1


def test_an_unknown_command_says_what_there_is() -> None:
    done = python("-m", "goanna", "dcotor")
    assert done.returncode == 2
    assert "invalid choice: 'dcotor' (choose from" in done.stderr


@pytest.mark.parametrize("choice", backends())
def test_the_demo_of_own_events_runs(choice: str) -> None:
    done = python("-m", "goanna", "demo", "--own-events", "--quick", GOANNA_BACKEND=choice, COLUMNS="150")
    assert done.returncode == 0, done.stderr
    assert "counted for Audit: 2 delivered, 0 failed" in done.stdout
    assert "counted for Broken: 0 delivered, 2 failed" in done.stdout
    assert "OrderPlaced(order_id=2, customer='Grace', total=19.0" in done.stdout
    assert ("compiled core" in done.stdout) is (choice == "c")


def test_importing_goanna_imports_little() -> None:
    code = "import sys; before = set(sys.modules); import goanna; print(*sorted(set(sys.modules) - before))"
    loaded = set(python("-c", code).stdout.split())
    assert "goanna.dispatcher" in loaded
    assert not loaded & {"inspect", "dataclasses", "logging", "asyncio", "traceback", "pymongo", "rich"}


SECOND = """
try:
    import _interpreters as interpreters  # 3.13
except ImportError:
    import _xxsubinterpreters as interpreters
import goanna
print(goanna.BACKEND)
interpreters.run_string(interpreters.create(), '''
import goanna
class Ping(goanna.Event):
    number: int
class Pings(goanna.Listener):
    @goanna.handles(Ping)
    def ping(self, event): print(event, goanna.BACKEND, flush=True)
hub = goanna.Dispatcher(Pings)
hub.add(Pings())
hub.publisher(Ping)(number=1)
report = goanna.install()
print(len(report.fast) > 0, flush=True)
''')
"""


def test_a_second_interpreter_gets_the_pure_core() -> None:
    """The compiled one loads once in a process; a second interpreter must work all the same."""
    done = python("-c", SECOND)
    assert done.stdout.splitlines() == [backends()[0], "Ping(number=1) py", "True"], done.stderr
