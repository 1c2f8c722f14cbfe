"""goanna.audit over the core under test, db-ally's own module, and goanna.audit as programs without db-ally see it."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

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


class World:
    """goanna.audit in a process without db-ally, as far as it can tell."""

    def __init__(self, backend: str) -> None:
        self.modules: dict[str, ModuleType | None] = {"dbally": None}
        with pytest.MonkeyPatch.context() as patch, self.active():
            patch.setitem(os.environ, "GOANNA_BACKEND", backend)
            self.audit = importlib.import_module("goanna.audit")

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Make these modules the ones that imports and pickles find."""
        put_aside = _take_out()
        sys.modules.update(self.modules)  # type: ignore[arg-type]
        try:
            yield
        finally:
            self.modules = _take_out()
            sys.modules.update(put_aside)  # type: ignore[arg-type]


def _take_out() -> dict[str, ModuleType | None]:
    names = [name for name in sys.modules if name.partition(".")[0] in ("goanna", "dbally")]
    return {name: sys.modules.pop(name) for name in names}


_worlds: dict[str, World] = {}


@pytest.fixture
def world(backend: str) -> Iterator[World]:
    """A world without db-ally over the core under test, in place while the test runs."""
    if backend not in _worlds:
        _worlds[backend] = World(backend)
    with _worlds[backend].active():
        yield _worlds[backend]


@pytest.fixture
def own(world: World) -> ModuleType:
    """``goanna.audit`` without db-ally."""
    assert world.audit.EventHandler.__module__ == "goanna.audit"
    return world.audit
