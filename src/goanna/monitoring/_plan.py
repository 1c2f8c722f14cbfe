"""Finding out what a ``publish_*`` method does, by calling it.

The methods differ from one PyMongo to the next, in their parameters, in the events' slots, and once in a bug. None of
that is written down here. Each method is called with arguments that can be told apart, on an instance whose listener
lists hold probes. The event that arrives shows which slot holds which argument; the probe shows which list was used and
which method was called. What can't be explained that way is left as it is.
"""

from __future__ import annotations

import datetime
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, final

__all__ = ["Plan", "UnrecognisedError", "plan"]

Kind = Literal["plain", "started", "succeeded", "failed"]

_KINDS: dict[str, Kind] = {
    "publish_command_start": "started",
    "publish_command_success": "succeeded",
    "publish_command_failure": "failed",
}

_MOST_PARAMETERS = 16
"""So many arguments the compiled publishers have room for."""


class UnrecognisedError(Exception):
    """A method that stays as it is; the text says why."""


@final
class Store:
    """One slot of an event, and where its value comes from.

    Attributes:
        slot: the mangled name.
        parameter: the index among the parameters after self, or None.
        computed: "command_name" or "micros" for what is computed, or None.
        constant: the value, if neither.
    """

    __slots__ = ("computed", "constant", "parameter", "slot")

    def __init__(
        self, slot: str, *, parameter: int | None = None, computed: str | None = None, constant: Any = None
    ) -> None:
        self.slot = slot
        self.parameter = parameter
        self.computed = computed
        self.constant = constant

    def source(self) -> tuple[int | None, str | None, Any]:
        """Return what tells two stores apart."""
        return self.parameter, self.computed, self.constant


@final
class Plan:
    """What a ``publish_*`` method does.

    Attributes:
        name: its name; original: the method itself; kind: what is special about it.
        names, defaults: its parameters after self; ``inspect.Parameter.empty`` where there is no default.
        event_type: the class of the event.
        stores: how its slots are filled.
        listeners: the attribute of the instance that holds the list of listeners.
        method: what is called on each of them.
    """

    __slots__ = ("defaults", "event_type", "kind", "listeners", "method", "name", "names", "original", "stores")

    def __init__(
        self,
        name: str,
        kind: Kind,
        original: types.FunctionType,
        names: tuple[str, ...],
        defaults: tuple[Any, ...],
        event_type: type,
        stores: tuple[Store, ...],
        listeners: str,
        method: str,
    ) -> None:
        self.name = name
        self.kind = kind
        self.original = original
        self.names = names
        self.defaults = defaults
        self.event_type = event_type
        self.stores = stores
        self.listeners = listeners
        self.method = method

    def index(self, name: str) -> int:
        """Return the index of a parameter, -1 if this PyMongo's method lacks it."""
        return self.names.index(name) if name in self.names else -1


class _Probe:
    """A listener that has every method and notes which was called with what."""

    def __init__(self, attribute: str, calls: list[tuple[str, str, Any]]) -> None:
        self.__attribute = attribute
        self.__calls = calls

    def __getattr__(self, name: str) -> Callable[[Any], None]:
        return lambda event: self.__calls.append((self.__attribute, name, event))


class _Argument:
    """An argument that is like no other; a number where the driver gives one, so that it may be formatted."""

    def __repr__(self) -> str:
        return "an argument of goanna's"


def plan(module: types.ModuleType, name: str) -> Plan:
    """Return what ``module._EventListeners.<name>`` does.

    Raises:
        UnrecognisedError: it is not the module's own, or does something that is not understood.
    """
    cls = module._EventListeners
    original = vars(cls)[name]
    if type(original) is not types.FunctionType:
        raise UnrecognisedError(f"it has been replaced by a {type(original).__qualname__}")
    home = original.__globals__.get("__name__", "")
    if home != module.__name__ and not home.startswith(f"{module.__name__}."):
        raise UnrecognisedError(f"it has been replaced by a function of {home}")
    kind = _KINDS.get(name, "plain")
    names, defaults = _parameters(original)
    first, second = _arguments(names, kind), _arguments(names, kind)
    listeners, method, event = probe(cls, original, first)
    event_type = type(event)
    if vars(module).get(event_type.__name__) is not event_type:
        raise UnrecognisedError(f"its event {event_type.__qualname__} is not one of the module's")
    slots = tuple(_slots(event_type))
    stores = tuple([_store(event, slot, names, first, kind) for slot in slots])
    again = probe(cls, original, second)
    if (listeners, method, event_type) != (*again[:2], type(again[2])):
        raise UnrecognisedError("it does different things at different times")
    if [one.source() for one in stores] != [_store(again[2], slot, names, second, kind).source() for slot in slots]:
        raise UnrecognisedError("its event is not made of its arguments alone")
    return Plan(name, kind, original, names, defaults, event_type, stores, listeners, method)


