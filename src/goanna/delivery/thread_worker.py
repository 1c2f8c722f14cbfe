"""The thread behind a queue."""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, final

from goanna.checks import checked_timeout
from goanna.core.deferred import ran
from goanna.delivery.at_exit import at_exit, at_exit_of_this_process, before_executors, thread_of
from goanna.delivery.consumer import Consumer
from goanna.delivery.events_lost import EventsLost
from goanna.delivery.options import Options
from goanna.delivery.waiters import Waiter, Waiters, soon
from goanna.errors import guarded, warn
from goanna.errors import name as shown

__all__ = ["QueueFullError", "ThreadWorker"]

_CHUNK: Final = 1000
"""How many events the worker handles before it looks who waits for it."""

_CHUNK_TIME: Final = 5_000_000
"""After how many nanoseconds it does so at the latest, one call apart."""

_PATIENCE: Final = 1.0
"""After how many seconds without an event the worker sleeps until the next one wakes it."""


_LOOK: Final = 0.5
"""How often, in seconds, somebody who waits looks whether the thread is still there."""


class QueueFullError(Exception):
    """An event found no room in a queue with ``overflow="raise"``; it goes to the error policy of the queue."""


@final
class ThreadWorker(Consumer):
    """The thread behind one queue."""

    own = "thread"

    def __init__(
        self,
        options: Options,
        handle_batch: Callable[[list[Any]], object] | None,
        *,
        overflow: str,
        timeout: float | None,
        batch: int,
        delay: float,
        name: str,
        exit_timeout: float,
    ) -> None:
        self.exit_timeout = exit_timeout
        self._handle_batch = handle_batch
        self._timeout = timeout
        self._batch = batch
        self._delay = min(delay, threading.TIMEOUT_MAX)
        self._name = name
        self._space = Waiters()
        self._stopping = False
        self._stuck = False
        self._thread: threading.Thread | None = None
        self._substitute: threading.Thread | None = None
        self._wakeup = _new_wakeup()
        self._handoff: list[ThreadWorker] = []
        super().__init__(options, {"block": self._block, "raise": self._raise}.get(overflow))
        at_exit(self)

    # The publishers' side.

    def _wake(self) -> None:
        """Wake the thread, or start it; the ring sees to it that nobody else does so at the same time.

        Where a signal interrupts it, the next one wakes the thread again, so it may be awake already.
        """
        if self._thread is not None:
            self._handoff.append(self)
            _wake_up(self._wakeup)
            return
        while not len(self.ring):
            if self.ring.arm(1):
                return
        # Made with the thread, so that both are of one kind: gevent may have replaced them since the queue was made.
        self._wakeup = _new_wakeup()
        self._handoff = handoff = [self]
        try:
            try:
                self._thread = thread_of(partial(_run, handoff, self._wakeup), self._name)
                self._thread.start()
            except (
                RuntimeError,
                MemoryError,
            ) as error:  # no more threads, none here, or the interpreter is about to end
                self._did_not_start(error)
            else:
                self._stuck = False
                at_exit_of_this_process()
        except BaseException:  # a signal
            if handoff:  # else the thread has begun with it
                handoff.clear()
                self._thread = None
            raise

    def _did_not_start(self, error: Exception) -> None:
        """Let the next event try again, and whoever waits do what the thread would."""
        self._thread = None
        self._handoff.clear()
        if not self._stuck:
            self._stuck = True
            warn("the thread of %s did not start, events wait: %s", shown(self.listener), error)
        at_exit_of_this_process()
        self._arm_for_more()
        self._waiters.answer(lambda _: 0)
        self._space.answer(lambda _: 0)

    def _arm_for_more(self) -> None:
        """Be woken by the next event that comes, or if there is no room for one, by whoever flushes."""
        if not self.ring.arm(min(len(self.ring) + 1, self._maxsize)):
            self.ring.arm(self._maxsize + 1)

    def _has_ended(self) -> bool:
        """Return whether the thread has ended although more may come; see to what it left, and start another one.

        What it had in its hands counts as failed.
        """
        thread = self._thread
        if thread is None or thread.ident is None or thread.is_alive():
            return False
        if self._thread is thread and not self._stopping:  # else it has been seen to, or should end
            self._thread = None  # before anything that lets another one look, too
            self.start_again()
        return True

    def is_thread_of(self, handoff: list[ThreadWorker]) -> bool:
        """Return whether the thread that was started with this handoff is the one that delivers."""
        return handoff is self._handoff and not self._stopping

    def start_again(self) -> None:
        """Count what a thread that has ended had in its hands as failed, and start another one if events wait."""
        self._thread = None
        self._count_lost(0)
        warn("the thread of %s has ended and is started again", shown(self.listener))
        self._answer()
        if not self.ring.arm(1):
            self.ring.disarm()
            self._wake()

    def _block(self, handler: Any, event: Any, context: Any) -> None:
        """Hold the publisher up until there is room."""
        if self._is_own_thread():
            self.ring.drop("overflow")  # nobody else will make room
            return
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        while not self.ring.offer(handler, event, context):
            if self.ring.shut_for is not None:
                self.ring.drop(self.ring.shut_for)
                return
            waiter = Waiter(0)
            self._space.add(waiter)
            self.ring.wake_now()
            if self._stuck:
                self._space.remove(waiter)
                self.ring.drop("overflow")
                return
            while not waiter.wait(soon(deadline, _LOOK)):
                if self._has_ended():
                    break
                if deadline is not None and time.monotonic() >= deadline:
                    self._space.remove(waiter)
                    self.ring.drop("timeout")
                    return

    def _raise(self, handler: Any, event: Any, context: Any) -> None:
        """Drop the event, and say so to the policy."""
        self.ring.drop("overflow")
        self._tell(QueueFullError(f"the queue of {self._maxsize} events is full"), event)

    # The thread.

    def work(self, handoff: list[ThreadWorker]) -> bool:
        """Handle what waits, in the thread that was started with this handoff.

        Returns:
            False if the queue is closed and nothing more will come, or the thread is not its own any more.
        """
        while True:
            while self._handled():
                before_executors()  # the listener may have imported one
                self._answer()
            if handoff is not self._handoff:
                return False  # the listener has forked, and this is the copy of its thread in the child
            self._answer()
            if not self._stopping:
                return True
            if not len(self.ring):
                return False

    def rest(self, idle: float, handoff: list[ThreadWorker], wakeup: threading.Lock) -> float | None:
        """Let events gather, unless somebody is in a hurry.

        Args:
            idle: for how many seconds there has been nothing to do.
            handoff: where whoever wakes the thread puts the worker.
            wakeup: released when enough events wait.

        Returns:
            For how many seconds there has been nothing to do now; None if that is long enough to sleep.
        """
        parked = idle >= _PATIENCE or not self._delay
        if not self.ring.arm(1 if parked else self._batch):
            return 0.0
        if not (self._waiters or self._space or self._stopping):
            if parked:
                return None
            if wakeup.acquire(timeout=self._delay):
                handoff.clear()
                return 0.0
        if not self.ring.disarm():
            wakeup.acquire()  # somebody releases it at this moment
            handoff.clear()
        return 0.0 if len(self.ring) else idle + self._delay

    def _handled(self) -> int:
        """Handle some of what waits; return how many events. Nothing ends a thread that others rely on."""
        before, generation = self.ring.in_flight, self._handoff
        try:
            return self._handle()
        except BaseException:  # of a report, or of a signal: what listeners and policies raise has been seen to
            if generation is self._handoff:  # else the process was forked
                self._count_lost(before)
            _report_in_thread()
            return 1

    def _handle(self) -> int:
        """Handle some of what waits; return how many events."""
        if self._handle_batch is None:
            return self.ring.drain(_CHUNK, _CHUNK_TIME)
        events, lost = self.ring.take(self._batch)
        if not events:
            lost = self.ring.trailing()
        if lost and self._gap_method is not None:
            self._gap(lost)
        if not events:
            return 0
        generation = self._thread
        start = time.monotonic_ns()
        try:
            ran(self._handle_batch(events))
        except BaseException as error:
            took = time.monotonic_ns() - start
            if generation is self._thread:
                self.ring.done(0, len(events), took)
            self._failed(error, self._handle_batch, events)
        else:
            took = time.monotonic_ns() - start
            if generation is self._thread:
                self.ring.done(len(events), 0, took)
        if self._slow is not None and took >= self._slow:
            self._slow = None
            self._slowed(self._handle_batch, events, took)
        return len(events)

    def _answer(self) -> None:
        """Tell those who wait."""
        if self._waiters:
            self._waiters.answer(self.ring.left)
        if self._space:
            self._space.answer(lambda _: int(len(self.ring) >= self._maxsize and self.ring.shut_for is None))

    def _failed(self, error: BaseException, handler: Any, event: Any) -> None:
        """Hand an error to the policy, and look whether it was one too many."""
        self._tell(error, event)
        self._look_at_streak()

    def _tell(self, error: BaseException, event: Any) -> None:
        """Hand an error to the policy; even SystemExit, of the policy itself too, ends no thread."""
        if not isinstance(error, Exception):
            wrapped = RuntimeError(f"{type(error).__name__} raised in the thread of a queue")
            wrapped.__cause__ = error
            error = wrapped
        try:
            self._errors(error, self.listener, event)
        except BaseException:
            _report_in_thread()

    def _gap(self, count: int) -> None:
        """Tell the listener that events are missing."""
        marker = EventsLost(count)
        assert self._gap_method is not None
        try:
            ran(self._gap_method(marker))
        except BaseException as error:
            self._tell(error, marker)

    # Everybody.

    def flush(self, timeout: float | None) -> int:
        """See :meth:`Queued.flush`."""
        timeout = checked_timeout(timeout)
        self.ring.check_fork()
        target = self.ring.accepted
        left = self.ring.left(target)
        if not left or self._is_own_thread():
            return left
        deadline = None if timeout is None else time.monotonic() + timeout
        waiter = Waiter(target)
        self._waiters.add(waiter)
        try:
            self.ring.wake_now()
            while self.ring.left(target):
                if self._stuck:
                    self._deliver_here(target, deadline)
                if waiter.wait(soon(deadline, _LOOK)) and not self._stuck:
                    break
                self._has_ended()
                if deadline is not None and time.monotonic() >= deadline:
                    break
        finally:
            self._waiters.remove(waiter)
        return self.ring.left(target)

    def _is_own_thread(self) -> bool:
        return threading.current_thread() in (self._thread, self._substitute)

    def _deliver_here(self, target: int, deadline: float | None) -> None:
        """Do on this thread what the queue's own one would, which can't be started."""
        others, token = False, None
        try:
            others = not self.ring.disarm()  # whoever does that is the one who takes events out
            if others:
                return
            self._substitute = threading.current_thread()
            token = self.ring.enter()
            while self.ring.left(target) and (deadline is None or time.monotonic() < deadline):
                self._handled()
                self._answer()
        finally:
            if not others:
                self._substitute = None
                try:
                    self._arm_for_more()
                except BaseException:  # a signal: nobody could deliver any more
                    self._arm_for_more()
                    raise
                finally:
                    self.ring.leave(token)

    def close(self, timeout: float | None) -> int:
        """See :meth:`Queued.close`."""
        timeout = checked_timeout(timeout)  # before anything has changed
        begin = time.monotonic()
        self.ring.shut("closed")
        self._answer()
        left = self.flush(timeout)
        own = self._is_own_thread()
        if left and not own:
            self.ring.discard("closed")
        self._stopping = True
        self.ring.wake_now()
        thread = self._thread
        if thread is not None and not own and not left:
            wait = None if timeout is None else max(begin + timeout - time.monotonic(), 0.0)
            thread.join(None if wait is None else min(wait, threading.TIMEOUT_MAX))
        return left

    def abandon(self) -> None:
        """End when all that waits is handled; nobody can push any more."""
        self.ring.shut("closed")
        self._stopping = True
        self.ring.wake_now()

    def finish(self, timeout: float) -> None:
        """Take no more events at the end of the interpreter, wait for those that are left, then give them up."""
        self.ring.shut("exit")
        self._answer()
        left = self.flush(timeout)
        if left:
            self.ring.discard("exit")
            warn("%d events of %s were left when the interpreter ended", left, shown(self.listener))
        self._stopping = True
        self.ring.wake_now()

    def _forked(self) -> None:
        """Start anew: the thread is in the other process, and nobody waits in this one."""
        self._thread = None
        self._substitute = None
        self._stuck = False
        self._wakeup = _new_wakeup()
        self._handoff = []
        self._space.clear()
        super()._forked()


