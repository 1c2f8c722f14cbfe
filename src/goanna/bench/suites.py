"""What ``goanna bench`` measures: groups of jobs, each with its floor, for everything that is installed."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from goanna.bench import deliveries, jobs, listeners, request_jobs
from goanna.bench.driver_calls import CALLS, Call
from goanna.bench.jobs import FLOOR, Job, Work
from goanna.bench.loops import loop
from goanna.bench.orders import STRUCT

LISTENERS = (0, 1, 3, 10, 30)
MONITORED = (("command_start", 1), ("command_start", 10), ("command_success", 1), ("connection_checked_out", 1))
HANDLERS = (1, 5)
DRIVER_FIELD = "read a field of command_start"


@dataclass(frozen=True)
class Group:
    """Jobs that belong together.

    Args:
        name: of the group.
        floor: what the floor of its jobs is, as text.
        jobs: the jobs.
    """

    name: str
    floor: str
    jobs: tuple[Job, ...]


def every() -> Iterator[Group]:
    """Yield the groups, without those of libraries that are not installed."""
    yield Group("Build an event", f"{STRUCT}, built", tuple([jobs.construct(way) for way in jobs.CONSTRUCTIONS]))
    yield Group(
        "Publish an event",
        f"{STRUCT}, built, and bare calls of the listeners from C; for 0 a call that does nothing",
        tuple([jobs.publish(count) for count in LISTENERS]),
    )
    yield Group("Read a field", "a slot of an ordinary class", (jobs.read(),))
    yield Group("Deliver", "a bare call of the listener; for what is not built a call that does nothing",
                tuple(deliveries.every()))  # fmt: skip
    yield _monitoring()
    yield _driver_fields()
    if importlib.util.find_spec("dbally") is not None:
        from goanna.bench import audit_jobs

        yield Group(
            "Track an event of db-ally",
            "making and awaiting the handlers' coroutines",
            tuple([audit_jobs.track(count) for count in HANDLERS]),
        )
    yield Group("Log a request of boto 2", "a hook that does nothing", tuple(request_jobs.every()))


def _monitoring() -> Group:
    """Return the group of PyMongo's own monitoring, stock and installed."""
    from goanna.bench import monitoring_jobs

    found = []
    for call, count in MONITORED:
        job = monitoring_jobs.publish(call, count)
        works: dict[str, Callable[[], Work]] = {FLOOR: partial(_calls, CALLS[call], count), **job.works}
        found.append(replace(job, works=works))
    return Group("PyMongo's monitoring", "a call that does nothing, and bare calls of the listeners", tuple(found))


def _driver_fields() -> Group:
    """Return the group of reading what PyMongo's monitoring publishes."""
    from goanna.bench import monitoring_jobs

    slot = jobs.read().works[FLOOR]
    read, read_six = monitoring_jobs.read(), monitoring_jobs.read_six()
    return Group(
        "Read fields of PyMongo's events",
        "a slot of an ordinary class; for what is published and read a call that does nothing, and a bare call",
        (
            Job(DRIVER_FIELD, {FLOOR: slot, **read.works}),
            Job(read_six.name, {FLOOR: partial(_calls, CALLS["command_start"], 1), **read_six.works}),
        ),
    )


def _calls(call: Call, count: int) -> Work:
    """Return a call that does nothing with the arguments, and the calls of the listeners."""
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
