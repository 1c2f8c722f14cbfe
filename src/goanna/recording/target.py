"""Listeners by name, as the command line has them: ``package.module:Class``."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import Any

from goanna.delivery.interfaces import interfaces_of

__all__ = ["TargetError", "load"]


class TargetError(ValueError):
    """There is no listener of that name."""


def load(name: str) -> Any:
    """Return the listener that is named ``package.module:Class``; the current folder is looked in first.

    Args:
        name: of a class, or another callable, which is called without arguments, or of a listener that exists.

    Raises:
        TargetError: there is none, it can't be made, or it is no listener.
    """
    module_name, colon, path = name.partition(":")
    if not (module_name and colon and path):
        raise TargetError(f"--listener is {name!r}; it must look like package.module:Class")
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise TargetError(f"--listener: there is no module {error.name}, from {folder} or installed") from error
    for one in path.split("."):
        if not hasattr(found, one):
            raise TargetError(f"--listener: {module_name} has no {path}")
        found = getattr(found, one)
    with contextlib.suppress(TypeError):
        interfaces_of(found)
        return found
    if not callable(found):
        raise TargetError(f"--listener: {name} is {found!r}, neither a listener nor something that makes one")
    try:
        made = found()
    except TypeError as error:
        raise TargetError(f"--listener: {name} can't be called without arguments: {error}") from error
    try:
        interfaces_of(made)
    except TypeError as error:
        raise TargetError(f"--listener: {error}") from error
    return made
