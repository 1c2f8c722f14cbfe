"""The method ``track_event`` of a class of trackers, which opens the span of one kind or another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from goanna.audit._pure.span import Span
from goanna.audit._pure.strict_span import StrictSpan

__all__ = ["track_event_method"]


def track_event_method(make: Callable[[], Any], owner: type) -> Callable[[Any, Any], Any]:
    """Return the method ``track_event`` of a class of trackers.

    Args:
        make: makes what ``async with`` binds: the class EventSpan.
        owner: the class, with the slots ``_handlers``, ``_request_contexts``, ``_open_spans`` and ``_participants``.
    """

    def track_event(self: Any, event: Any) -> Any:  # noqa: D417 - a method
        """Return a context manager for the time that an event takes.

        ``async with tracker.track_event(event) as span`` hands the event to the ``event_start`` of each handler, in the
        order of subscription. The body calls ``span(event)`` with the event as it is at the end; the last call wins.
        When the body ends, that goes to the ``event_end`` of each handler together with what its start has returned.

        Args:
            event: an Event.
        """
        open_spans = self._open_spans
        if open_spans is None:
            return StrictSpan(self, event, make)
        if open_spans.concurrent is None:
            return Span(self._participants, open_spans, event, make)
        return open_spans.concurrent(self._participants, open_spans, event, make)

    track_event.__qualname__ = f"{owner.__name__}.track_event"
    track_event.__module__ = owner.__module__
    return track_event
