"""Dispatcher: who is registered, in which order, and the channels that publish to them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from weakref import ref

from goanna.checks import checked_quarantine, checked_slow
from goanna.core.base import TYPE_CHECKING, uncopied
from goanna.dispatch.registration import Registration
from goanna.dispatch.registry import Registry
from goanna.errors import policy
from goanna.events import Event, EventMeta, event_class
from goanna.listeners import Listener, handled, warn_of_misspelt

if TYPE_CHECKING:
    from typing import Any, ParamSpec, TypeVar, overload

    from goanna.dispatch.publisher import Publisher
    from goanna.errors import Errors

    _P = ParamSpec("_P")
    _E = TypeVar("_E", bound=Event)

__all__ = ["Dispatcher"]

References = Registration | Listener | Iterable["Registration | Listener"]


class Dispatcher:
    """Hands events to the listeners that are registered for them, on the publisher's own thread.

    Listeners are called in order: by ``before`` and ``after``, then by priority, then by age. All get the same event
    object. An Exception of one listener stops neither the others nor the publisher; what becomes of it is up to
    ``errors``. A BaseException that is no Exception (KeyboardInterrupt, SystemExit) propagates at once, and so do a
    RecursionError and a MemoryError: going on after one would meet the next, at each level of the stack.

    A listener may publish: the inner event goes to all its listeners before the outer one reaches the next listener.
    It may add and remove listeners, itself included: that takes effect with the next publish, inner ones included,
    while a publish under way goes on with the listeners that it began with. No lock is held while a listener runs.

    It can't be copied or pickled, and neither can its registrations and publishers.

    Args:
        interfaces: Listener classes. If any are given, listeners must implement one of them and only events that they
            handle can be published.
        errors: "log" (the default) writes to the logger ``goanna``, "print" prints the traceback to ``sys.stderr``,
            "raise" raises an ExceptionGroup from publish after all listeners have run, anything callable is called
            with the error, the listener and the event.

    Raises:
        TypeError, ValueError: an argument is not one of these.
    """

    def __init__(self, *interfaces: type[Listener], errors: Errors = "log") -> None:
        for one in interfaces:
            if not isinstance(one, type) or not issubclass(one, Listener):
                raise TypeError(f"a Dispatcher takes subclasses of goanna.Listener as interfaces, not {one!r}")
            if not handled(one):
                raise TypeError(f"{one.__name__} handles no event; mark its methods with @goanna.handles(...)")
        self._interfaces = interfaces
        self._registry = Registry(policy(errors))
        self._tables, self._errors = self._registry.tables, self._registry.errors  # at hand, for publish
        self._sequence = itertools.count()

    def add(
        self,
        listener: Listener,
        *,
        priority: int = 0,
        before: References = (),
        after: References = (),
        once: bool = False,
        weak: bool = False,
        timed: bool = False,
        slow: float | None = None,
        quarantine: int | None = None,
    ) -> Registration:
        """Register a listener; it gets events from the next publish on.

        A listener that is added twice is called twice.

        Args:
            listener: implements an interface.
            priority: higher is called earlier; listeners of equal priority in the order of registration.
            before: registrations, or listeners that are registered, that must be called later; stronger than priority.
            after: likewise, that must be called earlier.
            once: remove it when its first event comes, whichever it is; exactly one call is made.
            weak: don't keep the listener alive; it is removed when it goes away. A method that is made when it is
                looked up (a partialmethod, a property) or is an attribute of the instance is then looked up at each
                event.
            timed: measure how long its calls take, see :class:`goanna.Time`, at the cost of two looks at the clock.
            slow: log the first call that takes this many seconds or more; implies ``timed``.
            quarantine: after so many failures in a row it gets no more events; implies ``timed``.

        Returns:
            The registration, which is also a context manager that removes it at the end of the block.

        Raises:
            TypeError: it is no listener of these interfaces, one of its methods can't take an event, or it can't be
                referred to weakly.
            ValueError: ``before`` and ``after`` form a cycle, or name what is not registered. Nothing has changed.
        """
        self._check_listener(listener)
        if not isinstance(priority, int):
            raise TypeError(f"priority must be an int, not {type(priority).__name__}")
        registration = Registration(
            self._registry,
            listener,
            priority=priority,
            before=self._find("before", before),
            after=self._find("after", after),
            sequence=next(self._sequence),
            once=once,
            weak=weak,
            timed=timed,
            slow=checked_slow(slow),
            quarantine=checked_quarantine(quarantine),
        )
        self._registry.add(registration)
        warn_of_misspelt(type(listener))
        return registration

    def remove(self, listener: Listener) -> None:
        """Remove every registration of a listener.

        Raises:
            ValueError: it is not registered.
        """
        mine = self._registry.of(listener)
        if not mine:
            raise ValueError(f"{listener!r} is not registered here")
        for one in mine:
            one.remove()

    @property
    def registrations(self) -> tuple[Registration, ...]:
        """The registrations in calling order."""
        return self._registry.registrations

    if TYPE_CHECKING:

        @overload
        def publisher(self, event_type: Callable[_P, _E]) -> Publisher[_P, _E]: ...
        @overload
        def publisher(self, event_type: type[_E]) -> Publisher[..., _E]: ...

    def publisher(self, event_type: Any) -> Any:
        """Return what publishes one kind of event; the same object for the same class, for as long as anyone has it.

        It is called with the arguments of the event class, and is false while nobody listens: then a call checks its
        arguments and builds nothing. An event that is already built goes to its method ``publish``; called with one,
        where the first field can't be meant to hold it, it raises TypeError.

        Raises:
            TypeError: ``event_type`` is no event class, or none of the interfaces handles it.
        """
        event_type = event_class(event_type)
        if not isinstance(event_type, type) or ref(event_type) not in self._tables:
            self._check_event_type(event_type)
        return self._registry.open(event_type)

    def publish(self, event: Event) -> None:
        """Hand an event that is already built to its listeners.

        Raises:
            TypeError: it is no event, or none of the interfaces handles it.
            ExceptionGroup: listeners failed, with ``errors="raise"``.
        """
        table = self._tables.get(ref(type(event)))
        if table is None:
            if not isinstance(event, Event):
                hint = "; call publisher(...) to build and publish" if isinstance(event, type) else ""
                raise TypeError(f"publish() takes an event, not {event!r}{hint}")
            self._check_event_type(type(event))
        if table is None or table.later is not None:
            table = self._registry._table_of(type(event))
        table.publish(event, self._errors)

    def __contains__(self, listener: object) -> bool:
        """Return whether a listener is registered."""
        return bool(self._registry.of(listener))

    def __len__(self) -> int:
        """Return the number of registrations."""
        return len(self._registry)

    def __bool__(self) -> bool:
        """Return True: an empty dispatcher is a dispatcher."""
        return True

    def __reduce__(self) -> str:
        return uncopied(self)

    def __repr__(self) -> str:
        interfaces = ", ".join(one.__name__ for one in self._interfaces)
        return f"<Dispatcher({interfaces}) with {len(self)} listeners>"

    def _check_event_type(self, event_type: type[Event]) -> None:
        if not isinstance(event_type, EventMeta):
            raise TypeError(f"only goanna events can be published, not {event_type!r}")
        if self._interfaces and not any(
            issubclass(event_type, taken) for one in self._interfaces for taken in handled(one).values()
        ):
            names = ", ".join(one.__name__ for one in self._interfaces)
            raise TypeError(f"{event_type.__name__} is handled by no method of {names}")

    def _check_listener(self, listener: Any) -> None:
        wanted = " or ".join(one.__name__ for one in self._interfaces) or "goanna.Listener"
        if isinstance(listener, type):
            raise TypeError(f"add() takes a listener object, not the class {listener.__name__}; call it first")
        if not isinstance(listener, self._interfaces or Listener):
            raise TypeError(f"a listener here must implement {wanted}; {type(listener).__name__} does not")
        if not handled(listener.__class__):
            raise TypeError(
                f"{type(listener).__name__} handles no event; mark its methods with @goanna.handles(...) "
                f"or derive it from an interface"
            )

    def _find(self, role: str, references: Any) -> tuple[Registration, ...]:
        """Return the registrations that ``before`` or ``after`` means."""
        if isinstance(references, Registration | Listener):
            references = (references,)
        elif isinstance(references, type) or not isinstance(references, Iterable):
            hint = "; pass the object that was added" if isinstance(references, type) else ""
            raise TypeError(f"{role} takes registrations or registered listeners, not {references!r}{hint}")
        found: list[Registration] = []
        for one in references:
            if not isinstance(one, Registration | Listener):
                raise TypeError(f"{role} takes registrations or registered listeners, not {one!r}")
            mine = self._registry.of(one) if isinstance(one, Listener) else (one,) * (one in self._registry)
            if not mine:
                raise ValueError(f"{role} names {one!r}, which is not registered here")
            found += mine
        return tuple(found)
