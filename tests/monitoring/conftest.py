"""The two modules that the tests here compare: PyMongo's, and goanna's own as programs without PyMongo see it.

The own one is loaded once, in a copy of the package of its own from which PyMongo can't be imported, and is the same
over either core: nothing in it touches the core.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType

import pymongo.event_loggers
import pymongo.monitoring
import pytest

from support.cores import World


class WithoutPyMongo(World):
    """goanna.monitoring and goanna.monitoring.loggers in a process without PyMongo, as far as they can tell."""

    def __init__(self) -> None:
        super().__init__("goanna", "pymongo", without="pymongo")
        with pytest.MonkeyPatch.context() as patch, self.active():
            patch.setenv("GOANNA_BACKEND", "py")
            self.monitoring = importlib.import_module("goanna.monitoring")
            self.loggers = importlib.import_module("goanna.monitoring.loggers")
            self.namespace = importlib.import_module("goanna.monitoring._standalone")


@pytest.fixture(scope="session")
def world() -> WithoutPyMongo:
    return WithoutPyMongo()


@pytest.fixture(scope="session")
def own(world: WithoutPyMongo) -> ModuleType:
    """Our monitoring module."""
    assert world.monitoring.CommandListener.__module__ == "goanna.monitoring"
    return world.monitoring


@pytest.fixture(scope="session")
def stock() -> ModuleType:
    """PyMongo's."""
    assert pymongo.version_tuple[:2] == (4, 20)
    return pymongo.monitoring


@pytest.fixture(scope="session")
def stock_loggers() -> ModuleType:
    return pymongo.event_loggers


def _names(module: ModuleType) -> dict[str, object]:
    return {name: getattr(module, name) for name in dir(module) if not name.startswith("__")}


@pytest.fixture(autouse=True)
def nothing_registered(stock: ModuleType, own: ModuleType) -> Iterator[None]:
    """Give each test two empty registries, and see that it put back what it patched."""
    before = [_names(module) for module in (stock, own)]
    sensitive = set(stock._SENSITIVE_COMMANDS)
    with pytest.MonkeyPatch.context() as patch:
        for module in (stock, own):
            patch.setattr(module, "_LISTENERS", module._Listeners([], [], [], [], []))
        yield
    for module, names in zip((stock, own), before, strict=True):
        assert _names(module) == names
    assert stock._SENSITIVE_COMMANDS == own._SENSITIVE_COMMANDS == sensitive
