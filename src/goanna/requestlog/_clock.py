"""How long ago a moment was that somebody noted by the wall clock, which may have been set since."""

from __future__ import annotations

from datetime import datetime
from typing import final

__all__ = ["Clock"]

_LEAST_STEP = 0.1
"""Seconds. A clock that is disciplined is slewed, not set, for less."""
_SLEW = 0.001
"""How much faster or slower a clock may run while it is slewed; the kernel allows half of it."""
_GRAIN = 2e-6
"""Seconds. Both ends are rounded, so that no time at all may look like less."""


@final
class Clock:
    """Tells durations that began at a time of the wall clock, across changes of that clock.

    boto 2 notes the start of a request with ``datetime.now()`` and hooks see nothing else of it. So a duration can only
    be measured by the wall clock; the monotonic clock, read beside it at the end of every request, shows when the wall
    clock has been set between two requests. Then a request had either begun before that or after it, and of the two
    durations which this gives the shorter that is not negative is taken. What is left is at least 0.
    """

    __slots__ = ("_monotonic", "_offset")

    def __init__(self) -> None:
        self._offset: float | None = None
        self._monotonic = 0.0

    def since(self, started: datetime, wall: float, monotonic: float) -> float:
        """Return a duration in seconds, to the microsecond.

        Args:
            started: the beginning, local time if it has no zone.
            wall: ``time.time()`` at the end.
            monotonic: ``time.monotonic()`` at the end.
        """
        duration = wall - started.timestamp()
        offset = wall - monotonic
        before, then = self._offset, self._monotonic
        self._offset, self._monotonic = offset, monotonic
        if before is not None:
            step = offset - before
            if abs(step) > _LEAST_STEP + _SLEW * abs(monotonic - then):
                duration = min((one for one in (duration, duration - step) if one >= -_GRAIN), default=0.0)
        return round(max(duration, 0.0), 6)
