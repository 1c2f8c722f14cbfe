"""What environment variables say about goanna's drop-ins, read when one is imported."""

from __future__ import annotations

import os

__all__ = ["VARIABLE", "install_on_import"]

VARIABLE = "GOANNA_INSTALL"


def install_on_import() -> bool:
    """Return whether importing a drop-in is to install it: unless ``GOANNA_INSTALL`` is 0.

    Raises:
        ImportError: the variable is neither 0 nor 1.
    """
    value = os.environ.get(VARIABLE) or "1"
    if value not in ("0", "1"):
        raise ImportError(f"{VARIABLE} is {value!r}; it must be 0 or 1")
    return value == "1"
