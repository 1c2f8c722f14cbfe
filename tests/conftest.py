"""Every test that touches the core runs on both, with ids [c] and [py], against two copies of the package.

A process can load only one core through ``goanna``'s front door, so the package is imported twice, each time with its
own GOANNA_BACKEND, and a fixture puts the copy that a test asked for into ``sys.modules`` while the test runs. Modules
of event classes that must be importable by name (for pickles) are loaded once for each copy in the same way.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

from support.cores import Copy, backends, copy_of, why_not
from support.garbage import CPYTHON
from support.packages import core_only

TESTS = Path(__file__).parent
CORE = ("core", "events", "dispatch", "delivery", "monitoring", "cli", "support")
"""Folders of tests that need no library but PyMongo and event loops."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-compiled", action="store_true", help="fail if the compiled core can't be tested (CI says this)"
    )
    parser.addoption(
        "--sanitized",
        action="store_true",
        help="insist that the compiled core is one with sanitizers, and repeat less",
    )
    parser.addoption("--brief", action="store_true", help="repeat less")
    parser.addoption(
        "--stress-seconds", type=float, default=2.0, help="how long the stress test of delivery runs on each core"
    )

    parser.addoption(
        "--core",
        action="store_true",
        help="only the tests of the core, delivery and monitoring: those that the group test-core is enough for",
    )


def repeats_less(config: pytest.Config) -> bool:
    """Return whether this run is one of several: the ordinary one repeats what it takes to be sure."""
    return bool(config.getoption("--brief") or config.getoption("--sanitized"))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if config.getoption("--core") and collection_path.is_dir() and collection_path.parent == TESTS:
        return collection_path.name not in CORE or None
    return None


def pytest_configure(config: pytest.Config) -> None:
    core_only[0] = config.getoption("--core")
    settings.register_profile("brief", max_examples=100)
    settings.register_profile("ordinary", max_examples=500)
    settings.load_profile("brief" if repeats_less(config) else "ordinary")
    if not CPYTHON:
        # A socket that is left to the collector is closed late there, in whatever test is running by then.
        config.addinivalue_line("filterwarnings", "ignore:unclosed .*socket:ResourceWarning")
    if why_not():
        if config.getoption("--require-compiled"):
            raise pytest.UsageError(f"--require-compiled: {why_not()}")
    elif config.getoption("--sanitized"):
        path = copy_of("c").modules["goanna.core._compiled"].__file__
        assert path is not None
        with open(path, "rb") as extension:
            if b"__asan_init" not in extension.read():
                raise pytest.UsageError(f"--sanitized: {path} is built without AddressSanitizer")


def pytest_report_header() -> str:
    return f"goanna cores: {', '.join(backends())}" + (f" ({why_not()})" if why_not() else "")


@pytest.fixture(scope="session")
def repetitions(request: pytest.FixtureRequest) -> int:
    """How often the tests against leaks repeat what they do."""
    return 5_000 if repeats_less(request.config) else 100_000


@pytest.fixture(scope="session")
def stress_seconds(request: pytest.FixtureRequest) -> float:
    """How long the stress test runs on each core."""
    return float(request.config.getoption("--stress-seconds"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        # Sanitizers see compiled code only; there is none in the pure core.
        cores = ["c"] if metafunc.config.getoption("--sanitized") else backends()
        metafunc.parametrize("backend", cores, indirect=True)
    if "protocol" in metafunc.fixturenames:
        import pickle

        metafunc.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the core under test, whose copy of the package is the importable one."""
    with copy_of(request.param).active():
        yield request.param


@pytest.fixture
def goanna(backend: str) -> ModuleType:
    """The package over the core under test."""
    return copy_of(backend).package


@pytest.fixture
def shapes(backend: str) -> ModuleType:
    """Importable event classes, interfaces and listeners over the core under test."""
    return importlib.import_module("support.shapes")


@pytest.fixture
def both() -> dict[str, Copy]:
    """Both copies, for tests that compare them; skipped only where there is nothing to compare."""
    if why_not():
        pytest.skip(f"only one core here: {why_not()}")
    return {name: copy_of(name) for name in ("c", "py")}
