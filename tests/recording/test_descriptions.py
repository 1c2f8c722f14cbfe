"""Descriptions of servers and topologies come out of a recording as PyMongo's own, equal to those that went in."""

from __future__ import annotations

import datetime
import json
import sys
from typing import Any

import pytest
from bson import ObjectId
from pymongo import monitoring
from pymongo.errors import NetworkTimeout, NotPrimaryError
from pymongo.hello import Hello
from pymongo.server_description import ServerDescription
from pymongo.server_type import SERVER_TYPE
from pymongo.topology_description import TOPOLOGY_TYPE, TopologyDescription

from goanna.recording import descriptions
from goanna.recording.calls import calls
from goanna.recording.form import line, publisher
from goanna.recording.reader import Recorded, Recording

MEMBER = {
    "ok": 1,
    "setName": "rs",
    "hosts": ["a:1", "b:2", "[::1]:3"],
    "primary": "a:1",
    "me": "b:2",
    "setVersion": 4,
    "electionId": ObjectId(),
    "tags": {"dc": "east", "use": "all"},
    "minWireVersion": 7,
    "maxWireVersion": 25,
    "maxBsonObjectSize": 1000,
    "maxMessageSizeBytes": 2000,
    "maxWriteBatchSize": 3000,
    "logicalSessionTimeoutMinutes": 30,
    "topologyVersion": {"processId": ObjectId(), "counter": 5},
    "lastWrite": {"lastWriteDate": datetime.datetime(2026, 1, 2, 3, 4, 5)},
}
REPLIES: dict[str, Any] = {
    "Unknown": None,
    "Standalone": {"ok": 1, "maxWireVersion": 25, "logicalSessionTimeoutMinutes": 30},
    "Mongos": {"ok": 1, "msg": "isdbgrid", "maxWireVersion": 25},
    "RSPrimary": {**MEMBER, "isWritablePrimary": True},
    "RSSecondary": {**MEMBER, "secondary": True},
    "RSArbiter": {**MEMBER, "arbiterOnly": True},
    "RSOther": {**MEMBER, "hidden": True},
    "RSGhost": {"ok": 1, "isreplicaset": True},
    "LoadBalancer": {"ok": 1, "serviceId": ObjectId(), "maxWireVersion": 25},
}
NAMES = [
    name
    for name in dir(ServerDescription)
    if not name.startswith("_") and name not in ("last_update_time", "cluster_time", "election_tuple")
]


def made(name: str, address: tuple[str, Any] = ("b", 2), **options: Any) -> ServerDescription:
    reply = REPLIES[name]
    found = ServerDescription(address, None if reply is None else Hello(reply), **options)
    assert found.server_type_name == name
    return found


def through(event: str, fields: dict[str, Any]) -> tuple[Any, ...]:
    """Return what is published again of what was recorded."""
    content = json.loads(line({"t": 1, "e": event, "f": fields}))
    ((call,), unknown) = calls(Recording({}, [Recorded(1, event, content["f"])]), monitoring)
    assert not unknown
    return call.arguments


def server(one: Any) -> Any:
    fields = {
        "previous_description": one,
        "new_description": one,
        "server_address": ("b", 2),
        "topology_id": ObjectId(),
    }
    previous, new, address, topology_id = through("ServerDescriptionChangedEvent", fields)
    assert (address, topology_id) == (("b", 2), fields["topology_id"])
    assert type(previous) is type(new)
    return new


def same(one: Any, other: Any) -> None:
    for name in NAMES:
        if name in ("error", "to_unknown"):
            continue
        assert getattr(one, name) == getattr(other, name), name


def test_there_is_a_reply_for_every_type_of_server() -> None:
    assert REPLIES.keys() == set(SERVER_TYPE._fields)


