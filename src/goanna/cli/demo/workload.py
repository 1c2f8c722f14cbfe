"""What the MongoDB demonstration runs: a mixed workload, and listeners to everything that the driver says of it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Any

from pymongo import MongoClient, monitoring
from pymongo.errors import OperationFailure

from goanna.recording.recorder import everything
from goanna.texts import escaped

__all__ = ["DATABASE", "CommandPrinter", "connect", "counting", "run_workload"]

DATABASE = "goanna_demo"
"""The one database that the demonstration writes to."""


def counting() -> Any:
    """Return a listener to everything, whose attribute ``counted`` has the number of events by kind."""
    counted: Counter[str] = Counter()

    def count(event: object) -> None:
        counted[type(event).__name__] += 1

    listener = everything(monitoring, count)
    listener.counted = counted
    return listener


class CommandPrinter(monitoring.CommandListener):
    """Says of the first commands what a command logger would."""

    def __init__(self, say: Callable[[str], object], limit: int) -> None:
        self._say = say
        self._left = limit

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Say which command starts."""
        self._tell(f"{event.command_name} to {event.database_name} with request id {event.request_id} started")

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Say how long it took."""
        self._tell(f"{event.command_name} with request id {event.request_id} succeeded in {event.duration_micros} µs")

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Say how long it took to fail, and why."""
        why = event.failure.get("codeName", event.failure.get("errmsg"))
        micros = event.duration_micros
        self._tell(f"{event.command_name} with request id {event.request_id} failed in {micros} µs: {why}")

    def _tell(self, text: str) -> None:
        if self._left:
            self._left -= 1
            self._say(escaped(text))  # the server may be anybody's


def connect(uri: str, *listeners: object) -> MongoClient[dict[str, Any]]:
    """Return a client that reports to ``listeners`` and beats so seldom that every run counts the same heartbeats."""
    # What is passed here would override what the URI says.
    patience: dict[str, Any] = {} if "serverselectiontimeoutms" in uri.lower() else {"serverSelectionTimeoutMS": 5_000}
    return MongoClient(uri, event_listeners=list(listeners), heartbeatFrequencyMS=600_000, **patience)


def run_workload(client: MongoClient[dict[str, Any]], rounds: int) -> None:
    """Write, read in batches, aggregate, and have a command fail, ``rounds`` times."""
    database = client[DATABASE]
    orders = database["orders"]
    database.command("ping")  # without a server it ends here, before there is something to clean up
    try:
        for number in range(rounds):
            orders.insert_one({"_id": f"single {number}", "total": 9.5})
            orders.insert_many({"_id": f"{number}-{part}", "total": part * 1.5} for part in range(120))
            orders.update_one({"_id": f"single {number}"}, {"$set": {"total": 10}})
            for _ in orders.find(batch_size=40, limit=120):
                pass
            for _ in orders.aggregate([{"$group": {"_id": 1, "n": {"$sum": 1}}}]):
                pass
            with contextlib.suppress(OperationFailure):
                database.command("goannaHasNoSuchCommand")
            orders.delete_many({})
    finally:
        orders.drop()
