"""What happens to waiting events when the interpreter, or a process of multiprocessing, ends."""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import sys
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol, TypeVar, final

from goanna.checks import checked_timeout
from goanna.core import Ring
from goanna.core.forks import after_fork

__all__ = ["at_exit", "at_exit_of_this_process", "before_executors", "close", "everybody", "flush", "thread_of"]


class _Waiting(Protocol):
    exit_timeout: float

    def hurry(self) -> None: ...

    def flush(self, timeout: float) -> int: ...

    def finish(self, timeout: float) -> None: ...


class _Consumer(Protocol):
    ring: Ring

    def hurry(self) -> None: ...

    def flush(self, timeout: float | None) -> int: ...

    def close(self, timeout: float | None) -> int: ...


_T = TypeVar("_T")

_consumers: set[weakref.ref[_Consumer]] = set()
_waiting: set[weakref.ref[_Waiting]] = set()
_out_of_time: set[_Waiting] = set()
_PROCESSES: Final = "concurrent.futures.process"
_executors: set[str] = set()
"""The modules of executors before whose end ours is registered."""

_processes: set[int] = set()
_joined: list[bool] = []
"""Holds something where threads are ordinary ones, which the end of the interpreter waits for."""


def everybody(one: _Consumer) -> None:
    """Have :func:`flush` and :func:`close` see to a consumer, for as long as it lives."""
    _consumers.add(weakref.ref(one, _consumers.discard))  # each one step, whatever other threads do


def at_exit(one: _Waiting) -> None:
    """Have ``one.finish(timeout)`` called when the interpreter ends, within ``one.exit_timeout`` seconds from then."""
    _waiting.add(weakref.ref(one, _waiting.discard))
    before_executors()


def before_executors() -> None:
    """Have what waits delivered before concurrent.futures shuts its executors down, which a listener may use.

    The interpreter calls the last that was registered first. So the modules that register are imported before, and
    where the one of processes, which takes long, is imported later, this is registered once more.
    """
    complete = hasattr(sys.modules.get(_PROCESSES), "ProcessPoolExecutor")  # it registers before it defines that
    if _executors and (_PROCESSES in _executors or not complete):
        return
    import concurrent.futures.thread

    register: Any = getattr(threading, "_register_atexit", None)  # what those modules use; there is no public name
    if register is not None:
        with contextlib.suppress(RuntimeError):  # the end has begun: what is left is the exit hook's
            register(_before_the_end)
    _executors.add(_PROCESSES if complete else concurrent.futures.thread.__name__)


def at_exit_of_this_process() -> None:
    """See that a process started by multiprocessing or billiard does the same, and look again at executors.

    Such a process ends without the interpreter's own hooks.
    """
    before_executors()
    if not _is_child():
        return
    import os
    from multiprocessing import util  # billiard's is the same

    if os.getpid() not in _processes:
        _processes.add(os.getpid())
        # The first among its finalizers: later ones may end what a listener needs.
        util.Finalize(None, _finish, exitpriority=1000)


def _is_child() -> bool:
    process = sys.modules.get("multiprocessing.process")
    if process is not None and process.parent_process() is not None:
        return True
    billiard = sys.modules.get("billiard.process")  # Celery's; it has no parent_process()
    return billiard is not None and getattr(billiard.current_process(), "_parent_pid", None) is not None


@final
class _Child:
    """Sees to it in a process that multiprocessing has forked off, whatever happens before that is set up.

    Another hook of the fork may publish, and so start a thread. What is registered then multiprocessing forgets when
    it sets its process up, after which it calls what was registered with it for that.
    """

    registered = False

    def _after_fork(self) -> None:
        util = sys.modules.get("multiprocessing.util")
        if util is not None and not self.registered:
            self.registered = True  # for the children of this process too, which inherit it
            util.register_after_fork(self, lambda _: at_exit_of_this_process())


