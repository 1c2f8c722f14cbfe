"""The calls of PyMongo 4.20's driver to ``_EventListeners``: what it passes, and what must arrive.

The commands' calls have most arguments by position and the last by keyword, as in the driver.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bson import ObjectId
from pymongo.hello import Hello
from pymongo.server_description import ServerDescription

_ADDRESS = ("localhost", 27017)
_DURATION = timedelta(microseconds=1234)
_TOPOLOGY = {"topology_id": ObjectId()}
_SERVER = {"server_address": _ADDRESS, **_TOPOLOGY}
_BEAT = {"connection_id": _ADDRESS, "duration": 0.012}
_POOL = {"address": _ADDRESS}
_CONNECTION = {**_POOL, "connection_id": 7}
_SENT = {
    "request_id": 1804289383,
    "connection_id": _ADDRESS,
    "server_connection_id": 3,
    "op_id": 846930886,
}
_RENAMED = {"op_id": "operation_id"}


@dataclass(frozen=True)
class Call:
    """One call and its event.

    Args:
        publish: the method without ``publish_``.
        event: the name of the event's class.
        interface: the name of the listeners' base class.
        method: what is called on listeners.
        positional: the arguments by position, in order.
        keyword: those by keyword.
    """

    publish: str
    event: str
    interface: str
    method: str
    positional: dict[str, Any]
    keyword: dict[str, Any] = field(default_factory=dict)

    @property
    def statement(self) -> str:
        """The call as source; the method is looked up each time, as the driver does."""
        arguments = [*self.positional, *(f"{name}={name}" for name in self.keyword)]
        return f"listeners.publish_{self.publish}({', '.join(arguments)})"

    @property
    def names(self) -> dict[str, Any]:
        """What the arguments in ``statement`` refer to."""
        return {**self.positional, **self.keyword}

    @property
    def fields(self) -> dict[str, Any]:
        """What the event must hold."""
        found = {_RENAMED.get(name, name): value for name, value in self.names.items() if name != "speculative_hello"}
        if found.get("duration") is _DURATION:
            found["duration_micros"] = found.pop("duration") // timedelta(microseconds=1)
        if "command" in found:
            found["command_name"] = "find"
        return found


def _command(publish: str, event: str, method: str, first: dict[str, Any], last: dict[str, Any]) -> Call:
    return Call(publish, event, "CommandListener", method, {**first, **_SENT}, {"service_id": None, **last})


def _beat(method: str, values: dict[str, Any]) -> Call:
    event = f"ServerHeartbeat{method.capitalize()}Event"
    return Call(f"server_heartbeat_{method}", event, "ServerHeartbeatListener", method, values)


def _server(method: str, event: str, values: dict[str, Any]) -> Call:
    return Call(f"server_{method}", event, "ServerListener", method, values)


def _topology(method: str, event: str, values: dict[str, Any]) -> Call:
    return Call(f"topology_{method}", event, "TopologyListener", method, values)


def _pool(method: str, event: str, values: dict[str, Any], keyword: dict[str, Any] | None = None) -> Call:
    return Call(method, event, "ConnectionPoolListener", method, values, keyword or {})


_CHANGE = {
    "previous_description": ServerDescription(_ADDRESS),
    "new_description": ServerDescription(_ADDRESS, Hello({"ok": 1.0})),
}

_ALL = (
    _command(
        "command_start",
        "CommandStartedEvent",
        "started",
        {"command": {"find": "lizards", "limit": 10, "$db": "outback"}, "database_name": "outback"},
        {},
    ),
    _command(
        "command_success",
        "CommandSucceededEvent",
        "succeeded",
        {"duration": _DURATION, "reply": {"cursor": {"id": 0, "firstBatch": []}, "ok": 1.0}, "command_name": "find"},
        {"speculative_hello": False, "database_name": "outback"},
    ),
    _command(
        "command_failure",
        "CommandFailedEvent",
        "failed",
        {"duration": _DURATION, "failure": {"ok": 0.0, "code": 26}, "command_name": "find"},
        {"database_name": "outback"},
    ),
    _beat("started", {"connection_id": _ADDRESS, "awaited": True}),
    _beat("succeeded", {**_BEAT, "reply": Hello({"ok": 1.0}), "awaited": True}),
    _beat("failed", {**_BEAT, "reply": OSError("refused"), "awaited": True}),
    _server("opened", "ServerOpeningEvent", _SERVER),
    _server("closed", "ServerClosedEvent", _SERVER),
    _server("description_changed", "ServerDescriptionChangedEvent", {**_CHANGE, **_SERVER}),
    _topology("opened", "TopologyOpenedEvent", _TOPOLOGY),
    _topology("closed", "TopologyClosedEvent", _TOPOLOGY),
    _topology("description_changed", "TopologyDescriptionChangedEvent", {**_CHANGE, **_TOPOLOGY}),
    _pool("pool_created", "PoolCreatedEvent", {**_POOL, "options": {"maxPoolSize": 50}}),
    _pool("pool_ready", "PoolReadyEvent", _POOL),
    _pool("pool_cleared", "PoolClearedEvent", _POOL, {"service_id": None, "interrupt_connections": False}),
    _pool("pool_closed", "PoolClosedEvent", _POOL),
    _pool("connection_created", "ConnectionCreatedEvent", _CONNECTION),
    _pool("connection_ready", "ConnectionReadyEvent", {**_CONNECTION, "duration": 0.003}),
    _pool("connection_closed", "ConnectionClosedEvent", {**_CONNECTION, "reason": "idle"}),
    _pool("connection_check_out_started", "ConnectionCheckOutStartedEvent", _POOL),
    _pool("connection_check_out_failed", "ConnectionCheckOutFailedEvent", {**_POOL, "reason": "x", "duration": 0.1}),
    _pool("connection_checked_out", "ConnectionCheckedOutEvent", {**_CONNECTION, "duration": 0.0001}),
    _pool("connection_checked_in", "ConnectionCheckedInEvent", _CONNECTION),
)
CALLS = {one.publish: one for one in _ALL}
"""By the name of the method without ``publish_``."""
