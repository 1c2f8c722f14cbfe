"""The goals of the audit benchmarks; they inform and fail nothing."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.audit_jobs import HANDLERS, name
from benchmarks.goals import Results
from benchmarks.tracked import BY_HAND, OWN, STOCK, STRICT


@dataclass(frozen=True)
class Goal:
    """How many times faster than another one a rival must be.

    Args:
        who: the rival that it is about.
        than: the other one.
        job: where.
        bound: how many times, at least.
    """

    who: str
    than: str
    job: str
    bound: float


@dataclass(frozen=True)
class Rating:
    """A goal with the ratios of one run, by best times and by medians."""

    goal: Goal
    best: float
    median: float

    @property
    def verdict(self) -> str:
        return "reached" if self.best >= self.goal.bound else "missed"


_COMPILED = (STRICT["c"], OWN["c"])
_BOUNDS = {0: 4.0, 1: 3.0, 5: 2.0}

GOALS = (
    *[Goal(who, STOCK, name(count), bound) for who in _COMPILED for count, bound in _BOUNDS.items()],
    *[Goal(who, BY_HAND, name(count), 1.0) for who in _COMPILED for count in HANDLERS],
    *[Goal(STRICT["py"], STOCK, name(count), 1.0) for count in HANDLERS],
)


def ratio(results: Results, job: str, who: str, than: str = STOCK, of: str = "best") -> float:
    """Return how many times faster than another one a rival is at a job."""
    get = operator.attrgetter(of)
    return float(get(results[job][than]) / get(results[job][who]))


def rated(results: Results) -> Iterator[Rating]:
    """Yield the goals of the rivals that this interpreter has."""
    for goal in GOALS:
        if goal.who in results[goal.job]:
            best, median = (ratio(results, goal.job, goal.who, goal.than, of) for of in ("best", "median"))
            yield Rating(goal, best, median)
