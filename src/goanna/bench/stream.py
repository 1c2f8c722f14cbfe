"""The events that one's own listener is measured with: recorded ones, or what a client at work would publish."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

from goanna.recording.calls import Call, calls
from goanna.recording.reader import Recorded, Recording

__all__ = ["LONGEST", "recorded", "synthetic"]

LONGEST = 2_000
"""Calls of a recording that are used: as many as fit into a turn."""

SHORTEST = 500
"""Calls of a turn; a recording with fewer of them is gone through more often."""

_ADDRESS = ["127.0.0.1", 27017]
_OPERATIONS = 100
_FAILS = 50
"""Every so many operations one fails."""


def recorded(recording: Recording, module: ModuleType) -> list[Call]:
    """Return the first calls of a recording."""
    made = calls(Recording(recording.header, recording.events[:LONGEST]), module)[0]
    return made * math.ceil(SHORTEST / len(made)) if made else []


def synthetic(module: ModuleType) -> list[Call]:
    """Return the calls for a hundred finds, each with a connection checked out and in, and two of which fail."""
    events = []
    for number in range(_OPERATIONS):
        for event, fields in _operation(number):
            events.append(Recorded(number * 1_000_000, event, fields))
    return calls(Recording({}, events), module)[0]


def _operation(number: int) -> list[tuple[str, dict[str, Any]]]:
    command: dict[str, Any] = {
        "command_name": "find",
        "database_name": "shop",
        "request_id": 1000 + number,
        "operation_id": 1000 + number,
        "connection_id": _ADDRESS,
        "server_connection_id": 7,
        "service_id": None,
    }
    document = {"find": "orders", "filter": {"customer": number}, "limit": 10, "lsid": {"id": 1}, "$db": "shop"}
    reply = {"cursor": {"id": 0, "ns": "shop.orders", "firstBatch": [{"_id": number, "total": 9.5}]}, "ok": 1.0}
    failure = {"ok": 0.0, "errmsg": "not enough lizards", "code": 8000, "codeName": "AtlasError"}
    connection = {"address": _ADDRESS, "connection_id": 3}
    ended: tuple[str, dict[str, Any]] = ("CommandSucceededEvent", {**command, "duration_micros": 250, "reply": reply})
    if number % _FAILS == _FAILS - 1:
        ended = ("CommandFailedEvent", {**command, "duration_micros": 250, "failure": failure})
    return [
        ("ConnectionCheckOutStartedEvent", {"address": _ADDRESS}),
        ("ConnectionCheckedOutEvent", {**connection, "duration": 0.0001}),
        ("CommandStartedEvent", {**command, "command": document}),
        ended,
        ("ConnectionCheckedInEvent", connection),
    ]
