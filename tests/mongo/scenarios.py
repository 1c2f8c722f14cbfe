"""What the clients do in the end-to-end tests. Each scenario says which events it must bring about at least."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, OperationFailure, WaitQueueTimeoutError

from mongo.drivers import Driver, do
from mongo.recorder import EverythingRecorder, Record
from mongo.server import DOCUMENTS, Server

TIMEOUTS = {"serverSelectionTimeoutMS": 10_000, "connectTimeoutMS": 5_000, "socketTimeoutMS": 10_000}
SELDOM = 600_000
"""Milliseconds between heartbeats, so that each run has the first ones and those that something asked for."""

COMMAND = {"CommandStartedEvent", "CommandSucceededEvent"}
LIFE = {
    "PoolCreatedEvent",
    "PoolReadyEvent",
    "PoolClosedEvent",
    "ConnectionCreatedEvent",
    "ConnectionReadyEvent",
    "ConnectionCheckOutStartedEvent",
    "ConnectionCheckedOutEvent",
    "ConnectionCheckedInEvent",
    "ConnectionClosedEvent",
    "ServerOpeningEvent",
    "ServerDescriptionChangedEvent",
    "ServerClosedEvent",
    "ServerHeartbeatStartedEvent",
    "ServerHeartbeatSucceededEvent",
    "TopologyOpenedEvent",
    "TopologyDescriptionChangedEvent",
    "TopologyClosedEvent",
}
"""What happens in the life of any client that has done anything."""


class Stage:
    """What a scenario plays on."""

    def __init__(self, client: Any, driver: Driver, recorder: Any, server: Server | None) -> None:
        self.client = client
        self.database = client["goanna_test"]
        self.orders = self.database["orders"]
        self.driver = driver
        self.recorder = recorder
        self._server = server

    @property
    def server(self) -> Server:
        assert self._server is not None
        return self._server


class Scenario:
    """A coroutine over a stage, the events that it must produce, and the options that its client needs."""

    def __init__(
        self, play: Callable[[Stage], Awaitable[None]], events: set[str], *, own: bool = False, **options: Any
    ) -> None:
        self.play = play
        self.events = events | COMMAND | LIFE
        self.needs_own = own
        self.options = options

    def record(self, driver: Driver, uri: str, server: Server | None) -> Any:
        """Play with a new client; return the recorder when the client is closed."""
        recorder = EverythingRecorder()
        options = {"heartbeatFrequencyMS": SELDOM, **TIMEOUTS, **self.options}

        async def main() -> None:
            client = driver.client(uri, event_listeners=[recorder], **options)
            try:
                await self.play(Stage(client, driver, recorder, server))
            finally:
                await do(client.close())

        driver.run(main())
        return recorder


async def insert(stage: Stage) -> None:
    try:
        inserted = await do(stage.orders.insert_one({"_id": 1, "total": 9.5}))
        assert inserted.inserted_id == 1
        many = await do(stage.orders.insert_many([{"_id": number} for number in range(2, 6)]))
        assert many.inserted_ids == [2, 3, 4, 5]
    finally:
        await do(stage.orders.drop())


async def find_with_get_more(stage: Stage) -> None:
    try:
        await do(stage.orders.insert_many([dict(one) for one in DOCUMENTS]))
        found = await do(stage.orders.find({}, batch_size=2).sort("_id").to_list(length=None))
        assert found == DOCUMENTS
    finally:
        await do(stage.orders.drop())
    done = [one.command_name for one in stage.recorder.events if type(one).__name__ == "CommandSucceededEvent"]
    # A real server may also have had the client log in.
    assert [name for name in done if not name.startswith("sasl")] == ["insert", "find", "getMore", "getMore", "drop"]


async def aggregate(stage: Stage) -> None:
    try:
        await do(stage.orders.insert_many([dict(one) for one in DOCUMENTS]))
        cursor = await do(stage.orders.aggregate([{"$group": {"_id": None, "n": {"$sum": 1}}}]))
        assert await do(cursor.to_list(length=None)) == [{"_id": None, "n": len(DOCUMENTS)}]
    finally:
        await do(stage.orders.drop())


async def failing_command(stage: Stage) -> None:
    with pytest.raises(OperationFailure) as caught:
        await do(stage.database.command("goannaHasNoSuchCommand", 1))
    assert caught.value.code == 59
    await stage.recorder.seen("CommandFailedEvent", command_name="goannaHasNoSuchCommand")
    await do(stage.database.command("ping"))


async def pool_times_out(stage: Stage) -> None:
    stage.server.hold()
    held = stage.driver.start(lambda: stage.database.command("hold"))
    try:
        # Once this has started, its connection is checked out, and there is no other.
        await stage.recorder.seen("CommandStartedEvent", command_name="hold")
        with pytest.raises(WaitQueueTimeoutError):
            await do(stage.database.command("ping"))
    finally:
        stage.server.release()
        assert (await held)["ok"] == 1
    await do(stage.database.command("ping"))


async def server_goes_away_and_comes_back(stage: Stage) -> None:
    stage.server.hold()
    held = stage.driver.start(lambda: stage.database.command("hold"))
    # A command under way is sure to fail; a connection at rest may be found dead before it is used.
    await stage.recorder.seen("CommandStartedEvent", command_name="hold")
    # Whoever waits for a server asks for a heartbeat; if the first one was under way by then, there is another half a
    # second later. Should that reach the server just before it stops, the next command would be sent there.
    await stage.recorder.quiet("ServerHeartbeat", 0.75)
    stage.server.stop()
    try:
        with pytest.raises(AutoReconnect):
            await held
        # This one has to wait for a server, asks for heartbeats, and gets through when one of them succeeds.
        waiting = stage.driver.start(lambda: stage.orders.insert_one({"_id": 3}))
        await stage.recorder.seen("ServerHeartbeatFailedEvent")
    finally:
        stage.server.start()
    assert (await waiting).inserted_id == 3


SCENARIOS = {
    "insert": Scenario(insert, set()),
    "find with getMore": Scenario(find_with_get_more, set()),
    "aggregate": Scenario(aggregate, set()),
    "failing command": Scenario(failing_command, {"CommandFailedEvent"}),
    "pool times out": Scenario(
        pool_times_out,
        {"ConnectionCheckOutFailedEvent"},
        own=True,
        maxPoolSize=1,
        waitQueueTimeoutMS=100,
    ),
    "server goes away": Scenario(
        server_goes_away_and_comes_back,
        {"CommandFailedEvent", "PoolClearedEvent", "ServerHeartbeatFailedEvent"},
        own=True,
        retryWrites=False,
    ),
}


def without_repeats(records: list[Record]) -> list[Record]:
    """Return the records, each where it came first: how often a client asks for a server is a matter of time.

    So is whether it asks at the moment at which it is closed, and has its question cancelled.
    """
    kept: list[Record] = []
    for one in records:
        if one not in kept and ("reply", "_OperationCancelled") not in one:
            kept.append(one)
    return kept
