"""Listener and handles: which method takes which event, and whether a method can take one at all."""

from __future__ import annotations

import abc
import functools
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, MethodType
from weakref import WeakSet

from goanna.core.base import TYPE_CHECKING, final
from goanna.core.deferred import deferred
from goanna.errors import warn
from goanna.events import Event, EventMeta, event_class

if TYPE_CHECKING:
    from typing import Any, ClassVar, TypeVar

    _F = TypeVar("_F", bound=Callable[..., Any])

__all__ = [
    "Handler",
    "Listener",
    "check_method",
    "declared",
    "declaring",
    "does_nothing",
    "handled",
    "handles",
    "method_of",
    "resolve",
    "same_code",
    "warn_of_misspelt",
]

_MARK = "__handles__"

_VARARGS = 0x04


def handles(*event_types: type[Event]) -> Callable[[_F], _F]:
    """Say that a method of an interface takes events of these classes, their subclasses included.

    Args:
        event_types: one or more event classes.

    Returns:
        A decorator that marks the method and returns it as it is. Below ``abc.abstractmethod`` it goes first::

            @abc.abstractmethod
            @goanna.handles(OrderPlaced)
            def placed(self, event: OrderPlaced) -> None: ...

    Raises:
        TypeError: there is no class, or something that is not an event class.
    """
    if not event_types:
        raise TypeError("handles() takes at least one event class: @handles(OrderPlaced)")
    event_types = tuple([event_class(one) for one in event_types])
    for one in event_types:
        if not isinstance(one, EventMeta):
            shown = f"the function {one.__name__}" if isinstance(one, FunctionType) else repr(one)
            raise TypeError(f"handles() takes event classes (subclasses of goanna.Event), not {shown}")

    def mark(method: _F) -> _F:
        if not callable(method) and not isinstance(method, functools.singledispatchmethod):
            raise TypeError(f"handles() decorates a method, not {type(method).__name__}; put it below that")
        setattr(method, _MARK, (*getattr(method, _MARK, ()), *event_types))
        return method

    return mark


