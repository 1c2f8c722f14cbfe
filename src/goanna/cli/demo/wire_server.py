"""A MongoDB wire server for loopback that answers at once, so that what is measured through it is the driver.

``python -m goanna.cli.demo.wire_server --port 0`` prints the port as its first line and serves until its standard
input ends or it gets SIGTERM; :class:`WireServer` runs that, and :class:`Server` serves in this process. It keeps
nothing: every collection holds the same documents, a cursor's id says where the cursor stands, and most replies are
made once. It is no database, has no authentication, and listens on 127.0.0.1 only.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import functools
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import bson
from bson.errors import BSONError
from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument

__all__ = ["HELLO", "STORED", "Reply", "Server", "WireServer", "main"]

STORED = 120
"""How many documents every collection has, if no others are given."""

Reply = Callable[[dict[str, Any]], Mapping[str, Any]]
"""What replies to a command, which it is given without documents that come beside it, as those of an insert do."""

_LARGEST = 48_000_000
_CONNECTIONS = 256
_PATIENCE = 10.0
"""Seconds that a client may take for its first word, and to go on with a message that it has begun or is sent."""

_PASSING = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED)
"""For want of what others give back no connection can be accepted now."""

_PAUSE = 0.05

_MALFORMED = (BSONError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, struct.error)
"""What reading a message raises that is none of a driver's."""

_LONGEST = 255
"""Bytes of a namespace, as in MongoDB. The replies to longer ones would be kept, and the names with them."""
_HEADER = struct.Struct("<iiii")
_MESSAGE = struct.Struct("<iiiiIB")
_REPLY = struct.Struct("<iiiiiqii")
_OP_REPLY, _OP_QUERY, _OP_MSG = 1, 2004, 2013
_CHECKSUM, _MORE_TO_COME = 1, 2
_FIRST_NAME = 26  # header, flags, kind of section, length of document, type of its first element

HELLO: Final[Mapping[str, Any]] = {
    "helloOk": True,
    "ismaster": True,
    "isWritablePrimary": True,
    "maxBsonObjectSize": 16_777_216,
    "maxMessageSizeBytes": _LARGEST,
    "maxWriteBatchSize": 100_000,
    "logicalSessionTimeoutMinutes": 30,
    "minWireVersion": 0,
    "maxWireVersion": 25,
    "readOnly": False,
    "ok": 1.0,
}
"""What a stand-alone server says of itself; with it goes the number of the connection.

There is no topologyVersion in it, because with one a driver would await the next change of the topology and take our
immediate answer for that, without a pause. The range of wire versions suits drivers old and new.
"""

_ORDERS = [{"_id": number, "customer": f"customer {number % 7}", "total": number * 1.5} for number in range(STORED)]
_OK = bson.encode({"ok": 1.0})


@functools.lru_cache(maxsize=256)
def _counted(name: str, count: int) -> bytes:
    """Return the reply to a write of ``count`` documents or statements."""
    return bson.encode({"n": count, "nModified": count, "ok": 1.0} if name == "update" else {"n": count, "ok": 1.0})


def _kill_cursors(command: dict[str, Any]) -> bytes:
    none: list[int] = []
    killed = {
        "cursorsKilled": command["cursors"],
        "cursorsNotFound": none,
        "cursorsAlive": none,
        "cursorsUnknown": none,
    }
    return bson.encode({**killed, "ok": 1.0})


_constant: dict[bytes, bytes] = {
    b"ping": _OK,
    b"endSessions": _OK,
    b"drop": _OK,
    b"buildInfo": bson.encode({"version": "8.0.0", "versionArray": [8, 0, 0, 0], "ok": 1.0}),
}
_constant[b"buildinfo"] = _constant[b"buildInfo"]
_written = {b"insert": "documents", b"update": "updates", b"delete": "deletes"}
_handshakes = frozenset((b"hello", b"ismaster", b"isMaster"))


def _sections(message: bytes, flags: int) -> Iterator[tuple[str | None, int, int]]:
    """Yield each section of an OP_MSG: the name of its sequence, if it is one, and where its documents are."""
    position, end = 20, len(message) - (4 if flags & _CHECKSUM else 0)
    while position < end:
        kind = message[position]
        (length,) = struct.unpack_from("<i", message, position + 1)
        first, position = position + 1, position + 1 + length
        if kind not in (0, 1) or length < 5 or position > end:
            raise ValueError("a section that is none")
        if kind == 0:
            yield None, first, position
        else:
            name_ends = message.index(0, first + 4)
            yield message[first + 4 : name_ends].decode(), name_ends + 1, position


