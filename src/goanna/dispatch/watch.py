"""Watching one registration's calls: how long they take, and when there have been too many failures."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from goanna.core import BUCKETS, in_report
from goanna.core.base import TYPE_CHECKING, Skip, final
from goanna.core.deferred import ran
from goanna.core.forks import after_fork
from goanna.errors import name, warn
from goanna.stats import Time

if TYPE_CHECKING:
    from typing import Any

__all__ = ["Watch", "warn_quarantined", "warn_slow"]


@final
class Watch:
    """Measures the calls of one listener, reports the first slow one, and notices failures in a row.

    Args:
        listener: returns it, for reports.
        slow: seconds from which a call is reported, or None.
        quarantine: how many failures in a row are too many, or None.
        isolate: called when there have been that many.
    """

    __slots__ = (
        "__weakref__",
        "_histogram",
        "_isolate",
        "_listener",
        "_lock",
        "_longest",
        "_quarantine",
        "_slow",
        "_streak",
        "_total",
    )

    def __init__(
        self,
        listener: Callable[[], object],
        slow: float | None,
        quarantine: int | None,
        isolate: Callable[[], object],
    ) -> None:
        self._listener = listener
        self._slow = None if slow is None else int(slow * 1e9)
        self._quarantine = quarantine
        self._isolate = isolate
        self._streak = 0
        self._lock = threading.RLock()
        self._total = 0
        self._longest = 0
        self._histogram = [0] * BUCKETS
        after_fork(self)

    def _after_fork(self) -> None:
        self._lock = threading.RLock()  # the old one may be held by a thread that is not in this process

    def around(self, method: Callable[[Any], object]) -> Callable[[Any], object]:
        """Return ``method`` watched."""

        def watched(event: Any) -> object:
            if in_report():
                raise Skip  # the reports of a watched listener must not come back to it
            start = time.monotonic_ns()
            try:
                result = ran(method(event))
            except Skip:
                raise
            except BaseException:
                self._took(time.monotonic_ns() - start, event)
                self._failed()
                raise
            self._took(time.monotonic_ns() - start, event)
            self._streak = 0
            return result

        return watched

    def time(self) -> Time:
        """Return what the calls took."""
        with self._lock:
            return Time(self._total, self._longest, tuple(self._histogram))

    def _took(self, nanoseconds: int, event: Any) -> None:
        with self._lock:
            self._total += nanoseconds
            self._longest = max(self._longest, nanoseconds)
            self._histogram[min(nanoseconds.bit_length(), BUCKETS - 1)] += 1
        if self._slow is not None and nanoseconds >= self._slow:
            self._slow = None
            warn_slow(self._listener(), event, nanoseconds)

    def _failed(self) -> None:
        self._streak += 1
        if self._streak == self._quarantine:
            warn_quarantined(self._listener(), self._streak)
            self._isolate()


def warn_slow(listener: object, event: object, nanoseconds: int) -> None:
    """Log that a call was slow."""
    warn("%s took %.3f s for %s; later slow calls are not reported", name(listener), nanoseconds / 1e9, _kind(event))


def warn_quarantined(listener: object, failures: int) -> None:
    """Log that a listener gets no more events."""
    warn("%s failed %d times in a row and gets no more events", name(listener), failures)


def _kind(event: object) -> str:
    return f"{len(event)} events" if isinstance(event, list) else type(event).__name__
