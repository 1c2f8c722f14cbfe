"""The bounded buffer behind queued and on-loop delivery, in pure Python.

Publishers push from any thread, one consumer takes out. The ring keeps every count about the events that went through
it, changed in the same step as the buffer itself, so that at any moment published = delivered + failed + dropped +
pending. It knows no threads and no loops: it says "wake" when as many events wait as its consumer has asked for, and
never otherwise.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from types import FunctionType

from goanna.core._pure import ring_drain as consuming
from goanna.core._pure import ring_push as publishing
from goanna.core._pure.fork_page import look_for_forks, page, rings
from goanna.core._pure.reporting import enter_report, in_report, leave_report, reporting
from goanna.core._pure.ring_slot import BUCKETS, LOST, NEVER, REASONS, TIME, now
from goanna.core.base import TORN_INCREMENT, TYPE_CHECKING, final

if TYPE_CHECKING:
    from typing import Any

__all__ = ["BUCKETS", "REASONS", "Inlet", "Ring", "enter_report", "in_report", "leave_report"]


@final
class Inlet:
    """The way of one method's events into a ring: called with an event it pushes it.

    Args:
        ring: where it goes.
        handler: the method that the consumer will call.

    Raises:
        TypeError: ``ring`` is no Ring.
    """

    __slots__ = ("handler", "ring")

    def __init__(self, ring: Ring, handler: Callable[[Any], object]) -> None:
        if not isinstance(ring, Ring):
            raise TypeError(f"an Inlet takes a Ring, not {type(ring).__name__}")
        self.ring = ring
        self.handler = handler

    def __call__(self, event: Any) -> None:
        """Push the event; nothing is raised, whatever becomes of it."""
        ring = self.ring
        # What follows is push() for the ordinary case, written out and without a lock, which the append can do without.
        slots = ring._slots
        if not page[0] or reporting or ring._special or len(slots) >= ring._maxsize:
            ring.push(self.handler, event)
            return
        slot = [self.handler, event, None, now(), 0]
        slots.append(slot)
        waiting = len(slots)
        pending = waiting + ring.in_flight
        if pending > ring._high_water:
            ring._high_water = pending
        if waiting >= ring._wake_at or ring._special or waiting > ring._maxsize:
            ring._look_after(slot)

    def __repr__(self) -> str:
        return f"<Inlet of {self.handler!r}>"


@final
class Ring:
    """A bounded buffer between publishers and one consumer, with the counts of all that went in.

    Args:
        maxsize: the most events that wait.
        wake: called without arguments when as many wait as :meth:`arm` asked for; must not raise.
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

    Attributes:
        accepted: how many events went into the buffer.
        removed: how many have left it, taken or dropped; the next to leave has this number, counted from 0.
        in_flight: how many were taken and are not done.
        streak: how many calls have failed in a row.

    Raises:
        ValueError: ``maxsize`` is less than 1.
    """

    __slots__ = (
        "__weakref__",
        "_capture",
        "_delivered",
        "_dropped",
        "_failed",
        "_flight_number",
        "_flight_time",
        "_full",
        "_gap",
        "_generation",
        "_high_water",
        "_histogram",
        "_lock",
        "_longest",
        "_maxsize",
        "_newest",
        "_on_fork",
        "_prepare",
        "_refused",
        "_report",
        "_shut",
        "_slots",
        "_slow",
        "_slowed",
        "_special",
        "_tail_lost",
        "_total",
        "_turned_away",
        "_unusual",
        "_wake",
        "_wake_at",
        "in_flight",
        "removed",
        "streak",
    )

    def __init__(
        self,
        maxsize: int,
        wake: Callable[[], object],
        failed: Callable[[BaseException, Any, Any], object],
        *,
        newest: bool = False,
        full: Callable[[Any, Any, Any], object] | None = None,
        prepare: Callable[[Any], Any] | None = None,
        capture: bool = False,
        slow: int = 0,
        slowed: Callable[[Any, Any, int], object] | None = None,
        gap: Callable[[int], object] | None = None,
        forked: Callable[[], object] | None = None,
    ) -> None:
        if maxsize < 1:
            raise ValueError(f"maxsize is {maxsize}; it must be at least 1")
        self._maxsize = maxsize
        self._wake = wake
        self._report = failed
        self._newest = newest
        self._full = full
        self._prepare = prepare
        self._capture = capture
        self._unusual = capture or prepare is not None
        self._slow = slow
        self._slowed = slowed
        self._gap = gap
        self._on_fork = forked
        self._generation = 0
        # Re-entrant: a finalizer or a signal handler may publish while this thread holds it. That is why a push
        # changes the state in one step, the append, and all that it counts is derived from that. An ordinary push
        # does without the lock: who shuts or empties the ring under it comes either before its look at `_special` or
        # after its append.
        self._lock = threading.RLock()
        self._slots: deque[list[Any]] = deque()
        self._wake_at = NEVER
        self._shut: str | None = None
        self._tail_lost = 0
        self._refused = 0
        self._turned_away = 0  # of them those who came when it was shut, dropped for that reason
        self._dropped = dict.fromkeys(REASONS, 0)
        self._delivered = 0
        self._failed = 0
        self._high_water = 0
        self._flight_time = 0
        self._flight_number = 0
        self._total = 0
        self._longest = 0
        self._histogram = [0] * BUCKETS
        self.removed = 0
        self.in_flight = 0
        self.streak = 0
        self._set_special()
        rings.add(self)

    @property
    def accepted(self) -> int:
        """How many events went into the buffer."""
        return self.removed + len(self._slots)

    @property
    def shut_for(self) -> str | None:
        """The reason for which events are dropped instead of taken in, or None."""
        return self._shut

    def inlet(self, handler: Callable[[Any], object]) -> Inlet:
        """Return the way in for the events of one method."""
        return Inlet(self, handler)

    # The publishers' side.

    push = publishing.push
    offer = publishing.offer
    drop = publishing.drop
    _push_out = publishing._push_out
    _append = publishing._append
    _look_after = publishing._look_after
    _take_back = publishing._take_back

    # The consumer's side.

    pop = consuming.pop
    take = consuming.take
    done = consuming.done
    left = consuming.left
    trailing = consuming.trailing
    _lost_first = consuming._lost_first
    drain = consuming.drain
    arm = consuming.arm
    disarm = consuming.disarm
    rouse = consuming.rouse

    # Both sides.

    def _out(self, out: list[Any], reason: str, count: int) -> None:
        """Drop the oldest events into ``out``, so that they go away when the lock is free."""
        lost = 0
        for _ in range(count):
            slot = self._slots.popleft()
            self.removed += 1
            self._dropped[reason] += 1
            lost += slot[LOST] + 1
            out.append(slot)
        if self._slots and lost:
            self._slots[0][LOST] += lost

    def _set_special(self) -> None:
        """Say whether a push has to look at more than the room, or to take the lock because there is no GIL."""
        self._special = TORN_INCREMENT or self._unusual or self._shut is not None or self._tail_lost > 0

    def shut(self, reason: str) -> None:
        """Drop what is pushed from now on, for this reason; the first reason stays."""
        if reason not in self._dropped:
            raise ValueError(f"reason is {reason!r}; it must be one of {', '.join(REASONS)}")
        with self._lock:
            if self._shut is None:
                self._shut = reason
                self._set_special()

    def discard(self, reason: str) -> int:
        """Drop what waits, for this reason; return how many events that were."""
        if reason not in self._dropped:
            raise ValueError(f"reason is {reason!r}; it must be one of {', '.join(REASONS)}")
        out: list[Any] = []
        with self._lock:
            self._out(out, reason, len(self._slots))
        return len(out)

    def check_fork(self) -> None:
        """In a process that was forked off since the last call: count what it has inherited as that, and start anew."""
        look_for_forks()

    def _start_anew(self) -> None:
        """Count what was inherited as that; in the child of a fork."""
        self._generation += 1
        # Whoever held the lock is not in this process. What it was about is settled by counting the rest.
        self._lock = threading.RLock()
        out = list(self._slots)
        self._slots.clear()
        self.removed += len(out)
        self.in_flight = 0
        self._wake_at = NEVER
        self._tail_lost = 0
        self._set_special()
        accounted = self._delivered + self._failed + sum(self._dropped.values())
        self._dropped["fork_inherited"] += self._refused + self.removed - accounted
        if self._on_fork is not None:
            self._on_fork()

    def counts(self) -> tuple[int, int, int, tuple[int, ...], int, int, int, int, int, tuple[int, ...]]:
        """Return all counts as they were at one moment.

        Returns:
            published, delivered, failed, dropped (in the order of REASONS), pending, the most that were pending at
            once, the age of the oldest pending event in nanoseconds, the nanoseconds spent in handlers, the longest
            call, the histogram of calls.
        """
        look_for_forks()
        with self._lock:
            waiting = len(self._slots)  # once, because it grows without the lock
            if self.in_flight:
                oldest = max(now() - self._flight_time, 0)
            elif waiting:
                oldest = max(now() - self._slots[0][TIME], 0)
            else:
                oldest = 0
            turned_away = self._turned_away  # once, for the same reason
            dropped = {**self._dropped}
            if self._shut is not None:
                dropped[self._shut] += turned_away
            return (
                self._refused + turned_away + self.removed + waiting,
                self._delivered,
                self._failed,
                tuple(dropped.values()),
                waiting + self.in_flight,
                self._high_water,
                oldest,
                self._total,
                self._longest,
                tuple(self._histogram),
            )

    def __len__(self) -> int:
        """Return how many events wait."""
        return len(self._slots)

    def __bool__(self) -> bool:
        """Return True: an empty ring is a ring."""
        return True

    def __repr__(self) -> str:
        return f"<Ring with {len(self._slots)} of {self._maxsize}>"


for _method in vars(Ring).values():
    if isinstance(_method, FunctionType):  # those of the sides too
        _method.__module__ = __name__
        _method.__qualname__ = f"Ring.{_method.__name__}"
for _public in (Inlet, Ring):
    _public.__module__ = "goanna.core"
