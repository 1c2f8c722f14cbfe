"""What a pure ring is at any moment: its slots, its counts and its lock, and how it begins again after a fork."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from goanna.core._pure.fork_page import look_for_forks, rings
from goanna.core._pure.ring_slot import BUCKETS, BYTES, LOST, NEVER, REASONS, TIME, check_reason, now
from goanna.core.base import TORN_INCREMENT, TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

__all__ = ["RingState"]


class RingState:
    """The state that both sides of a ring work on; its arguments are those of Ring."""

    __slots__ = (
        "__weakref__",
        "_bytes",
        "_capture",
        "_consumer",
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
        "_key",
        "_lock",
        "_longest",
        "_max_bytes",
        "_maxsize",
        "_newest",
        "_on_fork",
        "_own",
        "_prepare",
        "_refused",
        "_report",
        "_shut",
        "_sized",
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
        own: str | None = None,
        max_bytes: int = 0,
        sized: Callable[[Any], int] | None = None,
    ) -> None:
        if maxsize < 1:
            raise ValueError(f"maxsize is {maxsize}; it must be at least 1")
        if own not in (None, "thread", "context"):
            raise ValueError(f"own is {own!r}; it must be None, thread or context")
        self._maxsize = maxsize
        self._wake = wake
        self._report = failed
        self._newest = newest
        self._full = full
        self._prepare = prepare
        self._capture = capture
        self._unusual = capture or prepare is not None or sized is not None
        self._max_bytes = max_bytes
        self._sized = sized
        self._bytes = 0  # of those that wait
        self._slow = slow
        self._slowed = slowed
        self._gap = gap
        self._on_fork = forked
        self._key = object()  # the consumer's mark
        self._own = own
        self._consumer = -1 if own == "context" else 0  # the thread that its own events come on, -1 for any
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

    def _out(self, out: list[Any], reason: str, count: int) -> None:
        """Drop the oldest events into ``out``, so that they go away when the lock is free."""
        self._note_pending()
        lost = 0
        for _ in range(count):
            slot = self._slots[0]
            out.append(slot)
            # No call from here on, after which a signal could come in between.
            del self._slots[0]
            self._bytes -= slot[BYTES]
            self.removed += 1
            self._dropped[reason] += 1
            lost += slot[LOST] + 1
        if self._slots and lost:
            self._slots[0][LOST] += lost

    def _note_pending(self) -> None:
        """Note how many are pending, before there are fewer; the caller holds the lock.

        Between two such moments they only become more, so pushes need not look. Those beyond the bound, which several
        threads have appended at once, are about to be taken back.
        """
        pending = min(len(self._slots), self._maxsize) + self.in_flight
        if pending > self._high_water:
            self._high_water = pending

    def _set_special(self) -> None:
        """Say whether a push has to look at more than the room, or to take the lock because there is no GIL."""
        self._special = TORN_INCREMENT or self._unusual or self._shut is not None or self._tail_lost > 0

    def shut(self, reason: str) -> None:
        """Drop what is pushed from now on, for this reason; the first reason stays."""
        check_reason(reason)
        with self._lock:
            if self._shut is None:
                self._shut = reason
                self._set_special()

    def discard(self, reason: str) -> int:
        """Drop what waits, for this reason; return how many events that were."""
        check_reason(reason)
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
        self._note_pending()
        out = list(self._slots)
        self._slots.clear()
        self._bytes = 0
        self.removed += len(out)
        self.in_flight = 0
        self._wake_at = NEVER
        self._tail_lost = 0
        self._key = object()
        self._consumer = min(self._consumer, 0)
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
            self._note_pending()
            # Once, because it grows without the lock; but not beyond what can have been pending at this moment.
            waiting = min(len(self._slots), self._maxsize, self._high_water - self.in_flight)
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
        return min(len(self._slots), self._maxsize)

    def __bool__(self) -> bool:
        """Return True: an empty ring is a ring."""
        return True

    def __repr__(self) -> str:
        return f"<Ring with {len(self)} of {self._maxsize}>"
