"""A listener to everything, and events in a form in which two runs can be compared."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import defaultdict
from typing import Any

from pymongo import monitoring

from support.threads import PATIENCE

Record = tuple[Any, ...]

INTERFACES = (
    monitoring.CommandListener,
    monitoring.ConnectionPoolListener,
    monitoring.ServerHeartbeatListener,
    monitoring.ServerListener,
    monitoring.TopologyListener,
)

PLAIN = {
    "command_name",
    "database_name",
    "service_id",
    "reason",
    "interrupt_connections",
    "awaited",
}
"""Fields whose values two runs share."""

TYPED = {"duration", "duration_micros", "topology_id", "server_connection_id"}
"""Fields of which two runs share the type."""


class Recorder:
    """Keeps every event, in the order of each family, and tells whoever waits for one.

    The families have threads of their own in the driver, so only within a family is there an order to compare.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[str, dict[str, object], asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._order: dict[int, int] = {}
        self.events: list[Any] = []
        self.records: defaultdict[str, list[Record]] = defaultdict(list)

    def take(self, event: Any) -> None:
        with self._lock:
            self.events.append(event)
            self.records[family(event)].append(self._record(event))
            for waiting in list(self._waiting):
                name, fields, loop, future = waiting
                if fits(event, name, fields):
                    self._waiting.remove(waiting)
                    loop.call_soon_threadsafe(resolve, future)

    async def seen(self, name: str, **fields: object) -> None:
        """Wait until an event of that class with those fields has come, whichever thread it comes in."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._lock:
            if any(fits(event, name, fields) for event in self.events):
                return
            self._waiting.append((name, fields, loop, future))
        await asyncio.wait_for(future, PATIENCE)

    async def quiet(self, of: str, seconds: float) -> None:
        """Wait until nothing of a family that comes in pairs is under way, or has come for that long."""
        count = -1
        while count % 2 or count != len(self.records[of]):
            count = len(self.records[of])
            await asyncio.sleep(seconds)

    def names(self) -> set[str]:
        return {type(event).__name__ for event in self.events}

    def _record(self, event: Any) -> Record:
        fields: list[tuple[str, object]] = []
        for name in sorted(vars_of(type(event))):
            value = getattr(event, name)
            if name in ("request_id", "operation_id"):
                value = self._order.setdefault(value, len(self._order))
            elif name == "connection_id":
                # An address, whose port is another for each server, or the number of a connection.
                value = value[0] if isinstance(value, tuple) else value
            elif name in TYPED:
                value = type(value).__name__
            elif name not in PLAIN:
                value = essence(name, value)
            fields.append((name, value))
        return (f"{type(event).__module__}.{type(event).__qualname__}", *fields, shown(event))


VOLATILE = ("lsid", "$clusterTime", "operationTime", "electionId", "opTime")
"""Parts of commands and replies that differ from run to run."""


def fits(event: object, name: str, fields: dict[str, object]) -> bool:
    return type(event).__name__ == name and all(getattr(event, key) == value for key, value in fields.items())


def resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def family(event: object) -> str:
    """Return which of the driver's sequences an event belongs to."""
    name = type(event).__name__
    for start in ("Command", "ServerHeartbeat", "Server", "Topology"):
        if name.startswith(start):
            return start
    return "Pool"


def vars_of(cls: type) -> set[str]:
    """Return the names of a class's properties."""
    return {name for base in cls.__mro__ for name in vars(base) if not name.startswith("_")}


def essence(name: str, value: Any) -> object:
    """Return what two runs share of a value."""
    match name:
        case "command" | "reply" if isinstance(value, dict):
            return {key: settled(key, part) for key, part in value.items() if key not in VOLATILE}
        case "failure":
            return {key: value.get(key) for key in ("code", "codeName")}, type(value).__name__
        case "previous_description" | "new_description":
            servers = getattr(value, "server_descriptions", dict)().values()
            return str(type(value)), getattr(value, "server_type_name", [one.server_type_name for one in servers])
        case "options":
            return sorted(value)
        case "address" | "server_address":
            return value[0]
    return type(value).__name__


def settled(key: str, part: Any) -> object:
    """Return a part of a command or reply without the ids that a server or a session chose."""
    match key:
        case "endSessions":
            return len(part)
        case "getMore":
            return type(part).__name__
        case "cursor" if "id" in part:
            return {**part, "id": bool(part["id"])}
    return part


def shown(event: object) -> str:
    """Return the repr of an event without its numbers, if there is nothing but names and numbers in it."""
    if type(event).__name__ in ("CommandFailedEvent", "PoolCreatedEvent") or family(event) not in ("Command", "Pool"):
        repr(event)
        return ""
    return re.sub(r"-?\d+(\.\d+)?(e-?\d+)?", "#", repr(event))


def _take(self: Recorder, event: object) -> None:
    self.take(event)


EverythingRecorder: Any = type(
    "EverythingRecorder",
    (Recorder, *INTERFACES),
    {name: _take for one in INTERFACES for name in vars(one) if not name.startswith("_")},
)
