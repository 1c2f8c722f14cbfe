"""Registration: one listener in one dispatcher, what it is called with, and its counts."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from types import MethodType, TracebackType

from goanna.core import Account, Call, Filter, Inlet
from goanna.core.base import TYPE_CHECKING, Skip, final, uncopied
from goanna.dispatch.watch import Watch
from goanna.events import Event
from goanna.listeners import Handler, Listener, resolve
from goanna.stats import Stats

if TYPE_CHECKING:
    from typing import Any

    from goanna.dispatch.registry import Registry

__all__ = ["Registration"]


@final
class Registration:
    """What :meth:`Dispatcher.add` returns: the handle of one listener in one dispatcher.

    As a context manager it removes itself at the end of the block.
    """

    __slots__ = (
        "__weakref__",
        "_account",
        "_active",
        "_after",
        "_before",
        "_claim",
        "_handlers",
        "_key",
        "_listener",
        "_made",
        "_priority",
        "_quarantined",
        "_registry",
        "_sequence",
        "_watch",
    )

    def __init__(
        self,
        registry: Registry,
        listener: Listener,
        *,
        priority: int,
        before: tuple[Registration, ...],
        after: tuple[Registration, ...],
        sequence: int,
        once: bool,
        weak: bool,
        timed: bool,
        slow: float | None,
        quarantine: int | None,
    ) -> None:
        """Resolve the listener's methods; the dispatcher makes registrations, nobody else."""
        self._registry = registry
        self._priority = priority
        self._before = before
        self._after = after
        self._sequence = sequence
        self._account = Account()
        self._key = id(listener)
        self._active = True
        self._claim = threading.Lock() if once else None
        self._listener: Listener | weakref.ref[Listener] = listener
        if weak:
            mine = weakref.ref(self)
            try:
                self._listener = weakref.ref(listener, lambda _: _remove_if_there(mine))
            except TypeError:
                raise TypeError(
                    f"{type(listener).__name__} can't be added with weak=True: it has __slots__ without __weakref__"
                ) from None
        self._quarantined: Account | None = None
        self._watch: Watch | None = None
        if timed or slow is not None or quarantine is not None:
            me = weakref.ref(self)  # the watch is in the tables, which must not keep the registration
            self._watch = Watch(lambda: _listener_of(me), slow, quarantine, lambda: _isolate_if_there(me))
        self._handlers = self._resolve(listener)
        self._made = _made()

    @property
    def listener(self) -> Listener | None:
        """The listener; None if it was added with ``weak=True`` and is gone."""
        return self._listener() if isinstance(self._listener, weakref.ref) else self._listener

    @property
    def active(self) -> bool:
        """Whether the next publish goes to the listener."""
        return self._active

    @property
    def quarantined(self) -> bool:
        """Whether the listener gets no more events because it failed too often in a row."""
        return self._quarantined is not None

    @property
    def priority(self) -> int:
        """What it was added with."""
        return self._priority

    @property
    def sequence(self) -> int:
        """Its age: how many registrations the dispatcher had made before."""
        return self._sequence

    @property
    def key(self) -> int:
        """The identity of the listener, of one that is gone too."""
        return self._key

    @property
    def before(self) -> tuple[Registration, ...]:
        """The registrations that must be called later."""
        return self._before

    @property
    def after(self) -> tuple[Registration, ...]:
        """The registrations that must be called earlier."""
        return self._after

    def remove(self) -> None:
        """Remove the listener; publishes under way still reach it. Removing it again does nothing."""
        if self._active:
            self._active = False
            self._registry.drop(self)

    def refresh(self) -> None:
        """Look the listener's methods up again, after someone has replaced one; effective from the next publish.

        Raises:
            TypeError: one can't take an event any more; then everything stays as it was.
        """
        listener = self.listener
        if listener is not None:
            handlers = self._resolve(listener)
            self._handlers = handlers
            self._made = _made()
            self._registry.refresh()

    def stats(self) -> Stats:
        """Return what became of the events of publishes that have ended.

        Nothing is ever pending here; what a listener made by ``queued`` or ``on_loop`` still holds, its own ``stats``
        tell. Time is measured if it was added with ``timed``, ``slow`` or ``quarantine``.
        """
        with self._registry.lock:
            self._registry.settle()
            delivered, failed, filtered = self._account.read()
            isolated = 0 if self._quarantined is None else self._quarantined.read()[2]
        return Stats(
            delivered + failed + filtered + isolated,
            delivered,
            failed,
            filtered,
            {"quarantined": isolated} if isolated else {},
            time=None if self._watch is None else self._watch.time(),
        )

    def __enter__(self) -> Registration:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.remove()

    def __reduce__(self) -> str:
        return uncopied(self)

    def __repr__(self) -> str:
        state = "" if self._active else ", removed"
        return f"<Registration of {self.listener!r}{state}>"

    def _forget(self, other: Registration) -> None:
        """Let go of a registration that has been removed; an order relative to it means nothing any more."""
        if other in self._before or other in self._after:
            self._before = tuple([one for one in self._before if one is not other])
            self._after = tuple([one for one in self._after if one is not other])

    def _calls(self, event_type: type[Event]) -> tuple[Call, ...]:
        """Return the calls that an event of this class leads to; the same objects until the next refresh."""
        made = self._made
        calls = made.get(event_type)
        if calls is None:
            methods = [one.method for one in self._handlers if not one.idle and one.takes(event_type)]
            if self._quarantined is None:
                calls = tuple([Call(one, self._account, self._listener) for one in methods])
            else:  # a filter that lets nothing through: the events are counted, and not even built
                calls = tuple(
                    [Call(Filter(one, _NOBODY, types=()), self._quarantined, self._listener) for one in methods]
                )
            made[event_type] = calls
        return calls

    def _isolate(self) -> None:
        """Let no more events through to the listener."""
        if self._quarantined is None:
            self._quarantined = Account()
            self._made = _made()
            self._registry.refresh()

    def _resolve(self, listener: Listener) -> list[Handler]:
        """Return the listener's methods, wrapped where they must not keep it alive or may be called only once."""
        handlers = resolve(listener)
        for one in handlers:
            # Conditions stay outermost: the table tests them, and an event that they keep out must not count as one.
            filter_ = one.method if isinstance(one.method, Filter) else None
            method = one.method if filter_ is None else filter_.target
            plain = method
            if isinstance(self._listener, weakref.ref) and filter_ is None:  # else it is of another listener behind it
                method = _weakly(method, self._listener, one.name)
            if self._watch is not None:
                method = self._watch.around(method)
            if self._claim is not None:
                method = self._once(method, self._claim)
            if method is not plain:
                one.method = method if filter_ is None else filter_.before(method)
        return handlers

    def _once(self, method: Callable[[Any], object], claim: threading.Lock) -> Callable[[Any], object]:
        def first(event: Any) -> object:
            if not claim.acquire(blocking=False):
                raise Skip
            self.remove()
            return method(event)

        return first


