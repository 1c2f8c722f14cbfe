"""The goals of delivery, as ratios within one run; they inform and fail nothing."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.delivery_bursts import CALLBACK, SOON
from benchmarks.delivery_bursts import Times as Bursts
from benchmarks.delivery_jobs import COMMANDS, PYTHON_NOTHING, STOCK_TEST, filter_command_job, filter_job, queue_job
from benchmarks.delivery_overload import Cost
from benchmarks.delivery_rivals import COMPILED, PURE, QUEUE, SIMPLE_QUEUE
from benchmarks.goals import Results
from benchmarks.jobs import FLOOR
from benchmarks.measure import Time

BURST = 1000
"""The burst that the goals of on_loop are about."""

Costs = dict[str, dict[str, Cost]]
"""By core (rival name) and overflow."""


@dataclass(frozen=True)
class Rating:
    """A goal, and what became of it.

    Args:
        text: what it says.
        at_least: whether more is better.
        bound: the ratio.
        best, median: the ratios by best times and by medians; the first decides.
    """

    text: str
    at_least: bool
    bound: float
    best: float
    median: float

    @property
    def reached(self) -> bool:
        return self.best >= self.bound if self.at_least else self.best <= self.bound


def rated(results: Results, bursts: Bursts, costs: Costs) -> Iterator[Rating]:
    """Yield the goals of the compiled core, where there is one, and that of the pure one."""
    best, median = operator.attrgetter("best"), operator.attrgetter("median")

    def ratio(text: str, at_least: bool, bound: float, above: Time, below: Time) -> Rating:
        return Rating(text, at_least, bound, best(above) / best(below), median(above) / median(below))

    if COMPILED in results[queue_job(COMMANDS[0])]:
        for call in COMMANDS:
            times = results[queue_job(call)]
            yield ratio(f"queue {call}: below {QUEUE}", True, 8.0, times[QUEUE], times[COMPILED])
            yield ratio(f"queue {call}: below {SIMPLE_QUEUE}", True, 4.0, times[SIMPLE_QUEUE], times[COMPILED])
            yield ratio(f"queue {call}: relative to a no-op listener", False, 1.6, times[COMPILED], times[FLOOR])
        loops = bursts["processor"]
        for rival, bound in ((SOON, 20.0), (CALLBACK, 30.0)):
            yield ratio(
                f"on_loop, bursts of {BURST}: below {rival}", True, bound, loops[rival][BURST], loops[COMPILED][BURST]
            )
        times = results[filter_job("positional")]
        yield ratio("filtered out: relative to a no-op in C", False, 1.5, times[COMPILED], times[FLOOR])
        yield ratio("filtered out: relative to a no-op in Python", False, 1.5, times[COMPILED], times[PYTHON_NOTHING])
        times = results[filter_job("keyword")]
        yield ratio(
            "filtered out, by keyword: relative to a no-op in Python", False, 1.5, times[COMPILED], times[FLOOR]
        )
        for call in COMMANDS:
            times = results[filter_command_job(call)]
            yield ratio(f"filtered out, {call}: below a stock test", True, 10.0, times[STOCK_TEST], times[COMPILED])
    for name in (COMPILED, PURE):
        for overflow, cost in costs.get(name, {}).items():
            found = _overload(cost)
            yield Rating(f"overload, {overflow}, {name}: relative to none", False, 2.0, found, found)


def _overload(cost: Cost) -> float:
    return cost.overloaded["processor"] / cost.calm["processor"]
