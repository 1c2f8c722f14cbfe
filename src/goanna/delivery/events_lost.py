"""The marker that stands where events were dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from goanna.events import Event
from goanna.listeners import Listener, check_method, handled

__all__ = ["EventsLost", "gap_method"]


class EventsLost(Event, eq=True):
    """Tells a queued listener that events are missing between the one before and the one after it.

    It reaches a listener that has a method ``events_lost``, or handles this class.

    Attributes:
        count: how many, one at least.
    """

    count: int


def gap_method(listener: Any, *, awaited: bool = False) -> Callable[[EventsLost], object] | None:
    """Return the method of a listener that wants to know, or None.

    Raises:
        TypeError: ``events_lost`` can't be called with the marker, or would not run; a coroutine function does where
            it is ``awaited``.
    """
    if isinstance(listener, Listener):
        for name, taken in handled(listener.__class__).items():
            if EventsLost in taken:
                return getattr(listener, name)  # type: ignore[no-any-return]
    method = getattr(listener, "events_lost", None)
    if method is not None:
        check_method(method, f"{type(listener).__qualname__}.events_lost", awaited=awaited)
    return method
