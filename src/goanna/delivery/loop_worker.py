"""What takes events to the thread of an event loop."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import time
from collections.abc import Awaitable
from typing import Any, Final, final

from goanna.checks import checked_timeout
from goanna.core.deferred import ran
from goanna.delivery.consumer import Consumer
from goanna.delivery.events_lost import EventsLost
from goanna.delivery.loops import Loop, LoopClosedError
from goanna.delivery.options import Options
from goanna.delivery.waiters import Waiter, soon

__all__ = ["LoopWorker"]

_BURST: Final = 500
"""How many events are handled before the loop gets to run everything else."""

_BURST_TIME: Final = 5_000_000
"""After how many nanoseconds it does at the latest, one call apart."""

_LOOK: Final = 0.1
"""How often, in seconds, somebody who waits looks whether the loop has been closed."""


@final
class LoopWorker(Consumer):
    """Takes events out of a ring on the thread of a loop."""

    own = "context"

    def __init__(self, options: Options, loop: Loop, *, plain: bool, concurrency: int) -> None:
        self._loop = loop
        self._plain = plain
        self._concurrency = concurrency
        self._posted = False
        self._pumps = 0
        self._flying: dict[int, int] = {}
        super().__init__(options)

    def await_all(self) -> None:
        """Expect from now on that what a method returns may have to be awaited."""
        self._plain = False

    # The publishers' side.

    def _wake(self) -> None:
        """Post one callback; called again when the ring is full and it has not come yet."""
        if self._posted:
            self.look_at_loop()
        else:
            self._post()

    def _post(self) -> None:
        try:
            self._posted = True
            # Armed before, because the loop may have run the callback, and armed anew, before post() returns.
            self.ring.arm(self._maxsize)
            self._loop.post(self._run)
        except LoopClosedError:
            self._give_up()
        except BaseException:  # a signal has interrupted it; a second callback would do no harm
            self._posted = False
            raise

    def look_at_loop(self) -> None:
        """Drop what waits if the loop is closed."""
        if self._loop.closed():
            self._give_up()

    def _give_up(self) -> None:
        self.ring.shut("loop_closed")
        self.ring.discard("loop_closed")
        self._answer()

    # The loop's thread.

    def _run(self) -> None:
        """Handle what waits: at once if it is plain calls, else in tasks."""
        try:
            self._posted = False
            self.ring.disarm()
            if self._plain:
                self._drain()
            else:
                self._spawn()
        finally:
            if self._plain or not self._pumps:  # else one of them sees to it
                self._answer_and_rest()

    def _drain(self) -> None:
        before = self.ring.in_flight
        token = None
        try:
            token = self.ring.enter()
            self.ring.drain(_BURST, _BURST_TIME)
        except BaseException:
            self._count_lost(before)
            raise
        finally:
            self.ring.leave(token)

    def _spawn(self) -> None:
        """Have as many tasks as are of use."""
        while self._pumps < min(self._concurrency, len(self.ring)):
            self._pumps += 1
            try:
                self._loop.spawn(self._pump, None)
            except LoopClosedError:
                self._pumps -= 1
                self._give_up()
                return
            except BaseException:
                self._pumps -= 1
                raise

    def _answer_and_rest(self) -> None:
        try:
            self._answer()
        finally:
            try:
                self._rest()
            except BaseException:  # a signal: nobody else would see to those that are left
                self._rest()
                raise

    def _rest(self) -> None:
        """Be woken for the next event, or see to those that are left."""
        if self._posted or self._pumps >= self._concurrency or self.ring.shut_for == "loop_closed":
            return  # there is a callback, or a pump, that comes to it
        if not self.ring.arm(1):
            self._post()

    async def _pump(self) -> None:
        """Handle events, one after another, until none waits."""
        begin, handled = time.monotonic_ns(), 0
        token = None
        try:
            token = self.ring.enter()
            while (taken := self.ring.pop()) is not None:
                self._rest()
                await self._handle(*taken)
                handled += 1
                if handled == _BURST or time.monotonic_ns() - begin >= _BURST_TIME:
                    await self._loop.breathe()
                    begin, handled = time.monotonic_ns(), 0
            if self._gap_method is not None and (lost := self.ring.trailing()):
                await self._agap(lost)
        except Exception:  # of the error policy; the loop reports it, and the others of the events are still due
            raise
        except BaseException:  # cancelled: whoever ends the loop does not want another task
            self._give_up()
            raise
        finally:
            self._pumps = max(self._pumps - 1, 0)
            if not self._pumps:  # what was taken out and not begun with, because a signal came in between
                self._count_lost(len(self._flying))
            self._answer_and_rest()
            self.ring.leave(token)

    async def _handle(
        self, number: int, handler: Any, event: Any, context: contextvars.Context | None, pushed: int, lost: int
    ) -> None:
        """Call one handler, and await what it returns if that can be awaited."""
        self._flying[number] = pushed
        start = time.monotonic_ns()
        error: BaseException | None = None
        try:
            if lost and self._gap_method is not None:
                await self._agap(lost)
                start = time.monotonic_ns()
            if context is None:
                result = handler(event)
                if inspect.isawaitable(result):
                    await result
                elif result is not None:
                    ran(result)
            else:
                await self._within(context, handler, event)
        except BaseException as raised:
            error = raised
        took = time.monotonic_ns() - start
        if self._flying.pop(number, None) is not None:  # else the process was forked meanwhile
            self.ring.done(error is None, error is not None, took)
        try:
            if self._slow is not None and took >= self._slow:
                self._slow = None
                self._slowed(handler, event, took)
            if error is not None:
                self._failed(error, handler, event)
        finally:
            error = None
            self._answer()

    async def _within(self, context: contextvars.Context, handler: Any, event: Any) -> None:
        """Do the same in the context of the publisher, which for a coroutine takes a task of its own."""
        context.run(self.ring.enter)
        result = context.run(handler, event)
        if not inspect.isawaitable(result):
            ran(result)
            return
        flag = self._loop.flag()
        outcome: list[BaseException] = []

        async def task() -> None:
            try:
                await result
            except BaseException as error:
                outcome.append(error)
                if not isinstance(error, Exception):
                    raise
            finally:
                flag.set()

        self._loop.spawn(task, context)
        await flag.wait()
        if outcome:
            raise outcome[0]

    def _answer(self) -> None:
        if self._waiters:
            self._waiters.answer(self._left)

    def _left(self, target: int) -> int:
        if self._plain:
            return self.ring.left(target)
        return sum(1 for number in list(self._flying) if number < target) + max(target - self.ring.removed, 0)

    def _failed(self, error: BaseException, handler: Any, event: Any) -> None:
        """Hand an error to the policy; what is no Exception (cancellation, KeyboardInterrupt) is the loop's."""
        if isinstance(error, asyncio.CancelledError) and not _is_cancelled():
            wrapped = RuntimeError("the listener awaited something that was cancelled")
            wrapped.__cause__ = error
            error = wrapped
        if not isinstance(error, Exception):
            raise error
        try:
            self._errors(error, self.listener, event)
        finally:
            self._look_at_streak()

    def _gap(self, count: int) -> None:
        """Tell a plain listener that events are missing."""
        marker = EventsLost(count)
        assert self._gap_method is not None
        try:
            ran(self._gap_method(marker))
        except Exception as error:
            self._errors(error, self.listener, marker)

    async def _agap(self, count: int) -> None:
        """Tell any listener that events are missing."""
        marker = EventsLost(count)
        assert self._gap_method is not None
        try:
            result: Awaitable[object] | object = self._gap_method(marker)
            if inspect.isawaitable(result):
                await result
            else:
                ran(result)
        except Exception as error:
            self._errors(error, self.listener, marker)

    # Everybody.

    def flush(self, timeout: float | None) -> int:
        """See :meth:`OnLoop.flush`."""
        timeout = checked_timeout(timeout)
        self.ring.check_fork()
        self.look_at_loop()
        if not self._posted:  # else the callback is on its way
            self.ring.wake_now()
        target = self.ring.accepted
        left = self._left(target)
        if not left or not self._loop.can_wait():
            return left
        deadline = None if timeout is None else time.monotonic() + timeout
        waiter = Waiter(target)
        self._waiters.add(waiter)
        # The loop may have come to the last of them before it could know that somebody waits.
        while not (told := not self._left(target) or waiter.wait(soon(deadline, _LOOK))):
            self.look_at_loop()  # a loop that is closed with our callback in it tells nobody
            if deadline is not None and time.monotonic() >= deadline:
                break
        self._waiters.remove(waiter)
        return 0 if told else self._left(target)

    def close(self, timeout: float | None) -> int:
        """See :meth:`OnLoop.close`."""
        timeout = checked_timeout(timeout)  # before anything has changed
        self.ring.shut("closed")
        left = self.flush(timeout)
        if left and self._loop.can_wait():
            self.ring.discard("closed")
            self._answer()
        return left

    async def aflush(self, timeout: float | None) -> int:
        """See :meth:`OnLoop.aflush`."""
        timeout = checked_timeout(timeout)
        if not self._loop.here():
            raise RuntimeError("aflush() and aclose() are awaited on the loop that delivers; elsewhere use flush()")
        target = self.ring.accepted
        if not self._left(target):
            return 0
        flag = self._loop.flag()
        waiter = Waiter(target, flag.set)
        self._waiters.add(waiter)
        try:
            told = await self._loop.wait(flag, timeout)
        finally:
            self._waiters.remove(waiter)
        return 0 if told else self._left(target)

    async def aclose(self, timeout: float | None) -> int:
        """See :meth:`OnLoop.aclose`."""
        timeout = checked_timeout(timeout)  # before anything has changed
        self.ring.shut("closed")
        left = await self.aflush(timeout)
        if left:
            self.ring.discard("closed")
            self._answer()
        return left

    def _forked(self) -> None:
        """Start anew; a loop that the child goes on to run gets what the child publishes."""
        self._posted = False
        self._pumps = 0
        self._flying.clear()
        super()._forked()


def _is_cancelled() -> bool:
    """Return whether it is this very task that is being cancelled."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