def probe(cls: type, function: Callable[..., Any], arguments: Mapping[str, Any]) -> tuple[str, str, Any]:
    """Call a publish method; return the list that it used, the method that it called and the event."""
    calls: list[tuple[str, str, Any]] = []
    instance: Any = object.__new__(cls)
    for attribute in vars(cls(None)):
        if attribute.endswith("_listeners"):
            setattr(instance, attribute, [_Probe(attribute, calls)])
    try:
        function(instance, **arguments)
    except Exception as error:
        raise UnrecognisedError(f"it raised {type(error).__name__}: {error}") from error
    if len(calls) != 1:
        raise UnrecognisedError(f"it called {len(calls)} methods of one listener")
    return calls[0]


def trials(one: Plan) -> Iterator[dict[str, Any]]:
    """Yield arguments with which a replacement must build the same event as the original."""
    for kind in (one.kind, "plain") if one.kind == "plain" else (one.kind,):
        yield _arguments(one.names, kind)
    yield {
        name: value
        for (name, value), default in zip(_arguments(one.names, one.kind).items(), one.defaults, strict=True)
        if default is inspect.Parameter.empty
    }
    if one.kind != "plain":
        for command in ("find", "saslStart", "hello", "isMaster", "Count"):
            yield _arguments(one.names, one.kind, command)
            yield {**_arguments(one.names, one.kind, command), "op_id": None}
    if "speculative_hello" in one.names:
        yield {**_arguments(one.names, one.kind), "speculative_hello": True}


def contents(event: Any) -> list[tuple[str, Any]]:
    """Return the slots of an event with their values."""
    return [(slot, getattr(event, slot)) for slot in _slots(type(event))]


def _parameters(original: types.FunctionType) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    found = list(inspect.signature(original).parameters.values())[1:]
    if any(one.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD for one in found) or len(found) > _MOST_PARAMETERS:
        raise UnrecognisedError(f"its parameters are {inspect.signature(original)}")
    return tuple([one.name for one in found]), tuple([one.default for one in found])


def _arguments(names: tuple[str, ...], kind: str, command: str = "find") -> dict[str, Any]:
    """Return arguments that can be told apart by identity."""
    made: dict[str, Any] = {name: _Argument() for name in names}
    if kind == "started":
        made["command"] = {command: _Argument()}
    elif kind != "plain":
        made["command_name"] = command
        made["duration"] = datetime.timedelta(seconds=3, microseconds=251)
        made["reply" if kind == "succeeded" else "failure"] = {"ok": 1}
    if "speculative_hello" in made:
        made["speculative_hello"] = False
    return made


def _slots(event_type: type) -> Iterator[str]:
    """Yield the mangled names of the slots of an event class, which must be all that its instances consist of."""
    found = [
        name
        for base in event_type.__mro__
        for name, value in vars(base).items()
        if isinstance(value, types.MemberDescriptorType) and base is not object and name.startswith("_")
    ]
    if any(name in vars(base) for base in event_type.__mro__ for name in ("__dict__", "__weakref__")):
        raise UnrecognisedError(f"instances of {event_type.__qualname__} have more than slots")
    yield from sorted(found)


def _store(event: Any, slot: str, names: tuple[str, ...], arguments: Mapping[str, Any], kind: Kind) -> Store:
    """Return where the value of a slot came from."""
    try:
        value = getattr(event, slot)
    except AttributeError:
        raise UnrecognisedError(f"its event leaves the slot {slot} empty") from None
    for index, name in enumerate(names):
        if value is arguments[name] and not isinstance(value, bool | None):
            return Store(slot, parameter=index)
    if kind == "started" and value is next(iter(arguments["command"])):
        return Store(slot, computed="command_name")
    if kind in ("succeeded", "failed") and type(value) is int and value == 3000251:
        return Store(slot, computed="micros")
    if value is None or type(value) in (int, bool, str):
        return Store(slot, constant=value)
    raise UnrecognisedError(f"the slot {slot} of its event holds {value!r}")
