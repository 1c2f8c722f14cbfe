"""queued: a listener in a thread of its own, behind a bounded queue."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from goanna.checks import checked_int, checked_kind, checked_seconds, checked_timeout
from goanna.delivery.documents import Documents
from goanna.delivery.interfaces import interfaces_of
from goanna.delivery.options import Context, Reentrant, checked_options, methods_of
from goanna.delivery.overflow import Overflow
from goanna.delivery.paired import Paired
from goanna.delivery.thread_worker import QueueFullError, ThreadWorker
from goanna.delivery.wrapper import Wrapper, stats_of, wrap
from goanna.listeners import check_method, does_nothing
from goanna.stats import Stats

if TYPE_CHECKING:
    from goanna.errors import Errors

__all__ = ["QueueFullError", "Queued", "queued"]


_BATCH: Final = 500


class Queued(Wrapper):
    """What :func:`queued` returns: a listener that takes events at once and has them handled by a thread."""

    _worker: ThreadWorker

    @property
    def listener(self) -> Any:
        """The listener behind it."""
        return self._worker.listener

    def _through(self, name: str) -> Callable[[Any], object] | None:
        method = getattr(self.listener, name, None)
        if method is None:
            return None
        check_method(method, f"{type(self.listener).__qualname__}.{name}")
        batch = getattr(self.listener, "handle_batch", None)
        inlet: Callable[[Any], object] = self._worker.ring.inlet(method if batch is None else batch)
        return inlet

    def stats(self) -> Stats:
        """Return what became of the events that came here, all counts of one moment."""
        return stats_of(self._worker.ring.counts())

    def flush(self, timeout: float | None = None) -> int:
        """Wait until the events that have come so far are dealt with; at once, not when a batch is full.

        Called by the listener itself it does not wait.

        Args:
            timeout: seconds, None for as long as it takes.

        Returns:
            How many of them were left when the time was up.
        """
        return self._worker.flush(timeout)

    def close(self, timeout: float | None = None) -> int:
        """Take no more events, wait like :meth:`flush`, give up what is left then, and end the thread.

        Events that come later are counted as dropped, "closed". Closing again does no harm.

        Args:
            timeout: seconds, None for as long as it takes.

        Returns:
            How many events were left when the time was up; what waited of them is dropped, what the listener has at
            that moment is counted when it returns.
        """
        return self._worker.close(timeout)

    async def aflush(self, timeout: float | None = None) -> int:
        """Do what :meth:`flush` does, without holding up the asyncio loop that awaits it."""
        return await asyncio.to_thread(self._worker.flush, timeout)

    async def aclose(self, timeout: float | None = None) -> int:
        """Do what :meth:`close` does, without holding up the asyncio loop that awaits it."""
        return await asyncio.to_thread(self._worker.close, timeout)


def queued(
    listener: Any,
    *,
    maxsize: int = 10_000,
    max_bytes: int | None = None,
    overflow: Overflow = "drop_oldest",
    timeout: float | None = 1.0,
    batch: int | None = None,
    delay: float = 0.05,
    name: str | None = None,
    errors: Errors = "log",
    documents: Documents = "reference",
    context: Context = "none",
    quarantine: int | None = None,
    slow: float | None = None,
    reentrant: Reentrant = "drop",
    exit_timeout: float = 2.0,
) -> Any:
    """Return a listener that hands its events to ``listener`` in a thread of its own, in order.

    The publisher pays for one push into a bounded ring, whatever the listener does. The thread is a daemon, starts with
    the first event, and starts again in a forked child; it is woken when ``batch`` events wait or the first of them has
    waited for ``delay``, and by the first event after a second without any. Where none can be started, events wait for
    the next event, which tries again, or for whoever flushes, closes or ends the interpreter, and so delivers them.

    A listener that has a method ``handle_batch`` gets lists of events through it instead of single ones; one that has
    ``events_lost`` (or handles :class:`EventsLost`) is told where events are missing. Errors of ``handle_batch`` count
    for all events of the batch. Methods are looked up now; one that does nothing gets no events.

    Args:
        listener: of any interface; a coroutine function as a method is refused, see :func:`on_loop`.
        maxsize: the most events that wait.
        max_bytes: about the most bytes that the events which wait may hold; beyond, it is full, too. One event may wait
            in any case. What an event holds is estimated on the publisher's thread, which costs it microseconds.
        overflow: what happens when they do: "drop_oldest" makes room, "drop_newest" drops the one that comes, "block"
            holds up the publisher for ``timeout`` at most, "raise" drops the one that comes and hands a
            :class:`~goanna.delivery.QueueFullError` to ``errors``.
        timeout: seconds that "block" waits, None for as long as it takes; after that the event is dropped, "timeout".
        batch: how many waiting events wake the thread, and the most that ``handle_batch`` gets; ``maxsize`` at most. By
            default 500, or ``maxsize`` if that is less.
        delay: seconds that an event waits for others at most, as far as the listener keeps up.
        name: of the thread; by default that of the listener's class.
        errors: what happens when the listener raises: "log", "print" or a callable, as in :class:`Dispatcher`.
        documents: what an event holds while it waits, if its fields are documents (mappings), which for PyMongo are not
            copies: "reference" keeps them, so that the listener sees them as they are then; "shallow" copies their top
            level; "omit" puts an empty one in their place; a callable gets each document and returns what is kept. All
            but the first copy the event on the publisher's thread and cost it microseconds.
        context: "capture" runs the listener in the context variables of the publisher; not with ``handle_batch``.
        quarantine: after so many failures in a row the listener gets no more events; they are dropped, "quarantined".
        slow: seconds; the first call that takes as long is logged.
        reentrant: what becomes of events that ``listener`` itself causes, in the thread of the queue: "drop" counts
            them as dropped, "reentrant", so that a listener which writes to the database that it watches does not feed
            itself; "deliver" takes them like any others.
        exit_timeout: seconds that the end of the interpreter waits for the events that are left.

    Returns:
        A :class:`~goanna.delivery.Queued`, which is an instance of the interfaces of ``listener`` too; as a context
        manager it closes itself.

    Raises:
        TypeError, ValueError: an argument is none of these; ``listener`` is no listener, or one of its methods can't
            take an event.
    """
    interfaces = interfaces_of(listener)
    options = checked_options(
        listener,
        Overflow,
        maxsize=maxsize,
        overflow=overflow,
        errors=errors,
        documents=documents,
        context=context,
        quarantine=quarantine,
        slow=slow,
        reentrant=reentrant,
        max_bytes=max_bytes,
    )
    if isinstance(listener, Paired) and hasattr(listener.listener, "handle_batch"):
        raise TypeError(
            f"{type(listener.listener).__qualname__}.handle_batch would get nothing: events are paired one by one; "
            "for batches of operations, goanna.paired(goanna.queued(listener))"
        )
    handle_batch = getattr(listener, "handle_batch", None)
    if handle_batch is not None:
        check_method(handle_batch, f"{type(listener).__qualname__}.handle_batch")
        if options.capture:
            raise ValueError('context="capture" is for single events, and this listener has handle_batch')
    methods = methods_of(listener, interfaces)
    worker = ThreadWorker(
        options,
        handle_batch,
        overflow=overflow,
        timeout=checked_timeout(timeout),
        batch=_checked_batch(batch, options.maxsize),
        delay=checked_seconds("delay", delay),
        name=f"goanna-{type(listener).__name__}" if name is None else _checked_name(name),
        exit_timeout=checked_seconds("exit_timeout", exit_timeout),
    )
    inlets: dict[str, Callable[[Any], object] | None] = {}
    for one, method in methods.items():
        if handle_batch is not None:
            inlets[one] = worker.ring.inlet(handle_batch)
        else:
            inlets[one] = None if does_nothing(method) else worker.ring.inlet(method)
    wrapper = wrap(Queued, interfaces, inlets)
    wrapper._worker = worker
    # The wrapper holds the worker, the thread does so while it works: when nobody has the wrapper any more, it may end.
    weakref.finalize(wrapper, _abandon, weakref.ref(worker)).atexit = False
    return wrapper


def _checked_batch(batch: Any, maxsize: int) -> int:
    """Return how many events wake the thread, or raise TypeError or ValueError."""
    if batch is None:
        return min(_BATCH, maxsize)
    if checked_int("batch", batch, 1) > maxsize:
        raise ValueError(f"batch is {batch}, but no more than maxsize={maxsize} events wait; it must be at most that")
    return int(batch)


def _checked_name(name: Any) -> str:
    checked_kind("name", name, str, "a string or None")
    return str(name)


def _abandon(reference: weakref.ref[ThreadWorker]) -> None:
    worker = reference()
    if worker is not None:
        worker.abandon()
