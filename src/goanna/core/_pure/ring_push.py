"""The publishers' side of the pure ring: the methods by which an event goes in, or is dropped and counted."""

from __future__ import annotations

import contextvars
import threading

from goanna.core._pure.fork_page import look_for_forks
from goanna.core._pure.reporting import in_block, reporting
from goanna.core._pure.ring_slot import EVENT, HANDLER, LOST, NEVER, check_reason, now
from goanna.core._pure.ring_state import RingState
from goanna.core.base import TORN_INCREMENT, TYPE_CHECKING
from goanna.core.marks import mark, marked, unmark

if TYPE_CHECKING:
    from typing import Any

__all__ = ["RingPush"]


class RingPush(RingState):
    """A ring as its publishers see it."""

    __slots__ = ()

    def push(self, handler: Any, event: Any) -> None:
        """Take an event in, or drop one and count it."""
        look_for_forks()
        if reporting:
            if threading.get_ident() in reporting:
                self.drop("reentrant")
                return
            if in_block():
                return
        if self._is_own():
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
        weight = 0 if self._sized is None else self._sized(event)
        if len(self._slots) < self._maxsize and self._offer(handler, event, context, weight):
            return
        if self._shut is not None:
            self.drop(self._shut)
        elif self._full is not None:
            self._full(handler, event, context)
        elif self._newest:
            self.drop("overflow")
        elif self._sized is not None:
            while not self._offer(handler, event, context, weight):
                if self._shut is not None:
                    self.drop(self._shut)
                    return
                self._drop_first()
        else:
            self._push_out([handler, event, context, now(), 0, 0])

    def _is_own(self) -> bool:
        """Return whether what is published here is the consumer's own."""
        return self._consumer in (threading.get_ident(), -1) and marked(self._key)

    def enter(self) -> Any:
        """Say that this thread, or context, is the consumer's own; return what :meth:`leave` takes."""
        if self._own is None:
            return None
        if self._own == "thread":
            self._consumer = threading.get_ident()
        return mark(self._key)

    def leave(self, token: Any) -> None:
        """Take that back, in the same context."""
        if token is not None:
            unmark(token)

    def offer(self, handler: Any, event: Any, context: Any = None) -> bool:
        """Take an event in if there is room and the ring is not shut; return whether."""
        return self._offer(handler, event, context, 0 if self._sized is None else self._sized(event))

    def _offer(self, handler: Any, event: Any, context: Any, weight: int) -> bool:
        slot = [handler, event, context, now(), 0, weight]
        try:
            with self._lock:
                waiting = len(self._slots)
                if waiting >= self._maxsize or self._shut is not None:
                    return False
                if waiting and weight and self._bytes + weight > self._max_bytes:
                    return False
                self._bytes += weight
                wake = self._append(slot)
                if not wake and weight and 2 * self._bytes >= self._max_bytes and self._wake_at != NEVER:
                    self._wake_at = NEVER  # or it would be full before as many wait as the consumer has asked for
                    wake = True
            if wake:
                self._wake()
        except BaseException:
            self._wake_at = 1  # interrupted: the next push is to wake the consumer if this one has not
            raise
        return True

    def drop(self, reason: str) -> None:
        """Count an event that was published and not taken in.

        Raises:
            ValueError: there is no such reason.
        """
        check_reason(reason)
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

    def _drop_first(self) -> None:
        """Drop the oldest event, if there is one."""
        out: list[Any] = []
        with self._lock:
            if self._slots:
                self._out(out, "overflow", 1)
                if not self._slots:
                    self._tail_lost += out[0][LOST] + 1
                    self._set_special()
        del out

    def _push_out(self, slot: list[Any]) -> None:
        """Take an event in, at the expense of the oldest one."""
        out = None
        wake = False
        try:
            with self._lock:
                if self._shut is not None:
                    self._refused += 1
                    self._dropped[self._shut] += 1
                else:
                    if len(self._slots) >= self._maxsize:
                        self._note_pending()
                        out = self._slots[0]
                        # No call from here on, after which a signal could come in between.
                        del self._slots[0]
                        self.removed += 1
                        self._dropped["overflow"] += 1
                        if self._slots:
                            self._slots[0][LOST] += out[LOST] + 1
                        else:
                            self._tail_lost += out[LOST] + 1
                    wake = self._append(slot)
            if wake:
                self._wake()
        except BaseException:
            self._wake_at = 1  # see offer()
            raise
        del out

    def _append(self, slot: list[Any]) -> bool:
        """Append; return whether to wake the consumer."""
        slot[LOST], self._tail_lost = self._tail_lost, 0
        self._slots.append(slot)
        self._set_special()
        if len(self._slots) >= self._wake_at:
            self._wake_at = NEVER
            return True
        return False

    def _look_after(self, slot: list[Any]) -> None:
        """Put right what an append without the lock may have missed, and wake the consumer if it is time."""
        try:
            with self._lock:
                # It was shut and, it may be, emptied meanwhile; or several threads took the last place.
                again = (self._shut is not None or len(self._slots) > self._maxsize) and self._take_back(slot)
                wake = len(self._slots) >= self._wake_at
                if wake:
                    self._wake_at = NEVER
            if wake:
                self._wake()
        except BaseException:
            self._wake_at = 1  # see offer()
            raise
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
