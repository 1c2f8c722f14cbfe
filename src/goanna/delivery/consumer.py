"""What takes events out of a ring: what the workers on a thread and on a loop have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from goanna.core import Ring
from goanna.core.forks import after_fork
from goanna.delivery.at_exit import everybody
from goanna.delivery.options import Options
from goanna.delivery.sizes import size_of
from goanna.delivery.waiters import Waiters
from goanna.dispatch.watch import warn_quarantined, warn_slow

__all__ = ["Consumer"]


class Consumer:
    """A ring, with what becomes of errors, slow calls and forks. A subclass sets its own attributes first.

    Args:
        options: of the wrapper.
        full: what to do with an event that finds no room, see the ring.

    Attributes:
        listener: whose events they are.
        ring: where they wait.
        own: which events are the listener's own, see the ring.
    """

    listener: Any
    ring: Ring
    own: str

    def __init__(self, options: Options, full: Callable[[Any, Any, Any], object] | None = None) -> None:
        self.listener = options.listener
        self._maxsize = options.maxsize
        self._errors = options.errors
        self._quarantine = options.quarantine
        self._slow = options.slow
        self._gap_method = options.gap
        self._waiters = Waiters()
        self.ring = Ring(
            options.maxsize,
            self._wake,
            self._failed,
            newest=options.newest,
            full=full,
            prepare=options.prepare,
            capture=options.capture,
            slow=options.slow or 0,
            slowed=self._slowed,
            gap=None if self._gap_method is None else self._gap,
            forked=self._forked,
            max_bytes=options.max_bytes or 0,
            sized=None if options.max_bytes is None else size_of,
            own=None if options.reentrant else self.own,
        )
        self.ring.arm(1)
        after_fork(self)
        everybody(self)

    def flush(self, timeout: float | None) -> int:
        """See :meth:`Wrapper.flush`."""
        raise NotImplementedError

    def close(self, timeout: float | None) -> int:
        """See :meth:`Wrapper.close`."""
        raise NotImplementedError

    def hurry(self) -> None:
        """Begin with what waits, and wait no longer for more."""
        self.ring.check_fork()
        self.ring.wake_now()

    def _wake(self) -> None:
        """Come and take events out."""
        raise NotImplementedError

    def _failed(self, error: BaseException, handler: Any, event: Any) -> None:
        """Deal with what a handler has raised."""
        raise NotImplementedError

    def _gap(self, count: int) -> None:
        """Tell the listener that events are missing."""
        raise NotImplementedError

    def _forked(self) -> None:
        """Start anew in the child of a fork, where nobody waits."""
        self._waiters.clear()
        if hasattr(self, "ring"):  # else it was being made by a thread that is not in this process
            self.ring.arm(1)

    def _slowed(self, handler: Any, event: Any, nanoseconds: int) -> None:
        warn_slow(self.listener, event, nanoseconds)

    def _count_lost(self, before: int) -> None:
        """Count what was taken out and not handed over, because a signal came in between, as failed.

        ``before`` is how many were in flight when the taking out began.
        """
        lost = self.ring.in_flight - before
        if lost > 0:
            self.ring.done(0, lost, 0)

    def _look_at_streak(self) -> None:
        """Give the listener no more events if it has failed too often in a row."""
        if self._quarantine is not None and self.ring.streak >= self._quarantine and self.ring.shut_for is None:
            self.ring.shut("quarantined")
            self.ring.discard("quarantined")
            warn_quarantined(self.listener, self.ring.streak)

    def _after_fork(self) -> None:
        self.ring.check_fork()
