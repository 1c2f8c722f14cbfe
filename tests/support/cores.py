"""The two copies of the package that tests run on. Not in conftest.py, which pytest imports more than once."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
from collections.abc import Iterator
from types import ModuleType

import support

OWN = ("goanna", "support.shapes")
"""Modules and packages of which each core has its own copy."""


class Copy:
    """One copy of the package with its core, and the modules that belong to it."""

    def __init__(self, backend: str) -> None:
        self.backend = backend
        self.modules: dict[str, ModuleType] = {}
        with self.active():
            self.package = importlib.import_module("goanna")
            assert backend == self.package.BACKEND

    @contextlib.contextmanager
    def active(self) -> Iterator[ModuleType | None]:
        """Make this copy the one that imports and unpickling find."""
        put_aside = _take_out()
        sys.modules.update(self.modules)
        variable = os.environ.get("GOANNA_BACKEND")
        os.environ["GOANNA_BACKEND"] = self.backend
        try:
            yield getattr(self, "package", None)
        finally:
            if variable is None:
                del os.environ["GOANNA_BACKEND"]
            else:
                os.environ["GOANNA_BACKEND"] = variable
            self.modules = _take_out()
            sys.modules.update(put_aside)


def _take_out() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if any(f"{name}.".startswith(f"{own}.") for own in OWN)]
    # `from support import shapes` would find an attribute that is left there, of whichever copy set it.
    vars(support).pop("shapes", None)
    return {name: sys.modules.pop(name) for name in names}


_copies: dict[str, Copy] = {}


def copy_of(backend: str) -> Copy:
    if backend not in _copies:
        _copies[backend] = Copy(backend)
    return _copies[backend]


@functools.cache
def why_not() -> str:
    """Return why the compiled core can't be tested; "" if it can. A conftest.py may ask before pytest is configured."""
    # Importing a drop-in changes the library that it serves; tests say themselves when that is to happen.
    os.environ["GOANNA_INSTALL"] = "0"
    try:
        copy_of("c")
    except ImportError as error:
        return str(error)
    return ""


def backends() -> list[str]:
    return ["py"] if why_not() else ["c", "py"]


def without_what_is_missing(stderr: str) -> str:
    """Return what ``goanna bench`` wrote, less the line on a compiled core that is left out where there is none."""
    lines = stderr.splitlines(keepends=True)
    return "".join(one for one in lines if not (why_not() and one.startswith("goanna compiled is left out: ")))
