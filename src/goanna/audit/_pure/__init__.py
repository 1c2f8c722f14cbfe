"""The spans of trackers in pure Python: the specification of the compiled ones, part by part.

A span is what ``track_event`` returns: an asynchronous context manager that hands the event to the ``event_start`` of
each handler when it is entered and to the ``event_end`` of each when it is left, with what the start has returned. It
keeps these contexts by position. A handler that doesn't suspend costs no trip through the event loop, because its
coroutine is awaited right here.

StrictSpan does what db-ally's generator does, to the letter. Span guarantees the ends and keeps handlers apart.
"""

from __future__ import annotations

from goanna.audit._pure.open_spans import OpenSpans
from goanna.audit._pure.participants import Participants
from goanna.audit._pure.span import Span
from goanna.audit._pure.strict_span import StrictSpan
from goanna.audit._pure.track_event import track_event_method

__all__ = ["OpenSpans", "Participants", "Span", "StrictSpan", "track_event_method"]
