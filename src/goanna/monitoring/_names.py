"""Where the names of ``pymongo.monitoring`` come from: PyMongo itself if it is installed, else goanna's own.

``goanna.monitoring`` is a window on that module: a name that is read, set or deleted in the one is read, set or deleted
in the other, where the code that publishes events looks it up.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Final

__all__ = ["SOURCE", "open_window"]


def _found() -> ModuleType:
    try:
        import pymongo.monitoring
    except ModuleNotFoundError as missing:
        if missing.name not in ("pymongo", "pymongo.monitoring"):
            raise  # PyMongo is there, and something that it needs is not
        from goanna.monitoring import _standalone

        return _standalone
    return pymongo.monitoring


SOURCE: Final = _found()
"""The module that ``goanna.monitoring`` stands for."""


class _Name:
    """A name of the window that lives in the module that it stands for."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, module: ModuleType | None, owner: type[ModuleType]) -> Any:
        return self if module is None else getattr(SOURCE, self.name)

    def __set__(self, module: ModuleType, value: Any) -> None:
        setattr(SOURCE, self.name, value)

    def __delete__(self, module: ModuleType) -> None:
        delattr(SOURCE, self.name)


class _Window(ModuleType):
    """The class of the window, with an attribute for each name of the module that it stands for."""

    @property
    def __all__(self) -> list[str]:
        return [name for name in vars(_Window) if not name.startswith("_")]

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *(name for name, value in vars(_Window).items() if isinstance(value, _Name))})


def open_window(module: str) -> None:
    """Make a module, of which the name is given, the window."""
    for name, value in vars(SOURCE).items():
        submodule = isinstance(value, ModuleType) and value.__name__.startswith(f"{SOURCE.__name__}.")
        if not submodule and not (name.startswith("__") and name.endswith("__")):
            setattr(_Window, name, _Name(name))
    sys.modules[module].__class__ = _Window
