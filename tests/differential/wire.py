"""A client session over a real socket, for every PyMongo from 3.11 on, and a diary of its events.

What the events of a session say is the same each time but for times, ports and random numbers, which ``Diary`` leaves
out.
"""

from __future__ import annotations

import re
import threading
import time
from typing import Any

from pymongo import MongoClient, common, monitoring
from pymongo.errors import OperationFailure

from differential.observations import public_of, scrub, slots_of
from goanna.cli.demo.wire_server import HELLO, Reply, Server

DOCUMENTS = [{"_id": number, "x": "y" * number} for number in range(3)]
# Numbers of connections and the ids of sessions would be others in every session.
REPLIES: dict[str, Reply] = {
    "hello": lambda command: {**HELLO, "connectionId": 7, "logicalSessionTimeoutMinutes": None},
    "saslStart": lambda command: {"ok": 1.0},
}


def serving() -> Server:
    return Server(documents=DOCUMENTS, replies=REPLIES)


class Diary:
    """All five kinds of listener in one, with a page per kind: the threads of the driver write at the same time."""

    def __init__(self) -> None:
        self.pages: dict[str, list[Any]] = {}
        self.numbers: dict[tuple[str, Any], int] = {}
        self._lock = threading.Lock()
        self.listeners = [
            type(base.__name__, (base,), dict.fromkeys(self._methods(base), None) | self._space(base))()
            for base in (
                monitoring.CommandListener,
                monitoring.ServerListener,
                monitoring.ServerHeartbeatListener,
                monitoring.TopologyListener,
                monitoring.ConnectionPoolListener,
            )
        ]

    def comes(self, page: str, method: str, seconds: float = 5) -> bool:
        """Wait for an entry, but not for ever: old releases leave the last events in the queue."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if any(one[0] == method for one in self.pages.get(page, ())):
                return True
            time.sleep(0.01)
        return False

    @staticmethod
    def _methods(base: type) -> list[str]:
        return public_of(base)

    def _space(self, base: type) -> dict[str, Any]:
        def writing(name: str) -> Any:
            return lambda this, event: self._write(base.__name__, name, event)

        return {name: writing(name) for name in self._methods(base)}

    def _write(self, page: str, method: str, event: Any) -> None:
        with self._lock:
            slots = [(name, self._show(name, value)) for name, value in slots_of(event)]
            public = [(name, self._show(name, getattr(event, name))) for name in public_of(type(event))]
            stock = type(event) is getattr(monitoring, type(event).__name__)
            self.pages.setdefault(page, []).append((method, type(event).__name__, stock, slots, public))

    def _show(self, name: str, value: Any) -> Any:
        if "duration" in name:
            return type(value).__name__, value is not None and value >= 0
        if name.endswith(("request_id", "rqst_id", "op_id", "operation_id")):
            return self.numbers.setdefault(("number", value), len(self.numbers))
        if name.endswith("topology_id"):
            return self.numbers.setdefault(("topology", str(value)), len(self.numbers))
        return re.sub(r"RTT: [0-9.]+|rtt: [^,>]+|round_trip_time[^,]+", "rtt", _plain(value))


def _plain(value: Any) -> str:
    text = scrub(repr(value))
    text = re.sub(r"ObjectId\('[0-9a-f]+'\)", "ObjectId", text)
    return re.sub(r"topology_id: [0-9a-f]+|id: [0-9a-f]{24}", "id", text)


def session(server: Server) -> dict[str, list[Any]]:
    """Run one client with listeners of every kind through a few commands; return its diary once it is closed."""
    diary = Diary()
    # Events of servers and topologies come from a thread that looks into its queue now and then: once a second, if old.
    common.EVENTS_QUEUE_FREQUENCY = 0.02
    client: Any = MongoClient(
        server.uri,
        event_listeners=diary.listeners,
        heartbeatFrequencyMS=3_600_000,
        serverSelectionTimeoutMS=20_000,
        retryWrites=False,
    )
    try:
        commands(client)
        assert diary.comes("ServerListener", "description_changed")
    finally:
        client.close()
    diary.comes("TopologyListener", "closed", 0.2)
    # How often a server is asked before the client is closed is a matter of time.
    del diary.pages["ServerHeartbeatListener"][2:]
    return diary.pages


def commands(client: Any) -> None:
    client.admin.command("ping")
    client.db.things.insert_one({"_id": 1, "x": 1})
    client.db.things.insert_many([{"_id": 2}, {"_id": 3}])
    assert len(list(client.db.things.find({"x": 1}))) == 3
    try:
        client.db.command("fails", 1)
    except OperationFailure as error:
        assert error.code == 59
    client.db.command("saslStart", 1, payload=b"secret")