def _body(message: bytes, flags: int) -> dict[str, Any]:
    for name, first, last in _sections(message, flags):
        if name is None:
            return bson.decode(message[first:last])
    raise ValueError("a message without a body")


def _count(message: bytes, flags: int, wanted: str) -> int:
    """Return how many documents the command writes, without decoding them where they come as a sequence."""
    for name, position, last in _sections(message, flags):
        if name == wanted:
            count = 0
            while position < last:
                (length,) = struct.unpack_from("<i", message, position)
                if length < 5:
                    raise ValueError("a document that is none")
                position += length
                count += 1
            return count
    return len(_body(message, flags)[wanted])


def _not_found(name: bytes) -> bytes:
    text = f"no such command: '{name.decode(errors='replace')}'"
    return bson.encode({"ok": 0.0, "errmsg": text, "code": 59, "codeName": "CommandNotFound"})


def _messages(connection: socket.socket) -> Iterator[bytes]:
    """Yield the messages that come in, until the peer leaves."""
    pending = b""
    connection.settimeout(_PATIENCE)
    while received := connection.recv(65_536):
        connection.settimeout(_PATIENCE)
        pending = pending + received if pending else received
        while len(pending) >= 16:
            (length,) = struct.unpack_from("<i", pending)
            if not 16 < length <= _LARGEST:
                raise ValueError("not a message")
            if len(pending) < length:
                # The rest of a large message is read into one buffer, not added piece by piece.
                whole = bytearray(pending)
                while len(whole) < length:
                    if not (more := connection.recv(min(length - len(whole), 1 << 20))):
                        return
                    whole += more
                pending = bytes(whole)
            message, pending = pending[:length], pending[length:]
            yield message
        if not pending:
            connection.settimeout(None)  # between two messages a driver may be silent for as long as it likes


