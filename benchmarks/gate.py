"""``python -m benchmarks gate``: ratios below which a run fails, measured again before it does.

Each ratio is of two medians of the same run. A bound leaves room for noise: it is about two thirds of what a quiet run
finds. A ratio passes if it reaches its bound in any of the tries; only those that have not are measured again.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from goanna.bench import deliveries, monitored, orders, request_jobs, rivals, suites
from goanna.bench.cores import NAMES, copies
from goanna.bench.figures import FLOOR, figure
from goanna.bench.jobs import Job
from goanna.bench.measure import turns
from goanna.bench.monitoring_jobs import name as monitoring_name
from goanna.bench.request_hooks import boto

ROUNDS, TRIES = 40, 5
COMPILED, PURE = NAMES["c"], NAMES["py"]


@dataclass(frozen=True)
class Bound:
    """How many times what ``who`` costs ``than`` must cost, at least, in a job."""

    job: str
    who: str
    than: str
    least: float

    def __str__(self) -> str:
        return f"{self.job}: {self.than} / {self.who}"


def _start(count: int) -> str:
    return monitoring_name("command_start", count)


_CHECKED_OUT = monitoring_name("connection_checked_out", 1)

# From 3.12 on dicts have no number that changes when they do, so that the compiled publishers look names up again.
_NUMBERED = sys.version_info < (3, 12)

BOUNDS = (
    Bound("construct, positional", COMPILED, FLOOR, 0.60),
    Bound("publish to 0", COMPILED, FLOOR, 0.55),
    Bound("publish to 1", COMPILED, FLOOR, 0.75),
    Bound("publish to 10", COMPILED, FLOOR, 0.70),
    Bound("publish to 1", COMPILED, "psygnal emit_fast", 3.0),
    Bound("publish to 10", COMPILED, "psygnal emit_fast", 3.0),
    Bound("publish to 1", PURE, "botocore", 1.7),
    Bound("publish to 10", PURE, "pyee", 2.0),
    Bound("read a field", COMPILED, FLOOR, 0.60),
    Bound(deliveries.QUEUED, COMPILED, FLOOR, 0.65),
    Bound(deliveries.QUEUED, COMPILED, deliveries.SIMPLE_QUEUE, 0.45),
    Bound(deliveries.ON_LOOP, COMPILED, deliveries.SOON, 20.0),
    Bound(deliveries.PASSED, COMPILED, FLOOR, 0.25),
    Bound(deliveries.REJECTED, COMPILED, FLOOR, 0.45),
    Bound(deliveries.UNBUILT, COMPILED, FLOOR, 0.40),
    Bound(_start(1), monitored.COMPILED, monitored.STOCK, 3.2 if _NUMBERED else 1.9),
    Bound(_start(10), monitored.COMPILED, monitored.STOCK, 1.8 if _NUMBERED else 1.1),
    Bound(_start(1), monitored.PURE, monitored.STOCK, 1.3),
    Bound(_CHECKED_OUT, monitored.COMPILED, monitored.STOCK, 1.6 if _NUMBERED else 0.95),
    Bound(request_jobs.LOG, COMPILED, "boto's logger", 7.0),
    Bound("track_event, 1 handler", "strict, compiled", "stock", 2.2),
    Bound("track_event, 5 handlers", "guaranteed, compiled", "stock", 1.7),
)


def main(arguments: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(prog="python -m benchmarks gate", description=__doc__).parse_args(arguments)
    if COMPILED not in copies():
        print("The gate is about the compiled core, which can't be loaded; see above.", file=sys.stderr)
        return 2
    missing = [one for one in ("psygnal", "botocore", "pyee") if one not in {name.split()[0] for name in rivals.OTHERS}]
    if missing or orders.StructSent is orders.Sent:
        print(f"The gate needs the group bench: {', '.join(missing) or 'msgspec'} is missing.", file=sys.stderr)
        return 2
    bounds = list(BOUNDS)
    if importlib.util.find_spec("dbally") is None:
        print("db-ally is not installed; its tracker is left out.")
        bounds = [one for one in bounds if not one.job.startswith("track_event")]
    if boto() is None:
        print("boto is not installed, or can't be imported on this Python; its logger is left out.")
        bounds = [one for one in bounds if one.job != request_jobs.LOG]
    with on_one_processor():
        failed = judged(bounds, measured, TRIES)
    for bound, found in failed.items():
        print(f"FAILED  {bound} is {', '.join(f'{one:.2f}' for one in found)}; it must be {bound.least:.2f} at least")
    return int(bool(failed))


@contextlib.contextmanager
def on_one_processor() -> Iterator[None]:
    """Keep the threads that are started within, and this one, on one processor, where the system lets programs choose.

    What is handed from thread to thread costs more where they run on different ones, and where they do is up to the
    system.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


Measured = Callable[[Iterable[Bound]], Mapping[Bound, float]]


def judged(bounds: Sequence[Bound], measure: Measured, tries: int) -> dict[Bound, list[float]]:
    """Return the bounds that were reached in no try, with what was found in each."""
    found: dict[Bound, list[float]] = {bound: [] for bound in bounds}
    left = list(bounds)
    for number in range(1, tries + 1):
        for bound, ratio in measure(left).items():
            found[bound].append(ratio)
            reached = ratio >= bound.least
            print(f"{'ok    ' if reached else 'below '}  {ratio:6.2f} of {bound.least:5.2f}  {bound}  (try {number})")
        left = [bound for bound in left if found[bound][-1] < bound.least]
        if not left:
            break
    return {bound: found[bound] for bound in left}


def measured(bounds: Iterable[Bound]) -> dict[Bound, float]:
    """Return the ratios of one run, in which only those take part whom the bounds are about."""
    there = {job.name: job for group in suites.every() for job in group.jobs}
    wanted: dict[str, set[str]] = {}
    for bound in bounds:
        wanted.setdefault(bound.job, set()).update((bound.who, bound.than))
    chosen = [Job(name, {who: there[name].works[who] for who in sorted(whose)}) for name, whose in wanted.items()]
    timed = turns(chosen, range(ROUNDS))
    medians = {(job, who): figure(one.costs()).median for job, whose in timed.items() for who, one in whose.items()}
    return {bound: medians[bound.job, bound.than] / medians[bound.job, bound.who] for bound in bounds}
