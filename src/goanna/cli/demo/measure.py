"""What PyMongo's monitoring costs, stock and installed, measured in one process in rounds that take turns."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import FunctionType
from typing import Any

from pymongo import monitoring

import goanna
from goanna.cli.demo.workload import DATABASE, connect

__all__ = ["MODES", "Measure", "installed", "measures"]

MODES = ("stock", "goanna")
_ADDRESS = ("127.0.0.1", 27017)
_COMMAND = {"find": "orders", "filter": {"customer": "Ada"}, "limit": 10, "lsid": {"id": 1}, "$db": DATABASE}
_REPLY = {"cursor": {"id": 0, "ns": f"{DATABASE}.orders", "firstBatch": []}, "ok": 1.0}
_DURATION = timedelta(microseconds=250)
_READS = 10
_WARMING = 80
"""Calls that don't count. After a method has been exchanged the driver's own code around it is specialised anew."""

_Loop = Callable[[range], object]


@dataclass(frozen=True)
class Measure:
    """One thing measured: nanoseconds by mode, the best of all rounds."""

    group: str
    name: str
    nanoseconds: dict[str, float]

    @property
    def ratio(self) -> float:
        """How many times faster it is with goanna."""
        return self.nanoseconds["stock"] / self.nanoseconds["goanna"]


@dataclass(frozen=True)
class _Job:
    """Something to measure: ``make`` returns the loop, which does it ``each`` times per number of the range."""

    group: str
    name: str
    make: Callable[[], _Loop]
    calls: int
    each: int = 1


@contextlib.contextmanager
def installed(mode: str) -> Iterator[None]:
    """Have PyMongo publish its own way ("stock") or through goanna; leave it as it came, which is stock."""
    if mode == "goanna":
        goanna.install()
    else:
        goanna.uninstall()
    try:
        yield
    finally:
        goanna.uninstall()


def _listener(number: int) -> monitoring.CommandListener:
    """Return a listener that does nothing, of a class of its own."""

    def nothing(self: object, event: object) -> None:
        pass

    methods = {"started": nothing, "succeeded": nothing, "failed": nothing}
    made: monitoring.CommandListener = type(f"Listener{number}", (monitoring.CommandListener,), methods)()
    return made


def _fresh(loop: Callable[..., object], *first: Any) -> _Loop:
    """Return the loop over code that the interpreter has not yet specialised for the other mode."""
    assert isinstance(loop, FunctionType)
    made = FunctionType(loop.__code__.replace(), loop.__globals__)
    return partial(made, *first)


# The loops call what they measure as the driver does: looked up on the listeners each time.
def _start(listeners: Any, numbers: range) -> None:
    for number in numbers:
        listeners.publish_command_start(_COMMAND, DATABASE, number, _ADDRESS, 1, number, service_id=None)


def _success(listeners: Any, numbers: range) -> None:
    for number in numbers:
        listeners.publish_command_success(
            _DURATION, _REPLY, "find", number, _ADDRESS, 1, number, service_id=None, database_name=DATABASE
        )


def _ping(database: Any, numbers: range) -> None:
    for _ in numbers:
        database.command("ping")


def _find(database: Any, numbers: range) -> None:
    orders = database["orders"]
    for _ in numbers:
        orders.find_one({"_id": 1})


def _reader(event: object, field: str) -> _Loop:
    """Return a loop that reads one field and nothing else."""
    reads = "; ".join([f"event.{field}"] * _READS)
    namespace: dict[str, Any] = {}
    exec(f"def read(event, numbers):\n    for _ in numbers: {reads}", namespace)
    return _fresh(namespace["read"], event)


def _jobs(uri: str, clients: contextlib.ExitStack) -> Iterator[_Job]:
    """Yield all that is measured; the clients stay open as long as the stack."""
    group = "one publish"
    for count in (1, 10):
        listeners = monitoring._EventListeners([_listener(number) for number in range(count)])
        for name, loop in (("publish_command_start", _start), ("publish_command_success", _success)):
            said = f"{name}, {count} listener{'s' if count > 1 else ''}"
            yield _Job(group, said, partial(_fresh, loop, listeners), 5_000)
    started = monitoring.CommandStartedEvent(_COMMAND, DATABASE, 1, _ADDRESS, 1)
    succeeded = monitoring.CommandSucceededEvent(_DURATION, _REPLY, "find", 1, _ADDRESS, 1)
    for event, field in ((started, "command_name"), (started, "database_name"), (succeeded, "duration_micros")):
        said = f"{type(event).__name__}.{field}"
        yield _Job("one read of a field", said, partial(_reader, event, field), 2_000, _READS)
    client = connect(uri, _listener(0))
    clients.callback(client.close)
    database = client[DATABASE]
    yield _Job("one command over the wire, 1 listener", "ping", partial(_fresh, _ping, database), 200)
    yield _Job("one command over the wire, 1 listener", "find_one", partial(_fresh, _find, database), 150)


def measures(uri: str, rounds: int, progress: Callable[[range], Iterable[int]] = iter) -> list[Measure]:
    """Measure everything in both modes, ``rounds`` times in turn, and return the best of each."""
    with contextlib.ExitStack() as clients:
        jobs = list(_jobs(uri, clients))
        best = [dict.fromkeys(MODES, float("inf")) for _ in jobs]
        for number in progress(range(rounds)):
            # Whichever goes first has the colder caches, so they take turns in that, too.
            for mode in MODES if number % 2 else reversed(MODES):
                with installed(mode):
                    for job, found in zip(jobs, best, strict=True):
                        found[mode] = min(found[mode], _time(job))
    return [Measure(job.group, job.name, found) for job, found in zip(jobs, best, strict=True)]


def _time(job: _Job) -> float:
    """Return the nanoseconds of one of what the job does."""
    loop = job.make()
    loop(range(max(job.calls // 10, _WARMING)))
    numbers = range(job.calls)
    enabled = gc.isenabled()
    gc.disable()
    try:
        start = time.perf_counter_ns()
        loop(numbers)
        return (time.perf_counter_ns() - start) / (job.calls * job.each)
    finally:
        if enabled:
            gc.enable()
