"""Rates: so many requests in a second, and no more."""

from __future__ import annotations

import re
import threading
import time
from typing import Any, Final, final

from goanna.core.forks import after_fork

__all__ = ["Rate", "parsed_rate"]

_SECONDS: Final = {"s": 1.0, "min": 60.0, "h": 3600.0}


def parsed_rate(rate: Any) -> tuple[float, float]:
    """Return the count and the seconds of a rate like ``"100/s"``, ``"20/min"`` or ``"0.5/h"``.

    Raises:
        TypeError: it is no string.
        ValueError: it can't be read, or is not more than 0.
    """
    if not isinstance(rate, str):
        raise TypeError(f'rate must be a string like "100/s", not {type(rate).__name__}')
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*/\s*(s|min|h)\s*", rate)
    if match is None or not float(match[1]) > 0:
        raise ValueError(f'rate is {rate!r}; it must be a positive number "/s", "/min" or "/h", like "100/s"')
    return float(match[1]), _SECONDS[match[2]]


@final
class Rate:
    """A token bucket over requests: what is decided for the first event of a request holds for the others.

    Args:
        count: how many requests; as many may come at once.
        seconds: in how much time.
        remembered: how many requests under way are remembered.
    """

    __slots__ = ("__weakref__", "_admitted", "_last", "_lock", "_per_second", "_remembered", "_size", "_tokens")

    def __init__(self, count: float, seconds: float, remembered: int = 10_000) -> None:
        self._size = max(count, 1.0)
        self._per_second = count / seconds
        self._tokens = self._size
        self._last = time.monotonic()
        self._remembered = remembered
        self._admitted: dict[Any, bool] = {}
        self._lock = threading.RLock()
        after_fork(self)

    def _after_fork(self) -> None:
        self._lock = threading.RLock()  # the old one may be held by a thread that is not in this process

    def admits(self, request: Any) -> bool:
        """Return whether an event of a request, None for an event that belongs to none, is within the rate."""
        with self._lock:
            if request is not None and request in self._admitted:
                return self._admitted[request]
            now = time.monotonic()
            self._tokens = min(self._size, self._tokens + (now - self._last) * self._per_second)
            self._last = now
            admitted = self._tokens >= 1.0
            if admitted:
                self._tokens -= 1.0
            if request is not None:
                self._admitted[request] = admitted
                while len(self._admitted) > self._remembered:
                    del self._admitted[next(iter(self._admitted))]
            return admitted
