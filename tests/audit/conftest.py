"""goanna.audit over the core under test, db-ally's own module, and goanna.audit as programs without db-ally see it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType

import pytest

from support.cores import World
from support.packages import needed


@pytest.fixture(scope="session")
def stock() -> ModuleType:
    """``dbally.audit``; where the group test is without it, `make dbally` puts it in if that can be done."""
    try:
        return importlib.import_module("dbally.audit")
    except ModuleNotFoundError as error:
        if error.name == "dbally":
            needed("dbally")
        raise


@pytest.fixture
def audit(backend: str) -> ModuleType:
    """``goanna.audit`` over the core under test, with db-ally where that is installed."""
    return importlib.import_module("goanna.audit")


class WithoutDbally(World):
    """goanna.audit in a process without db-ally, as far as it can tell."""

    def __init__(self, backend: str) -> None:
        super().__init__("goanna", "dbally", without="dbally")
        with pytest.MonkeyPatch.context() as patch, self.active():
            patch.setenv("GOANNA_BACKEND", backend)
            self.audit = importlib.import_module("goanna.audit")


_worlds: dict[str, WithoutDbally] = {}


@pytest.fixture
def world(backend: str) -> Iterator[WithoutDbally]:
    """A world without db-ally over the core under test, in place while the test runs."""
    if backend not in _worlds:
        _worlds[backend] = WithoutDbally(backend)
    with _worlds[backend].active():
        yield _worlds[backend]


@pytest.fixture
def own(world: WithoutDbally) -> ModuleType:
    """``goanna.audit`` without db-ally."""
    assert world.audit.EventHandler.__module__ == "goanna.audit"
    return world.audit
