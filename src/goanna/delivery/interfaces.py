"""Which methods of a listener take events, for listeners of any library.

goanna's own interfaces say so themselves (:func:`goanna.handles`). The others are known by their shape: an interface is
a class that consists of nothing but public methods which take one event each and are hollow: abstract, empty, or
raising NotImplementedError. That is what ``pymongo.monitoring`` has, in all its versions.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from goanna.events import Event
from goanna.listeners import Listener, declared, does_nothing, handled

__all__ = ["Interfaces", "interfaces_of"]


class Interfaces:
    """The interfaces of one listener class.

    Attributes:
        bases: classes of other libraries, from which a wrapper is derived.
        registered: interfaces of goanna's kind, with which it is registered.
        handles: what its methods take, as ``handled`` returns it, for the latter.
        names: of all methods that take events.
    """

    __slots__ = ("bases", "handles", "names", "registered")

    def __init__(self, cls: type) -> None:
        shaped = [base for base in cls.__mro__ if _is_hollow(base)]
        # Only the most derived ones: the others are bases of them.
        self.bases: tuple[type, ...] = tuple(
            [one for one in shaped if not any(other is not one and issubclass(other, one) for other in shaped)]
        )
        names = [name for base in shaped for name in vars(base) if _is_public(name, vars(base)[name])]
        self.handles: dict[str, tuple[type[Event], ...]] = handled(cls) if issubclass(cls, Listener) else {}
        self.registered: tuple[type, ...] = tuple([base for base in cls.__mro__ if declared(base)])
        self.names: tuple[str, ...] = tuple(dict.fromkeys([*names, *self.handles]))


def interfaces_of(listener: Any) -> Interfaces:
    """Return the interfaces of a listener.

    Raises:
        TypeError: it is a class, or implements no interface that can be recognised.
    """
    if isinstance(listener, type):
        raise TypeError(f"a listener object is needed, not the class {listener.__name__}; call it first")
    found = vars(type(listener)).get("__interfaces__")  # a wrapper is not derived from all of its interfaces
    if not isinstance(found, Interfaces):
        found = Interfaces(type(listener))
    if not found.names:
        raise TypeError(
            f"{type(listener).__qualname__} implements no listener interface: derive it from a subclass of "
            "goanna.Listener whose methods are marked with @goanna.handles(...), or from a listener class of "
            "pymongo.monitoring"
        )
    return found


def _is_public(name: str, value: object) -> bool:
    return isinstance(value, FunctionType) and not name.startswith("_")


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
        or (code.co_code == like.co_code and code.co_names == like.co_names)
    )
