"""The wire server: what it says to a driver, what tests say in its place, that it ends with whoever started it."""

from __future__ import annotations

import contextlib
import errno
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import bson
import pytest
from pymongo import InsertOne, MongoClient, WriteConcern
from pymongo.errors import AutoReconnect, OperationFailure

from goanna.cli.demo.wire_server import HELLO, STORED, Server, WireServer


@pytest.fixture(scope="module")
def uri() -> Iterator[str]:
    with WireServer() as server:
        yield server.uri


@pytest.fixture
def client(uri: str) -> Iterator[MongoClient[dict[str, Any]]]:
    with MongoClient(uri, serverSelectionTimeoutMS=5_000) as client:
        yield client


def talk(uri: str, message: bytes) -> bytes:
    """Send one message; return the reply, or nothing if the server hung up."""
    host, _, port = uri.removeprefix("mongodb://").strip("/").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(message)
        head = connection.recv(4)
        if not head:
            return b""
        reply = head
        while len(reply) < struct.unpack("<i", head)[0]:
            reply += connection.recv(65_536)
        return reply


def op_msg(document: dict[str, Any], flags: int = 0) -> bytes:
    body = bson.encode(document)
    return struct.pack("<iiiiIB", 21 + len(body), 7, 0, 2013, flags, 0) + body


@pytest.mark.parametrize(("size", "limit", "expected"), [(0, 0, STORED), (7, 0, STORED), (50, 70, 70), (3, 2, 2)])
def test_find_comes_in_batches(client: MongoClient[dict[str, Any]], size: int, limit: int, expected: int) -> None:
    found = list(client.shop.orders.find(batch_size=size, limit=limit))
    assert [one["_id"] for one in found] == list(range(expected))


def test_skip_single_documents_and_counts(client: MongoClient[dict[str, Any]]) -> None:
    orders = client.shop.orders
    assert [one["_id"] for one in orders.find().skip(118)] == [118, 119]
    assert list(orders.find().skip(1000)) == []
    assert orders.find_one()["_id"] == 0
    assert orders.count_documents({}) == STORED


def test_an_abandoned_cursor_is_killed(client: MongoClient[dict[str, Any]]) -> None:
    with client.shop.orders.find(batch_size=2) as cursor:
        next(cursor)
        cursor_id = cursor.cursor_id
    assert client.shop.command("killCursors", "orders", cursors=[cursor_id])["cursorsKilled"] == [cursor_id]


def test_writes_are_counted(client: MongoClient[dict[str, Any]]) -> None:
    orders = client.shop.orders
    assert orders.insert_one({"_id": 1}).inserted_id == 1
    assert orders.bulk_write([InsertOne({"_id": number}) for number in range(250)]).inserted_count == 250
    assert orders.update_many({}, {"$set": {"a": 1}}).modified_count == 1
    assert orders.delete_many({}).deleted_count == 1


def test_unacknowledged_writes_get_no_reply(client: MongoClient[dict[str, Any]]) -> None:
    orders = client.shop.orders.with_options(write_concern=WriteConcern(w=0))
    assert not orders.insert_one({"_id": 1}).acknowledged
    assert client.admin.command("ping")["ok"] == 1


def test_large_messages_arrive(client: MongoClient[dict[str, Any]]) -> None:
    documents = [{"text": "x" * 1_000_000} for _ in range(20)]
    assert len(client.shop.orders.insert_many(documents).inserted_ids) == 20


def test_unknown_commands_are_not_found(client: MongoClient[dict[str, Any]]) -> None:
    with pytest.raises(OperationFailure, match="no such command: 'frobnicate'") as caught:
        client.shop.command("frobnicate")
    assert caught.value.code == 59


def test_the_legacy_handshake(uri: str) -> None:
    body = bson.encode({"ismaster": 1})
    query = struct.pack("<i", 0) + b"admin.$cmd\0" + struct.pack("<ii", 0, -1) + body
    reply = talk(uri, struct.pack("<iiii", 16 + len(query), 9, 0, 2004) + query)
    assert struct.unpack_from("<ii", reply, 8) == (9, 1)
    hello = bson.decode(reply[36:])
    assert (hello["minWireVersion"], hello["maxWireVersion"], hello["ismaster"]) == (0, 25, True)
    assert "topologyVersion" not in hello


def test_a_checksum_is_no_section(uri: str) -> None:
    message = op_msg({"insert": "orders", "documents": [{}, {}], "$db": "shop"}, flags=1)
    message = struct.pack("<i", len(message) + 4) + message[4:] + b"\1\2\3\4"
    assert bson.decode(talk(uri, message)[21:])["n"] == 2


@pytest.mark.parametrize(
    "message",
    [
        struct.pack("<iiii", 3, 0, 0, 2013),
        struct.pack("<iiii", -1, 0, 0, 2013),
        struct.pack("<iiii", 2**31 - 1, 0, 0, 2013),
        struct.pack("<iiiii", 20, 1, 0, 2013, 0),
        struct.pack("<iiiii", 20, 1, 0, 2012, 0),
        struct.pack("<iiiiIBi", 25, 1, 0, 2013, 0, 7, 0),
        op_msg({"insert": "orders"}),
        op_msg({"getMore": "text", "$db": "shop"}),
    ],
)
def test_whoever_talks_nonsense_is_hung_up_on(uri: str, message: bytes) -> None:
    with contextlib.suppress(ConnectionResetError):
        assert not talk(uri, message)
    assert talk(uri, op_msg({"ping": 1, "$db": "admin"}))


def connect(server: Server) -> MongoClient[dict[str, Any]]:
    return MongoClient(server.uri, serverSelectionTimeoutMS=5_000, retryReads=False)


