"""Descriptions of servers and topologies, made again from what was recorded of them.

They are PyMongo's own, wherever these come out with all that was recorded: a server's is made from a ``hello`` reply
that says so, a topology's from those of its servers. Where they don't, or where PyMongo is missing or has no such
classes, an object stands in for them that has what was recorded, and nothing else.
"""

from __future__ import annotations

import datetime
import functools
import importlib
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Final

__all__ = ["server", "topology"]

_ROLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "Standalone": {},
    "Mongos": {"msg": "isdbgrid"},
    "RSPrimary": {"isWritablePrimary": True, "ismaster": True},
    "RSSecondary": {"secondary": True},
    "RSArbiter": {"arbiterOnly": True},
    "RSOther": {"hidden": True},
    "RSGhost": {"isreplicaset": True},
    "LoadBalancer": {"serviceId": 1},
}
"""What a server's reply to hello has in it, by the type that it makes the server."""

_MEMBERS: Final[Mapping[str, str]] = {
    "setName": "replica_set_name",
    "setVersion": "set_version",
    "electionId": "election_id",
    "tags": "tags",
    "minWireVersion": "min_wire_version",
    "maxWireVersion": "max_wire_version",
    "maxBsonObjectSize": "max_bson_size",
    "maxMessageSizeBytes": "max_message_size",
    "maxWriteBatchSize": "max_write_batch_size",
    "logicalSessionTimeoutMinutes": "logical_session_timeout_minutes",
    "topologyVersion": "topology_version",
}
"""Its other members, by what a description calls them."""

_EPOCH = datetime.datetime(1970, 1, 1)


class _Server(SimpleNamespace):
    """What a server was known as."""


class _Topology(SimpleNamespace):
    """What a topology was known as; the methods answer as they did then."""

    def has_writable_server(self) -> bool:
        return bool(self.writable)

    def has_readable_server(self, read_preference: Any = None) -> bool:
        return bool(self.readable)

    def server_descriptions(self) -> dict[Any, Any]:
        return {one.address: one for one in self.servers}


def server(fields: Mapping[str, Any]) -> Any:
    """Return the description of a server.

    Args:
        fields: what was recorded, by the names that PyMongo has for it.
    """
    stock = _stock()
    if stock is None:
        return _Server(**fields)
    name = fields["server_type_name"]
    hello = None if name not in _ROLES else stock.Hello(_hello(fields, _ROLES[name]))
    made = stock.ServerDescription(fields.get("address"), hello, fields.get("round_trip_time"), fields.get("error"))
    if hasattr(made, "_min_round_trip_time") and "min_round_trip_time" in fields:
        made._min_round_trip_time = fields["min_round_trip_time"]
    return made if _is_like(made, fields) else _Server(**fields)


def topology(fields: Mapping[str, Any]) -> Any:
    """Return the description of a topology.

    Args:
        fields: what was recorded, by the names that PyMongo has for it; of methods what they returned.
    """
    stock = _stock()
    servers = {one.address: one for one in fields["servers"]}
    kind = None if stock is None else getattr(stock.TOPOLOGY_TYPE, fields["topology_type_name"], None)
    if stock is not None and kind is not None and not any(isinstance(one, _Server) for one in servers.values()):
        made = stock.TopologyDescription(
            kind,
            servers,
            fields.get("replica_set_name"),
            fields.get("max_set_version"),
            fields.get("max_election_id"),
            _settings(tuple(servers), fields.get("heartbeat_frequency")),
        )
        if _is_like(made, {name: one for name, one in fields.items() if name != "servers"}):
            return made
    answers = {"has_writable_server": "writable", "has_readable_server": "readable"}
    return _Topology(**{answers.get(name, name): one for name, one in fields.items()})


def _hello(fields: Mapping[str, Any], role: Mapping[str, Any]) -> dict[str, Any]:
    document = {"ok": 1, **role, "hosts": [_node(one) for one in sorted(fields.get("all_hosts") or (), key=str)]}
    for member, name in _MEMBERS.items():
        if fields.get(name) is not None:
            document[member] = fields[name]
    for name in ("primary", "me"):
        if fields.get(name):
            document[name] = _node(fields[name])
    if fields.get("last_write_date") is not None:
        written = _EPOCH + datetime.timedelta(seconds=fields["last_write_date"])
        document["lastWrite"] = {"lastWriteDate": written}
    return document


def _node(address: tuple[str, int | None]) -> str:
    host, port = address
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_like(made: Any, fields: Mapping[str, Any]) -> bool:
    """Return whether a description has what was recorded; what this PyMongo's have not at all is not asked for."""
    for name, wanted in fields.items():
        if wanted is None and not hasattr(made, name):
            continue
        found = getattr(made, name, None)
        found = found() if callable(found) else found
        if isinstance(wanted, Exception):
            if (type(found), str(found)) != (type(wanted), str(wanted)):
                return False
        elif found != wanted:
            return False
    return True


@functools.cache
def _stock() -> Any:
    """Return PyMongo's classes; None where they are missing."""
    try:
        from pymongo.hello import Hello
        from pymongo.server_description import ServerDescription
        from pymongo.topology_description import TOPOLOGY_TYPE, TopologyDescription
    except ModuleNotFoundError:
        return None
    found = (Hello, ServerDescription, TopologyDescription)
    return SimpleNamespace(TOPOLOGY_TYPE=TOPOLOGY_TYPE, **{one.__name__: one for one in found})


@functools.cache
def _settings(seeds: tuple[Any, ...], heartbeat_frequency: float | None) -> Any:
    """Return the settings of a topology, of which only the period of its heartbeats is known."""
    try:
        settings = importlib.import_module("pymongo.synchronous.settings")
    except ModuleNotFoundError:  # before PyMongo 4.9
        settings = importlib.import_module("pymongo.settings")
    known = {} if heartbeat_frequency is None else {"heartbeat_frequency": heartbeat_frequency}
    return settings.TopologySettings(seeds, **known)
