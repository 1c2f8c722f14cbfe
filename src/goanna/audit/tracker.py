"""EventTracker, Request and OpenSpan: whom the events of a request go to, and the request's own start and end."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from goanna.audit._concurrent import ConcurrentSpan, Stage
from goanna.audit._handler_errors import FAILED
from goanna.audit._names import EventHandler, EventSpan, RequestEnd, RequestStart, StockTracker
from goanna.audit._subscription import Subscription
from goanna.checks import checked_int
from goanna.core import choose_half
from goanna.errors import policy

if TYPE_CHECKING:
    # The pure half is the typed one of the two; a test holds the other to it.
    from goanna.audit import _pure as half
    from goanna.errors import Errors
else:

    def _load_compiled():
        from goanna.audit import _compiled as half

        return half

    def _load_pure():
        from goanna.audit import _pure as half

        return half

    half = choose_half("goanna.audit", _load_compiled, _load_pure)

__all__ = ["EventTracker", "OpenSpan", "Request", "StrictEventTracker"]

_T = TypeVar("_T", bound="EventTracker")

MAX_OPEN = 1000
"""How many open spans a tracker keeps in view if it isn't told."""


class OpenSpan(Protocol):
    """What ``tracker.open_spans`` holds: an event that has started and not ended.

    Attributes:
        event: what ``track_event`` was given.
        span: the EventSpan that the body has; None while the handlers' starts run.
        started: ``time.monotonic()`` when it was entered, in seconds.
    """

    event: Any
    span: Any
    started: float | None