def test_replies_of_the_callers_own_fail_a_command_and_hang_up() -> None:
    def fails(command: dict[str, Any]) -> dict[str, Any]:
        return {"ok": 0.0, "code": 112, "errmsg": f"not in {command['$db']}"}

    def hangs_up(command: dict[str, Any]) -> dict[str, Any]:
        raise ConnectionResetError

    replies = {"find": fails, "count": hangs_up, "hello": lambda command: {**HELLO, "maxWriteBatchSize": 7}}
    with Server(replies=replies) as server, connect(server) as client:
        with pytest.raises(OperationFailure, match="not in shop"):
            client.shop.orders.find_one()
        with pytest.raises(AutoReconnect):
            client.shop.command("count", "orders")
        for name in ("hello", "isMaster"):
            assert client.admin.command(name)["maxWriteBatchSize"] == 7
        assert client.admin.command("ping") == {"ok": 1.0}


def test_a_command_is_held_back_while_others_are_answered() -> None:
    gate = threading.Event()

    def held(command: dict[str, Any]) -> dict[str, Any]:
        return {"ok": 1.0, "released": gate.wait(30)}

    with Server(replies={"held": held}) as server, connect(server) as client, ThreadPoolExecutor() as pool:
        waiting = pool.submit(client.shop.command, "held")
        assert client.shop.orders.find_one() is not None
        assert not waiting.done()
        gate.set()
        assert waiting.result(30)["released"]


def test_documents_of_the_callers_own() -> None:
    with Server(documents=[{"_id": 7}]) as server, connect(server) as client:
        assert list(client.shop.orders.find()) == [{"_id": 7}]
        assert client.shop.orders.count_documents({}) == 1


def test_it_stops_and_comes_back_on_the_same_port() -> None:
    before = threading.active_count()
    with Server() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            connection.sendall(op_msg({"ping": 1, "$db": "admin"}))
            assert connection.recv(65_536)
            server.stop()
            assert connection.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            talk(server.uri, op_msg({"ping": 1, "$db": "admin"}))
        server.start()
        assert talk(server.uri, op_msg({"ping": 1, "$db": "admin"}))
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


@pytest.mark.parametrize("way", ["end of input", "SIGTERM"])
def test_it_ends(way: str) -> None:
    if way == "SIGTERM" and sys.platform == "win32":
        pytest.skip("there is no SIGTERM to catch")
    command = [sys.executable, "-W", "error", "-m", "goanna.cli.demo.wire_server", "--port", "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert int(process.stdout.readline()) > 0
        if way == "SIGTERM":
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        _, errors = process.communicate(timeout=10)
        assert (process.returncode, errors) == (0, b"")


def test_no_module_of_the_working_directory_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("bson", "struct", "socket"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('this is the working directory')")
    monkeypatch.chdir(tmp_path)
    with WireServer() as server:
        assert server.uri.startswith("mongodb://127.0.0.1:")


def test_silent_clients_do_not_lock_others_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from goanna.cli.demo import wire_server

    monkeypatch.setattr(wire_server, "_PATIENCE", 0.2)
    monkeypatch.setattr(wire_server, "_CONNECTIONS", 4)
    with Server() as server, contextlib.ExitStack() as stack:
        for said in (b"", b"\x00", b"\x40\x00\x00\x00" + bytes(20), b""):
            silent = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            silent.sendall(said)
        with MongoClient(server.uri, serverSelectionTimeoutMS=20_000, maxPoolSize=1) as client:
            assert client.shop.command("ping")["ok"] == 1.0
            time.sleep(0.5)  # a driver that is silent between two commands keeps its connection
            assert client.shop.command("ping")["ok"] == 1.0


def test_the_server_goes_on_after_it_had_no_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    accept, failing = socket.socket.accept, [errno.EMFILE, errno.ENFILE, errno.ECONNABORTED]

    def accepted(self: socket.socket) -> Any:
        if failing:
            raise OSError(failing.pop(), "none left")
        return accept(self)

    monkeypatch.setattr(socket.socket, "accept", accepted)
    with Server() as server, MongoClient(server.uri, serverSelectionTimeoutMS=20_000) as client:
        assert client.shop.command("ping")["ok"] == 1.0
    assert failing == []


def test_malformed_messages_end_their_connection_only() -> None:
    """Some that begin as a good one and are changed at random, some that are noise."""
    draw = random.Random(20261125)
    document = bson.encode({"find": "orders", "$db": "shop"})
    good = struct.pack("<iiiiIB", 21 + len(document), 1, 0, 2013, 0, 0) + document
    with Server() as server:
        for _ in range(300):
            content = bytearray(good if draw.random() < 0.8 else draw.randbytes(draw.randrange(60)))
            for _ in range(draw.randrange(4) if content else 0):
                content[draw.randrange(len(content))] = draw.randrange(256)
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
                client.sendall(content[: draw.randrange(len(content) + 1)] if draw.random() < 0.3 else content)
                client.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionResetError):
                    while client.recv(65_536):
                        pass
        with MongoClient(server.uri, serverSelectionTimeoutMS=20_000) as client:
            assert client.shop.command("ping")["ok"] == 1.0


def test_nothing_is_kept_of_large_requests() -> None:
    with Server() as server, MongoClient(server.uri, serverSelectionTimeoutMS=20_000) as client:
        for number in range(3):
            with pytest.raises(AutoReconnect):
                client.shop.command({"find": f"{number}" + "x" * 100_000})
        assert client.shop.command("ping")["ok"] == 1.0
        assert server._batch.cache_info().currsize == 0
