"""What both kinds of span are: a context manager for the time that an event takes.

The compiled ones are their own awaitables, too; here the interpreter's coroutines do that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from goanna.audit._handler_errors import decorated

__all__ = ["LEFT", "NEW", "OPEN", "OPENING", "SpanBase"]

NEW, OPENING, OPEN, LEFT = range(4)


class SpanBase:
    """What both kinds of span are."""

    __slots__ = ("__weakref__", "_make", "_state", "event")

    event: Any
    _make: Callable[[], Any]
    _state: int

    def __repr__(self) -> str:
        return f"<span of {type(self.event).__name__}>"

    def __call__(self, function: Callable[..., Awaitable[Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Return a coroutine function that runs within a span like this one."""
        return decorated(self._again, function)

    def _again(self) -> SpanBase:
        """Return another span of the same event."""
        raise NotImplementedError
