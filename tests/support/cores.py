"""The copies of the package that tests run on. Not in conftest.py, which pytest imports more than once."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest


class World:
    """Modules that imports and pickles find under their names while this is active, and at no other time.

    Attributes:
        names: the modules and packages of which it has its own, those inside them included.
        modules: what it has of them.
    """

    def __init__(self, *names: str, without: str | None = None) -> None:
        """Begin with none of these modules; one of them can't be imported: a library that the world is without."""
        self.names = names
        self.modules: dict[str, ModuleType | None] = {} if without is None else {without: None}

    @contextlib.contextmanager
    def active(self) -> Iterator[ModuleType | None]:
        """Make these modules the ones that imports and unpickling find."""
        put_aside = self._take_out()
        sys.modules.update(self.modules)  # type: ignore[arg-type]
        try:
            yield None
        finally:
            self.modules = self._take_out()
            sys.modules.update(put_aside)  # type: ignore[arg-type]

    def _take_out(self) -> dict[str, ModuleType | None]:
        names = [one for one in sys.modules if any(f"{one}.".startswith(f"{name}.") for name in self.names)]
        taken: dict[str, ModuleType | None] = {name: sys.modules.pop(name) for name in names}
        for package, _, module in (name.rpartition(".") for name in names):
            if package in sys.modules:
                # `from package import module` would go on finding the one that is taken out.
                vars(sys.modules[package]).pop(module, None)
        return taken


class Copy(World):
    """One copy of the package with its core, and the modules that belong to it."""

    def __init__(self, backend: str) -> None:
        super().__init__("goanna", "support.shapes")
        self.backend = backend
        with self.active():
            self.package = importlib.import_module("goanna")
            assert backend == self.package.BACKEND

    @contextlib.contextmanager
    def active(self) -> Iterator[ModuleType | None]:
        with super().active(), pytest.MonkeyPatch.context() as patch:
            patch.setenv("GOANNA_BACKEND", self.backend)
            yield getattr(self, "package", None)


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
