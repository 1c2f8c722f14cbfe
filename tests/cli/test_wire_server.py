"""The wire server of the demonstration: what it says to a driver, and that it ends with whoever started it."""

from __future__ import annotations

import contextlib
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import bson
import pytest
from pymongo import InsertOne, MongoClient, WriteConcern
from pymongo.errors import OperationFailure

from goanna.cli.demo.wire_server import STORED, WireServer


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
