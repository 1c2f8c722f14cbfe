"""Stages that are not on the fast path: those of a request, and those whose handlers run concurrently.

A stage is one of the four moments of a handler's life for all handlers. Its calls are made one after the other, or
concurrently as tasks of asyncio; either way it comes to one outcome per call.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, final

from goanna.audit._handler_errors import (
    FAILED,
    Failures,
    at_once,
    decorated,
    failed,
    group_of,
    isawaitable,
    log,
    once_only,
)

if TYPE_CHECKING:
    from goanna.core.base import ErrorHandler

__all__ = ["ConcurrentSpan", "Stage"]

Call = tuple[Any, Callable[[], Any]]
"""A handler, and what makes the call of its method."""


@final
class Stage:
    """One stage.

    Args:
        policy: what becomes of errors; None to collect and raise them.
        event: what the handlers are given, for the policy.
        concurrent: whether the handlers run concurrently.

    Attributes:
        outcomes: what each call returned, FAILED for those that raised and those that were not made.
        failures: what was collected.
        stopped: the first BaseException that is no Exception; with ``concurrent`` also what cancelled the stage.
    """

    __slots__ = ("concurrent", "event", "failures", "outcomes", "policy", "stopped")

    def __init__(self, policy: ErrorHandler | None, event: Any, concurrent: bool) -> None:
        self.policy = policy
        self.event = event
        self.concurrent = concurrent
        self.outcomes: list[Any] = []
        self.failures: Failures | None = None
        self.stopped: BaseException | None = None

    async def start(self, calls: Sequence[Call]) -> BaseException | None:
        """Make the calls, until one is stopped by something that is no Exception; return what has to be raised."""
        try:
            await self._run(calls, to_the_end=False, closing=False)
            return self._error()
        except BaseException as error:
            return error

    async def end(self, calls: Sequence[Call], error: BaseException | None) -> None:
        """Make all the calls, whatever happens.

        Args:
            calls: the calls.
            error: what has gone wrong before; while a GeneratorExit is on its way nothing can be waited for.
        """
        await self._run(calls, to_the_end=True, closing=isinstance(error, GeneratorExit))

    async def _run(self, calls: Sequence[Call], *, to_the_end: bool, closing: bool) -> None:
        self.outcomes = [FAILED] * len(calls)
        if self.concurrent and not closing:
            await self._run_concurrently(calls)
            return
        for position, (handler, call) in enumerate(calls):
            try:
                outcome = call()
                if isawaitable(outcome):
                    outcome = at_once(outcome) if closing else await outcome
            except BaseException as error:
                self._failed(error, handler)
                if self.stopped is not None:
                    if not to_the_end:
                        return
                    closing = closing or isinstance(error, GeneratorExit)
            else:
                self.outcomes[position] = outcome

    async def _run_concurrently(self, calls: Sequence[Call]) -> None:
        """Make all calls, then wait for those that returned awaitables; when cancelled, cancel them and wait still."""
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                "EventTracker(concurrent=True) runs handlers as tasks of asyncio, and no asyncio loop runs here; "
                "without concurrent=True any event loop will do"
            ) from None
        tasks: dict[asyncio.Task[Any], int] = {}
        for position, (handler, call) in enumerate(calls):
            try:
                outcome = call()
            except BaseException as error:
                self._failed(error, handler)
            else:
                if isawaitable(outcome):
                    tasks[asyncio.ensure_future(_coroutine(outcome))] = position
                else:
                    self.outcomes[position] = outcome
        waiting = set(tasks)
        while waiting:
            try:
                _, waiting = await asyncio.wait(waiting)
            except BaseException as error:
                if self.stopped is None or isinstance(error, GeneratorExit):
                    self.stopped = error
                if isinstance(error, GeneratorExit):  # nobody will come back to wait
                    for task in waiting:
                        task.cancel()
                    break
                waiting = {task for task in waiting if not task.done()}
                for task in waiting:
                    task.cancel()
        for task, position in tasks.items():
            if task.done():
                self._take(task, position, calls[position][0])

    def _take(self, task: Any, position: int, handler: Any) -> None:
        """Take what a task has come to."""
        import asyncio

        try:
            self.outcomes[position] = task.result()
        except asyncio.CancelledError as error:
            # Of its own accord, or because the stage was cancelled; then that is what goes on.
            if self.stopped is None:
                self._failed(RuntimeError(f"{handler!r} was cancelled"), handler, error)
        except BaseException as error:
            self._failed(error, handler)

    def _failed(self, error: BaseException, handler: Any, cause: BaseException | None = None) -> None:
        if cause is not None:
            error.__cause__ = cause
        stopped, self.failures = failed(self.policy, error, handler, self.event, self.failures)
        if self.stopped is None or isinstance(stopped, GeneratorExit):
            self.stopped = stopped

    def settle(self, error: BaseException | None) -> None:
        """Raise what the ends have left to raise, and log the rest.

        Args:
            error: what has gone wrong before and is on its way already; Exceptions of handlers can't be raised then.
        """
        problem = self._error() if error is None or self.stopped is not None else None
        if problem is not None:
            raise problem
        self.log()

    def log(self) -> None:
        """Log what was collected and can't be raised."""
        log(self.failures, self.event)

    def _error(self) -> BaseException | None:
        """Return what the stage must raise, None if it went well; what can't be raised is logged."""
        if self.stopped is not None:
            self.log()
            self.failures = None
            return self.stopped
        return None if self.failures is None else group_of(self.failures, self.event)


