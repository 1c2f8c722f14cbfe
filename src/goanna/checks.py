"""Arguments that are checked in more than one place: each function returns what the argument means, or raises."""

from __future__ import annotations

import threading

from goanna.core.base import TYPE_CHECKING
from goanna.errors import policy

if TYPE_CHECKING:
    from typing import Any, Final

    from goanna.core.base import ErrorHandler

__all__ = [
    "checked_int",
    "checked_kind",
    "checked_policy",
    "checked_quarantine",
    "checked_seconds",
    "checked_slow",
    "checked_timeout",
]

_MOST: Final = 1 << 40


def checked_kind(name: str, value: Any, kinds: Any, shown: str) -> None:
    """Raise TypeError unless the value is of these kinds; a bool, which is an int to Python, is none here."""
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise TypeError(f"{name} must be {shown}, not {type(value).__name__}")


def checked_int(name: str, value: Any, least: int, most: int | None = _MOST) -> int:
    """Return an int that is large enough, and not beyond its bound, or raise TypeError or ValueError."""
    checked_kind(name, value, int, "an int")
    if value < least:
        raise ValueError(f"{name} is {value}; it must be at least {least}")
    if most is not None and value > most:
        raise ValueError(f"{name} is {value}; it must be at most {most}")
    return int(value)


def checked_seconds(name: str, value: Any) -> float:
    """Return a number of seconds, or raise TypeError or ValueError."""
    checked_kind(name, value, int | float, "a number of seconds")
    if not value >= 0:
        raise ValueError(f"{name} is {value}; it must be 0 seconds or more")
    return float(value)


def checked_timeout(timeout: Any) -> float | None:
    """Return how many seconds to wait, None for as long as it takes, or raise TypeError or ValueError."""
    return None if timeout is None else checked_seconds("timeout", timeout)


def checked_slow(slow: Any) -> float | None:
    """Return the seconds from which a call is slow, or raise TypeError or ValueError."""
    if slow is None:
        return None
    checked_kind("slow", slow, int | float, "a number of seconds or None")
    if not slow > 0:
        raise ValueError(f"slow is {slow}; it must be more than 0 seconds")
    return min(float(slow), threading.TIMEOUT_MAX)


def checked_quarantine(quarantine: Any) -> int | None:
    """Return how many failures in a row are too many, or raise TypeError or ValueError."""
    if quarantine is None:
        return None
    checked_kind("quarantine", quarantine, int, "an int or None")
    return checked_int("quarantine", quarantine, 1, most=None)


def checked_policy(errors: Any) -> ErrorHandler:
    """Return what to do with an error of a listener to whom nobody could raise it, or raise TypeError or ValueError."""
    if errors == "raise":
        raise ValueError('errors is "raise"; behind a queue or on a loop it must be "log", "print" or callable')
    handler = policy(errors)
    assert handler is not None
    return handler
