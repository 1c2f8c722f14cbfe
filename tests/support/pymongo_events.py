"""Which events, listener interfaces and publish methods the installed PyMongo has: it says so itself.

So what a release adds is compared as soon as it is installed.
"""

from __future__ import annotations

import datetime
import inspect
from collections.abc import Callable
from typing import Any

from pymongo import monitoring

ADDRESS = ("h", 27017)


def classes(end: str) -> tuple[str, ...]:
    """The names of PyMongo's classes that end so; those of bases have an underscore in front."""
    return tuple(sorted(name for name, one in vars(monitoring).items() if isinstance(one, type) and name.endswith(end)))


ALL_EVENTS = classes("Event")
EVENTS = tuple(name for name in ALL_EVENTS if not name.startswith("_"))
LISTENERS = tuple(name for name in classes("Listener") if not name.startswith("_"))

SAMPLE: dict[str, Any] = {
    "command": {"find": "things", "filter": {}},
    "database_name": "db",
    "request_id": 1,
    "connection_id": ADDRESS,
    "operation_id": 2,
    "op_id": 2,
    "service_id": "service",
    "server_connection_id": 9,
    "duration": datetime.timedelta(microseconds=1_000_251),
    "reply": {"ok": 1},
    "failure": {"ok": 0, "errmsg": 'it\'s "broken"'},
    "command_name": "find",
    "speculative_hello": False,
    "address": ADDRESS,
    "options": {"maxPoolSize": 5},
    "interrupt_connections": True,
    "reason": "stale",
    "server_address": ADDRESS,
    "topology_id": "topology",
    "previous_description": "before",
    "new_description": "after",
    "awaited": True,
}
"""A good value for each parameter, by its name."""


def publishers() -> dict[str, tuple[str, str, str]]:
    """By PyMongo's publish methods: the interface that is told, by which of its methods, of which class of events."""
    seen: list[tuple[str, str, str]] = []

    def told(interface: str, method: str) -> Callable[[object, object], None]:
        return lambda self, event: seen.append((interface, method, type(event).__name__))

    spies = []
    for interface in LISTENERS:
        base = getattr(monitoring, interface)
        body = {method: told(interface, method) for method in vars(base) if not method.startswith("_")}
        spies.append(type("Spy", (base,), body)())
    for name, method in vars(monitoring._EventListeners).items():
        if name.startswith("publish_"):
            wanted = list(inspect.signature(method).parameters)[1:]
            method(monitoring._EventListeners(spies), **{one: SAMPLE.get(one) for one in wanted})
    names = [name for name in vars(monitoring._EventListeners) if name.startswith("publish_")]
    return dict(zip(names, seen, strict=True))
