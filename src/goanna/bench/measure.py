"""Interleaved rounds: in each one every rival has a short turn at every job.

So a slow moment of a shared machine hits all rivals of a job, and no job alone.
"""

from __future__ import annotations

import contextlib
import gc
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from goanna.bench.jobs import Job, Work
from goanna.bench.loops import UNROLL, Run

TURN_NS = 500_000
"""How long a turn should take, within the limits of LEAST and MOST repetitions."""
LEAST, MOST = 100, 1000


@dataclass
class Timed:
    """A work under measurement.

    Args:
        work: what is done.
        calls: how often in a turn; 0 has it be what the work says, or else found out.
    """

    work: Work
    calls: int = 0
    turns: list[float] = field(default_factory=list)
    scaffolds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make sure that it works, warm it up, and find out how often a turn should do it."""
        self.work.check()
        self.calls = self.calls or self.work.calls
        if self.calls:
            self.work.run(self.calls)
            self.work.settle()
            return
        self.work.run(LEAST)
        took = min(_time(self.work.run, self.work.clock, LEAST) for _ in range(3))
        self.work.settle()
        self.calls = round(min(max(TURN_NS / took, LEAST), MOST) / UNROLL) * UNROLL

    def turn(self) -> None:
        if 0 < self.work.calls < LEAST:  # too few for the first ones, which find the caches cold, not to count
            self.work.run(self.calls)
            self.work.settle()
        self.turns.append(_time(self.work.run, self.work.clock, self.calls))
        if self.work.scaffold is not None:
            self.scaffolds.append(_time(self.work.scaffold, self.work.clock, self.calls))
        self.work.settle()

    def costs(self) -> list[float]:
        """Return the nanoseconds of a call in each turn, those of the scaffold taken off.

        Of the scaffold it is the median: a turn that was short minus one that was long would be any figure at all.
        """
        scaffold = statistics.median(self.scaffolds) if self.scaffolds else 0.0
        return [turn - scaffold for turn in self.turns]


def turns(jobs: Iterable[Job], rounds: Iterable[int]) -> dict[str, dict[str, Timed]]:
    """Return the works by job and rival, after a turn for each of the numbers of ``rounds``."""
    timed: dict[str, dict[str, Timed]] = {}
    with contextlib.ExitStack() as stack:
        for job in jobs:
            timed[job.name] = {}
            for rival, make in job.works.items():
                work = make()
                stack.callback(work.close)
                timed[job.name][rival] = Timed(work)
        take_turns([list(rivals.values()) for rivals in timed.values()], rounds)
    return timed


def take_turns(groups: Iterable[Sequence[Timed]], rounds: Iterable[int]) -> None:
    """Have each work take a turn for each of the numbers of ``rounds``, beside the others of its group."""
    lists = [list(group) for group in groups]
    gc.collect()
    if hasattr(gc, "freeze"):  # PyPy has none
        gc.freeze()  # what is there now is not what the collection between two turns is for
    gc.disable()
    try:
        for number in rounds:
            for works in lists:
                first = number % len(works)  # it runs in the wake of another job, so it is not always the same one
                for one in works[first:] + works[:first]:
                    one.turn()
            gc.collect()
    finally:
        gc.enable()
        if hasattr(gc, "unfreeze"):
            gc.unfreeze()


def _time(run: Run, clock: Callable[[], int], calls: int) -> float:
    """Return the nanoseconds per call."""
    start = clock()
    run(calls)
    return (clock() - start) / calls
