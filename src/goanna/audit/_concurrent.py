"""Stages that are not on the fast path: those of a request, and those whose handlers run together.

A stage is one of the four moments of a handler's life for all handlers. Its calls are made one after the other, or
together as tasks of asyncio; either way it comes to one outcome per call.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
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
    from goanna.errors import ErrorHandler

__all__ = ["Stage", "TogetherSpan"]

Call = tuple[Any, Callable[[], Any]]
"""A handler, and what makes the call of its method."""


@final
class Stage:
    """One stage.

    Args:
        policy: what becomes of errors; None to collect and raise them.
        event: what the handlers are given, for the policy.
        together: whether the handlers run together.

    Attributes:
        outcomes: what each call returned, FAILED for those that raised and those that were not made.
        failures: what was collected.
        stopped: the first BaseException that is no Exception; with ``together`` also what cancelled the stage.
    """

    __slots__ = ("event", "failures", "outcomes", "policy", "stopped", "together")

    def __init__(self, policy: ErrorHandler | None, event: Any, together: bool) -> None:
        self.policy = policy
        self.event = event
        self.together = together
        self.outcomes: list[Any] = []
        self.failures: Failures | None = None
        self.stopped: BaseException | None = None

    async def start(self, calls: Sequence[Call]) -> None:
        """Make the calls, until one is stopped by something that is no Exception."""
        await self._run(calls, to_the_end=False, closing=False)

    async def end(self, calls: Sequence[Call], error: BaseException | None) -> None:
        """Make all the calls, whatever happens.

        Args:
            calls: the calls.
            error: what has gone wrong before; while a GeneratorExit is on its way nothing can be waited for.
        """
        await self._run(calls, to_the_end=True, closing=isinstance(error, GeneratorExit))

    async def _run(self, calls: Sequence[Call], *, to_the_end: bool, closing: bool) -> None:
        self.outcomes = [FAILED] * len(calls)
        if self.together and not closing:
            await self._run_together(calls)
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

    async def _run_together(self, calls: Sequence[Call]) -> None:
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

    def error(self) -> BaseException | None:
        """Return what the stage must raise, None if it went well; what can't be raised is logged."""
        if self.stopped is not None:
            log(self.failures, self.event)
            self.failures = None
            return self.stopped
        return None if self.failures is None else group_of(self.failures, self.event)


async def _coroutine(value: Any) -> Any:
    return await value


@final
class TogetherSpan:
    """One event of a tracker with ``concurrent=True``; like Span otherwise, and the same over both cores."""

    __slots__ = ("__weakref__", "_board", "_contexts", "_make", "_row", "_state", "event", "span", "started")

    event: Any
    span: Any
    started: float | None

    def __init__(self, row: Any, board: Any, event: Any, make: Callable[[], Any]) -> None:
        self._row = row
        self._board = board
        self._make = make
        self._state = 0
        self.event = event
        self.span = self.started = None

    def __repr__(self) -> str:
        return f"<span of {type(self.event).__name__}>"

    def __call__(self, function: Callable[..., Awaitable[Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Return a coroutine function that runs within a span like this one."""
        return decorated(lambda: TogetherSpan(self._row, self._board, self.event, self._make), function)

    async def __aenter__(self) -> Any:
        """Call the ``event_start`` of all handlers; return the EventSpan."""
        if self._state != 0:
            raise once_only(True)
        self._state = 1
        self.started = time.monotonic()
        self._board.enter(self)
        stage = Stage(self._board.policy, self.event, True)
        calls = []
        for seat, context in zip(self._row.seats, self._row.contexts, strict=True):
            calls.append((seat.handler, _start(seat, self.event, context)))
        try:
            await stage.start(calls)
            error = stage.error()
        except BaseException as other:
            error = other
        self._contexts = stage.outcomes
        if error is not None:
            await self._end_all(error)
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
        stage = await self._end_all(error)
        problem = stage.error() if error is None or stage.stopped is not None else None
        if problem is not None:
            raise problem
        log(stage.failures, self.event)
        return False

    async def _end_all(self, error: BaseException | None) -> Stage:
        self._state = 3
        data = None if self.span is None else self.span.data
        calls = []
        for seat, context, outcome in zip(self._row.seats, self._row.contexts, self._contexts, strict=False):
            if outcome is not FAILED:
                calls.append((seat.handler, _end(seat, data, context, outcome, error)))
        stage = Stage(self._board.policy, self.event, True)
        try:
            await stage.end(calls, error)
        finally:
            self._board.leave(self)
        return stage


def _start(seat: Any, event: Any, request_context: Any) -> Callable[[], Any]:
    return lambda: seat.event_start(event, request_context=request_context)


def _end(seat: Any, data: Any, context: Any, outcome: Any, error: BaseException | None) -> Callable[[], Any]:
    if error is not None and seat.event_end_takes_error:
        return lambda: seat.event_end(data, event_context=outcome, request_context=context, error=error)
    return lambda: seat.event_end(data, event_context=outcome, request_context=context)
