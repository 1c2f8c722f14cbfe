"""The open spans of a tracker and of its requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, final

from goanna.core.base import TORN_INCREMENT
from goanna.core.forks import ForkLock

if TYPE_CHECKING:
    from goanna.core.base import ErrorHandler

__all__ = ["OpenSpans"]


@final
class OpenSpans:
    """The open spans of a tracker and of its requests, and what becomes of errors.

    Args:
        policy: called with an error, its handler and the event; None to collect errors and raise them together.
        max_open: how many open spans are kept in view.
        concurrent: makes the spans where the handlers of one stage run concurrently; None where they don't.

    Attributes:
        count: how many spans are open, in view or not.
    """

    __slots__ = ("_latest", "_lock", "_spans", "concurrent", "count", "max_open", "policy")

    def __init__(self, policy: ErrorHandler | None, max_open: int, concurrent: Callable[..., Any] | None) -> None:
        self.policy = policy
        self.max_open = max_open
        self.concurrent = concurrent
        self.count = 0
        # The span that was entered last, so that one after the other never sees the dictionary; the others by age.
        self._latest: Any = None
        self._spans: dict[Any, None] = {}
        # Re-entrant, because the collector may end a span while this thread holds it.
        self._lock = ForkLock()

    def __repr__(self) -> str:
        return f"<OpenSpans: {self.count} open>"

    def enter(self, span: Any) -> None:
        """Take a span in; beyond ``max_open`` the oldest goes out of view."""
        if TORN_INCREMENT:
            with self._lock.now:
                self._enter(span)
        else:
            self._enter(span)

    def _enter(self, span: Any) -> None:
        self.count += 1
        if self._latest is not None:
            self._spans[self._latest] = None
            if len(self._spans) >= self.max_open:
                del self._spans[next(iter(self._spans))]
        self._latest = span

    def leave(self, span: Any) -> None:
        """Let a span go."""
        if TORN_INCREMENT:
            with self._lock.now:
                self._leave(span)
        else:
            self._leave(span)

    def _leave(self, span: Any) -> None:
        self.count -= 1
        if self._latest is span:
            self._latest = None
        else:
            self._spans.pop(span, None)

    def visible(self) -> tuple[Any, ...]:
        """Return the open spans in view, the oldest first."""
        with self._lock.now:
            return (*self._spans,) if self._latest is None else (*self._spans, self._latest)
