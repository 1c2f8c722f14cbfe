"""PyMongo's own recipes for listeners, as programs that import ``monitoring`` from goanna instead.

The loggers here are written for these tests; they say what the ones that everybody knows say.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

OPTIONS = {"serverSelectionTimeoutMS": 10_000, "heartbeatFrequencyMS": 600_000}


def loggers() -> dict[str, Any]:
    """Return listeners that log, made as a program makes them: on the classes that it imports."""
    from goanna import monitoring

    class CommandLogger(monitoring.CommandListener):
        def started(self, event: monitoring.CommandStartedEvent) -> None:
            logging.info(
                f"Command {event.command_name} with request id {event.request_id} started on {event.connection_id}"
            )

        def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
            logging.info(
                f"Command {event.command_name} with request id {event.request_id} on {event.connection_id} "
                f"succeeded in {event.duration_micros} microseconds"
            )

        def failed(self, event: monitoring.CommandFailedEvent) -> None:
            logging.info(
                f"Command {event.command_name} with request id {event.request_id} on {event.connection_id} "
                f"failed in {event.duration_micros} microseconds"
            )

    class ServerLogger(monitoring.ServerListener):
        def opened(self, event: monitoring.ServerOpeningEvent) -> None:
            logging.info(f"Server {event.server_address} joins topology {event.topology_id}")

        def description_changed(self, event: monitoring.ServerDescriptionChangedEvent) -> None:
            before, after = event.previous_description, event.new_description
            if before.server_type != after.server_type:
                logging.info(
                    f"Server {event.server_address} was {before.server_type_name}, is {after.server_type_name}"
                )

        def closed(self, event: monitoring.ServerClosedEvent) -> None:
            logging.warning(f"Server {event.server_address} leaves topology {event.topology_id}")

    class HeartbeatLogger(monitoring.ServerHeartbeatListener):
        def started(self, event: monitoring.ServerHeartbeatStartedEvent) -> None:
            logging.info(f"Heartbeat to {event.connection_id} sent")

        def succeeded(self, event: monitoring.ServerHeartbeatSucceededEvent) -> None:
            logging.info(f"Heartbeat to {event.connection_id} answered: ok is {event.reply.document['ok']}")

        def failed(self, event: monitoring.ServerHeartbeatFailedEvent) -> None:
            logging.warning(f"Heartbeat to {event.connection_id} failed: {event.reply}")

    class TopologyLogger(monitoring.TopologyListener):
        def opened(self, event: monitoring.TopologyOpenedEvent) -> None:
            logging.info(f"Topology {event.topology_id} opened")

        def description_changed(self, event: monitoring.TopologyDescriptionChangedEvent) -> None:
            before, after = event.previous_description, event.new_description
            if before.topology_type != after.topology_type:
                logging.info(
                    f"Topology {event.topology_id} was {before.topology_type_name}, is {after.topology_type_name}"
                )
            if not after.has_writable_server():
                logging.warning("No server takes writes.")

        def closed(self, event: monitoring.TopologyClosedEvent) -> None:
            logging.info(f"Topology {event.topology_id} closed")

    made = (CommandLogger, ServerLogger, HeartbeatLogger, TopologyLogger)
    return {one.__name__: one() for one in made}


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """Return a function that gives what the program has logged to the root logger."""
    caplog.set_level(logging.INFO, logger="root")
    return lambda: [one.getMessage() for one in caplog.records if one.name == "root"]


def matching(pattern: str, lines: list[str]) -> list[str]:
    return [one for one in lines if re.fullmatch(pattern, one)]


def test_a_command_logger_on_one_client(installed: str, uri: str, lines: Any) -> None:
    with MongoClient(uri, event_listeners=[loggers()["CommandLogger"]], **OPTIONS) as client:
        orders = client.goanna_test.logged
        orders.insert_one({"total": 1})
        with pytest.raises(OperationFailure):
            client.goanna_test.command("goannaHasNoSuchCommand")
        orders.drop()
    started = matching(r"Command insert with request id -?\d+ started on \('[^']+', \d+\)", lines())
    done = matching(
        r"Command insert with request id (-?\d+) on \('[^']+', \d+\) succeeded in \d+ microseconds", lines()
    )
    assert len(started) == len(done) == 1
    assert started[0].split()[5] == done[0].split()[5]
    assert len(matching(r"Command goannaHasNoSuchCommand .* failed in \d+ microseconds", lines())) == 1


def test_loggers_of_servers_heartbeats_and_topologies(installed: str, uri: str, lines: Any) -> None:
    made = loggers()
    listeners = [made[name] for name in ("ServerLogger", "HeartbeatLogger", "TopologyLogger")]
    with MongoClient(uri, event_listeners=listeners, **OPTIONS) as client:
        client.admin.command("ping")
    for pattern in (
        r"Topology [0-9a-f]{24} opened",
        r"Topology [0-9a-f]{24} was Unknown, is \w+",
        "No server takes writes.",
        r"Server \('[^']+', \d+\) joins topology [0-9a-f]{24}",
        r"Server \('[^']+', \d+\) was Unknown, is \w+",
        r"Heartbeat to \('[^']+', \d+\) sent",
        r"Heartbeat to \('[^']+', \d+\) answered: ok is 1(\.0)?",
        r"Server \('[^']+', \d+\) leaves topology [0-9a-f]{24}",
        r"Topology [0-9a-f]{24} closed",
    ):
        assert matching(pattern, lines()), (pattern, lines())


def test_a_heartbeat_that_fails(installed: str, lines: Any) -> None:
    """A port that nobody listens on; the client is given up on when the logger has said so."""
    import threading

    from goanna import monitoring

    failed = threading.Event()

    class Failures(monitoring.ServerHeartbeatListener):
        def started(self, event: monitoring.ServerHeartbeatStartedEvent) -> None:
            pass

        def succeeded(self, event: monitoring.ServerHeartbeatSucceededEvent) -> None:
            pass

        def failed(self, event: monitoring.ServerHeartbeatFailedEvent) -> None:
            failed.set()

    listeners = [loggers()["HeartbeatLogger"], Failures()]
    with MongoClient("mongodb://localhost:1", event_listeners=listeners, **OPTIONS):
        assert failed.wait(10)
    assert matching(r"Heartbeat to \('localhost', 1\) failed: .*", lines())


def test_registered_for_all_clients_made_later(installed: str, registry: None, uri: str, lines: Any) -> None:
    from goanna import monitoring

    with MongoClient(uri, **OPTIONS) as earlier:
        monitoring.register(loggers()["CommandLogger"])
        earlier.admin.command("ping")
        assert lines() == []
    with MongoClient(uri, **OPTIONS) as later:
        later.admin.command("ping")
        assert len(matching("Command ping .*", lines())) == 2


def test_registered_and_given_to_the_client_is_called_twice(
    installed: str, registry: None, uri: str, lines: Any
) -> None:
    from goanna import monitoring

    logger = loggers()["CommandLogger"]
    monitoring.register(logger)
    with MongoClient(uri, event_listeners=[logger], **OPTIONS) as client:
        client.admin.command("ping")
    assert len(matching("Command ping .* started on .*", lines())) == 2


def test_the_names_are_pymongos(installed: str) -> None:
    import pymongo.monitoring

    from goanna import monitoring

    for name, member in vars(pymongo.monitoring).items():
        if isinstance(member, type) and not name.startswith("_"):
            assert getattr(monitoring, name) is member
    assert monitoring.register is pymongo.monitoring.register
