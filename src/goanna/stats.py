"""What a registration or a wrapper tells about the events that came to it."""

from __future__ import annotations

from goanna.core.fields import field
from goanna.events import Event

__all__ = ["Stats", "Time"]


class Time(Event, eq=True):
    """The time that calls of a listener took.

    Attributes:
        total: nanoseconds, all calls together.
        longest: nanoseconds of the longest call.
        histogram: how many calls took how long: number ``n`` is of those whose nanoseconds have ``n`` binary digits,
            that is, that took at least ``2 ** (n - 1)`` and less than ``2 ** n``; the last is of all that took longer.
    """

    total: int
    longest: int
    histogram: tuple[int, ...]


class Stats(Event, eq=True):
    """The counts of one registration or wrapper, all of one moment.

    ``published == delivered + failed + filtered + sum(dropped.values()) + pending``, always.

    Attributes:
        published: events that came.
        delivered: calls of the listener that returned.
        failed: calls that raised.
        filtered: events that a condition of ``where`` kept out.
        dropped: events that were given up, by reason; only reasons that occurred.
        pending: events that wait, or that the listener has at this moment.
        high_water: the most that were pending at once.
        oldest_age: seconds since the oldest pending event came, 0.0 if none is pending.
        time: what the listener took; None where that is not measured.
    """

    published: int
    delivered: int
    failed: int
    filtered: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    pending: int = 0
    high_water: int = 0
    oldest_age: float = 0.0
    time: Time | None = None
