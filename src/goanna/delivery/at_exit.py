"""What happens to waiting events when the interpreter, or a process of multiprocessing, ends."""

from __future__ import annotations

import atexit
import contextvars
import sys
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol, final

from goanna.core.forks import after_fork

__all__ = ["at_exit", "at_exit_of_this_process", "thread_of"]


class _Waiting(Protocol):
    exit_timeout: float

    def hurry(self) -> None: ...

    def flush(self, timeout: float) -> int: ...

    def finish(self, timeout: float) -> None: ...


_waiting: set[weakref.ref[_Waiting]] = set()
_processes: set[int] = set()
_joined: list[bool] = []
"""Holds something where threads are ordinary ones, which the end of the interpreter waits for."""


def at_exit(one: _Waiting) -> None:
    """Have ``one.finish(timeout)`` called when the interpreter ends, within ``one.exit_timeout`` seconds from then."""
    _waiting.add(weakref.ref(one, _waiting.discard))  # each one step, whatever other threads do


def at_exit_of_this_process() -> None:
    """See that a process started by multiprocessing does the same; it ends without the interpreter's own hooks."""
    util = sys.modules.get("multiprocessing.util")
    process = sys.modules.get("multiprocessing.process")
    if util is None or process is None or process.parent_process() is None:
        return
    import os

    if os.getpid() not in _processes:
        _processes.add(os.getpid())
        # The first among its finalizers: later ones may end what a listener needs.
        util.Finalize(None, _finish, exitpriority=1000)


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
            # What concurrent.futures relies on for the same reason; there is no public name for it.
            before_join: Any = getattr(threading, "_register_atexit", None)
            if before_join is None:
                raise
            before_join(_finish)
            _joined.append(True)
        return make(daemon=False)


def _finish() -> None:
    """Let all finish at the same time, each within its own bound."""
    begin = time.monotonic()
    ones = [one for reference in list(_waiting) if (one := reference()) is not None]
    ones.sort(key=lambda one: one.exit_timeout)
    for one in ones:
        one.hurry()
    # Nobody is finished before all are flushed: a listener may publish into another one's queue.
    for one in ones:
        one.flush(max(begin + one.exit_timeout - time.monotonic(), 0.0))
    for one in ones:
        one.finish(max(begin + one.exit_timeout - time.monotonic(), 0.0))


atexit.register(_finish)