def _run(handoff: list[ThreadWorker], wakeup: threading.Lock) -> None:
    """Handle events, on the thread, until the queue is closed and empty, or out of reach.

    While it sleeps it does not hold the worker, so that a listener which holds its own wrapper can be collected. Who
    wakes it hands the worker over; when the worker goes away, it is woken with nothing handed over.
    """
    if not handoff:
        return  # whoever started it was interrupted, and takes it as not started
    idle = 0.0
    worker = handoff.pop()
    worker.ring.enter()
    gone = weakref.ref(worker, lambda _: _wake_up(wakeup))
    try:
        while worker.work(handoff):
            now = worker.rest(idle, handoff, wakeup)
            idle = now or 0.0
            if now is None:
                del worker
                wakeup.acquire()
                found = handoff.pop() if handoff else gone()
                if found is None:
                    return
                worker = found
                del found
                handoff.clear()  # a wake-up that was interrupted may have been repeated
    except BaseException:  # ended from outside
        _report_in_thread()
        found = gone()
        if found is not None and found.is_thread_of(handoff):
            found.start_again()
    del gone  # before the worker, which may go away with this frame


def _wake_up(wakeup: threading.Lock) -> None:
    with suppress(RuntimeError):  # it is awake
        wakeup.release()


def _new_wakeup() -> threading.Lock:
    wakeup = threading.Lock()
    wakeup.acquire()
    return wakeup


def _report_in_thread() -> None:
    """Hand the error that is being handled to ``threading.excepthook``, as if it had ended the thread."""
    arguments = threading.ExceptHookArgs([*sys.exc_info(), threading.current_thread()])
    try:
        guarded(lambda: threading.excepthook(arguments))
    except BaseException:  # of a hook that would end the thread: its error was the report of another one
        return