_child: Final = _Child()
after_fork(_child)


def thread_of(run: Callable[[], object], name: str | None) -> threading.Thread:
    """Return a thread with an empty context that does not keep the interpreter from ending. It is not started yet.

    That is a daemon in most interpreters. A second one of a process has none from Python 3.12 on: there it is an
    ordinary thread, and since the interpreter waits for those before its exit hooks run, it is told to finish before.

    Raises:
        RuntimeError: the interpreter is about to end.
    """
    # It may begin with the context of who starts it: gevent's do, and Python's with sys.flags.thread_inherit_context.
    # That is whoever published first, and no business of a listener's.
    make = partial(threading.Thread, target=partial(contextvars.Context().run, run), name=name)
    try:
        return make(daemon=True)
    except RuntimeError:
        if not _joined:
            if not hasattr(threading, "_register_atexit"):
                raise
            _joined.append(True)
        return make(daemon=False)


def flush(timeout: float | None = None) -> int:
    """Wait until all queues and loops of this process have dealt with the events that have come so far.

    Those of ``queued``, ``on_loop`` and ``RequestLogger``; what a listener publishes meanwhile into another one's queue
    is waited for, too. On a loop itself, those of that loop are not waited for.

    Args:
        timeout: seconds for all of them together, None for as long as it takes.

    Returns:
        How many events were left when the time was up.

    Raises:
        TypeError, ValueError: ``timeout`` is no number of seconds.
    """
    timeout = checked_timeout(timeout)
    deadline = None if timeout is None else time.monotonic() + timeout
    ones = _alive(_consumers)
    left = 0
    for _ in ones:  # no chain of listeners is longer
        accepted = [one.ring.accepted for one in ones]
        for one in ones:
            one.hurry()
        left = sum(one.flush(_until(deadline)) for one in ones)
        if left or accepted == [one.ring.accepted for one in ones]:
            break
    return left


def close(timeout: float | None = None) -> int:
    """Wait like :func:`flush`, then close all queues and loops of this process; for the end of one that has no hooks.

    Wrappers that are made later are not concerned, and closing again does no harm.

    Args:
        timeout: seconds for all of them together, None for as long as it takes.

    Returns:
        How many events were left when the time was up.

    Raises:
        TypeError, ValueError: ``timeout`` is no number of seconds.
    """
    timeout = checked_timeout(timeout)
    deadline = None if timeout is None else time.monotonic() + timeout
    flush(timeout)
    return sum(one.close(_until(deadline)) for one in _alive(_consumers))


def _until(deadline: float | None) -> float | None:
    return None if deadline is None else max(deadline - time.monotonic(), 0.0)


def _alive(references: set[weakref.ref[_T]]) -> list[_T]:
    return [one for reference in list(references) if (one := reference()) is not None]


def _before_the_end() -> None:
    """Let all deliver what waits, each within its own bound, and go on taking events."""
    if _joined:
        _finish()
        return
    begin = time.monotonic()
    for one in _in_a_hurry():
        if one.flush(_rest_of(one, begin)):
            _out_of_time.add(one)


def _finish() -> None:
    """Let all finish at the same time, each within its own bound."""
    begin = time.monotonic()
    ones = _in_a_hurry()
    # Nobody is finished before all are flushed: a listener may publish into another one's queue.
    for one in ones:
        one.flush(_rest_of(one, begin))
    for one in ones:
        one.finish(_rest_of(one, begin))


def _in_a_hurry() -> list[_Waiting]:
    ones = sorted(_alive(_waiting), key=lambda one: one.exit_timeout)
    for one in ones:
        one.hurry()
    return ones


def _rest_of(one: _Waiting, begin: float) -> float:
    """Return how many seconds there are still to wait; none for one that has had its time before."""
    return 0.0 if one in _out_of_time else max(begin + one.exit_timeout - time.monotonic(), 0.0)


atexit.register(_finish)
