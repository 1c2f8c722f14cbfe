"""on_loop: a listener on the thread of an event loop, with methods that may be coroutines."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from goanna.checks import checked_int
from goanna.delivery.documents import Documents
from goanna.delivery.interfaces import interfaces_of
from goanna.delivery.loop_worker import LoopWorker
from goanna.delivery.loops import adapted
from goanna.delivery.options import Context, Reentrant, checked_options, methods_of
from goanna.delivery.overflow import LoopOverflow
from goanna.delivery.wrapper import Wrapper, stats_of, wrap
from goanna.listeners import check_method, does_nothing
from goanna.stats import Stats

if TYPE_CHECKING:
    from goanna.errors import Errors

__all__ = ["OnLoop", "on_loop"]


class OnLoop(Wrapper):
    """What :func:`on_loop` returns: a listener that takes events on any thread and has them handled on a loop."""

    _worker: LoopWorker

    @property
    def listener(self) -> Any:
        """The listener behind it."""
        return self._worker.listener

    def _through(self, name: str) -> Callable[[Any], object] | None:
        method = getattr(self.listener, name, None)
        if method is None:
            return None
        check_method(method, f"{type(self.listener).__qualname__}.{name}", awaited=True)
        if not _is_plain(method):
            self._worker.await_all()
        inlet: Callable[[Any], object] = self._worker.ring.inlet(method)
        return inlet

    def stats(self) -> Stats:
        """Return what became of the events that came here, all counts of one moment."""
        self._worker.look_at_loop()
        return stats_of(self._worker.ring.counts())

    def flush(self, timeout: float | None = None) -> int:
        """Wait until the events that have come so far are dealt with.

        On the loop itself, where waiting would hold up what it waits for, and while the loop does not run, it returns
        at once: ``await aflush()`` there.

        Args:
            timeout: seconds, None for as long as it takes.

        Returns:
            How many of them were left when the time was up.
        """
        return self._worker.flush(timeout)

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
        return self._worker.close(timeout)

    async def aflush(self, timeout: float | None = None) -> int:
        """Do what :meth:`flush` does, without holding up the loop; to be awaited on the loop that it is for."""
        return await self._worker.aflush(timeout)

    async def aclose(self, timeout: float | None = None) -> int:
        """Do what :meth:`close` does, without holding up the loop, and give up what is left when the time is up."""
        return await self._worker.aclose(timeout)


def on_loop(
    listener: Any,
    loop: Any = None,
    *,
    maxsize: int = 10_000,
    max_bytes: int | None = None,
    overflow: LoopOverflow = "drop_oldest",
    concurrency: int = 1,
    errors: Errors = "log",
    documents: Documents = "reference",
    context: Context = "none",
    quarantine: int | None = None,
    slow: float | None = None,
    reentrant: Reentrant = "drop",
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
        max_bytes: about the most bytes that the events which wait may hold; beyond, it is full, too. One event may wait
            in any case. What an event holds is estimated on the publisher's thread, which costs it microseconds.
        overflow: what happens when they do: "drop_oldest" makes room, "drop_newest" drops the one that comes.
        concurrency: how many events are awaited at the same time; they begin in order, with 1 they end in order too.
        errors: what happens when the listener raises: "log", "print" or a callable, as in :class:`Dispatcher`.
        documents: what an event holds while it waits; see :func:`queued`.
        context: "capture" runs the listener in the context variables of the publisher.
        quarantine: after so many failures in a row the listener gets no more events; they are dropped, "quarantined".
        slow: seconds; the first call that takes as long, awaiting included, is logged.
        reentrant: what becomes of events that ``listener`` itself causes, in its call and in all tasks and threads that
            inherit the context of that, also later: "drop" counts them as dropped, "reentrant"; "deliver" takes them
            like any others.

    Returns:
        An :class:`~goanna.delivery.OnLoop`, which is an instance of the interfaces of ``listener`` too.

    Raises:
        TypeError, ValueError: an argument is none of these; ``listener`` is no listener, or one of its methods can't
            take an event.
        RuntimeError: ``loop`` is None and no loop is running.
    """
    interfaces = interfaces_of(listener)
    options = checked_options(
        listener,
        LoopOverflow,
        maxsize=maxsize,
        overflow=overflow,
        errors=errors,
        documents=documents,
        context=context,
        quarantine=quarantine,
        slow=slow,
        awaited=True,
        reentrant=reentrant,
        max_bytes=max_bytes,
    )
    methods = methods_of(listener, interfaces, awaited=True)
    worker = LoopWorker(
        options,
        adapted(loop),
        plain=all(one is None or _is_plain(one) for one in [*methods.values(), options.gap]),
        concurrency=checked_int("concurrency", concurrency, 1),
    )
    inlets: dict[str, Callable[[Any], object] | None] = {
        one: None if does_nothing(method) else worker.ring.inlet(method) for one, method in methods.items()
    }
    wrapper = wrap(OnLoop, interfaces, inlets)
    wrapper._worker = worker
    return wrapper


def _is_plain(method: Any) -> bool:
    """Return whether what a method returns is certainly not to be awaited."""
    if type(method) not in (MethodType, FunctionType):
        return False
    function = inspect.unwrap(method)
    return not inspect.iscoroutinefunction(function)
