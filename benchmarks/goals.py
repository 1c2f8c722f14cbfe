"""The goals that goanna has set itself, as ratios within one run; they inform and fail nothing."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks import delivery, threads
from benchmarks.delivery import COMMANDS, PYTHON_NOTHING, QUEUE, SIMPLE_QUEUE, STOCK_TEST
from goanna.bench import monitored
from goanna.bench.cores import NAMES
from goanna.bench.driver_calls import CALLS
from goanna.bench.figures import FLOOR, Figure
from goanna.bench.monitoring_jobs import COUNTED, EMPTY, LISTENERS, OTHERS, READ, READ_SIX, name
from goanna.bench.request_hooks import ORIGINAL
from goanna.bench.rivals import PURE_PYTHON

Results = Mapping[str, Mapping[str, Figure]]
"""Figures by job and rival."""

COMPILED, PURE = NAMES["c"], NAMES["py"]


@dataclass(frozen=True)
class Goal:
    """A ratio and its bound.

    Args:
        text: what it is about.
        who: the rival that it is about.
        than: with whom that one is compared; the fastest of them counts.
        jobs: the jobs in each of which it must be reached.
        bound: how many times what ``who`` costs the other must cost, at least.
        at_most: whether it is what ``who`` may cost relative to the other, at most, instead.
        aim: what the ratio should be.
        by: the times that decide.
    """

    text: str
    who: str
    than: tuple[str, ...]
    jobs: tuple[str, ...]
    bound: float
    at_most: bool = False
    aim: float | None = None
    by: tuple[str, ...] = ("best",)

    def ratio(self, results: Results, job: str, of: str) -> float:
        get = operator.attrgetter(of)  # "best" or "median"
        mine = float(get(results[job][self.who]))
        theirs = min(float(get(results[job][one])) for one in self.than if one in results[job])
        return mine / theirs if self.at_most else theirs / mine

    def furthest(self, results: Results) -> str:
        """Return the job in which it is furthest from being reached."""
        worst = max if self.at_most else min
        return worst(self.jobs, key=lambda job: self.ratio(results, job, self.by[0]))

    def reached(self, ratio: float, bound: float) -> bool:
        return ratio <= bound if self.at_most else ratio >= bound


@dataclass(frozen=True)
class Rating:
    """A goal with the ratios of the job in which it is furthest from being reached, by best times and by medians."""

    goal: Goal
    job: str
    best: float
    median: float

    @property
    def verdict(self) -> str:
        found = [getattr(self, one) for one in self.goal.by]
        if not all(self.goal.reached(one, self.goal.bound) for one in found):
            return "missed"
        aimed = self.goal.aim is None or all(self.goal.reached(one, self.goal.aim) for one in found)
        return "reached" if aimed else "reached, not aim"

    def as_json(self) -> dict[str, Any]:
        """Return it as what json.dump takes."""
        found = {"job": self.job, "best": self.best, "median": self.median, "verdict": self.verdict}
        return {**dataclasses.asdict(self.goal), **found}


def rated(results: Results) -> Iterator[Rating]:
    """Yield the goals of what was measured here."""
    for goal in (*EVENTS, *MONITORING, *AUDIT, *DELIVERY, REQUESTLOG):
        there = [results.get(job, {}) for job in goal.jobs]
        if all(goal.who in one and one.keys() & set(goal.than) for one in there):
            job = goal.furthest(results)
            yield Rating(goal, job, goal.ratio(results, job, "best"), goal.ratio(results, job, "median"))


def _event(text: str, job: str, who: str, than: tuple[str, ...], bound: float) -> Goal:
    return Goal(text, who, than, (job,), bound, at_most=than == (FLOOR,))


_FAST = ("psygnal emit_fast",)
EVENTS = (
    _event("1 listener", "publish to 1", COMPILED, (FLOOR,), 1.4),
    _event("1 listener", "publish to 1", COMPILED, _FAST, 3.5),
    _event("10 listeners", "publish to 10", COMPILED, (FLOOR,), 1.35),
    _event("10 listeners", "publish to 10", COMPILED, _FAST, 4.0),
    _event("nobody listens", "publish to 0", COMPILED, (FLOOR,), 1.3),
    _event("read a field", "read a field", COMPILED, (FLOOR,), 1.5),
    _event("1 listener, rivals in Python", "publish to 1", PURE, tuple(PURE_PYTHON), 1.0),
    _event("10 listeners, rivals in Python", "publish to 10", PURE, tuple(PURE_PYTHON), 1.0),
)


def _to(count: int, calls: tuple[str, ...] = COMMANDS) -> tuple[str, ...]:
    return tuple([name(call, count) for call in calls])


def _monitored(text: str, who: str, jobs: tuple[str, ...], bound: float, aim: float | None = None) -> Goal:
    return Goal(text, who, (monitored.STOCK,), jobs, bound, aim=aim)


_EVERY_OTHER = tuple([call for call in CALLS if not call.startswith(("command_", "topology_"))])
"""Pool, server and heartbeat events; those of topologies have no goal."""
_EMPTY = tuple([name("command_start", count, " empty") for count in EMPTY])
_PURE = (
    *_to(1, tuple([call for call in CALLS if call in monitored.replaced("py")])),  # the others are stock there, too
    *(name(call, count) for call in COUNTED for count in LISTENERS if count > 1),
    *_EMPTY,
    READ_SIX,
)
MONITORING = (
    _monitored("start and success, 1 listener", monitored.COMPILED, _to(1), 5.0, 6.5),
    _monitored("start and success, 10 listeners", monitored.COMPILED, _to(10), 2.4, 2.8),
    _monitored("the three of other kinds, 1 listener", monitored.COMPILED, _to(1, OTHERS), 2.5),
    _monitored("every one of other kinds, 1 listener", monitored.COMPILED, _to(1, _EVERY_OTHER), 2.5),
    _monitored("start and success, 1 listener", monitored.REGISTRATION, _to(1), 6.5),
    _monitored("start and success, 10 listeners", monitored.REGISTRATION, _to(10), 2.8),
    _monitored("start, empty methods", monitored.REGISTRATION, _EMPTY, 12.0),
    _monitored("start and success, 1 listener", monitored.OWN, _to(1), 6.0),
    _monitored("start and success, 10 listeners", monitored.OWN, _to(10), 2.6),
    _monitored("read a field", monitored.COMPILED, (READ,), 5.0),
    _monitored("start and success, 1 listener", monitored.PURE, _to(1), 1.5),
    _monitored("all that it replaces", monitored.PURE, _PURE, 1.0),
)


def _audit() -> Iterator[Goal]:
    spans = {count: (f"track_event, {count} handler{'' if count == 1 else 's'}",) for count in (0, 1, 5, 10)}
    for who in ("strict, compiled", "guaranteed, compiled"):
        for count, bound in {0: 4.0, 1: 3.0, 5: 2.0}.items():
            yield Goal("a span", who, ("stock",), spans[count], bound)
        for jobs in spans.values():
            yield Goal("a span", who, ("by hand",), jobs, 1.0)
    for jobs in spans.values():
        yield Goal("a span", "strict, pure", ("stock",), jobs, 1.0)


AUDIT = tuple(_audit())


def _delivery() -> Iterator[Goal]:
    for call in COMMANDS:
        job = (delivery.queue_job(call),)
        yield Goal("queue", COMPILED, (QUEUE,), job, 8.0)
        yield Goal("queue", COMPILED, (SIMPLE_QUEUE,), job, 4.0)
        yield Goal("queue, relative to a no-op listener", COMPILED, (FLOOR,), job, 1.6, at_most=True)
    burst = (threads.loop_job(1000, "processor"),)
    yield Goal("on_loop", COMPILED, (threads.SOON,), burst, 20.0)
    yield Goal("on_loop", COMPILED, (threads.CALLBACK,), burst, 30.0)
    job = (delivery.filter_job("positional"),)
    yield Goal("filtered out, relative to a no-op in C", COMPILED, (FLOOR,), job, 1.5, at_most=True)
    yield Goal("filtered out, relative to a no-op in Python", COMPILED, (PYTHON_NOTHING,), job, 1.5, at_most=True)
    job = (delivery.filter_job("keyword"),)
    yield Goal("filtered out, relative to a no-op in Python", COMPILED, (FLOOR,), job, 1.5, at_most=True)
    for call in COMMANDS:
        yield Goal("filtered out, below a stock test", COMPILED, (STOCK_TEST,), (delivery.filter_job(call),), 10.0)
    for who in (COMPILED, PURE):
        for overflow in threads.OVERFLOWS:
            job = (threads.overload_job(who, overflow, "processor"),)
            yield Goal("overload, relative to none", who, (FLOOR,), job, 2.0, at_most=True, by=("median",))


DELIVERY = tuple(_delivery())

REQUESTLOG = Goal(
    "the thread of the request", COMPILED, (ORIGINAL,), ("handle_request_data, burst",), 10.0, by=("best", "median")
)
