"""The bounded buffer behind queued and on-loop delivery, in pure Python: the same as the compiled ``goanna._ring``.

Publishers push from any thread, one consumer takes out. The ring keeps every count about the events that went through
it, changed in the same step as the buffer itself, so that at any moment published = delivered + failed + dropped +
pending. It knows no threads and no loops: it says "wake" when as many events wait as its consumer has asked for, and
never otherwise.
"""

from __future__ import annotations

import contextvars
import mmap
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, Final, final

from goanna._common import TORN_INCREMENT

__all__ = ["BUCKETS", "REASONS", "Inlet", "Ring", "enter_report", "in_report", "leave_report"]

REASONS: Final = (
    "overflow",
    "timeout",
    "closed",
    "exit",
    "loop_closed",
    "quarantined",
    "fork_inherited",
    "reentrant",
)
"""Why an event may be dropped."""

BUCKETS: Final = 41
"""The size of the histogram of times: bucket ``n`` counts the calls whose nanoseconds have ``n`` binary digits."""

_NEVER: Final = 1 << 62

_now = time.monotonic_ns


class _Process:
    """Stands in for the page where there is none: its first byte is 0 in another process."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    def __getitem__(self, index: int) -> int:
        return int(os.getpid() == self._pid)

    def __setitem__(self, index: int, value: int) -> None:
        self._pid = os.getpid()


def _new_page() -> Any:
    """Return a byte that is 1 here and 0 in any process forked off, also by a fork that runs no hooks.

    Linux wipes a page in the child if it is asked to, and reading it is much cheaper than a system call.
    """
    if sys.platform == "linux":
        wipe_on_fork = 18  # MADV_WIPEONFORK of <sys/mman.h>, which the module mmap has no name for
        try:
            page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            page.madvise(wipe_on_fork)
        except OSError:  # a kernel before 4.14
            return _Process()
        page[0] = 1
        return page
    return _Process()


_page: Final = _new_page()

_rings: Final[weakref.WeakSet[Ring]] = weakref.WeakSet()


def _look_for_forks() -> None:
    """If this process was forked off since the last call, have all rings start anew."""
    if not _page[0]:
        _page[0] = 1
        _reporting.clear()
        for reference in list(_rings.data):  # type: ignore[attr-defined]  # its lock may be held by nobody who is here
            one = reference()
            if one is not None:
                one._start_anew()


HANDLER, EVENT, CONTEXT, TIME, LOST = range(5)
"""What is where in a slot, which is a list, because nothing else is made as fast and can be changed."""

_reporting: set[int] = set()
"""The threads that write a report of goanna's own at this moment."""


def enter_report() -> bool:
    """Say that this thread writes a report of goanna's own: what it publishes until the end of it is dropped.

    Returns:
        Whether it did not do so already; then :func:`leave_report` must follow.
    """
    thread = threading.get_ident()
    if thread in _reporting:
        return False
    _reporting.add(thread)
    return True


def in_report() -> bool:
    """Return whether this thread writes a report of goanna's own at this moment."""
    return bool(_reporting) and threading.get_ident() in _reporting


