"""Waiting until a consumer has come to a certain event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import final

__all__ = ["Waiter", "Waiters", "soon"]


@final
class Waiter:
    """Waits for the first ``target`` events."""

    __slots__ = ("_lock", "target", "tell")

    def __init__(self, target: int, tell: Callable[[], object] | None = None) -> None:
        self.target: int = target
        self._lock = threading.Lock()
        self._lock.acquire()
        self.tell: Callable[[], object] = tell or self._lock.release

    def wait(self, deadline: float | None) -> bool:
        """Return True when told, False when the deadline (monotonic seconds) has passed."""
        if deadline is None:
            return self._lock.acquire()
        return self._lock.acquire(timeout=min(max(deadline - time.monotonic(), 0.0), threading.TIMEOUT_MAX))


@final
class Waiters:
    """Those who wait for one consumer.

    Without a lock, which a process that is forked off might inherit locked: each change is one step of a dict.
    """

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[Waiter, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, waiter: Waiter) -> None:
        """Have it told when its events are dealt with."""
        self._waiting[waiter] = True

    def remove(self, waiter: Waiter) -> bool:
        """Forget it; return False if it is not there any more, because it has been told."""
        return self._waiting.pop(waiter, False)

    def answer(self, left: Callable[[int], int]) -> None:
        """Tell those for whose events ``left(target)`` is 0."""
        for one in list(self._waiting):
            if not left(one.target) and self.remove(one):  # else somebody else has told it
                one.tell()

    def clear(self) -> None:
        """Forget all, in a process in which nobody waits any more."""
        self._waiting.clear()


def soon(deadline: float | None, seconds: float) -> float:
    """Return the moment after so many seconds (monotonic), or the deadline if that comes before."""
    then = time.monotonic() + seconds
    return then if deadline is None else min(deadline, then)