def _weakly(method: Callable[[Any], object], reference: weakref.ref[Listener], name: str) -> Callable[[Any], object]:
    """Return ``method``, which the listener has by this name, without its hold on the listener."""
    if type(method) is Inlet:
        return method  # it has only what is behind a wrapper
    if type(method) is not MethodType or method.__self__ is not reference():

        def look_up(event: Any) -> object:
            """Call what may hold the listener in a way that can't be seen: a partial, a closure."""
            listener = reference()
            if listener is None:
                raise Skip
            return getattr(listener, name)(event)

        return look_up
    function = method.__func__

    def call(event: Any) -> object:
        listener = reference()
        if listener is None:
            raise Skip
        return function(listener, event)

    return call


def _made() -> weakref.WeakKeyDictionary[type[Event], tuple[Call, ...]]:
    """Return the place of the calls that have been made for event classes, which it does not keep alive."""
    return weakref.WeakKeyDictionary()


_NOBODY = Account()
"""The account of the filters of quarantined listeners, which nobody reads."""


def _listener_of(reference: weakref.ref[Registration]) -> object:
    registration = reference()
    return None if registration is None else registration.listener


def _isolate_if_there(reference: weakref.ref[Registration]) -> None:
    registration = reference()
    if registration is not None:
        registration._isolate()


def _remove_if_there(reference: weakref.ref[Registration]) -> None:
    registration = reference()
    if registration is not None:
        registration.remove()
