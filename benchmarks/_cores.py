"""The package twice in one process: over the compiled core and over the pure one.

goanna chooses its core once, when it is imported. So it is imported twice, each time with its own GOANNA_BACKEND and
with the other copy out of the way.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from types import ModuleType

NAMES = {"c": "goanna compiled", "py": "goanna pure"}
"""What the copies are called as rivals."""


def _take_out() -> dict[str, ModuleType]:
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "goanna"}


@functools.cache
def load(backend: str) -> ModuleType:
    """Return the package over the core ``"c"`` or ``"py"``; raise ImportError where there is no such core."""
    put_aside = _take_out()
    variable = os.environ.get("GOANNA_BACKEND")
    os.environ["GOANNA_BACKEND"] = backend
    try:
        return importlib.import_module("goanna")
    finally:
        if variable is None:
            del os.environ["GOANNA_BACKEND"]
        else:
            os.environ["GOANNA_BACKEND"] = variable
        _take_out()
        sys.modules.update(put_aside)


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
