"""What on_loop needs of an event loop: asyncio's, Tornado's, and any other by the same few methods."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, runtime_checkable

__all__ = ["AsyncioLoop", "Loop", "LoopClosedError", "TaskGroupLoop", "adapted"]


class LoopClosedError(Exception):
    """A loop takes no more callbacks."""


class Flag(Protocol):
    """An event of the loop's own kind: ``asyncio.Event`` and ``trio.Event`` are."""

    def set(self) -> object:
        """Let those go on who wait."""

    async def wait(self) -> object:
        """Wait until it is set."""


@runtime_checkable
class Loop(Protocol):
    """An event loop, as :func:`goanna.on_loop` sees it."""

    def post(self, callback: Callable[[], object]) -> None:
        """Have ``callback`` called by the loop soon; from any thread.

        Raises:
            LoopClosedError: it never will be.
        """

    def spawn(self, work: Callable[[], Coroutine[Any, Any, None]], context: contextvars.Context | None) -> None:
        """Run a coroutine function as a task, in ``context`` if one is given; called on the loop's thread.

        Raises:
            LoopClosedError: the loop takes no more tasks.
        """

    def closed(self) -> bool:
        """Return whether the loop is known to take no more callbacks; from any thread."""
        ...

    def here(self) -> bool:
        """Return whether the caller runs on the loop, now."""
        ...

    def can_wait(self) -> bool:
        """Return whether the caller may wait for the loop: it is no part of it, and the loop runs."""
        ...

    def flag(self) -> Flag:
        """Return a new event of the loop's kind; called on the loop's thread."""
        ...

    async def wait(self, flag: Flag, timeout: float | None) -> bool:
        """Wait for an event, ``timeout`` seconds at most; return whether it was set."""
        ...

    async def breathe(self) -> None:
        """Let the loop run everything else that is due."""


class AsyncioLoop:
    """asyncio's loop, or one that is built on it, like Tornado's.

    Args:
        loop: with ``call_soon_threadsafe``.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._tasks: set[asyncio.Task[None]] = set()

    def post(self, callback: Callable[[], object]) -> None:
        """See :class:`Loop`."""
        try:
            # Not in the context of whoever happens to publish first.
            self._loop.call_soon_threadsafe(callback, context=contextvars.Context())
        except RuntimeError as error:
            raise LoopClosedError(str(error)) from error

    def spawn(self, work: Callable[[], Coroutine[Any, Any, None]], context: contextvars.Context | None) -> None:
        """See :class:`Loop`."""
        task = self._loop.create_task(work(), context=context)
        self._tasks.add(task)  # the loop itself keeps no task alive
        task.add_done_callback(self._tasks.discard)

    def closed(self) -> bool:
        """See :class:`Loop`."""
        return self._loop.is_closed()

    def here(self) -> bool:
        """See :class:`Loop`."""
        return asyncio._get_running_loop() is self._loop

    def can_wait(self) -> bool:
        """See :class:`Loop`."""
        return self._loop.is_running() and not self.here()

    def flag(self) -> Flag:
        """See :class:`Loop`."""
        return asyncio.Event()

    async def wait(self, flag: Flag, timeout: float | None) -> bool:
        """See :class:`Loop`."""
        try:
            await asyncio.wait_for(flag.wait(), timeout)
        except TimeoutError:
            return False
        return True

    async def breathe(self) -> None:
        """See :class:`Loop`."""
        await asyncio.sleep(0)

    def __repr__(self) -> str:
        return repr(self._loop)


class TaskGroupLoop:
    """The running loop of trio or asyncio, with tasks in a group that is yours: a trio nursery, an anyio task group.

    To be made in a coroutine, on the loop. When the group has ended, events are dropped, "loop_closed".

    Args:
        group: with a method ``start_soon(function)``.

    Raises:
        TypeError: ``group`` has no such method.
        RuntimeError: neither trio nor asyncio is running here.
    """

    def __init__(self, group: Any) -> None:
        if not callable(getattr(group, "start_soon", None)):
            raise TypeError(f"a TaskGroupLoop takes a trio nursery or an anyio task group, not {type(group).__name__}")
        self._group = group
        self._thread = threading.get_ident()
        self._home = contextvars.copy_context()
        self._ended = False
        self._trio: Any = None
        self._asyncio: AsyncioLoop | None = None
        running = asyncio._get_running_loop()
        if running is not None:
            self._asyncio = AsyncioLoop(running)
        else:
            import trio

            self._trio = trio
            self._token = trio.lowlevel.current_trio_token()  # RuntimeError outside of trio

    def post(self, callback: Callable[[], object]) -> None:
        """See :class:`Loop`."""
        if self._asyncio is not None:
            self._asyncio.post(lambda: self._in_task(callback))
            return
        try:
            self._token.run_sync_soon(callback)
        except self._trio.RunFinishedError as error:
            self._ended = True
            raise LoopClosedError(str(error)) from error

    def spawn(self, work: Callable[[], Coroutine[Any, Any, None]], context: contextvars.Context | None) -> None:
        """See :class:`Loop`."""
        try:
            if context is None:
                self._group.start_soon(work)
            else:
                context.run(self._group.start_soon, work)  # a task inherits the context it is started in
        except Exception as error:  # what a group raises that has ended depends on whose it is
            self._ended = True
            raise LoopClosedError(str(error)) from error

    def _in_task(self, callback: Callable[[], object]) -> None:
        """Call it in a task: without one anyio doesn't know on which library it runs."""

        async def call() -> None:
            callback()

        assert self._asyncio is not None
        self._asyncio.spawn(call, self._home.copy())

    def closed(self) -> bool:
        """See :class:`Loop`."""
        return self._ended or (self._asyncio is not None and self._asyncio.closed())

    def here(self) -> bool:
        """See :class:`Loop`."""
        return threading.get_ident() == self._thread

    def can_wait(self) -> bool:
        """See :class:`Loop`."""
        return not self.here()

    def flag(self) -> Flag:
        """See :class:`Loop`."""
        made: Flag = asyncio.Event() if self._asyncio is not None else self._trio.Event()
        return made

    async def wait(self, flag: Flag, timeout: float | None) -> bool:
        """See :class:`Loop`."""
        if self._asyncio is not None:
            return await self._asyncio.wait(flag, timeout)
        with self._trio.move_on_after(float("inf") if timeout is None else timeout):
            await flag.wait()
            return True
        return False

    async def breathe(self) -> None:
        """See :class:`Loop`."""
        if self._asyncio is not None:
            await self._asyncio.breathe()
        else:
            await self._trio.lowlevel.checkpoint()

    def __repr__(self) -> str:
        return f"<the loop of {self._group!r}>"


def adapted(loop: Any) -> Loop:
    """Return what on_loop is to use for ``loop``: asyncio's, Tornado's, a :class:`Loop`, or None for the running one.

    Raises:
        RuntimeError: it is None and no asyncio loop is running.
        TypeError: it is none of these.
    """
    if loop is None:
        running = asyncio._get_running_loop()
        if running is None:
            raise RuntimeError("no asyncio loop is running here; say which is meant with loop=")
        return AsyncioLoop(running)
    inner = getattr(loop, "asyncio_loop", None)  # Tornado's IOLoop
    if inner is not None:
        return AsyncioLoop(inner)
    if callable(getattr(loop, "call_soon_threadsafe", None)):
        return AsyncioLoop(loop)
    if isinstance(loop, Loop):
        return loop
    raise TypeError(
        f"loop must be an asyncio loop, a Tornado IOLoop, a goanna.delivery.Loop or None, not {type(loop).__name__}"
    )
