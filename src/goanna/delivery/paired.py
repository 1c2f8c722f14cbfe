"""paired: one call for what begins and ends, with what the beginning left for the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from types import GeneratorType
from typing import Any, Final, final

from goanna.checks import checked_int, checked_seconds
from goanna.core import in_block
from goanna.core.deferred import check_runs, deferred, ran
from goanna.core.forks import after_fork
from goanna.delivery.interfaces import Interfaces, interfaces_of
from goanna.delivery.operations import are_told_apart, are_told_by_thread, operation_key
from goanna.delivery.wrapper import Wrapper, wrap
from goanna.errors import log_error
from goanna.events import Event
from goanna.listeners import check_method, does_nothing, method_of
from goanna.stats import Stats

__all__ = ["Operation", "Paired", "paired"]


class Operation(Event):
    """Something that began and ended.

    Attributes:
        start: the event of its beginning.
        end: the event of its end, of success or failure; None if it was given up.
        duration: seconds it took: as the end event says, or else from one event to the other, or until it was given up.
        carried: what the listener's method for the beginning returned, None if it has none.
        given_up: why it was given up, as in :meth:`Paired.stats`; None for one that ended.
    """

    start: Any
    end: Any
    duration: float
    carried: Any = None
    given_up: str | None = None


class Paired(Wrapper):
    """What :func:`paired` returns: a listener that brings beginnings and ends together."""

    _pairs: _Pairs
    _told_by_thread: bool

    @property
    def listener(self) -> Any:
        """The listener behind it."""
        return self._pairs.listener

    def stats(self) -> Stats:
        """Return what became of the operations, all counts of one moment.

        Every operation counts once: as pending from its start on, as delivered or failed when it ended and the listener
        was called, as dropped if it was given up: "overflow" if too many were open, "expired" if its end did not come
        in time, "unpaired" if an end came without its start, or a second start. Operations whose time is over are given
        up first.
        """
        return self._pairs.stats()

    def flush(self, timeout: float | None = None) -> int:
        """Do what ``flush`` of the wrapper behind it does; 0 if there is none: no waiting ends what is under way."""
        return self.listener.flush(timeout) if isinstance(self.listener, Wrapper) else 0

    def close(self, timeout: float | None = None) -> int:
        """Give up the operations that are open, and close the wrapper behind it, if there is one.

        Later operations are taken as before.

        Returns:
            How many were open, and how many were left behind it.
        """
        given_up = self._pairs.give_up()
        return given_up + (self.listener.close(timeout) if isinstance(self.listener, Wrapper) else 0)

    async def aflush(self, timeout: float | None = None) -> int:
        """Do what :meth:`flush` does, without holding up the event loop that awaits it."""
        return await self.listener.aflush(timeout) if isinstance(self.listener, Wrapper) else 0

    async def aclose(self, timeout: float | None = None) -> int:
        """Do what :meth:`close` does, without holding up the event loop that awaits it."""
        given_up = self._pairs.give_up()
        return given_up + (await self.listener.aclose(timeout) if isinstance(self.listener, Wrapper) else 0)


def paired(
    listener: Any,
    *,
    start: str = "started",
    ends: str | Iterable[str] = ("succeeded", "failed"),
    method: str = "command",
    key: Callable[[Any], Any] | None = None,
    maxsize: int = 10_000,
    expires: float = 600.0,
) -> Any:
    """Return a listener that calls ``listener.command(operation)`` once for each operation, when it has ended.

    ``listener.started(event)`` is called first, on the spot, if it does anything; what it returns is there again in
    ``operation.carried``. Its methods for the ends are not called. What ``listener`` raises is passed on to whoever
    publishes. Behind a queue, ``queued(paired(listener))``, all of it happens in the thread of the queue.

    In front of a queue or a loop, ``paired(queued(listener))`` and ``paired(on_loop(listener))``, whole operations are
    handed on: they wait as one, are dropped as one, come to ``handle_batch`` as lists, and ``command`` may be a
    coroutine function on a loop. ``started`` is called behind it, too, and nothing is carried.

    If ``listener`` has a method ``given_up``, it is called with an :class:`Operation` without an end for each that is
    given up, for instance to end what ``started`` began. What it raises is logged.

    Args:
        listener: of any interface, for instance ``pymongo.monitoring.CommandListener``, with a method ``command``.
        start: the method of the interface that takes the beginning.
        ends: those that take an end, one or several.
        method: the method of ``listener`` that takes the :class:`Operation`.
        key: called with each event; what belongs together has equal keys. By default that is the event's
            ``request_id`` and ``connection_id``; its ``topology_id``; for connections of a pool, ``address`` and
            ``connection_id``, which are unique for one client; for heartbeats the address and the thread or task.
            Events that have none of these, like the start of a check-out, need a key.
        maxsize: the most operations that are open at once; beyond it the oldest is given up.
        expires: seconds after which an operation whose end has not come is given up, when the next event comes or
            ``stats()`` is asked.

    Returns:
        A :class:`~goanna.delivery.Paired`, which is an instance of the interfaces of ``listener`` too.

    Raises:
        TypeError, ValueError: an argument is none of these; ``listener`` is no listener or lacks one of the methods.
    """
    interfaces = interfaces_of(listener)
    last = (ends,) if isinstance(ends, str) else tuple(ends)
    for one in (start, *last):
        if one not in interfaces.names:
            raise ValueError(
                f"{type(listener).__qualname__} has no method {one!r} for events; "
                f"start and ends must be of {', '.join(interfaces.names)}"
            )
    if not last or start in last:
        raise ValueError(f"ends must be methods other than {start!r}, one at least")
    if key is not None and not callable(key):
        raise TypeError(f"key must be callable or None, not {type(key).__name__}")
    check_runs(key, "key")
    if key is None and are_told_apart(interfaces, start, last) is False:
        classes = dict.fromkeys([cls.__name__ for one in (start, *last) for cls in interfaces.events[one]])
        raise TypeError(
            f"nothing in {', '.join(classes)} tells which of them belong together; say it with key=, "
            "for instance key=lambda event: (event.address, threading.get_ident())"
        )
    if method in (start, *last):
        raise ValueError(f"method is {method!r}, which takes events; it must be another, which takes operations")
    behind = listener if isinstance(listener, Wrapper) else None
    if behind is None:
        call, given_up = getattr(listener, method, None), getattr(listener, "given_up", None)
    else:
        call, given_up = behind._through(method), behind._through("given_up")
    if call is None:
        raise TypeError(f"{type(listener).__qualname__} has no method {method}(operation)")
    shown = type(listener).__qualname__
    for one, called in ((method, call), ("given_up", given_up), (start, method_of(listener, start))):
        if called is not None and deferred(called) == "coroutine":
            raise TypeError(
                f"{shown}.{one}() is a coroutine function, which nobody would await; "
                "goanna.paired(goanna.on_loop(listener)) has it awaited"
            )
    check_method(call, f"{shown}.{method}")
    if given_up is not None:
        check_method(given_up, f"{shown}.given_up")
    begin = method_of(listener, start)
    check_method(begin, f"{shown}.{start}")
    pairs = _Pairs(
        listener,
        None if _is_inherited(listener, start, interfaces) else begin,
        call,
        given_up,
        start,
        last,
        operation_key if key is None else key,
        checked_int("maxsize", maxsize, 1),
        _checked_expires(expires),
    )
    # The other methods of the interface, if there are any, go to the listener as they are.
    others = {one: method_of(listener, one) for one in interfaces.names if one != start and one not in last}
    methods = {one: None if does_nothing(other) else other for one, other in others.items()}
    wrapper = wrap(Paired, interfaces, {**methods, start: pairs.start, **dict.fromkeys(last, pairs.end)})
    wrapper._pairs = pairs
    wrapper._told_by_thread = key is None and are_told_by_thread(interfaces, start)
    return wrapper


def _checked_expires(expires: Any) -> float:
    seconds = checked_seconds("expires", expires)
    if not seconds:
        raise ValueError(f"expires is {expires!r}; it must be more than 0 seconds")
    return seconds


def _is_inherited(listener: Any, name: str, interfaces: Interfaces) -> bool:
    """Return whether a method is the interface's own, which only says that it is not implemented."""
    while isinstance(listener, Wrapper):
        if hasattr(listener.listener, "handle_batch"):
            return True  # batches are of operations only
        listener = listener.listener
    found = getattr(type(listener), name, None)
    return name not in getattr(listener, "__dict__", {}) and any(
        found is getattr(base, name, None) for base in interfaces.bases
    )


