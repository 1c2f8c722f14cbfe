"""The bounded buffer behind queued and on-loop delivery, in pure Python.

Publishers push from any thread, one consumer takes out. The ring keeps every count about the events that went through
it, changed in the same step as the buffer itself, so that at any moment published = delivered + failed + dropped +
pending. It knows no threads and no loops: it says "wake" when as many events wait as its consumer has asked for, and
never otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

from goanna.core._pure.inlet import Inlet
from goanna.core._pure.ring_drain import RingDrain
from goanna.core._pure.ring_push import RingPush
from goanna.core.base import TYPE_CHECKING, final, uncopied

if TYPE_CHECKING:
    from typing import Any

__all__ = ["Ring"]


@final
class Ring(RingPush, RingDrain):
    """A bounded buffer between publishers and one consumer, with the counts of all that went in.

    Args:
        maxsize: the most events that wait.
        wake: called without arguments when as many wait as :meth:`arm` asked for. Where a signal interrupts it, the
            next push calls it again.
        failed: called with the error, the handler and the event where a handler or ``prepare`` raised.
        newest: a full ring drops the event that comes instead of the oldest one.
        full: called with the handler, the event and the context instead, when the ring is full; calls :meth:`offer`
            or :meth:`drop` itself. Must not raise.
        prepare: called with each event before it is pushed; what it returns is pushed.
        capture: push the publisher's context too; the handler runs in it.
        slow: a handler that takes this many nanoseconds or more is reported, 0 for none.
        slowed: called with the handler, the event and the nanoseconds the first time that happens.
        gap: called with a count before the event that follows events which were dropped out of the ring's order.
        forked: called in a process that was forked off, when that is noticed.
        own: which events are dropped, "reentrant", once the consumer has called :meth:`enter`: "thread" are those that
            its thread publishes, "context" those of its context and of all that inherit that; None is for none.
        max_bytes: the most bytes of events that wait, by what ``sized`` says of each; one event may wait in any case.
        sized: called with each event before it is pushed, for its bytes; must not raise. None for no bound.

    Attributes:
        accepted: how many events went into the buffer.
        removed: how many have left it, taken or dropped; the next to leave has this number, counted from 0.
        in_flight: how many were taken and are not done.
        streak: how many calls have failed in a row.

    Raises:
        ValueError: ``maxsize`` is less than 1.
    """

    __slots__ = ()

    def __reduce__(self) -> str:
        return uncopied(self)

    def inlet(self, handler: Callable[[Any], object]) -> Inlet:
        """Return the way in for the events of one method."""
        return Inlet(self, handler)


Ring.__module__ = "goanna.core"
