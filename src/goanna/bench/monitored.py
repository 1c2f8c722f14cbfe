"""The rivals of the monitoring benchmarks: modules like ``pymongo.monitoring``, as they are and installed into.

Each work gets a fresh copy of PyMongo's module, run from the same file, and the copy is installed into for good. Two
copies share neither code, nor event classes, nor the properties of these. So all rivals can take turns in one process,
and no rival's turn begins with caches that somebody else's ``install()`` has just invalidated: that would happen if
they shared the event classes, because installing changes the classes' attributes.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import itertools
from collections.abc import Callable
from types import ModuleType

from pymongo import monitoring

from goanna.bench import cores

STOCK, PURE, COMPILED = "stock", "installed, pure", "installed, compiled"
REGISTRATION, OWN = "compiled, at registration", "own module, compiled"

_numbers = itertools.count()


def stock() -> ModuleType:
    """Return a new copy of ``pymongo.monitoring``."""
    assert monitoring.__file__ is not None
    name = f"pymongo_monitoring_{next(_numbers)}"  # goanna knows what it has installed into by name
    spec = importlib.util.spec_from_file_location(name, monitoring.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def installer(backend: str) -> ModuleType:
    """Return the module with ``install()`` and ``uninstall()`` of goanna over a core."""
    with cores.active(backend):
        return importlib.import_module("goanna.monitoring._install")


@functools.cache
def replaced(backend: str) -> frozenset[str]:
    """Return the publish methods that goanna over a core replaces, without ``publish_``."""
    with cores.active(backend):
        report = installer(backend).install(stock())
    return frozenset([name.removeprefix("publish_") for name in report.fast])


def installed(backend: str, resolve: str = "publish") -> ModuleType:
    """Return a new copy of ``pymongo.monitoring`` with goanna installed."""
    module = stock()
    with cores.active(backend):
        report = installer(backend).install(module, resolve)
    if backend == "c":
        assert not report.stock, report
    return module


@functools.cache
def own() -> ModuleType:
    """Return goanna's own monitoring module with the compiled publishers installed."""
    with cores.active("c"):
        module = importlib.import_module("goanna.monitoring._standalone")
        report = installer("c").install(module)
    assert not report.stock, report
    return module


def rivals() -> dict[str, Callable[[], ModuleType]]:
    """Return the makers of modules by rival, those that this interpreter has."""
    found: dict[str, Callable[[], ModuleType]] = {STOCK: stock, PURE: functools.partial(installed, "py")}
    if cores.NAMES["c"] in cores.copies():
        found[COMPILED] = functools.partial(installed, "c")
        found[REGISTRATION] = functools.partial(installed, "c", "registration")
        found[OWN] = own
    return found
