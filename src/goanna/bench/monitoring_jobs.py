"""The jobs of the monitoring benchmarks: publishing as PyMongo's driver does, and reading the events."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

from goanna.bench import jobs, listeners
from goanna.bench.driver_calls import CALLS, Call
from goanna.bench.figures import FLOOR
from goanna.bench.jobs import Job, Work
from goanna.bench.loops import UNROLL, loop
from goanna.bench.monitored import COMPILED, OWN, STOCK, rivals

COMMANDS = ("command_start", "command_success", "command_failure")
OTHERS = ("connection_checked_out", "server_description_changed", "server_heartbeat_succeeded")
"""One kind of event each for pools, servers and heartbeats."""
COUNTED = (*COMMANDS, *OTHERS)
"""The methods that are measured with more listeners than one."""
LISTENERS = (1, 3, 10)
EMPTY = (1, 10)

_METHODS = ("started", "succeeded", "failed")


def name(publish: str, count: int, suffix: str = "") -> str:
    """Return the name of a job."""
    return f"{publish} to {count}{suffix}"


READ = "read a field of command_start"
READ_SIX = name("command_start", 1, ", six fields read")


def every() -> Iterator[Job]:
    """Yield all jobs of publishing."""
    yield from (publish(call, 1) for call in CALLS)
    yield from (publish(call, count) for call in COUNTED for count in LISTENERS if count > 1)
    yield from (publish_to_empty(count) for count in EMPTY)


def publish(call: str, count: int) -> Job:
    """Publish one kind of event to as many listeners of as many classes; each stores it."""
    return _job(name(call, count), CALLS[call], count, listeners.stores)


def publish_to_empty(count: int) -> Job:
    """Publish the start of a command to listeners whose methods have an empty body."""
    return _job(name("command_start", count, " empty"), CALLS["command_start"], count, None)


def read_six() -> Job:
    """Publish the start of a command to a listener that reads six of its fields, and stores it."""
    return _job(READ_SIX, CALLS["command_start"], 1, reads_six)


def read() -> Job:
    """Read one field of an event that was published before."""
    makers = rivals()
    works = {one: partial(_read, makers[one]) for one in (STOCK, COMPILED, OWN) if one in makers}
    return Job(READ, {FLOOR: jobs.read().works[FLOOR], **works})


def reads_six(self: Any, event: Any) -> None:
    event.command
    event.command_name
    event.database_name
    event.request_id
    event.connection_id
    event.operation_id
    self.last = event


def _job(title: str, call: Call, count: int, method: listeners.Method | None) -> Job:
    works: dict[str, Callable[[], Work]] = {FLOOR: partial(_bare, call, count if method else 0)}
    works.update({rival: partial(_publish, call, count, method, make) for rival, make in rivals().items()})
    return Job(title, works)


def _bare(call: Call, count: int) -> Work:
    """Return the floor: a call that does nothing with the arguments, and the calls of the listeners."""
    there = [listeners.listener(listeners.stores) for _ in range(count)]
    arguments = ", ".join(["''", *call.names])
    names: dict[str, Any] = {**call.names, "audit": sys.audit}
    names.update({f"take_{number}": one.sent for number, one in enumerate(there)})
    event = object()
    calls = "\n".join(f"take_{number}(event)" for number in range(count))
    run = loop(f"audit({arguments})\n{calls}", {**names, "event": event})

    def check() -> None:
        run(1)
        assert all(one.last is event for one in there)

    return Work(run, check)


def _publish(call: Call, count: int, method: listeners.Method | None, make: Callable[[], ModuleType]) -> Work:
    module = make()
    names = (call.method,) if method else _METHODS
    bases = (getattr(module, call.interface),)
    there = [listeners.listener(method or listeners.empty, bases, names) for _ in range(count)]
    run = loop(call.statement, {**call.names, "listeners": module._EventListeners(there)})

    def check() -> None:
        before = [one.last for one in there]
        run(1)
        if method is None:
            assert before == [one.last for one in there] == [None] * count
            return
        _arrived(module, call, there[0].last)
        for one, last in zip(there, before, strict=True):
            assert one.last is there[0].last, "all get the same event"
            assert one.last is not last, "each publish has its own event"

    return Work(run, check)


def _read(make: Callable[[], ModuleType]) -> Work:
    module, call = make(), CALLS["command_start"]
    listener = listeners.listener(listeners.stores, (module.CommandListener,), (call.method,))
    loop(call.statement, {**call.names, "listeners": module._EventListeners([listener])})(1)
    event = listener.last

    def check() -> None:
        _arrived(module, call, event)

    return Work(loop("event.request_id", {"event": event}, UNROLL), check)


def _arrived(module: ModuleType, call: Call, event: Any) -> None:
    """Raise AssertionError unless this is the event of the call."""
    assert type(event) is getattr(module, call.event)
    for field, value in call.fields.items():
        assert getattr(event, field) == value, field
