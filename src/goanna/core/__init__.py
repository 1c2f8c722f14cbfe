"""The core that is loaded, compiled or pure: what events and dispatchers are made of.

Also which core that is, and why the other is not loaded. The parts of the core are for goanna's own packages.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

from goanna.core.base import TYPE_CHECKING

__all__ = [
    "BUCKETS",
    "REASONS",
    "Account",
    "Call",
    "Channel",
    "Inlet",
    "Maker",
    "Ring",
    "Sieve",
    "Table",
    "enter_report",
    "in_report",
    "leave_report",
    "reader",
    "sampled",
]

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
            from goanna.core import _compiled, _ring  # type: ignore[attr-defined]
        except ImportError as error:
            reason = _explain(error)
            if choice == "c":
                raise ImportError(f"{VARIABLE}=c asks for the compiled core, but {reason}") from error
        else:
            return _compiled, _ring, None
    from goanna.core._pure import channel, ring

    return channel, ring, reason


def _explain(error: ImportError) -> str:
    """Return why ``goanna.core._compiled`` did not load, as the end of a sentence."""
    if isinstance(error, ModuleNotFoundError) or "cannot import name" in str(error):
        version = f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}"
        return f"the installed goanna has no extension module for this interpreter ({version})"
    return f"the extension module did not load: {error}"


if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, Literal

    # The pure core is the typed one of the two; a test holds the other to it.
    from goanna.core._pure import channel as _channel
    from goanna.core._pure import ring as _ring

    core = _channel
    ring = _ring

    BACKEND: Literal["c", "py"]
    COMPILED_MISSING: str | None
else:
    core, ring, COMPILED_MISSING = _load(_choice())
    BACKEND = "py" if COMPILED_MISSING else "c"

BUCKETS = ring.BUCKETS
REASONS = ring.REASONS
Account = core.Account
Call = core.Call
Channel = core.Channel
Inlet = ring.Inlet
Maker = core.Maker
Ring = ring.Ring
Sieve = core.Sieve
Table = core.Table
enter_report: Callable[[], bool] = ring.enter_report
in_report: Callable[[], bool] = ring.in_report
leave_report: Callable[[], None] = ring.leave_report
reader: Callable[..., Any] = core.reader
sampled: Callable[[Any, int], bool] = core.sampled


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