class EventTracker(StockTracker):
    """Hands the events of a request to handlers, with the contexts that they return from start to end.

    A tracker stands for one request at a time, as in db-ally; :meth:`request` makes another one for each request of a
    pipeline that has several under way. It belongs to one event loop. Any loop will do, asyncio's or trio's, but for
    ``concurrent=True``.

    In guaranteed mode, the default:

    - a handler is any object with the methods ``request_start``, ``event_start``, ``event_end`` and ``request_end``,
      plain functions or coroutine functions, looked up when it is subscribed. What a method returns is awaited if it
      can be;
    - a start that has returned is followed by its end, even if the body raises or is cancelled. An ``event_end`` or
      ``request_end`` with a parameter ``error`` is told what went wrong. A handler whose start has raised gets no end;
    - an Exception from a handler neither stops the others nor reaches the pipeline, see ``errors``. A BaseException
      that is no Exception does, after all ends that are due;
    - a handler that is subscribed twice has two contexts, and one that is subscribed while a request is under way joins
      with the next one. Events outside of a request have None for its context.

    In strict mode everything is as in db-ally 0.8.0: no end after an error, handlers' errors go to the pipeline, and
    each handler must be hashable, subscribed before the request starts, and a coroutine throughout.

    Args:
        strict: whether to behave as db-ally's own tracker; the other arguments mean nothing then and must be left out.
        errors: "log" (to the logger ``goanna``), "print" (the traceback to ``sys.stderr``), "raise" (an ExceptionGroup,
            after all handlers of the stage have run) or a callable that is given the error, the handler and the event.
            While an error of the body is on its way, "raise" logs.
        concurrent: whether the handlers of one stage run concurrently, each coroutine as a task of asyncio with a copy
            of the pipeline's contextvars. A stage that is cancelled cancels its tasks and waits for them.
        max_open: how many open spans are kept in :attr:`open_spans`.

    Raises:
        ValueError: another name for ``errors``, a ``max_open`` below 1, or other arguments beside ``strict=True``.
        TypeError: ``errors`` is neither a name nor callable, or ``max_open`` is no int.
    """

    __slots__ = ("_handlers", "_open_spans", "_participants", "_request_contexts", "_subscriptions", "_under_way")

    def __init__(
        self, *, strict: bool = False, errors: Errors = "log", concurrent: bool = False, max_open: int = MAX_OPEN
    ) -> None:
        super().__init__()
        self._subscriptions: tuple[Subscription, ...] = ()
        self._under_way = False
        self._participants = _outside(())
        self._open_spans: half.OpenSpans | None = None
        handler = policy(errors)
        checked_int("max_open", max_open, 1, most=None)
        if not strict:
            self._open_spans = half.OpenSpans(handler, max_open, ConcurrentSpan if concurrent else None)
        elif errors != "log" or concurrent or max_open != MAX_OPEN:
            raise ValueError("strict=True is db-ally's own behaviour; it goes with no other argument")

    @classmethod
    def initialize_with_handlers(cls: type[_T], event_handlers: Iterable[Any], **options: Any) -> _T:
        """Return a tracker with these handlers.

        Args:
            event_handlers: instances of EventHandler.
            options: arguments of the class.

        Raises:
            ValueError: one of them is no EventHandler.
        """
        instance = cls(**options)
        for handler in event_handlers:
            if not isinstance(handler, EventHandler):
                # "EvenHandler" is what programs have met.
                raise ValueError(f"Could not register {handler}. Handler must be instance of EvenHandler type")
            instance.subscribe(handler)
        return instance

    @property
    def strict(self) -> bool:
        """Whether the tracker behaves as db-ally's own."""
        return self._open_spans is None

    @property
    def open_spans(self) -> tuple[OpenSpan, ...]:
        """The events that have started and not ended, the oldest first; ``max_open`` of them at most.

        Those of the tracker's requests are among them. Beyond ``max_open`` the oldest go out of view, and nothing else
        happens to them. A strict tracker keeps no account and has none.
        """
        return () if self._open_spans is None else self._open_spans.visible()

    @property
    def open_count(self) -> int:
        """How many events have started and not ended, in view or not; 0 for a strict tracker."""
        return 0 if self._open_spans is None else self._open_spans.count

    def subscribe(self, event_handler: Any) -> None:
        """Add a handler.

        Args:
            event_handler: see the class. One that is added twice is called twice.

        Raises:
            TypeError: in guaranteed mode: a method is missing, or can't be called with the keywords ``request_context``
                and ``event_context`` where it will be, or takes ``error`` without a default.
        """
        if self._open_spans is None:
            self._handlers.append(event_handler)
            return
        self._subscriptions = (*self._subscriptions, Subscription(event_handler))
        self._handlers.append(event_handler)
        if not self._under_way:
            self._participants = _outside(self._subscriptions)

    if TYPE_CHECKING:

        def track_event(self, event: Any) -> AbstractAsyncContextManager[EventSpan]:
            """Return a context manager for the time that an event takes; the cores bring it."""

    def request(self, start: RequestStart) -> Request:
        """Return a tracker for one request, with this one's handlers, to be used with ``async with``.

        Args:
            start: what the request is about: what the handlers' ``request_start`` is given.

        Raises:
            TypeError: ``start`` is no RequestStart.
        """
        if not isinstance(start, RequestStart):
            shown = start.__qualname__ if isinstance(start, type) else type(start).__name__
            raise TypeError(f"request() takes a RequestStart(collection_name, question), not {shown}")
        return Request(self, start)

    async def request_start(self, request_start: RequestStart) -> None:
        """Call the ``request_start`` of the handlers; what they return goes to all their later calls.

        In guaranteed mode a request that is still under way is ended first, as one that has failed.

        Args:
            request_start: what the request is about.
        """
        open_spans = self._open_spans
        if open_spans is None:
            await super().request_start(request_start)
            return
        if self._under_way:
            lost = RuntimeError("another request was started on the same tracker; request() makes a tracker for each")
            ended = await self._over(unfinished(), lost)
            ended.log()
            if ended.stopped is not None:
                raise ended.stopped
        self._under_way = True
        subscriptions = self._subscriptions
        stage = Stage(open_spans.policy, request_start, open_spans.concurrent is not None)
        error = await stage.start([(one.handler, partial(one.request_start, request_start)) for one in subscriptions])
        there = [pair for pair in zip(subscriptions, stage.outcomes, strict=False) if pair[1] is not FAILED]
        self._participants = half.Participants(
            tuple([one for one, _ in there]), tuple([context for _, context in there])
        )
        if error is not None:
            (await self._over(unfinished(), error)).log()
            raise error

    async def request_end(self, request_end: RequestEnd) -> None:
        """Call the ``request_end`` of the handlers whose ``request_start`` has returned.

        Args:
            request_end: what the request has come to.
        """
        if self._open_spans is None:
            await super().request_end(request_end)
            return
        (await self._over(request_end, None)).settle(None)

    async def _over(self, output: RequestEnd, error: BaseException | None) -> Stage:
        """Call the ``request_end`` of all handlers, and forget the request."""
        open_spans, participants = self._open_spans, self._participants
        assert open_spans is not None
        calls = []
        for one, context in zip(participants.subscriptions, participants.contexts, strict=True):
            told = {"error": error} if error is not None and one.request_end_takes_error else {}
            calls.append((one.handler, partial(one.request_end, output, request_context=context, **told)))
        stage = Stage(open_spans.policy, output, open_spans.concurrent is not None)
        try:
            await stage.end(calls, error)
        finally:
            self._under_way = False
            self._participants = _outside(self._subscriptions)
        return stage


