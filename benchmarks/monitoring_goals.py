"""The goals of the monitoring benchmarks: how many times faster than stock, at least; they inform and fail nothing."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.driver_calls import CALLS
from benchmarks.goals import Results
from benchmarks.monitored import COMPILED, OWN, PURE, REGISTRATION, STOCK, replaced
from benchmarks.monitoring_jobs import COUNTED, EMPTY, LISTENERS, OTHERS, READ, READ_SIX, name

_COMMANDS = ("command_start", "command_success")


@dataclass(frozen=True)
class Goal:
    """A bound, and the jobs in each of which it must be reached.

    Args:
        text: where.
        who: the rival that it is about.
        jobs: the jobs; the worst one decides.
        bound: how many times faster than stock ``who`` must be.
        aim: how many times faster it should be.
    """

    text: str
    who: str
    jobs: tuple[str, ...]
    bound: float
    aim: float | None = None


@dataclass(frozen=True)
class Rating:
    """A goal with the ratios of the job in which it is furthest from being reached, by best times and by medians."""

    goal: Goal
    job: str
    best: float
    median: float

    @property
    def verdict(self) -> str:
        if self.best < self.goal.bound:
            return "missed"
        return "reached" if self.goal.aim is None or self.best >= self.goal.aim else "reached, not aim"


def _to(count: int, calls: tuple[str, ...] = _COMMANDS) -> tuple[str, ...]:
    return tuple([name(call, count) for call in calls])


_EVERY_OTHER = tuple([call for call in CALLS if not call.startswith(("command_", "topology_"))])
"""Pool, server and heartbeat events; those of topologies have no goal."""
_EMPTY = tuple([name("command_start", count, " empty") for count in EMPTY])
_PURE = (
    *_to(1, tuple([call for call in CALLS if call in replaced("py")])),  # the others are stock there, too
    *(name(call, count) for call in COUNTED for count in LISTENERS if count > 1),
    *_EMPTY,
    READ_SIX,
)

GOALS = (
    Goal("start and success, 1 listener", COMPILED, _to(1), 5.0, 6.5),
    Goal("start and success, 10 listeners", COMPILED, _to(10), 2.4, 2.8),
    Goal("the three of other kinds, 1 listener", COMPILED, _to(1, OTHERS), 2.5),
    Goal("every one of other kinds, 1 listener", COMPILED, _to(1, _EVERY_OTHER), 2.5),
    Goal("start and success, 1 listener", REGISTRATION, _to(1), 6.5),
    Goal("start and success, 10 listeners", REGISTRATION, _to(10), 2.8),
    Goal("start, empty methods", REGISTRATION, _EMPTY, 12.0),
    Goal("start and success, 1 listener", OWN, _to(1), 6.0),
    Goal("start and success, 10 listeners", OWN, _to(10), 2.6),
    Goal("read a field", COMPILED, (READ,), 5.0),
    Goal("start and success, 1 listener", PURE, _to(1), 1.5),
    Goal("all that it replaces", PURE, _PURE, 1.0),
)


def ratio(results: Results, job: str, who: str, of: str = "best") -> float:
    """Return how many times faster than stock a rival is at a job."""
    get = operator.attrgetter(of)
    return float(get(results[job][STOCK]) / get(results[job][who]))


def rated(results: Results) -> Iterator[Rating]:
    """Yield the goals of the rivals that this interpreter has."""
    for goal in GOALS:
        if goal.who in results[goal.jobs[0]]:
            worst = min(goal.jobs, key=lambda job: ratio(results, job, goal.who))
            yield Rating(goal, worst, ratio(results, worst, goal.who), ratio(results, worst, goal.who, "median"))