@pytest.mark.parametrize("name", REPLIES)
def test_a_server(name: str) -> None:
    wanted = made(name, round_trip_time=0.25, min_round_trip_time=0.125)
    found = server(wanted)
    assert type(found) is ServerDescription
    assert found == wanted
    assert repr(found) == repr(wanted)
    same(found, wanted)


@pytest.mark.parametrize("error", [NetworkTimeout("too late"), NotPrimaryError("not me")])
def test_a_server_with_an_error(error: Exception) -> None:
    found = server(made("Unknown", error=error))
    assert type(found) is ServerDescription
    assert (type(found.error), str(found.error)) == (type(error), str(error))


@pytest.mark.parametrize("address", [("::1", 27017), ("/tmp/mongodb.sock", None)])
def test_a_server_at_another_kind_of_address(address: tuple[str, Any]) -> None:
    found = server(made("Standalone", address))
    assert type(found) is ServerDescription
    assert found.address == address


def topology(one: Any) -> Any:
    fields = {"previous_description": one, "new_description": one, "topology_id": ObjectId()}
    return through("TopologyDescriptionChangedEvent", fields)[1]


def replica_set(*servers: ServerDescription) -> TopologyDescription:
    settings = descriptions._settings((("a", 1),), 5)
    kind = TOPOLOGY_TYPE.ReplicaSetWithPrimary
    return TopologyDescription(kind, {one.address: one for one in servers}, "rs", 4, ObjectId(), settings)


def test_a_topology() -> None:
    wanted = replica_set(made("RSPrimary", ("a", 1)), made("RSSecondary"), made("RSArbiter", ("c", 3)))
    found = topology(wanted)
    assert type(found) is TopologyDescription
    assert found.server_descriptions() == wanted.server_descriptions()
    for name in (
        "topology_type", "topology_type_name", "replica_set_name", "max_set_version", "max_election_id",
        "logical_session_timeout_minutes", "heartbeat_frequency", "common_wire_version", "known_servers",
        "readable_servers",
    ):  # fmt: skip
        assert getattr(found, name) == getattr(wanted, name), name
    assert found.has_writable_server()
    assert found.has_readable_server()


def test_a_topology_without_servers() -> None:
    settings = descriptions._settings((), None)
    found = topology(TopologyDescription(TOPOLOGY_TYPE.Unknown, {}, None, None, None, settings))
    assert type(found) is TopologyDescription
    assert not found.has_writable_server()


def test_what_can_not_be_made_again_is_stood_in_for() -> None:
    fields = json.loads(line({"one": made("RSPrimary", ("a", 1))}))["one"]
    fields |= {"address": ("a", 1), "all_hosts": set(), "primary": ("a", 1), "me": ("b", 2), "is_writable": False}
    found = descriptions.server(fields)
    assert type(found) is not ServerDescription
    assert (found.server_type_name, found.is_writable) == ("RSPrimary", False)
    whole = descriptions.topology(
        {
            "topology_type_name": "Single",
            "servers": [found],
            "has_writable_server": False,
            "has_readable_server": True,
        }
    )
    assert type(whole) is not TopologyDescription
    assert (whole.has_writable_server(), whole.has_readable_server()) == (False, True)
    assert whole.server_descriptions() == {("a", 1): found}


def test_without_pymongo_all_are_stood_in_for(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = json.loads(line({"one": made("Standalone")}))["one"]
    descriptions._stock.cache_clear()
    try:
        monkeypatch.setitem(sys.modules, "pymongo.hello", None)
        assert type(descriptions.server(fields)) is not ServerDescription
    finally:
        descriptions._stock.cache_clear()


def test_the_method_that_publishes_an_event_is_known_by_the_name_of_its_class() -> None:
    published = {name for name in vars(monitoring._EventListeners) if name.startswith("publish_")}
    found = {publisher(name) for name in vars(monitoring) if name.endswith("Event") and not name.startswith("_")}
    assert found - {"publish_topology"} == published, "of TopologyEvent there are subclasses only"
    assert publisher("PoolReady") == ""