def leave_report() -> None:
    """Say that the report is written."""
    _reporting.discard(threading.get_ident())


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
        if not _page[0] or _reporting or ring._special or len(slots) >= ring._maxsize:
            ring.push(self.handler, event)
            return
        slot = [self.handler, event, None, _now(), 0]
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
        self._wake_at = _NEVER
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
        _rings.add(self)

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

    def push(self, handler: Any, event: Any) -> None:
        """Take an event in, or drop one and count it."""
        _look_for_forks()
        if _reporting and threading.get_ident() in _reporting:
            self.drop("reentrant")
            return
        if self._shut is not None:
            self.drop(self._shut)
            return
        if self._prepare is not None:
            try:
                event = self._prepare(event)
            except Exception as error:
                with self._lock:
                    self._refused += 1
                    self._failed += 1
                self._report(error, handler, event)
                return
        context = contextvars.copy_context() if self._capture else None
        # A look without the lock first: what was full a moment ago is full.
        if len(self._slots) < self._maxsize and self.offer(handler, event, context):
            return
        if self._shut is not None:
            self.drop(self._shut)
        elif self._full is not None:
            self._full(handler, event, context)
        elif self._newest:
            self.drop("overflow")
        else:
            self._push_out([handler, event, context, _now(), 0])

    def offer(self, handler: Any, event: Any, context: Any = None) -> bool:
        """Take an event in if there is room and the ring is not shut; return whether."""
        slot = [handler, event, context, _now(), 0]
        with self._lock:
            size = len(self._slots)
            if size >= self._maxsize or self._shut is not None:
                return False
            wake = self._append(slot)
        if wake:
            self._wake()
        return True

    def drop(self, reason: str) -> None:
        """Count an event that was published and not taken in.

        Raises:
            ValueError: there is no such reason.
        """
        if reason not in self._dropped:
            raise ValueError(f"reason is {reason!r}; it must be one of {', '.join(REASONS)}")
        leaves_a_gap = reason in ("overflow", "timeout")
        if reason == self._shut and not leaves_a_gap and not TORN_INCREMENT:
            # Without the lock, so that publishers who don't know that it is over can't keep the consumer from it.
            self._turned_away += 1
            return
        with self._lock:
            self._refused += 1
            self._dropped[reason] += 1
            if leaves_a_gap:
                self._tail_lost += 1
                self._set_special()

    def _push_out(self, slot: list[Any]) -> None:
        """Take an event in, at the expense of the oldest one."""
        out = None
        wake = False
        with self._lock:
            if self._shut is not None:
                self._refused += 1
                self._dropped[self._shut] += 1
            else:
                wake = self._append(slot)
                if len(self._slots) > self._maxsize:
                    out = self._slots.popleft()
                    self.removed += 1
                    self._dropped["overflow"] += 1
                    if self._slots:
                        self._slots[0][LOST] += out[LOST] + 1
                    else:
                        self._tail_lost += out[LOST] + 1
                        self._set_special()
        if wake:
            self._wake()
        del out

    def _append(self, slot: list[Any]) -> bool:
        """Append; return whether to wake the consumer."""
        slot[LOST], self._tail_lost = self._tail_lost, 0
        self._slots.append(slot)
        self._set_special()
        size = len(self._slots)
        pending = min(size, self._maxsize) + self.in_flight
        if pending > self._high_water:
            self._high_water = pending
        if size >= self._wake_at:
            self._wake_at = _NEVER
            return True
        return False

    def _look_after(self, slot: list[Any]) -> None:
        """Put right what an append without the lock may have missed, and wake the consumer if it is time."""
        with self._lock:
            # It was shut and, it may be, emptied meanwhile; or several threads took the last place.
            again = (self._shut is not None or len(self._slots) > self._maxsize) and self._take_back(slot)
            self._high_water = min(self._high_water, self._maxsize + self.in_flight)
            wake = len(self._slots) >= self._wake_at
            if wake:
                self._wake_at = _NEVER
        if wake:
            self._wake()
        if again:
            self.push(slot[HANDLER], slot[EVENT])

    def _take_back(self, slot: list[Any]) -> bool:
        """Remove a slot as if it had not been appended; return False if it has been taken out already."""
        slots = self._slots
        for index in range(len(slots) - 1, -1, -1):  # it is among the last
            if slots[index] is slot:
                del slots[index]
                if index < len(slots):
                    slots[index][LOST] += slot[LOST]
                else:
                    self._tail_lost += slot[LOST]
                self._set_special()
                return True
        return False

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

    # The consumer's side.

    def pop(self) -> tuple[int, Any, Any, Any, int, int] | None:
        """Take the oldest event; it is in flight until :meth:`done`.

        Returns:
            Its number, its handler, the event, the context or None, when it was pushed (monotonic nanoseconds) and how
            many events were dropped before it; None if there is none.
        """
        with self._lock:
            if not self._slots:
                return None
            slot = self._slots.popleft()
            if not self.in_flight:
                self._flight_time = slot[TIME]
                self._flight_number = self.removed
            self.in_flight += 1
            self.removed += 1
            return self.removed - 1, slot[HANDLER], slot[EVENT], slot[CONTEXT], slot[TIME], slot[LOST]

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
                slot = self._slots.popleft()
                if not self.in_flight:
                    self._flight_time = slot[TIME]
                    self._flight_number = self.removed
                self.in_flight += 1
                self.removed += 1
                events.append(slot[EVENT])
            return events, lost

    def done(self, delivered: int, failed: int, nanoseconds: int) -> None:
        """Count events that were in flight, and the time of the call that they took."""
        with self._lock:
            count = min(delivered + failed, self.in_flight)
            if count < delivered + failed:
                return  # the process was forked meanwhile: they have been counted as inherited
            self.in_flight -= count
            self._delivered += delivered
            self._failed += failed
            self.streak = self.streak + 1 if failed else 0
            self._total += nanoseconds
            self._longest = max(self._longest, nanoseconds)
            self._histogram[min(nanoseconds.bit_length(), BUCKETS - 1)] += 1

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
        begin = start = _now()
        while handled < most:
            with self._lock:
                lost = self._lost_first() if self._gap is not None else 0
                taken = None if lost else self.pop()
            if lost and self._gap is not None:
                self._gap(lost)  # which may raise: the event is still in its place
                start = _now()
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
                if context is None:
                    handler(event)
                else:
                    context.run(handler, event)
            except BaseException as raised:
                error = raised
            end = _now()
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
            armed = self._wake_at != _NEVER
            self._wake_at = _NEVER
            return armed

    def rouse(self) -> None:
        """Wake the consumer now if it has asked to be woken at all."""
        if self.disarm():
            self._wake()

    # Both sides.

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
        _look_for_forks()

    def _start_anew(self) -> None:
        """Count what was inherited as that; in the child of a fork."""
        self._generation += 1
        # Whoever held the lock is not in this process. What it was about is settled by counting the rest.
        self._lock = threading.RLock()
        out = list(self._slots)
        self._slots.clear()
        self.removed += len(out)
        self.in_flight = 0
        self._wake_at = _NEVER
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
        _look_for_forks()
        with self._lock:
            waiting = len(self._slots)  # once, because it grows without the lock
            if self.in_flight:
                oldest = max(_now() - self._flight_time, 0)
            elif waiting:
                oldest = max(_now() - self._slots[0][TIME], 0)
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


for _public in (Inlet, Ring, enter_report, in_report, leave_report):
    _public.__module__ = "goanna.core"
