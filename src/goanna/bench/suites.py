"""What ``goanna bench`` measures: groups of jobs, each with its floor, for everything that is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from goanna.bench import deliveries, jobs, monitoring_jobs, request_jobs
from goanna.bench.document import Section
from goanna.bench.jobs import Job
from goanna.bench.measure import turns
from goanna.bench.orders import STRUCT

MONITORED = (("command_start", 1), ("command_start", 10), ("command_success", 1), ("connection_checked_out", 1))
HANDLERS = (1, 5)
DELIVERED = "a bare call of the listener; for what is not built a call that does nothing"


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
    yield from events()
    yield Group("Deliver", DELIVERED, tuple(deliveries.every()))
    yield monitoring(*[monitoring_jobs.publish(call, count) for call, count in MONITORED])
    yield fields()
    if importlib.util.find_spec("dbally") is not None:
        from goanna.bench import audit_jobs

        yield audit(*[audit_jobs.track(count) for count in HANDLERS])
    yield Group("Log a request of boto 2", request_jobs.FLOORED, tuple(request_jobs.every()))


def events() -> Iterator[Group]:
    """Yield the groups of events of one's own."""
    yield Group("Build an event", f"{STRUCT}, built", tuple([jobs.construct(way) for way in jobs.CONSTRUCTIONS]))
    yield Group(
        "Publish an event",
        f"{STRUCT}, built, and bare calls of the listeners from C; for 0 a call that does nothing",
        tuple([jobs.publish(count) for count in jobs.LISTENERS]),
    )
    yield Group("Read a field", "a slot of an ordinary class", (jobs.read(),))


def monitoring(*published: Job) -> Group:
    """Return a group of PyMongo's own monitoring, stock and installed."""
    return Group("PyMongo's monitoring", "a call that does nothing, and bare calls of the listeners", published)


def fields() -> Group:
    """Return the group of reading what PyMongo's monitoring publishes."""
    return Group(
        "Read fields of PyMongo's events",
        "a slot of an ordinary class; for what is published and read a call that does nothing, and a bare call",
        (monitoring_jobs.read(), monitoring_jobs.read_six()),
    )


def audit(*tracked: Job) -> Group:
    """Return a group of db-ally's tracker."""
    return Group("Track an event of db-ally", "making and awaiting the handlers' coroutines", tracked)


def measured(groups: Sequence[Group], rounds: Iterable[int]) -> list[Section]:
    """Measure the jobs of the groups, in turns."""
    timed = turns([job for group in groups for job in group.jobs], rounds)
    return [
        Section(
            group.name,
            group.floor,
            {job.name: {rival: one.costs() for rival, one in timed[job.name].items()} for job in group.jobs},
        )
        for group in groups
    ]
