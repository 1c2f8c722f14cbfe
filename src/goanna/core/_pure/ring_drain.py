"""The consumer's side of the pure ring: the methods by which events come out, and that say when."""

from __future__ import annotations

from goanna.core._pure.ring_slot import BUCKETS, BYTES, CONTEXT, EVENT, HANDLER, LOST, NEVER, TIME, now
from goanna.core._pure.ring_state import RingState
from goanna.core.base import TYPE_CHECKING
from goanna.core.deferred import ran
from goanna.core.marks import mark

if TYPE_CHECKING:
    from typing import Any

__all__ = ["RingDrain"]


class RingDrain(RingState):
    """A ring as its consumer sees it."""

    __slots__ = ()

    def pop(self) -> tuple[int, Any, Any, Any, int, int] | None:
        """Take the oldest event; it is in flight until :meth:`done`.

        Returns:
            Its number, its handler, the event, the context or None, when it was pushed (monotonic nanoseconds) and how
            many events were dropped before it; None if there is none.
        """
        with self._lock:
            if not self._slots:
                return None
            slot = self._fetch()
            return self.removed - 1, slot[HANDLER], slot[EVENT], slot[CONTEXT], slot[TIME], slot[LOST]

    def _fetch(self) -> list[Any]:
        """Take the oldest slot, which is in flight from then on; the caller holds the lock."""
        slot = self._slots[0]
        if not self.in_flight:
            self._flight_time = slot[TIME]
            self._flight_number = self.removed
        # Without a call, after which a signal could come in between.
        del self._slots[0]
        self._bytes -= slot[BYTES]
        self.in_flight += 1
        self.removed += 1
        return slot

    def take(self, most: int) -> tuple[list[Any], int]:
        """Take up to ``most`` events at once, no further than to the next gap; they are in flight until :meth:`done`.

        Returns:
            The events, and how many were dropped before the first.
        """
        with self._lock:
            if not self._slots:
                return [], 0
            lost: int = self._slots[0][LOST]
            events: list[Any] = []
            while self._slots and len(events) < most and not (events and self._slots[0][LOST]):
                events.append(self._fetch()[EVENT])
            return events, lost

    def done(self, delivered: int, failed: int, nanoseconds: int) -> None:
        """Count events that were in flight, and the time of the call that they took."""
        with self._lock:
            count = delivered + failed
            if count > self.in_flight:
                return  # the process was forked meanwhile: they have been counted as inherited
            self._note_pending()
            bucket = min(nanoseconds.bit_length(), BUCKETS - 1)
            # No call from here on, after which a signal could come in between.
            self.in_flight -= count
            self._delivered += delivered
            self._failed += failed
            self.streak = self.streak + 1 if failed else 0
            self._total += nanoseconds
            if nanoseconds > self._longest:
                self._longest = nanoseconds
            self._histogram[bucket] += 1

    def left(self, number: int) -> int:
        """Return how many of the first ``number`` events that were taken in wait or are in flight.

        It is exact for a consumer that takes events up in order, one call after another.
        """
        with self._lock:
            count = 0
            if self.in_flight and self._flight_number < number:
                count = min(self.in_flight, number - self._flight_number)
            return count + min(max(number - self.removed, 0), len(self._slots))

    def trailing(self) -> int:
        """Return how many events were dropped after the last one that was taken in, and forget it."""
        with self._lock:
            lost, self._tail_lost = self._tail_lost, 0
            self._set_special()
            return lost

    def _lost_first(self) -> int:
        """Return how many events were dropped before the oldest one, and forget it."""
        if not self._slots:
            return 0
        lost: int = self._slots[0][LOST]
        self._slots[0][LOST] = 0
        return lost

    def drain(self, most: int, nanoseconds: int) -> int:
        """Call the handlers of up to ``most`` events, one after another.

        Args:
            most: how many at most.
            nanoseconds: take no further event when this much time has gone by.

        Returns:
            How many.
        """
        handled = 0
        begin = start = now()
        while handled < most:
            with self._lock:
                lost = self._lost_first() if self._gap is not None else 0
                taken = None if lost else self.pop()
            if lost and self._gap is not None:
                self._gap(lost)  # which may raise: the event is still in its place
                start = now()
                continue
            if taken is None:
                if self._gap is not None and self._tail_lost:
                    self._gap(self.trailing())
                break
            _, handler, event, context, _, _ = taken
            handled += 1
            generation = self._generation
            error: BaseException | None = None
            try:
                if context is not None and self._own is not None:
                    context.run(mark, self._key)
                if context is None:
                    ran(handler(event))
                else:
                    ran(context.run(handler, event))
            except BaseException as raised:
                error = raised
            end = now()
            if generation == self._generation:
                self.done(error is None, error is not None, end - start)
            try:
                if error is not None:
                    self._report(error, handler, event)
                if self._slow and end - start >= self._slow and self._slowed is not None:
                    self._slow = 0
                    self._slowed(handler, event, end - start)
            finally:
                error = None
            if end - begin >= nanoseconds:
                break
            taken = event = context = None
            start = end
        return handled

    def arm(self, level: int) -> bool:
        """Ask to be woken when this many events wait; return False, and do nothing, if they do already."""
        with self._lock:
            # In this order, because a push, which takes no lock, first appends and then looks whether it is to wake.
            before, self._wake_at = self._wake_at, level
            if len(self._slots) >= level:
                self._wake_at = before
                return False
            return True

    def disarm(self) -> bool:
        """Take that back; return False if it is too late and the wake-up has been, or is being, called."""
        with self._lock:
            armed = self._wake_at != NEVER
            self._wake_at = NEVER
            return armed

    def wake_now(self) -> None:
        """Wake the consumer now if it has asked to be woken at all."""
        try:
            if self.disarm():
                self._wake()
        except BaseException:
            self._wake_at = 1  # interrupted: the next push is to wake the consumer if this has not
            raise
