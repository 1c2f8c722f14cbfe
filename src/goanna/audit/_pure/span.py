"""One event of a tracker in guaranteed mode."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import CoroutineType, TracebackType
from typing import Any, Final, final

from goanna.audit._handler_errors import FAILED, Failures, at_once, failed, group_of, isawaitable, log, once_only
from goanna.audit._pure.open_spans import OpenSpans
from goanna.audit._pure.participants import Participants
from goanna.audit._pure.span_base import LEFT, NEW, OPEN, OPENING, SpanBase
from goanna.audit._subscription import Subscription
from goanna.core.base import TORN_INCREMENT

__all__ = ["Span"]

monotonic: Final = time.monotonic


@final
class Span(SpanBase):
    """One event of a tracker in guaranteed mode, while it lasts and after.

    Attributes:
        event: what ``track_event`` was given.
        span: what the ``async with`` statement binds; None before.
        started: ``time.monotonic()`` when it was entered, in seconds; None before.
    """

    __slots__ = ("_contexts", "_failures", "_open_spans", "_participants", "_then", "span", "started")

    span: Any
    started: float | None
    _contexts: list[Any]
    _failures: Failures | None
    _then: BaseException | None

    def __init__(self, participants: Participants, open_spans: OpenSpans, event: Any, make: Callable[[], Any]) -> None:
        if type(participants) is not Participants:
            raise TypeError(f"a Span takes Participants, not {type(participants).__name__}")
        if type(open_spans) is not OpenSpans:
            raise TypeError(f"a Span takes OpenSpans, not {type(open_spans).__name__}")
        self._participants = participants
        self._open_spans = open_spans
        self._make = make
        self._state = NEW
        self.event = event
        self.span = self.started = self._failures = self._then = None

    def _again(self) -> Span:
        return Span(self._participants, self._open_spans, self.event, self._make)

    async def __aenter__(self) -> Any:
        """Call the ``event_start`` of each handler; return the EventSpan."""
        if self._state != NEW:
            raise once_only(True)
        self._state = OPENING
        self.started = monotonic()
        open_spans = self._open_spans
        if open_spans._latest is None and not TORN_INCREMENT:  # as in OpenSpans.enter(), but for the call
            open_spans.count += 1
            open_spans._latest = self
        else:
            open_spans.enter(self)
        event = self.event
        contexts: list[Any] = []
        self._contexts = contexts
        failures = None
        for start, request_context, subscription in self._participants._starts:
            try:
                context = start(event, request_context=request_context)
                if type(context) is CoroutineType or isawaitable(context):
                    context = await context
            except BaseException as error:
                context = FAILED
                stopped, failures = failed(self._open_spans.policy, error, subscription.handler, event, failures)
                if stopped is not None:
                    log(failures, event)
                    self._then = stopped
                    await self._end(stopped)
            contexts.append(context)
        if failures is not None:
            self._then = group_of(failures, event)
            await self._end(self._then)
        self.span = span = self._make()
        self._state = OPEN
        return span

    async def __aexit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Call the ``event_end`` of each handler whose start has returned; return False."""
        if self._state != OPEN:
            raise once_only(False)
        if error is not None:
            await self._end(error)
            return False
        self._state = LEFT
        if self._contexts:
            data = self.span.data
            for position, (end, request_context, subscription) in enumerate(self._participants._ends):
                context = self._contexts[position]
                if context is not FAILED:
                    try:
                        done = end(data, event_context=context, request_context=request_context)
                        if type(done) is CoroutineType or isawaitable(done):
                            await done
                    except BaseException as problem:
                        self._failed(problem, subscription)
                        await self._end(None, position + 1)
                        return False
        open_spans = self._open_spans
        if open_spans._latest is self and not TORN_INCREMENT:  # as in OpenSpans.leave(), but for the call
            open_spans.count -= 1
            open_spans._latest = None
        else:
            open_spans.leave(self)
        return False

    def _failed(self, error: BaseException, subscription: Subscription) -> None:
        """Deal with what an end has raised."""
        stopped, self._failures = failed(
            self._open_spans.policy, error, subscription.handler, self.event, self._failures
        )
        if self._then is None or isinstance(stopped, GeneratorExit):  # who is closed is not to be kept open by others
            self._then = stopped

    async def _end(self, error: BaseException | None, position: int = 0) -> None:
        """Call the ends where something has gone wrong, all of them, then raise what has to be raised.

        Args:
            error: what has gone wrong in the body or before it.
            position: where to begin.
        """
        self._state = LEFT
        event = self.event
        data = None if self.span is None else self.span.data
        for context, (end, request_context, subscription) in list(
            zip(self._contexts, self._participants._ends, strict=False)
        )[position:]:
            if context is FAILED:
                continue
            # Nothing can be waited for while the coroutine around is being closed.
            closing = isinstance(error, GeneratorExit) or isinstance(self._then, GeneratorExit)
            try:
                if error is not None and subscription.event_end_takes_error:
                    done = end(data, event_context=context, request_context=request_context, error=error)
                else:
                    done = end(data, event_context=context, request_context=request_context)
                if type(done) is CoroutineType or isawaitable(done):
                    if closing:
                        at_once(done)
                    else:
                        await done
            except BaseException as problem:
                self._failed(problem, subscription)
        self._open_spans.leave(self)
        then, failures = self._then, self._failures
        self._then = self._failures = None
        if failures is not None:
            if error is None and then is None:
                then = group_of(failures, event)
            else:
                log(failures, event)
        if then is not None:
            try:
                raise then
            finally:
                del then, error  # or this frame and the error would keep each other
