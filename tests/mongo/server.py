"""A MockupDB that plays a stand-alone server of today, by one function that answers everything.

MockupDB leaves a command without a responder unanswered for ever, compares a command's value when a responder is given
by name, and runs responders under one lock. Hence one function for all commands, which answers the unknown ones, too,
and never waits: a command that is to be held is kept aside and answered by whoever releases it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

from bson.int64 import Int64
from mockupdb import MockupDB, Request

DOCUMENTS = [{"_id": number, "total": number * 1.5} for number in range(5)]

HELLO = {
    "ismaster": True,
    "isWritablePrimary": True,
    "helloOk": True,
    "minWireVersion": 0,
    "maxWireVersion": 25,
    "maxBsonObjectSize": 16_777_216,
    "maxMessageSizeBytes": 48_000_000,
    "maxWriteBatchSize": 100_000,
    "logicalSessionTimeoutMinutes": 30,
}
"""Without a topologyVersion: with one, drivers await changes, which MockupDB would announce without a pause."""


class Server:
    """The mock server: ``uri``, ``stop`` and ``start`` on the same port, ``release`` of the commands called hold."""

    def __init__(self) -> None:
        self._port: int | None = None
        self._mock: MockupDB | None = None
        self._lock = threading.Lock()
        self._held: list[Request] = []
        self._holds = True
        self.start()

    @property
    def uri(self) -> str:
        return f"mongodb://localhost:{self._port}"

    def start(self) -> None:
        assert self._mock is None
        self._mock = MockupDB(port=self._port, request_timeout=10)
        self._mock.autoresponds(self._answer)
        self._port = self._mock.run()

    def stop(self) -> None:
        """Hang up on everybody and refuse new connections, without leaving a thread behind."""
        mock, self._mock = self._mock, None
        if mock is None:
            return
        # MockupDB sees that it has been stopped once a second, or when somebody connects.
        mock._stopped = True
        with contextlib.suppress(OSError), socket.create_connection(("localhost", mock.port), timeout=5):
            pass
        mock._accept_thread.join(5)
        mock.stop()

    close = stop

    def hold(self) -> None:
        """Keep the commands called hold from now on."""
        with self._lock:
            self._holds = True

    def release(self) -> None:
        """Answer the commands that are held, and those to come."""
        with self._lock:
            self._holds = False
            held, self._held = self._held, []
        for request in held:
            reply(request, {})

    def _answer(self, request: Request) -> bool:
        if request.command_name == "hold":
            with self._lock:
                if self._holds:
                    self._held.append(request)
                    return True
        reply(request, answer(request.command_name, request.doc))
        return True


def reply(request: Request, document: dict[str, Any]) -> None:
    """Send a reply to a client that may be gone."""
    with contextlib.suppress(OSError):
        request.replies(document)


def answer(name: str, command: dict[str, Any]) -> dict[str, Any]:
    """Return the reply to a command."""
    namespace = f"{command.get('$db')}.{command.get('collection') or command.get(name)}"
    match name.lower():
        case "ismaster" | "hello":
            return HELLO
        case "find":
            return batch(namespace, "firstBatch", 0, command.get("batchSize", 101))
        case "getmore":
            return batch(namespace, "nextBatch", command[name], command.get("batchSize", 101))
        case "aggregate":
            found = [{"_id": None, "n": len(DOCUMENTS)}]
            return {"cursor": {"id": Int64(0), "ns": namespace, "firstBatch": found}}
        case "insert":
            return {"n": len(command["documents"])}
        case "ping" | "hold" | "drop" | "endsessions":
            return {}
    return {"ok": 0, "code": 59, "codeName": "CommandNotFound", "errmsg": f"no such command: '{name}'"}


def batch(namespace: str, key: str, start: int, size: int) -> dict[str, Any]:
    """Return a part of the documents; the cursor's id is the position that it stands at."""
    stop = min(start + size, len(DOCUMENTS))
    cursor = Int64(stop if stop < len(DOCUMENTS) else 0)
    return {"cursor": {"id": cursor, "ns": namespace, key: DOCUMENTS[start:stop]}}
