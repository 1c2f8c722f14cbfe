"""Drop-in for ``pymongo.monitoring``: ``from goanna import monitoring``.

With PyMongo installed every name here is PyMongo's own, the same object: a listener written for one module is a
listener for the other. Without it the names are those of goanna's implementation, which behaves the same.

A name that is set or deleted here is set or deleted there, where the code that publishes events looks it up::

    monitoring._LISTENERS = monitoring._Listeners([], [], [], [], [])
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

try:
    _source = importlib.import_module("pymongo.monitoring")
except ModuleNotFoundError as _missing:
    if _missing.name not in ("pymongo", "pymongo.monitoring"):
        raise  # PyMongo is there, and something that it needs is not
    _source = importlib.import_module("goanna.monitoring._standalone")

from goanna.install import install_on_import

if TYPE_CHECKING:
    from goanna.monitoring._standalone import *


class _Name:
    """A name of this module that lives in the one that this module stands for."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, module: ModuleType | None, owner: type[ModuleType]) -> Any:
        return self if module is None else getattr(_source, self.name)

    def __set__(self, module: ModuleType, value: Any) -> None:
        setattr(_source, self.name, value)

    def __delete__(self, module: ModuleType) -> None:
        delattr(_source, self.name)


class _Window(ModuleType):
    """The class of this module, with an attribute for each name of the one that this module stands for."""

    @property
    def __all__(self) -> list[str]:
        return [name for name in vars(_Window) if not name.startswith("_")]

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *(name for name, value in vars(_Window).items() if isinstance(value, _Name))})


for _name, _value in vars(_source).items():
    _submodule = isinstance(_value, ModuleType) and _value.__name__.startswith(f"{_source.__name__}.")
    if not _submodule and not (_name.startswith("__") and _name.endswith("__")):
        setattr(_Window, _name, _Name(_name))

sys.modules[__name__].__class__ = _Window

if install_on_import():
    from goanna.install import install as _put_in

    _put_in()
