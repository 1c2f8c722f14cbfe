"""Which core is loaded, and why the other is not."""

from __future__ import annotations

import os
import sys
from types import ModuleType

from goanna._typing import TYPE_CHECKING

__all__ = ["BACKEND", "COMPILED_MISSING", "core", "require_compiled", "ring"]

VARIABLE: Final = "GOANNA_BACKEND"
_CHOICES: Final = ("auto", "c", "py")


def _choice() -> str:
    value = os.environ.get(VARIABLE, "auto") or "auto"
    if value not in _CHOICES:
        raise ImportError(f"{VARIABLE} is {value!r}; it must be one of {', '.join(_CHOICES)}")
    return value


def _load(choice: str) -> tuple[ModuleType, ModuleType, str | None]:
    """Return the two modules of the core to use and, if it is the pure one, why the compiled one is not used."""
    reason: str | None
    if choice == "py":
        reason = f"{VARIABLE}=py asks for the pure core"
    else:
        try:
            from goanna import _core, _ring
        except ImportError as error:
            reason = _explain(error)
            if choice == "c":
                raise ImportError(f"{VARIABLE}=c asks for the compiled core, but {reason}") from error
        else:
            return _core, _ring, None
    from goanna import _core_py, _ring_py

    return _core_py, _ring_py, reason


def _explain(error: ImportError) -> str:
    """Return why ``goanna._core`` did not load, as the end of a sentence."""
    if isinstance(error, ModuleNotFoundError) or "cannot import name" in str(error):
        version = f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}"
        return f"the installed goanna has no extension module for this interpreter ({version})"
    return f"the extension module did not load: {error}"


if TYPE_CHECKING:
    from typing import Final, Literal

    # The pure core is the typed one of the two; a test holds the other to it.
    from goanna import _core_py as core
    from goanna import _ring_py as ring

    BACKEND: Literal["c", "py"]
    COMPILED_MISSING: str | None
else:
    core, ring, COMPILED_MISSING = _load(_choice())
    BACKEND = "py" if COMPILED_MISSING else "c"


def require_compiled() -> None:
    """Make sure that the compiled core is in use.

    Raises:
        RuntimeError: it is not; the text says why, and what to do.
    """
    if COMPILED_MISSING is not None:
        raise RuntimeError(f"goanna runs on its pure core: {COMPILED_MISSING}; {what_it_takes()}")


def what_it_takes() -> str:
    """Return what to do to get the compiled core."""
    if os.environ.get(VARIABLE) == "py":
        return f"unset {VARIABLE} or set it to c"
    if sys.implementation.name != "cpython":
        return "the extension is built for CPython only"
    return (
        "install a wheel of goanna that has it for this interpreter, "
        "or a C compiler and then: GOANNA_BUILD_EXT=require pip install --force-reinstall --no-binary goanna goanna"
    )