@final
class _Open:
    """An operation that has begun; not to be delivered if the listener failed on its beginning."""

    __slots__ = ("carried", "failed", "start", "time")

    def __init__(self, start: Any, carried: Any, failed: bool) -> None:
        self.start = start
        self.carried = carried
        self.failed = failed
        self.time = time.monotonic()


_REASONS: Final = ("overflow", "expired", "unpaired", "closed")


@final
class _Pairs:
    """The operations that are open, and the counts."""

    def __init__(
        self,
        listener: Any,
        begin: Callable[[Any], Any] | None,
        call: Callable[[Operation], object],
        told: Callable[[Operation], object] | None,
        first: str,
        last: tuple[str, ...],
        key: Callable[[Any], Any],
        maxsize: int,
        expires: float,
    ) -> None:
        self.listener = listener
        self._begin = begin
        self._call = call
        self._told = told
        self.first = first
        self.last = last
        self.key = key
        self._maxsize = maxsize
        self._expires = expires
        # Re-entrant, because a finalizer may publish while it is held; no listener runs under it.
        self._lock = threading.RLock()
        self._open: dict[Any, _Open] = {}
        self._delivered = 0
        self._failed = 0
        self._calling = 0
        self._high_water = 0
        self._dropped = dict.fromkeys(_REASONS, 0)
        after_fork(self)

    def start(self, event: Any) -> None:
        """Take the beginning of an operation."""
        if in_block():
            return
        key = self.key(event)
        carried = None
        try:
            if self._begin is not None:
                carried = self._begin(event)
                if type(carried) is not GeneratorType:  # one that has begun may be what the end goes on with
                    ran(carried)
        except BaseException:
            self._keep(key, _Open(event, None, failed=True))
            raise
        self._keep(key, _Open(event, carried, failed=False))

    def end(self, event: Any) -> None:
        """Take the end of an operation, and tell the listener."""
        if in_block():
            return
        key = self.key(event)
        out: list[tuple[_Open, str]] = []
        now = time.monotonic()
        calling, failed = False, True
        try:
            with self._lock:
                found = self._open.get(key)
                if found is None:
                    self._dropped["unpaired"] += 1
                elif now - found.time >= self._expires:
                    self._give_up_one(key, found, "expired", out)
                else:
                    # From here on to where it is counted as being called there is no call, after which a signal could
                    # come.
                    del self._open[key]
                    if not found.failed:  # else it was counted when it failed
                        self._calling += 1
                        calling = True
                self._sweep(now, out)
            self._tell(out)
            if found is None or not calling:
                return
            result = self._call(Operation(found.start, event, _duration(event, found), found.carried))
            if result is not None:
                ran(result)
            failed = False
        finally:
            if calling:
                with self._lock:
                    self._calling -= 1
                    self._failed += failed
                    self._delivered += not failed

    def _keep(self, key: Any, one: _Open) -> None:
        out: list[tuple[_Open, str]] = []
        with self._lock:
            before = self._open.get(key)
            if before is not None:
                self._give_up_one(key, before, "unpaired", out)
            self._sweep(one.time, out)
            self._failed += one.failed
            self._open[key] = one
            while len(self._open) > self._maxsize:
                first, oldest = next(iter(self._open.items()))
                self._give_up_one(first, oldest, "overflow", out)
            self._high_water = max(self._high_water, len(self._open) + self._calling)
        self._tell(out)

    def _sweep(self, now: float, out: list[tuple[_Open, str]]) -> None:
        """Give up the operations whose time is over."""
        while self._open:
            key, oldest = next(iter(self._open.items()))
            if now - oldest.time < self._expires:
                return
            self._give_up_one(key, oldest, "expired", out)

    def _give_up_one(self, key: Any, one: _Open, reason: str, out: list[tuple[_Open, str]]) -> None:
        out.append((one, reason))
        # No call from here on, after which a signal could come in between.
        del self._open[key]
        if not one.failed:
            self._dropped[reason] += 1

    def _tell(self, out: list[tuple[_Open, str]]) -> None:
        """Tell the listener what was given up; without the lock, since that and what goes away may run any code."""
        for one, reason in out:
            if self._told is None or one.failed:
                continue
            try:
                result = self._told(Operation(one.start, None, time.monotonic() - one.time, one.carried, reason))
                if result is not None:
                    ran(result)
            except Exception as error:  # whoever publishes now has nothing to do with it
                log_error(error, self.listener, one.start)

    def give_up(self) -> int:
        """Give up all that are open."""
        out: list[tuple[_Open, str]] = []
        with self._lock:
            self._sweep(time.monotonic(), out)
            expired = len(out)
            for key, one in list(self._open.items()):
                self._give_up_one(key, one, "closed", out)
        self._tell(out)
        return sum(1 for one, _ in out[expired:] if not one.failed)

    def _pending(self) -> int:
        return sum(1 for one in self._open.values() if not one.failed) + self._calling

    def stats(self) -> Stats:
        """Return all counts."""
        out: list[tuple[_Open, str]] = []
        with self._lock:
            self._sweep(time.monotonic(), out)
        self._tell(out)
        with self._lock:
            oldest = next((one.time for one in self._open.values() if not one.failed), None)
            pending = self._pending()
            return Stats(
                self._delivered + self._failed + sum(self._dropped.values()) + pending,
                self._delivered,
                self._failed,
                0,
                {reason: count for reason, count in self._dropped.items() if count},
                pending,
                self._high_water,
                0.0 if oldest is None else time.monotonic() - oldest,
            )

    def _after_fork(self) -> None:
        self._lock = threading.RLock()


def _duration(end: Any, one: _Open) -> float:
    micros = getattr(end, "duration_micros", None)
    if micros is not None:
        return float(micros) / 1e6
    duration = getattr(end, "duration", None)
    return float(duration) if isinstance(duration, int | float) else time.monotonic() - one.time
