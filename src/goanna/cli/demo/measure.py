"""What PyMongo's monitoring costs, stock and installed, measured in one process in rounds that take turns."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from pymongo import monitoring

import goanna
from goanna.bench.driver_calls import CALLS
from goanna.bench.listeners import empty, listener
from goanna.bench.loops import UNROLL, Run, loop
from goanna.cli.demo.workload import DATABASE, connect

__all__ = ["MODES", "Measure", "installed", "measures"]

MODES = ("stock", "goanna")
_ADDRESS = ("127.0.0.1", 27017)
_COMMAND = {"find": "orders", "filter": {"customer": "Ada"}, "limit": 10, "lsid": {"id": 1}, "$db": DATABASE}
_REPLY = {"cursor": {"id": 0, "ns": f"{DATABASE}.orders", "firstBatch": []}, "ok": 1.0}
_DURATION = timedelta(microseconds=250)
_WARMING = 80
"""Calls that don't count. After a method has been exchanged the driver's own code around it is specialised anew."""


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
    """Something to measure: ``make`` returns a loop that the interpreter has not yet specialised for the other mode."""

    group: str
    name: str
    make: Callable[[], Run]
    calls: int


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


def _listener() -> Any:
    """Return a listener that does nothing, of a class of its own."""
    return listener(empty, (monitoring.CommandListener,), ("started", "succeeded", "failed"))


def _jobs(uri: str, clients: contextlib.ExitStack) -> Iterator[_Job]:
    """Yield all that is measured; the clients stay open as long as the stack."""
    group = "one publish"
    for count in (1, 10):
        there = monitoring._EventListeners([_listener() for _ in range(count)])
        for call in (CALLS["command_start"], CALLS["command_success"]):
            said = f"publish_{call.publish}, {count} listener{'s' if count > 1 else ''}"
            yield _Job(group, said, partial(loop, call.statement, {**call.names, "listeners": there}), 5_000)
    started = monitoring.CommandStartedEvent(_COMMAND, DATABASE, 1, _ADDRESS, 1)
    succeeded = monitoring.CommandSucceededEvent(_DURATION, _REPLY, "find", 1, _ADDRESS, 1)
    for event, field in ((started, "command_name"), (started, "database_name"), (succeeded, "duration_micros")):
        said = f"{type(event).__name__}.{field}"
        yield _Job("one read of a field", said, partial(loop, f"event.{field}", {"event": event}, UNROLL), 20_000)
    client = connect(uri, _listener())
    clients.callback(client.close)
    database, group = client[DATABASE], "one command over the wire, 1 listener"
    yield _Job(group, "ping", partial(loop, "database.command('ping')", {"database": database}), 200)
    yield _Job(group, "find_one", partial(loop, "orders.find_one({'_id': 1})", {"orders": database["orders"]}), 150)


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
    run = job.make()
    run(max(job.calls // 10, _WARMING))
    enabled = gc.isenabled()
    gc.disable()
    try:
        start = time.perf_counter_ns()
        run(job.calls)
        return (time.perf_counter_ns() - start) / job.calls
    finally:
        if enabled:
            gc.enable()