EventTracker.track_event = half.track_event_method(EventSpan, EventTracker)  # type: ignore[method-assign, assignment]


class StrictEventTracker(EventTracker):
    """An EventTracker that is always strict: what :func:`goanna.audit.install` puts in the place of db-ally's own."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(strict=True)


class Request(EventTracker):
    """The tracker of one request, which starts and ends with an ``async with`` block; ``tracker.request()`` makes it.

    ::

        async with tracker.request(RequestStart("orders", "how many?")) as request:
            async with request.track_event(event) as span:
                ...
            request.finish(result)

    The handlers' ``request_end`` is given what :meth:`finish` was told, and ``RequestEnd(result=None)`` where it was
    not called. In guaranteed mode it is called even if the body raises or is cancelled, with what was raised for
    those that take ``error``; in strict mode only if the body returns. Its open spans are in view in the tracker, too.
    """

    __slots__ = ("_end", "_start", "_state")

    def __init__(self, tracker: EventTracker, start: RequestStart) -> None:
        StockTracker.__init__(self)
        self._handlers = list(tracker._handlers)
        self._subscriptions = tracker._subscriptions
        self._under_way = False
        self._open_spans = tracker._open_spans
        self._participants = _outside(self._subscriptions)
        self._start = start
        self._end: RequestEnd | None = None
        self._state = 0

    @classmethod
    def initialize_with_handlers(cls, event_handlers: Iterable[Any], **options: Any) -> Request:
        """Raise TypeError: a request is made by a tracker."""
        raise TypeError("a Request is made by the method request() of a tracker")

    async def __aenter__(self) -> Request:
        """Start the request."""
        if self._state != 0:
            raise RuntimeError("a request can be entered once; call request() again for another one")
        self._state = 1
        await self.request_start(self._start)
        return self

    def finish(self, result: Any) -> None:
        """Say what the request has come to; the last call wins.

        Args:
            result: what ``RequestEnd.result`` will be, or a RequestEnd.

        Raises:
            RuntimeError: the request is over.
        """
        if self._state == 2:
            raise RuntimeError("the request is over: finish() belongs into its async with block")
        self._end = result if isinstance(result, RequestEnd) else RequestEnd(result=result)

    async def __aexit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """End the request; return False."""
        self._state = 2
        output = unfinished() if self._end is None else self._end
        if self._open_spans is None:
            if error_type is None:
                await self.request_end(output)
            return False
        (await self._over(output, error)).settle(error)
        return False


def unfinished() -> RequestEnd:
    """Return the end of a request that has come to nothing."""
    return RequestEnd(result=cast(Any, None))


def _outside(subscriptions: tuple[Subscription, ...]) -> half.Participants:
    """Return who takes part in what happens outside of a request: all handlers, with None for its context."""
    return half.Participants(subscriptions, (None,) * len(subscriptions))