async def _coroutine(value: Any) -> Any:
    return await value


@final
class ConcurrentSpan:
    """One event of a tracker with ``concurrent=True``; like Span otherwise, and the same over both cores."""

    __slots__ = (
        "__weakref__",
        "_contexts",
        "_make",
        "_open_spans",
        "_participants",
        "_state",
        "event",
        "span",
        "started",
    )

    event: Any
    span: Any
    started: float | None

    def __init__(self, participants: Any, open_spans: Any, event: Any, make: Callable[[], Any]) -> None:
        self._participants = participants
        self._open_spans = open_spans
        self._make = make
        self._state = 0
        self.event = event
        self.span = self.started = None

    def __repr__(self) -> str:
        return f"<span of {type(self.event).__name__}>"

    def __call__(self, function: Callable[..., Awaitable[Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Return a coroutine function that runs within a span like this one."""
        return decorated(lambda: ConcurrentSpan(self._participants, self._open_spans, self.event, self._make), function)

    async def __aenter__(self) -> Any:
        """Call the ``event_start`` of all handlers; return the EventSpan."""
        if self._state != 0:
            raise once_only(True)
        self._state = 1
        self.started = time.monotonic()
        self._open_spans.enter(self)
        stage = Stage(self._open_spans.policy, self.event, True)
        there = zip(self._participants.subscriptions, self._participants.contexts, strict=True)
        error = await stage.start(
            [(one.handler, partial(one.event_start, self.event, request_context=context)) for one, context in there]
        )
        self._contexts = stage.outcomes
        if error is not None:
            (await self._end_all(error)).log()
            raise error
        self.span = span = self._make()
        self._state = 2
        return span

    async def __aexit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Call the ``event_end`` of all handlers whose start has returned; return False."""
        if self._state != 2:
            raise once_only(False)
        (await self._end_all(error)).settle(error)
        return False

    async def _end_all(self, error: BaseException | None) -> Stage:
        self._state = 3
        data = None if self.span is None else self.span.data
        participants = self._participants
        calls = []
        for one, context, outcome in zip(
            participants.subscriptions, participants.contexts, self._contexts, strict=False
        ):
            if outcome is not FAILED:
                told = {"error": error} if error is not None and one.event_end_takes_error else {}
                end = partial(one.event_end, data, event_context=outcome, request_context=context, **told)
                calls.append((one.handler, end))
        stage = Stage(self._open_spans.policy, self.event, True)
        try:
            await stage.end(calls, error)
        finally:
            self._open_spans.leave(self)
        return stage
