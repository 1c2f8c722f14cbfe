"""One hot path, so many times: what ``benchmarks.instructions`` has valgrind count.

``python -m benchmarks.hot_path NAME TIMES``
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import Any

import goanna
from goanna.bench import listeners
from goanna.bench.loops import Run, loop


class Sent(goanna.Event):
    command_name: str
    command: dict[str, Any]
    database_name: str
    request_id: int
    address: tuple[str, int]
    service_id: object
    operation_id: int
    server_connection_id: int


class Interface(goanna.Listener):
    @goanna.handles(Sent)
    def sent(self, event: Sent) -> None: ...


FIELDS: dict[str, Any] = {
    "command_name": "find",
    "command": {"find": "lizards"},
    "database_name": "outback",
    "request_id": 1804289383,
    "address": ("localhost", 27017),
    "service_id": None,
    "operation_id": 846930886,
    "server_connection_id": 3,
}
PUBLISH = f"publish({', '.join(FIELDS)})"
ROOM = 100_000


def publish(count: int) -> Run:
    hub = goanna.Dispatcher(Interface)
    for _ in range(count):
        hub.add(listeners.listener(listeners.stores, (Interface,)))
    return loop(PUBLISH, {**FIELDS, "publish": hub.publisher(Sent)})


def build() -> Run:
    return loop(PUBLISH, {**FIELDS, "publish": Sent})


def installed() -> Run:
    from pymongo import monitoring

    goanna.install()
    there = listeners.listener(listeners.stores, (monitoring.CommandListener,), ("started", "succeeded", "failed"))
    names = {**FIELDS, "listeners": monitoring._EventListeners([there])}
    call = (
        "listeners.publish_command_start(command, database_name, request_id, address, server_connection_id, "
        "operation_id, service_id=service_id)"
    )
    return loop(call, names)


def push() -> Run:
    queue = goanna.queued(listeners.listener(listeners.stores, (Interface,)), maxsize=ROOM, batch=ROOM, delay=3600.0)
    queue.sent(Sent(**FIELDS))
    queue.flush()  # the thread has been started, and sleeps
    return loop("take(event)", {"take": queue.sent, "event": Sent(**FIELDS)})


def reject() -> Run:
    wrapper = goanna.where(listeners.listener(listeners.stores, (Interface,)), commands="insert")
    return loop("take(event)", {"take": wrapper.sent, "event": Sent(**FIELDS)})


PATHS: dict[str, Callable[[], Run]] = {
    "build": build,
    "publish to 0": lambda: publish(0),
    "publish to 1": lambda: publish(1),
    "publish to 10": lambda: publish(10),
    "installed publish to 1": installed,
    "queued push": push,
    "where reject": reject,
}


def main() -> None:
    name, times = sys.argv[1], int(sys.argv[2])
    assert goanna.BACKEND == "c", "this is about the compiled core"
    run = PATHS[name]()
    gc.disable()
    run(times)
    os._exit(0)  # what ends is not counted, above all not a queue that is emptied


if __name__ == "__main__":
    main()
