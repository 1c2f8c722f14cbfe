"""The package twice in one process: over the compiled core and over the pure one.

goanna chooses its core once, when it is imported. So it is imported twice, each time with its own GOANNA_BACKEND and
with the other copy out of the way.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

NAMES = {"c": "goanna compiled", "py": "goanna pure"}
"""What the copies are called as rivals."""

_modules: dict[str, dict[str, ModuleType]] = {}
"""What each copy has imported so far."""


def _take_out() -> dict[str, ModuleType]:
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "goanna"}


@contextlib.contextmanager
def active(backend: str) -> Iterator[None]:
    """Have ``import goanna...`` mean the copy over the core ``"c"`` or ``"py"``; it installs nothing by itself."""
    put_aside = _take_out()
    sys.modules.update(_modules.get(backend, {}))
    wanted = {"GOANNA_BACKEND": backend, "GOANNA_INSTALL": "0"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        _modules[backend] = _take_out()
        sys.modules.update(put_aside)


@functools.cache
def load(backend: str) -> ModuleType:
    """Return the package over the core ``"c"`` or ``"py"``; raise ImportError where there is no such core."""
    with active(backend):
        return importlib.import_module("goanna")


@functools.cache
def copies() -> dict[str, ModuleType]:
    """Return the copies that this interpreter has, by rival name."""
    found = {}
    for backend, name in NAMES.items():
        try:
            found[name] = load(backend)
        except ImportError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    return found


def backends() -> dict[str, str]:
    """Return the cores that this interpreter has, by rival name."""
    return {name: backend for backend, name in NAMES.items() if name in copies()}


def make(backend: str, name: str, *args: Any, **options: Any) -> Any:
    """Return what ``goanna.queued``, ``on_loop`` or ``where`` over a core makes of the arguments."""
    with active(backend):  # the modules of delivery are imported when they are first asked for
        return getattr(load(backend), name)(*args, **options)
