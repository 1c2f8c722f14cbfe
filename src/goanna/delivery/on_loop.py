"""on_loop: a listener on the thread of an event loop, with methods that may be coroutines."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import time
from collections.abc import Awaitable, Callable
from types import FunctionType, MethodType
from typing import Any, Final, Literal, final

from goanna._backend import ring
from goanna._forks import after_fork
from goanna._watch import checked_quarantine, checked_slow, warn_quarantined, warn_slow
from goanna.delivery.documents import Documents, preparation
from goanna.delivery.events_lost import EventsLost, gap_method
from goanna.delivery.interfaces import interfaces_of
from goanna.delivery.loops import Loop, LoopClosedError, adapted
from goanna.delivery.waiters import Waiter, Waiters
from goanna.delivery.wrapper import Wrapper, checked_int, checked_policy, checked_seconds, stats_of, wrap
from goanna.errors import ErrorHandler, Errors
from goanna.listeners import check_method, does_nothing
from goanna.stats import Stats

__all__ = ["OnLoop", "on_loop"]

_BURST: Final = 500
"""How many events are handled before the loop gets to run everything else."""

_BURST_TIME: Final = 5_000_000
"""After how many nanoseconds it does at the latest, one call apart."""

_OVERFLOWS: Final = ("drop_oldest", "drop_newest")


class OnLoop(Wrapper):
    """What :func:`on_loop` returns: a listener that takes events on any thread and has them handled on a loop."""

    _courier: Courier

    @property
    def listener(self) -> Any:
        """The listener behind it."""
        return self._courier.listener

    def stats(self) -> Stats:
        """Return what became of the events that came here, all counts of one moment."""
        self._courier.look_at_loop()
        return stats_of(self._courier.ring.counts())

    def flush(self, timeout: float | None = None) -> int:
        """Wait until the events that have come so far are dealt with.

        On the loop itself, where waiting would hold up what it waits for, and while the loop does not run, it returns
        at once: ``await aflush()`` there.

        Args:
            timeout: seconds, None for as long as it takes.

        Returns:
            How many of them were left when the time was up.
        """
        return self._courier.flush(timeout)

    def close(self, timeout: float | None = None) -> int:
        """Take no more events, wait like :meth:`flush`, and give up what is left then.

        On the loop itself, and while the loop does not run, it does not wait and gives nothing up: what is left is
        still delivered when the loop runs. Events that come later are counted as dropped, "closed". Closing again does
        no harm.

        Args:
            timeout: seconds, None for as long as it takes.

        Returns:
            How many events were left when the time was up.
        """
        return self._courier.close(timeout)

    async def aflush(self, timeout: float | None = None) -> int:
        """Do what :meth:`flush` does, without holding up the loop; to be awaited on the loop that it is for."""
        return await self._courier.aflush(timeout)

    async def aclose(self, timeout: float | None = None) -> int:
        """Do what :meth:`close` does, without holding up the loop, and give up what is left when the time is up."""
        return await self._courier.aclose(timeout)


def on_loop(
    listener: Any,
    loop: Any = None,
    *,
    maxsize: int = 10_000,
    overflow: Literal["drop_oldest", "drop_newest"] = "drop_oldest",
    concurrency: int = 1,
    errors: Errors = "log",
    documents: Documents = "reference",
    context: Literal["none", "capture"] = "none",
    quarantine: int | None = None,
    slow: float | None = None,
) -> Any:
    """Return a listener that hands its events to ``listener`` on the thread of an event loop.

    Its methods may be plain or coroutine functions. The publisher pays for one push into a bounded ring, and wakes the
    loop once for a burst of events. Publishing on the loop's own thread works too: the events are handled when the loop
    comes to it.

    A loop that is closed takes nothing: its events are dropped, "loop_closed"; so are those that are left when the task
    that handles them is cancelled, as ``asyncio.run`` does at its end. For a loop that does not run they wait,
    ``maxsize`` at most.

    Args:
        listener: of any interface.
        loop: an asyncio loop, a Tornado ``IOLoop``, a :class:`~goanna.delivery.Loop`; None is the running asyncio loop.
        maxsize: the most events that wait.
        overflow: what happens when they do: "drop_oldest" makes room, "drop_newest" drops the one that comes.
        concurrency: how many events are awaited at the same time; they begin in order, with 1 they end in order too.
        errors: what happens when the listener raises: "log", "print" or a callable, as in :class:`Dispatcher`.
        documents: what an event holds while it waits; see :func:`queued`.
        context: "capture" runs the listener in the context variables of the publisher.
        quarantine: after so many failures in a row the listener gets no more events; they are dropped, "quarantined".
        slow: seconds; the first call that takes as long, awaiting included, is logged.

    Returns:
        An :class:`~goanna.delivery.OnLoop`, which is an instance of the interfaces of ``listener`` too.

    Raises:
        TypeError, ValueError: an argument is none of these; ``listener`` is no listener, or one of its methods can't
            take an event.
        RuntimeError: ``loop`` is None and no loop is running.
    """
    interfaces = interfaces_of(listener)
    if overflow not in _OVERFLOWS:
        raise ValueError(f"overflow is {overflow!r}; it must be one of {', '.join(_OVERFLOWS)}")
    if context not in ("none", "capture"):
        raise ValueError(f'context is {context!r}; it must be "none" or "capture"')
    methods = {one: getattr(listener, one) for one in interfaces.names}
    for one, method in methods.items():
        check_method(method, f"{type(listener).__qualname__}.{one}", awaited=True)
    gap = gap_method(listener)
    courier = Courier(
        listener,
        adapted(loop),
        gap,
        plain=all(one is None or _is_plain(one) for one in [*methods.values(), gap]),
        maxsize=checked_int("maxsize", maxsize, 1),
        newest=overflow == "drop_newest",
        concurrency=checked_int("concurrency", concurrency, 1),
        errors=checked_policy(errors),
        prepare=preparation(documents),
        capture=context == "capture",
        quarantine=checked_quarantine(quarantine),
        slow=checked_slow(slow),
    )
    inlets: dict[str, Callable[[Any], object] | None] = {
        one: None if does_nothing(method) else courier.ring.inlet(method) for one, method in methods.items()
    }
    wrapper = wrap(OnLoop, interfaces, inlets)
    wrapper._courier = courier
    return wrapper


@final
class Courier:
    """Takes events out of a ring on the thread of a loop."""

    def __init__(
        self,
        listener: Any,
        loop: Loop,
        gap: Callable[[EventsLost], object] | None,
        *,
        plain: bool,
        maxsize: int,
        newest: bool,
        concurrency: int,
        errors: ErrorHandler,
        prepare: Callable[[Any], Any] | None,
        capture: bool,
        quarantine: int | None,
        slow: float | None,
    ) -> None:
        self.listener = listener
        self._loop = loop
        self._gap_method = gap
        self._plain = plain
        self._maxsize = maxsize
        self._concurrency = concurrency
        self._errors = errors
        self._quarantine = quarantine
        self._slow = None if slow is None else int(slow * 1e9)
        self._waiters = Waiters()
        self._posted = False
        self._pumps = 0
        self._flying: dict[int, int] = {}
        self.ring = ring.Ring(
            maxsize,
            self._wake,
            self._failed,
            newest=newest,
            prepare=prepare,
            capture=capture,
            slow=self._slow or 0,
            slowed=self._slowed,
            gap=None if gap is None else self._gap,
            forked=self._forked,
        )
        self.ring.arm(1)
        after_fork(self)

    # The publishers' side.

    def _wake(self) -> None:
        """Post one callback; called again when the ring is full and it has not come yet."""
        if self._posted:
            self.look_at_loop()
        else:
            self._post()

    def _post(self) -> None:
        self._posted = True
        # Armed before, because the loop may have run the callback, and armed anew, before post() returns.
        self.ring.arm(self._maxsize)
        try:
            self._loop.post(self._run)
        except LoopClosedError:
            self._give_up()

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
        self._posted = False
        self.ring.disarm()
        if self._plain:
            try:
                self.ring.drain(_BURST, _BURST_TIME)
            finally:
                self._answer()
                self._rest()
            return
        while self._pumps < min(self._concurrency, len(self.ring)):
            self._pumps += 1
            try:
                self._loop.spawn(self._pump, None)
            except LoopClosedError:
                self._pumps -= 1
                self._give_up()
                return
        if not self._pumps:
            self._rest()

    def _rest(self) -> None:
        """Be woken for the next event, or see to those that are left."""
        if self._posted or self._pumps >= self._concurrency or self.ring.shut_for == "loop_closed":
            return  # there is a callback, or a pump, that comes to it
        if not self.ring.arm(1):
            self._post()

    async def _pump(self) -> None:
        """Handle events, one after another, until none waits."""
        begin, handled = time.monotonic_ns(), 0
        try:
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
            self._pumps -= 1
            self._answer()
            self._rest()

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
        result = context.run(handler, event)
        if not inspect.isawaitable(result):
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
            if self._quarantine is not None and self.ring.streak >= self._quarantine and self.ring.shut_for is None:
                self.ring.shut("quarantined")
                self.ring.discard("quarantined")
                warn_quarantined(self.listener, self.ring.streak)

    def _slowed(self, handler: Any, event: Any, nanoseconds: int) -> None:
        warn_slow(self.listener, event, nanoseconds)

    def _gap(self, count: int) -> None:
        """Tell a plain listener that events are missing."""
        marker = EventsLost(count)
        assert self._gap_method is not None
        try:
            self._gap_method(marker)
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
        except Exception as error:
            self._errors(error, self.listener, marker)

    # Everybody.

    def flush(self, timeout: float | None) -> int:
        """See :meth:`OnLoop.flush`."""
        if timeout is not None:
            timeout = checked_seconds("timeout", timeout)
        self.ring.check_fork()
        self.look_at_loop()
        target = self.ring.accepted
        left = self._left(target)
        if not left or not self._loop.can_wait():
            return left
        deadline = None if timeout is None else time.monotonic() + timeout
        waiter = Waiter(target)
        self._waiters.add(waiter)
        while not (told := waiter.wait(_earlier(deadline, _LOOK))):
            self.look_at_loop()  # a loop that is closed with our callback in it tells nobody
            if deadline is not None and time.monotonic() >= deadline:
                break
        self._waiters.remove(waiter)
        return 0 if told else self._left(target)

    def close(self, timeout: float | None) -> int:
        """See :meth:`OnLoop.close`."""
        if timeout is not None:
            timeout = checked_seconds("timeout", timeout)  # before anything has changed
        self.ring.shut("closed")
        left = self.flush(timeout)
        if left and self._loop.can_wait():
            self.ring.discard("closed")
            self._answer()
        return left

    async def aflush(self, timeout: float | None) -> int:
        """See :meth:`OnLoop.aflush`."""
        if timeout is not None:
            timeout = checked_seconds("timeout", timeout)
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
        if timeout is not None:
            timeout = checked_seconds("timeout", timeout)  # before anything has changed
        self.ring.shut("closed")
        left = await self.aflush(timeout)
        if left:
            self.ring.discard("closed")
            self._answer()
        return left

    def _after_fork(self) -> None:
        self.ring.check_fork()

    def _forked(self) -> None:
        """Start anew; a loop that the child goes on to run gets what the child publishes."""
        self._posted = False
        self._pumps = 0
        self._flying.clear()
        self._waiters.clear()
        if hasattr(self, "ring"):  # else it was being made by a thread that is not in this process
            self.ring.arm(1)


def _is_plain(method: Any) -> bool:
    """Return whether what a method returns is certainly not to be awaited."""
    if type(method) not in (MethodType, FunctionType):
        return False
    function = inspect.unwrap(method)
    return not inspect.iscoroutinefunction(function)


def _is_cancelled() -> bool:
    """Return whether it is this very task that is being cancelled."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


_LOOK: Final = 0.1
"""How often, in seconds, somebody who waits looks whether the loop has been closed."""


def _earlier(deadline: float | None, seconds: float) -> float:
    soon = time.monotonic() + seconds
    return soon if deadline is None else min(deadline, soon)
