"""What `make dist` left in dist/, this machine's binary wheel from the same sdist, and clean environments."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from support.distributions import ROOT, Installed, run, settings

_report: list[str] = []


def made(pattern: str) -> Path:
    found = list((ROOT / "dist").glob(pattern))
    if len(found) != 1:
        raise pytest.UsageError(f"dist/{pattern} is there {len(found)} times; run `make dist` first")
    return found[0]


@pytest.fixture(scope="session")
def sdist() -> Path:
    return made("*.tar.gz")


@pytest.fixture(scope="session")
def pure() -> Path:
    """The wheel for every interpreter and machine."""
    return made("*-py3-none-any.whl")


@pytest.fixture(scope="session")
def compiled(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This machine's binary wheel: built from the sdist and repaired as cibuildwheel would do it."""
    folder = tmp_path_factory.mktemp("compiled")
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder / "raw", sdist)
    assert run(*pip, **settings()["environment"]).returncode == 0
    [raw] = (folder / "raw").glob("*.whl")
    if sys.platform != "linux":
        return raw
    command = settings()["repair-wheel-command"].format(dest_dir=folder / "repaired", wheel=raw)
    tools = os.pathsep.join(
        [str(Path(sys.executable).parent), "/usr/bin", "/bin"]
    )  # auditwheel calls strip and patchelf
    assert run(*shlex.split(command), path=tools).returncode == 0
    [repaired] = (folder / "repaired").glob("*.whl")
    return repaired


PROGRAMS_AND_PAGES = ("benchmarks", "docs", "examples", "README.md", "CHANGES.md", "CONTRIBUTING.md", "SECURITY.md")
"""What the whole suite has tests of, beside the package."""


@pytest.fixture(scope="session")
def with_compiled(compiled: Path, sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("with_compiled"), compiled, sdist, "test", also=PROGRAMS_AND_PAGES)


@pytest.fixture(scope="session")
def with_pure(pure: Path, sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("with_pure"), pure, sdist, "test-core")


@pytest.fixture
def report() -> list[str]:
    """Lines to be printed when all is done."""
    return _report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _report:
        terminalreporter.section("what was built")
        for line in _report:
            terminalreporter.write_line(line)
