"""The suite against wheels that are installed: no checkout near, no compiler on PATH."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from support.distributions import ROOT, Installed, run, settings

pytestmark = pytest.mark.packaging

WHERE = "import goanna, pathlib, sys; print(goanna.BACKEND, pathlib.Path(goanna.__file__).is_relative_to(sys.prefix))"


def passed(output: str) -> int:
    """Return how many tests passed, which pytest says in its last line; 0 if there is something else than passes."""
    last = output.strip().splitlines()[-1]
    found = re.search(r"(\d+) passed", last)
    return int(found[1]) if found and "failed" not in last and "error" not in last else 0


def test_the_whole_suite_passes_with_the_binary_wheel(with_compiled: Installed) -> None:
    assert with_compiled.run("-c", WHERE).stdout == "c True\n"
    assert not {"src", "ext", "setup.py"} & {one.name for one in with_compiled.tests.iterdir()}
    done = with_compiled.run("-m", "pytest", "-q", "--require-compiled", "--brief", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout[-5000:]
    assert passed(done.stdout) > 1000


def test_what_cibuildwheel_runs_finds_its_tests_and_needs_no_other_packages(with_compiled: Installed) -> None:
    """With the pure wheel the same choice of tests is run in an environment that has the group test-core only."""
    python, *arguments = shlex.split(settings()["test-command"])
    assert python == "python"
    assert settings()["test-groups"] == ["test-core"]
    done = with_compiled.run(*arguments, "--collect-only", "-q", **settings()["test-environment"])
    assert done.returncode == 0, done.stdout[-5000:]
    assert {"tests/core", "tests/delivery", "tests/monitoring"} <= {
        line.rpartition("/")[0] for line in done.stdout.splitlines()
    }


def test_the_suite_passes_with_the_pure_wheel(with_pure: Installed) -> None:
    assert with_pure.run("-c", WHERE).stdout == "py True\n"
    done = with_pure.run("-m", "pytest", "--core", "--brief", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout[-5000:]
    assert passed(done.stdout) > 500
    assert "goanna cores: py" in done.stdout


def test_sizes_and_import_times(
    with_compiled: Installed, with_pure: Installed, compiled: Path, pure: Path, report: list[str]
) -> None:
    for installed, wheel in ((with_compiled, compiled), (with_pure, pure)):
        done = run(sys.executable, ROOT / "tools" / "footprint.py", "--python", installed.python, wheel)
        assert done.returncode == 0, done.stderr
        first, second = done.stdout.splitlines()
        assert first.startswith(wheel.name)
        assert second.startswith(f"import of goanna [{'c' if installed is with_compiled else 'py'}]: ")
        report += [first, second]
