"""The event of all benchmarks, with the eight fields of a command that a database driver has just sent."""

from __future__ import annotations

import functools
from dataclasses import dataclass, make_dataclass
from types import ModuleType
from typing import Any

try:
    import msgspec
except ModuleNotFoundError:  # then the floor of a construction is that of a dataclass
    msgspec = None  # type: ignore[assignment]

FIELDS: dict[str, Any] = {
    # A str comes first: that is what sys.audit, the do-nothing call, wants.
    "command_name": "find",
    "command": {"find": "lizards", "limit": 10},
    "database_name": "outback",
    "request_id": 1804289383,
    "address": ("localhost", 27017),
    "service_id": None,
    "operation_id": 846930886,
    "server_connection_id": 3,
}
"""The fields and their values."""

POSITIONAL = ", ".join(FIELDS)
KEYWORD = ", ".join(f"{name}={name}" for name in FIELDS)


@dataclass(slots=True)
class Sent:
    """The event of the rivals."""

    command_name: str
    command: dict[str, Any]
    database_name: str
    request_id: int
    address: tuple[str, int]
    service_id: object
    operation_id: int
    server_connection_id: int


FrozenSent: Any = make_dataclass("FrozenSent", Sent.__annotations__.items(), slots=True, frozen=True)
"""The same, read-only as goanna's events are."""
STRUCT = "msgspec.Struct" if msgspec is not None else "dataclass with slots"
"""What the floor of a construction is here."""
StructSent: Any = msgspec.defstruct("StructSent", Sent.__annotations__) if msgspec is not None else Sent
"""The same at the hands of the fastest constructor there is."""


class PropertySent:
    """The same with a property for each field, the usual way of read-only attributes; only read here."""

    __slots__ = tuple(f"_{name}" for name in FIELDS)

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, f"_{name}", value)

    @property
    def request_id(self) -> int:
        return self._request_id  # type: ignore[attr-defined, no-any-return]


class SlottedSent:
    """The same as a bare slotted class; only read here."""

    __slots__ = tuple(FIELDS)

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)


@functools.cache
def goanna_sent(goanna: ModuleType) -> Any:
    """Return the same as an event class of one copy of goanna."""
    return type(goanna.Event)("GoannaSent", (goanna.Event,), {"__annotations__": Sent.__annotations__})


def same(event: Any) -> bool:
    """Return whether an event holds the values."""
    return all(getattr(event, name) == value for name, value in FIELDS.items())
