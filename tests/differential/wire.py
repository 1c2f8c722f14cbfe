"""A MongoDB server of one thread per connection that says yes to everything, and a client session over it.

It speaks OP_MSG and, for the first handshake, OP_QUERY, over real sockets: enough for every PyMongo from 3.11 on. What
the events of a session say is the same each time but for times, ports and random numbers, which ``Diary`` leaves out.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import bson
from pymongo import MongoClient, common, monitoring
from pymongo.errors import OperationFailure

from differential.observations import public_of, scrub, slots_of

HEADER = struct.Struct("<iiii")
OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013


class Server:
    """Listens on a port of its own until it is closed."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Closing alone doesn't wake the thread that waits in accept.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection.makefile("rb") as stream:
            while len(header := stream.read(HEADER.size)) == HEADER.size:
                length, request, _, operation = HEADER.unpack(header)
                body = stream.read(length - HEADER.size)
                if operation == OP_QUERY:
                    document = body[body.index(b"\0", 4) + 9 :]
                    reply = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(self.answer(bson.decode(document)))
                    connection.sendall(HEADER.pack(HEADER.size + len(reply), 1, request, OP_REPLY) + reply)
                else:
                    (flags, size) = struct.unpack_from("<ixi", body)
                    reply = struct.pack("<ix", 0) + bson.encode(self.answer(bson.decode(body[5 : 5 + size])))
                    if not flags & 2:  # moreToCome: nobody waits for a reply
                        connection.sendall(HEADER.pack(HEADER.size + len(reply), 1, request, OP_MSG) + reply)

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        name = next(iter(command))
        if name.lower() in ("hello", "ismaster"):
            return {
                "ok": 1,
                "helloOk": True,
                "ismaster": True,
                "isWritablePrimary": True,
                "minWireVersion": 0,
                "maxWireVersion": 25,
                "maxBsonObjectSize": 16777216,
                "maxMessageSizeBytes": 48000000,
                "maxWriteBatchSize": 100000,
                "connectionId": 7,
            }
        if name == "find":
            batch = [{"_id": number, "x": "y" * number} for number in range(3)]
            return {"ok": 1, "cursor": {"id": 0, "ns": "db.things", "firstBatch": batch}}
        if name == "insert":
            return {"ok": 1, "n": 1}
        if name == "fails":
            return {"ok": 0, "code": 59, "codeName": "CommandNotFound", "errmsg": "no such command: 'fails'"}
        return {"ok": 1}


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    try:
        yield server
    finally:
        server.close()


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
        f"mongodb://127.0.0.1:{server.port}",
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