class Listener(abc.ABC):  # noqa: B024 - an interface need not be abstract
    """The base of interfaces and of the listeners that implement them.

    An interface marks its methods with :func:`handles`. An implementation overrides those that it wants, by name and
    without the mark; what it leaves out, and what does nothing, is never called. A class that marks methods and fills
    them in is both. Abstract methods work as with any ``abc.ABC``.

    A listener may implement several interfaces and then gets the events of all of them. A method that is marked in two
    takes the events of both. Every method that is declared for the class of an event, or for a base of it, is called.
    """

    if TYPE_CHECKING:
        __declared__: ClassVar[dict[str, tuple[type[Event], ...]]]
        __handled__: ClassVar[dict[str, tuple[type[Event], ...]]]
    else:  # without annotations, which typing.get_type_hints() of a listener could not read
        __declared__ = {}
        __handled__ = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Collect the marks of the class body; raise TypeError where one interface sends an event to two methods."""
        super().__init_subclass__(**kwargs)
        cls.__declared__ = declared(cls)
        cls.__handled__ = _collected(cls)


def declared(cls: type) -> dict[str, tuple[type[Event], ...]]:
    """Return the event classes that each method takes that is marked in the body of this very class.

    Raises:
        TypeError: it sends an event to two methods.
    """
    found: dict[str, tuple[type[Event], ...]] | None = vars(cls).get("__declared__")
    if found is not None:
        return found
    found = {}
    if issubclass(cls, Listener):  # its __init_subclass__ is not through yet, or another has left it out
        taken: dict[type[Event], str] = {}
        for name, value in vars(cls).items():
            if isinstance(value, functools.singledispatchmethod) and not hasattr(value, _MARK):
                value = value.func
            for event_type in getattr(value, _MARK, ()):
                if taken.setdefault(event_type, name) != name:
                    raise TypeError(
                        f"{cls.__name__} declares two methods for {event_type.__name__}: "
                        f"{taken[event_type]} and {name}; one method of an interface takes an event"
                    )
                found[name] = (*found.get(name, ()), event_type)
    return found


def handled(cls: type[Listener]) -> dict[str, tuple[type[Event], ...]]:
    """Return the event classes that each method of a listener class takes, in the order of declaration.

    Interfaces come in the order of the method resolution, the last one first, so that a base's methods precede those
    of the class that extends it.
    """
    # A class that was only registered with the interface (abc.ABCMeta.register) has collected nothing.
    return vars(cls)["__handled__"] if "__handled__" in vars(cls) else _collected(cls)


def declaring(cls: type) -> list[type]:
    """Return the interfaces of a listener class, bases first, those that it is registered with included."""
    found = [base for base in reversed(cls.__mro__) if declared(base)]
    if Listener in cls.__mro__:
        return found
    layer: list[Any] = [Listener]
    while layer:  # abc keeps what was registered to itself, and answers only issubclass()
        below: list[Any] = [sub for base in layer for sub in base.__subclasses__()]
        layer = [sub for sub in below if issubclass(cls, sub)]
        found += [sub for sub in layer if declared(sub) and sub not in found]
    return found


def _collected(cls: type) -> dict[str, tuple[type[Event], ...]]:
    found: dict[str, tuple[type[Event], ...]] = {}
    for base in declaring(cls):
        for name, event_types in declared(base).items():
            known = found.get(name, ())
            found[name] = (*known, *(one for one in event_types if one not in known))
    return found


def method_of(listener: Any, name: str) -> Any:
    """Return a method of a listener; one that does nothing where a class that was registered leaves it out."""
    return getattr(listener, name, _left_out)


def _left_out(event: Any) -> None: ...


@final
class Handler:
    """A method of one listener as it is now: what it takes, what to call, and whether that would do anything."""

    __slots__ = ("event_types", "idle", "method", "name")

    def __init__(
        self, name: str, event_types: tuple[type[Event], ...], method: Callable[[Any], object], idle: bool
    ) -> None:
        self.name: str = name
        self.event_types: tuple[type[Event], ...] = event_types
        self.method: Callable[[Any], object] = method
        self.idle: bool = idle

    def takes(self, event_type: type[Event]) -> bool:
        """Return whether events of this class go to the method."""
        return issubclass(event_type, self.event_types)


def resolve(listener: Listener) -> list[Handler]:
    """Look up the methods of a listener.

    Raises:
        TypeError: one can't be called with an event as its only argument, or would not run when called.
    """
    return list(_resolved(listener))


def _resolved(listener: Listener) -> Iterator[Handler]:
    for name, event_types in handled(listener.__class__).items():
        method = method_of(listener, name)
        check_method(method, f"{type(listener).__qualname__}.{name}")
        yield Handler(name, event_types, method, does_nothing(method))


_CLOSE = 0.85
"""How alike two names must be, as difflib has it: placd and placed are, start and started are not."""

_looked_at: WeakSet[type] = WeakSet()


def warn_of_misspelt(cls: type[Listener]) -> None:
    """Log, once for a class, which of its methods look like one of its interfaces that it leaves out, misspelt.

    Those are public methods that could take an event, and are called nearly, but not quite, like it.
    """
    if cls in _looked_at:
        return
    _looked_at.add(cls)
    known = handled(cls)
    own = [base for base in cls.__mro__ if base not in Listener.__mro__ and not declared(base)]
    left_out = [name for name in known if not any(name in vars(base) for base in own)]
    for base in own:
        for name, value in vars(base).items():
            if type(value) is not FunctionType or name.startswith("_") or name in known:
                continue
            if value.__code__.co_argcount == 2 and any(abs(len(name) - len(one)) < 3 for one in left_out):
                import difflib  # not paid for by programs whose listeners have no such methods

                # One that begins with the other is another word: place() may well be what a listener to placed offers.
                others = [one for one in left_out if not (one.startswith(name) or name.startswith(one))]
                for meant in difflib.get_close_matches(name, others, 1, _CLOSE):
                    warn(
                        "%s.%s() takes no events: its interface has no such method; is %s meant?",
                        cls.__qualname__,
                        name,
                        meant,
                    )


def check_method(method: Any, shown: str, *, awaited: bool = False) -> None:
    """Raise TypeError unless ``method(event)`` is a call that runs, or, where that is awaited, returns what does."""
    if not callable(method):
        raise TypeError(f"{shown} must be a method, not {type(method).__name__}")
    kind = deferred(method)
    if kind == "coroutine" and not awaited:
        raise TypeError(
            f"{shown}() is a coroutine function: a dispatcher calls its listeners and does not await them; "
            "goanna.on_loop(...) does"
        )
    if kind == "generator":
        raise TypeError(f"{shown}() is a generator function: calling it with an event would run none of it")
    if not _takes_one_argument(method):
        import inspect

        raise TypeError(
            f"{shown}() must take one positional argument, the event; its signature is {inspect.signature(method)}"
        )


def _takes_one_argument(method: Any) -> bool:
    """Return whether ``method`` can be called with one positional argument, as far as that can be known."""
    if type(method) is MethodType and type(method.__func__) is FunctionType:
        function, bound = method.__func__, 1
    elif type(method) is FunctionType:
        # What a singledispatchmethod gives is a function around the method of the class.
        function, bound = method, int(hasattr(method, "register") and not hasattr(method, "dispatch"))
    else:
        import inspect

        try:
            signature = inspect.signature(method)
        except (TypeError, ValueError):  # written in C without a signature: the call itself will tell
            return True
        try:
            signature.bind(None)
        except TypeError:
            return False
        return True
    if hasattr(function, "__wrapped__"):  # a decorator's *args say nothing about the method below
        function = _innermost(function)
    code = function.__code__
    most = code.co_argcount - bound
    least = most - len(function.__defaults__ or ())
    by_name_only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    return (
        least <= 1
        and (most >= 1 or bool(code.co_flags & _VARARGS))
        and not set(by_name_only) - set(function.__kwdefaults__ or ())
    )


def _innermost(function: Any) -> FunctionType:
    outer = function
    while isinstance(getattr(function, "__wrapped__", None), FunctionType):
        function = function.__wrapped__
    return function if isinstance(function, FunctionType) else outer


def _empty(self: Any, event: Any) -> None: ...


def _documented(self: Any, event: Any) -> None:
    """Do nothing."""


def does_nothing(method: Any) -> bool:
    """Return whether the method is a plain function whose body is empty: ``...``, ``pass``, a docstring, ``return``."""
    function = getattr(method, "__func__", method)
    if type(method) not in (MethodType, FunctionType) or type(function) is not FunctionType:
        return False
    code = function.__code__
    if not hasattr(code, "co_code"):
        return False  # PyPy has functions of its own that are of this type
    if code.co_consts and code.co_consts[0] == function.__doc__ and function.__doc__ is not None:
        like, consts = _documented.__code__, (None, *code.co_consts[1:])
    else:
        like, consts = _empty.__code__, code.co_consts
    return same_code(code, like) and consts == (None, *like.co_consts[1:])


def same_code(one: CodeType, other: CodeType) -> bool:
    """Return whether two functions do the same, docstrings aside, in whose place ``-OO`` may leave instructions."""
    return one.co_code == other.co_code or (
        sys.flags.optimize > 1 and _without_nops(one.co_code) == _without_nops(other.co_code)
    )


def _without_nops(code: bytes) -> list[bytes]:
    from opcode import opmap

    return [code[place : place + 2] for place in range(0, len(code), 2) if code[place] != opmap["NOP"]]
