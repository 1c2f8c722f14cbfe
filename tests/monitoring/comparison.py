"""Samples of the values of event classes, and how all that can be seen of two of them is written down."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

from support.pymongo_events import SAMPLE


def parameters(stock: ModuleType, name: str) -> list[str]:
    """The parameters of an event class, with what stock's ``*args`` stand for written out."""
    names = list(inspect.signature(getattr(stock, name)).parameters)
    rest = {"ServerDescriptionChangedEvent": ["server_address", "topology_id"]}.get(name, ["topology_id"])
    return names[:-1] + rest if names[-1] == "args" else names


def sample(stock: ModuleType, name: str) -> list[Any]:
    """Good positional arguments for an event class."""
    return [SAMPLE[one] for one in parameters(stock, name)]


def slots(cls: type) -> list[str]:
    """The mangled names of all slots of an event class."""
    return [
        f"_{base.__name__.lstrip('_')}{slot}"
        for base in reversed(cls.__mro__)
        for slot in base.__dict__.get("__slots__", ())
    ]


def properties(cls: type) -> list[str]:
    return sorted({name for base in cls.__mro__ for name, value in vars(base).items() if isinstance(value, property)})


def state(event: Any) -> tuple[Any, ...]:
    """What an event is and holds, comparable between the two modules. Slots that were never filled are left out."""
    missing = object()
    held = {name: getattr(event, name, missing) for name in slots(type(event))}
    return type(event).__name__, {name: value for name, value in held.items() if value is not missing}


def text(value: object) -> str:
    """``str(value)`` with the names of the two modules, and addresses of objects, made the same."""
    shown = str(value).replace("pymongo.monitoring", "goanna.monitoring")
    return re.sub(r" at 0x[0-9a-f]+", " at 0x", shown)


def outcome(call: Callable[[], Any]) -> tuple[Any, ...]:
    """What comes out of a call: its result, or the type and text of what it raised."""
    try:
        result = call()
    except BaseException as error:
        return "raised", type(error).__name__, text(error)
    return "returned", plain(result)


def plain(value: Any) -> Any:
    """A value in a form in which that of one module equals that of the other."""
    if type(value).__module__ in ("goanna.monitoring", "pymongo.monitoring") and hasattr(type(value), "__slots__"):
        return value if isinstance(value, tuple) else state(value)
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, str):
        return text(value)
    return value