class Server:
    """Answers in threads of this process, one for each connection, from the beginning of the context to its end.

    ``uri`` is what a client connects to, ``port`` where it listens.

    Args:
        port: 0, the default, takes a free one.
        documents: what every collection holds.
        replies: by the names of commands, what is called for the reply instead of what the server would say. It is
            called on the thread of the connection, so it may wait as long as somebody wants the command held back; if
            it raises an OSError, the server hangs up. "hello" stands for all the names of a driver's first words.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        documents: Sequence[Mapping[str, Any]] = _ORDERS,
        replies: Mapping[str, Reply] | None = None,
    ) -> None:
        self.port = port
        self._documents = [RawBSONDocument(bson.encode(one)) for one in documents]
        self._replies = {
            name: reply
            for said, reply in (replies or {}).items()
            for name in (_handshakes if said == "hello" else (said.encode(),))
        }
        self._computed = {
            b"find": self._find,
            b"getMore": self._get_more,
            b"aggregate": self._aggregate,
            b"killCursors": _kill_cursors,
        }
        self._batch = functools.lru_cache(maxsize=256)(self._made_batch)
        self._listening: socket.socket | None = None
        self._accepting: threading.Thread | None = None
        self._connections: set[socket.socket] = set()

    @property
    def uri(self) -> str:
        """What a client connects to."""
        return f"mongodb://127.0.0.1:{self.port}/"

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, on the port of the first time if it is not that."""
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listening.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, args=(self._listening,), daemon=True)
        self._accepting.start()

    def stop(self) -> None:
        """Hang up on everybody and refuse new connections."""
        listening, self._listening = self._listening, None
        if listening is None or self._accepting is None:
            return
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)  # closing alone doesn't wake the thread that waits in accept
        listening.close()
        accepting = True
        while accepting:
            accepting = self._accepting.is_alive()  # asked first, so that what was accepted last is hung up on, too
            for one in list(self._connections):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self._accepting.join(0.01)

    def _accept(self, listening: socket.socket) -> None:
        """Give every client a thread; those above the limit wait until another leaves."""
        places = threading.Semaphore(_CONNECTIONS)
        number = 0
        while True:
            places.acquire()
            try:
                connection, _ = listening.accept()
            except OSError as error:
                if self._listening is not listening:
                    return  # stopped
                if error.errno not in _PASSING:
                    raise
                places.release()
                time.sleep(_PAUSE)
                continue
            number += 1
            self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection, number, places), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int, places: threading.Semaphore) -> None:
        """Answer one client; whoever does not speak the protocol is hung up on."""
        hello = bson.encode({**HELLO, "connectionId": number})
        sent = 0
        try:
            with connection, contextlib.suppress(OSError, *_MALFORMED):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for message in _messages(connection):
                    _, request, _, operation = _HEADER.unpack_from(message)
                    sent = (sent + 1) & 0x7FFFFFFF
                    if operation == _OP_MSG:
                        (flags,) = struct.unpack_from("<I", message, 16)
                        answer = self._answer(message, flags, hello)
                        if not flags & _MORE_TO_COME:
                            head = _MESSAGE.pack(_MESSAGE.size + len(answer), sent, request, _OP_MSG, 0, 0)
                            connection.sendall(head + answer)
                    elif operation == _OP_QUERY:
                        answer = self._answer_query(message, hello)
                        head = _REPLY.pack(_REPLY.size + len(answer), sent, request, _OP_REPLY, 8, 0, 0, 1)
                        connection.sendall(head + answer)
                    else:
                        return
        finally:
            self._connections.discard(connection)
            places.release()

    def _answer(self, message: bytes, flags: int, hello: bytes) -> bytes:
        """Return the document that answers an OP_MSG."""
        name = message[_FIRST_NAME : message.index(0, _FIRST_NAME)]
        if name in self._replies:
            return bson.encode(self._replies[name](_body(message, flags)))
        reply = _constant.get(name)
        if reply is not None:
            return reply
        if name in _written:
            return _counted(name.decode(), _count(message, flags, _written[name]))
        if name in self._computed:
            return self._computed[name](_body(message, flags))
        return hello if name in _handshakes else _not_found(name)

    def _answer_query(self, message: bytes, hello: bytes) -> bytes:
        """Return the document that answers an OP_QUERY, which drivers use for their first words only."""
        start = message.index(0, 20) + 9
        query = bson.decode(message[start : start + struct.unpack_from("<i", message, start)[0]])
        name = next(iter(query)).encode()
        if name not in _handshakes:
            return _not_found(name)
        return bson.encode(self._replies[name](query)) if name in self._replies else hello

    def _made_batch(self, namespace: str, key: str, start: int, size: int, end: int) -> bytes:
        """Return the reply with the documents from ``start``, at most ``size`` of them and none from ``end`` on."""
        if len(namespace) > _LONGEST:
            raise ValueError("a namespace that is too long")
        stop = min(start + size, end) if size else end
        cursor = Int64((end << 32) + stop if stop < end else 0)
        found = {"id": cursor, "ns": namespace, key: self._documents[start:stop]}
        return bson.encode({"cursor": found, "ok": 1.0})

    def _find(self, command: dict[str, Any]) -> bytes:
        stored = len(self._documents)
        start = min(command.get("skip", 0), stored)
        limit = abs(command.get("limit", 0))
        end = min(start + limit, stored) if limit else stored
        size = 0 if command.get("singleBatch") else command.get("batchSize", 101)
        return self._batch(f"{command['$db']}.{command['find']}", "firstBatch", start, size, end)

    def _get_more(self, command: dict[str, Any]) -> bytes:
        end, start = divmod(command["getMore"], 1 << 32)
        namespace = f"{command['$db']}.{command['collection']}"
        return self._batch(namespace, "nextBatch", start, command.get("batchSize", 0), min(end, len(self._documents)))

    def _aggregate(self, command: dict[str, Any]) -> bytes:
        """Count all documents, whatever is asked for: that is what counting does, too."""
        stages = [stage["$group"] for stage in command["pipeline"] if "$group" in stage]
        counted = [{"_id": stage["_id"], "n": len(self._documents)} for stage in stages]
        cursor = {"id": Int64(0), "ns": f"{command['$db']}.{command['aggregate']}", "firstBatch": counted}
        return bson.encode({"cursor": cursor, "ok": 1.0})


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until standard input ends or SIGTERM comes; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m goanna.cli.demo.wire_server", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Server(chosen.port) as server:
        print(server.port, flush=True)
        with contextlib.suppress(KeyboardInterrupt, OSError):
            # Nothing is ever sent there: the end of it says that whoever started us has gone.
            while os.read(0, 4096):
                pass
    return 0


class WireServer:
    """Runs a server in a process of its own, for as long as the context lasts.

    ``uri`` is what a client connects to. The process also ends by itself when this one does, however it does.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.uri = ""

    def __enter__(self) -> WireServer:
        """Start the process and wait for its port; RuntimeError if it does not come up."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "goanna.cli.demo.wire_server", "--port", "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._process = process
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port:
            self.__exit__()
            raise RuntimeError(f"the wire server ended with status {process.returncode} before it had a port")
        self.uri = f"mongodb://127.0.0.1:{port}/"
        return self

    def __exit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        finally:
            assert process.stdout is not None
            process.stdout.close()


if __name__ == "__main__":
    raise SystemExit(main())
