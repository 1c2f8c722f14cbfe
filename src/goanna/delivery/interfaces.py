"""Which methods of a listener take events, and which events, for listeners of any library.

goanna's own interfaces say so themselves (:func:`goanna.handles`). The listener classes of ``pymongo.monitoring``, in
all its versions, and goanna's own of the same names are known by their module. Those of other libraries are known by
their shape: an interface is a class that consists of nothing but public methods which take one event each and are
hollow: abstract, empty, or raising NotImplementedError.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any, Final

from goanna.events import Event
from goanna.listeners import Listener, declaring, does_nothing, handled, same_code, warn_of_misspelt

__all__ = ["Interfaces", "interfaces_of"]

_MONITORING: Final = frozenset(["pymongo.monitoring", "goanna.monitoring"])
"""The modules that PyMongo's interfaces say they are of."""


class Interfaces:
    """The interfaces of one listener class.

    Attributes:
        bases: classes of other libraries, from which a wrapper is derived.
        registered: interfaces of goanna's kind, with which it is registered.
        handles: what its methods take, as ``handled`` returns it, for the latter.
        names: of all methods that take events.
        events: the event classes that a method takes, by its name, as far as they are known.
    """

    __slots__ = ("bases", "events", "handles", "names", "registered")

    def __init__(self, cls: type) -> None:
        shaped = [base for base in cls.__mro__ if _is_monitoring(base) or _is_hollow(base)]
        # Only the most derived ones: the others are bases of them.
        self.bases: tuple[type, ...] = tuple(
            [one for one in shaped if not any(other is not one and issubclass(other, one) for other in shaped)]
        )
        methods = [(name, value) for base in shaped for name, value in vars(base).items() if _is_public(name, value)]
        own = issubclass(cls, Listener)
        self.handles: dict[str, tuple[type[Event], ...]] = handled(cls) if own else {}
        self.registered: tuple[type, ...] = tuple(declaring(cls)) if own else ()
        self.names: tuple[str, ...] = tuple(dict.fromkeys([*[name for name, _ in methods], *self.handles]))
        self.events: dict[str, tuple[type, ...]] = dict(self.handles)
        unknown = set()
        for name, method in methods:
            found = _event_of(method)
            if found is None:
                unknown.add(name)
            elif found not in self.events.get(name, ()):
                self.events[name] = (*self.events.get(name, ()), found)
        for name in unknown:
            self.events.pop(name, None)


def interfaces_of(listener: Any) -> Interfaces:
    """Return the interfaces of a listener; of a proxy or a mock those of the class that it says it is of.

    Raises:
        TypeError: it is a class, or implements no interface that can be recognised.
    """
    if isinstance(listener, type):
        raise TypeError(f"a listener object is needed, not the class {listener.__name__}; call it first")
    cls = listener.__class__
    found = vars(cls).get("__interfaces__")  # a wrapper is not derived from all of its interfaces
    if not isinstance(found, Interfaces):
        found = Interfaces(cls)
    if not found.names:
        raise TypeError(
            f"{cls.__qualname__} implements no listener interface: derive it from a subclass of "
            "goanna.Listener whose methods are marked with @goanna.handles(...), or from a listener class of "
            "pymongo.monitoring"
        )
    if isinstance(listener, Listener):
        warn_of_misspelt(type(listener))
    return found


def _is_public(name: str, value: object) -> bool:
    return isinstance(value, FunctionType) and not name.startswith("_")


def _is_monitoring(cls: type) -> bool:
    """Return whether a class is an interface of PyMongo or of goanna's implementation of its module.

    By name, so that neither need be imported, and that it is one after its module was imported a second time.
    """
    return (
        cls.__module__ in _MONITORING
        and cls.__name__.endswith("Listener")
        and any(_is_public(name, value) for name, value in vars(cls).items())
    )


def _is_hollow(cls: type) -> bool:
    """Return whether a class consists of hollow methods that take an event."""
    if cls is object or issubclass(cls, Listener):
        return False
    functions = [(name, value) for name, value in vars(cls).items() if callable(value) or isinstance(value, property)]
    return bool(functions) and all(
        isinstance(value, FunctionType)
        and not name.startswith("_")
        and value.__code__.co_argcount == 2
        and _does_not(value)
        for name, value in functions
    )


def _not_implemented(self: Any, event: Any) -> None:
    raise NotImplementedError


def _does_not(function: FunctionType) -> bool:
    code, like = function.__code__, _not_implemented.__code__
    return (
        getattr(function, "__isabstractmethod__", False)
        or does_nothing(function)
        or (same_code(code, like) and code.co_names == like.co_names)
    )


def _event_of(method: FunctionType) -> type | None:
    """Return the event class that a method of an interface takes: by its annotation, or else by its name."""
    code = method.__code__
    event = code.co_varnames[1] if code.co_argcount > 1 else ""
    found = method.__annotations__.get(event)
    if isinstance(found, str):
        found = method.__globals__.get(found.rpartition(".")[2])
    if found is None:  # PyMongo 3 has no annotations; its events are called like the methods that take them
        names = method.__globals__
        words = "".join([word.capitalize() for word in method.__name__.split("_")]).lower()
        kind = method.__qualname__.partition(".")[0].removesuffix("Listener").lower()
        named = {name.lower(): value for name, value in names.items() if name.endswith("Event")}
        found = named.get(f"{kind}{words}event", named.get(f"{words}event"))
    return found if isinstance(found, type) and found is not object else None
