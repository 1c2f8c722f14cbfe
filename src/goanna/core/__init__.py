"""What events and dispatchers are made of, compiled or pure, and which of the two that is.

The parts of the core are for goanna's own packages. They are no public API: no page of the reference has them, and they
change without notice.
"""

from __future__ import annotations

import os
import sys

from goanna.core.base import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Final, Literal

    # The pure half is the typed one of the two; a test holds the other to it.
    from goanna.core._pure import (
        BUCKETS,
        REASONS,
        Account,
        Call,
        Channel,
        Filter,
        Inlet,
        Maker,
        Ring,
        Table,
        close_block,
        enter_report,
        in_block,
        in_report,
        leave_report,
        open_block,
        reader,
        sampled,
    )

__all__ = [
    "BUCKETS",
    "REASONS",
    "Account",
    "Call",
    "Channel",
    "Filter",
    "Inlet",
    "Maker",
    "Ring",
    "Table",
    "close_block",
    "enter_report",
    "in_block",
    "in_report",
    "leave_report",
    "open_block",
    "reader",
    "sampled",
]

VARIABLE: Final = "GOANNA_BACKEND"
_CHOICES: Final = ("auto", "c", "py")


def _choose() -> str | None:
    """Return why the compiled halves are not used; None if they are.

    Raises:
        ImportError: the variable has another value than those it may have, or asks for what can't be loaded.
    """
    value = os.environ.get(VARIABLE, "auto") or "auto"
    if value not in _CHOICES:
        raise ImportError(f"{VARIABLE} is {value!r}; it must be one of {', '.join(_CHOICES)}")
    if value == "py":
        return f"{VARIABLE}=py asks for the pure core"
    try:
        from goanna.core import _compiled  # type: ignore[attr-defined]  # noqa: F401
    except ImportError as error:
        reason = _explain(error)
        if value == "c":
            raise ImportError(f"{VARIABLE}=c asks for the compiled core, but {reason}") from error
        return reason
    return None


def _explain(error: ImportError) -> str:
    """Return why the extension module did not load, as the end of a sentence."""
    if isinstance(error, ModuleNotFoundError) or "cannot import name" in str(error):
        version = f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}"
        return f"the installed goanna has no extension module for this interpreter ({version})"
    return f"the extension module did not load: {error}"


COMPILED_MISSING: str | None = _choose()
"""Why the compiled halves are not used; None if they are."""

BACKEND: Literal["c", "py"] = "py" if COMPILED_MISSING else "c"


def half_of(package: str) -> Any:
    """Return the half of a package that is in use: its ``_compiled`` or its ``_pure``.

    Args:
        package: a package with two halves, such as ``goanna.core``.
    """
    name = f"{package}.{'_compiled' if BACKEND == 'c' else '_pure'}"
    __import__(name)  # not importlib, which would be a good part of what importing goanna takes
    return sys.modules[name]


if not TYPE_CHECKING:
    globals().update({_name: getattr(half_of(__name__), _name) for _name in __all__})


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
