"""What both halves share: what happens when a handler raises, and whatever else need not be fast."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final, final

from goanna.core.base import EXHAUSTED
from goanna.errors import log_error

if TYPE_CHECKING:
    from goanna.core.base import ErrorHandler

__all__ = [
    "FAILED",
    "at_once",
    "awaited",
    "decorated",
    "failed",
    "group_of",
    "in_generator",
    "isawaitable",
    "log",
    "once_only",
]

Failures = list[tuple[Exception, Any]]
"""Errors with the handlers that raised them, where the policy is to raise."""


@final
class Failed:
    """The type of :data:`FAILED`."""

    def __repr__(self) -> str:
        return "FAILED"


FAILED: Final = Failed()
"""Stands for the context of a handler whose start has not returned, and which gets no end."""


def failed(
    policy: ErrorHandler | None, error: BaseException, handler: Any, event: Any, failures: Failures | None
) -> tuple[BaseException | None, Failures | None]:
    """Deal with what a handler has raised; to be called while it is being handled.

    Args:
        policy: what to do with an Exception; None to collect.
        error: what was raised.
        handler: who raised it.
        event: what it was given.
        failures: what has been collected so far.

    Returns:
        What must go on to whoever runs the pipeline, or None; and what has been collected now.
    """
    if not isinstance(error, Exception) or isinstance(error, EXHAUSTED):
        return error, failures
    if policy is None:
        return None, [*(failures or ()), (error, handler)]
    try:
        policy(error, handler, event)
    except BaseException as second:  # a policy keeps its own Exceptions to itself
        return second, failures
    return None, failures


def group_of(failures: Failures, event: Any) -> ExceptionGroup[Exception]:
    """Return what a stage with ``errors="raise"`` raises after all handlers have run."""
    count = len(failures)
    noun = "handler" if count == 1 else "handlers"
    return ExceptionGroup(f"{count} {noun} failed on {type(event).__name__}", [error for error, _ in failures])


def log(failures: Failures | None, event: Any) -> None:
    """Log what can't be raised, because something else is being raised."""
    for error, handler in failures or ():
        log_error(error, handler, event)


def in_generator(error: BaseException) -> RuntimeError:
    """Return what the interpreter makes of a StopIteration or StopAsyncIteration in an asynchronous generator."""
    name = "StopIteration" if isinstance(error, StopIteration) else "StopAsyncIteration"
    return RuntimeError(f"async generator raised {name}")


def isawaitable(value: Any) -> bool:
    """Return whether ``value`` can be awaited; a coroutine can, whatever else may be."""
    return hasattr(type(value), "__await__") or type(value) is CoroutineType


async def awaited(value: Any) -> Any:
    """Return what awaiting ``value`` gives, with the interpreter's own error if it can't be awaited."""
    return await value


def at_once(value: Any) -> Any:
    """Return what awaiting ``value`` gives if that takes no waiting; what would wait is closed.

    For ends that are due while the pipeline's own coroutine is being closed, when nothing can be waited for.
    """
    coroutine = awaited(value)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    return None


def decorated(
    make: Callable[[], Any], function: Callable[..., Awaitable[Any]]
) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return a coroutine function that awaits ``function`` within a context manager of its own each time."""

    @functools.wraps(function)
    async def inner(*args: Any, **kwargs: Any) -> Any:
        async with make():
            return await function(*args, **kwargs)

    return inner


def once_only(entering: bool) -> RuntimeError:
    """Return the error for a span that is entered twice, or left without being open."""
    if entering:
        return RuntimeError("a span can be entered once; call track_event() again for another one")
    return RuntimeError("the span is not open: it was not entered, or it was left before")
