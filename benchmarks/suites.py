"""What is measured: groups of jobs by suite, with the rounds that each takes, and what is more than a job."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from benchmarks import calls, commands, delivery, goals, threads
from goanna.bench import deliveries, jobs, monitoring_jobs, request_jobs, suites
from goanna.bench.document import Section, document, figures
from goanna.bench.machine import installed
from goanna.bench.request_hooks import BURST
from goanna.bench.suites import Group, measured

BURSTS, FLOODS = "handle_request_data, burst", "handle_request_data, flood"
FLOOD = 20_000
"""Calls in a flood; more than the queue of either request log holds."""


class Batch(NamedTuple):
    """Groups that take their turns in the same rounds."""

    rounds: int
    quick_rounds: int
    groups: tuple[Group, ...]


def events(quick: bool) -> Iterator[Batch]:
    """Yield the jobs of events and dispatchers."""
    nothing = Group("Publish to empty methods", "a call that does nothing", (jobs.publish_to_empty(),))
    changes = tuple([jobs.register(others) for others in jobs.OTHERS_THERE])
    yield Batch(200, 15, (*suites.events(), nothing, Group("Register", "a list's append and remove", changes)))


def monitoring(quick: bool) -> Iterator[Batch]:
    """Yield the jobs of PyMongo's monitoring."""
    yield Batch(200, 8, (suites.monitoring(*monitoring_jobs.every()), suites.fields()))


def audit(quick: bool) -> Iterator[Batch]:
    """Yield the jobs of db-ally's tracker, if it is there."""
    if importlib.util.find_spec("dbally") is None:
        print("db-ally is not installed; its tracker is left out: make dbally", file=sys.stderr)
        return
    from goanna.bench import audit_jobs

    yield Batch(300, 8, (suites.audit(*audit_jobs.every()),))


def requestlog(quick: bool) -> Iterator[Batch]:
    """Yield the jobs of request logs."""
    bursts = request_jobs.hooks(BURSTS, BURST, False)
    yield Batch(400, 20, (Group("A hook on boto 2, in bursts", request_jobs.FLOORED, (bursts,)),))
    floods = request_jobs.hooks(FLOODS, FLOOD, True)
    yield Batch(5, 2, (Group("A hook on boto 2, until every line is written", request_jobs.FLOORED, (floods,)),))
    yield Batch(200, 5, (Group("A call of boto3 with a canned answer", "nothing attached", (calls.describe(),)),))


def delivering(quick: bool) -> Iterator[Batch]:
    """Yield the jobs of queues, loops and filters."""
    deliver = Group("Deliver", suites.DELIVERED, tuple(deliveries.every()))
    yield Batch(150, 5, (deliver, *delivery.groups()))
    yield Batch(150, 5, (threads.loops(),))
    yield Batch(10, 2, (threads.workers(10_000 if quick else threads.RUNNING),))
    yield Batch(3, 2, (threads.sustained(10_000 if quick else 1_000_000),))
    yield Batch(2000, 200, (threads.overload(),))


SUITES: dict[str, Callable[[bool], Iterator[Batch]]] = {
    "events": events,
    "monitoring": monitoring,
    "audit": audit,
    "requestlog": requestlog,
    "delivery": delivering,
}


def run(names: Iterable[str], *, quick: bool) -> dict[str, Any]:
    """Measure suites; return the document, with the goals and with what else there is to say."""
    sections: list[Section] = []
    for name in names:
        for one in SUITES[name](quick):
            sections += measured(one.groups, range(one.quick_rounds if quick else one.rounds))
        if name == "monitoring":
            sections += commands.ping(6 if quick else 300)
    costs = {job: rivals for one in sections for job, rivals in one.costs.items()}
    rounds = [len(turns) for rivals in costs.values() for turns in rivals.values()]
    content = document(sections, rounds[0] if rounds else 0)
    content["versions"] |= installed("tornado", "opentelemetry-sdk")
    notes = [*commands.notes(costs), *calls.notes(costs), *threads.notes(costs)]
    if "delivery" in names:
        notes += threads.memory(2_500 if quick else 25_000)
    return {**content, "notes": notes, "goals": [one.as_json() for one in goals.rated(figures(content))]}
