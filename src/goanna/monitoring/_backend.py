"""Which publishers are in use: the compiled ones if goanna runs on its compiled core."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from goanna.core import BACKEND

__all__ = ["publishers"]


@cache
def publishers() -> Any:
    """Return the module with ``publisher`` and ``refresh``."""
    return import_module("goanna.monitoring._compiled" if BACKEND == "c" else "goanna.monitoring._pure")
