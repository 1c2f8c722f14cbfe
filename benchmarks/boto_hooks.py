"""What a request log costs the thread of a boto 2 request: ``handle_request_data`` of boto's own logger and of ours.

boto's logger makes the caller wait when 100 lines do, and writes them one by one on a thread that competes with the
caller for the interpreter. So there are two measurements: bursts that fit into that queue, which is empty before, as
it is in a program that does other things, too; and floods, up to the moment when every line has been written.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from benchmarks.loops import Run
from benchmarks.measure import Time
from goanna.bench.request_hooks import BURST, NOTHING, Hook, exchange, makers

FLOOD = 20_000
"""Calls in a flood; more than either queue holds."""


@dataclass
class Turns:
    """Nanoseconds per call, burst by burst and flood by flood."""

    bursts: list[float] = field(default_factory=list)
    floods: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Cost:
    """What a call costs in nanoseconds, in bursts and in floods."""

    burst: Time
    flood: Time


def measure_hooks(rounds: int, floods: int) -> dict[str, Cost]:
    """Return the costs; each rival has a turn in each round."""
    with tempfile.TemporaryDirectory() as folder:
        there = _rivals(folder)
        turns = {name: Turns() for name in there}
        request, response = exchange()
        loops = {name: one.loop(request, response) for name, one in there.items()}
        expected = dict.fromkeys(there, 0)
        gc.collect()
        gc.disable()
        try:
            for number in range(rounds):
                for name in _turned(list(there), number):
                    request.start_time = datetime.now()
                    there[name].drain()
                    turns[name].bursts.append(_time(loops[name], BURST))
                    expected[name] += BURST
                gc.collect()
            for number in range(floods):
                for name in _turned(list(there), number):
                    there[name].drain()
                    turns[name].floods.append(_time(_drained(loops[name], there[name].drain), FLOOD))
                    expected[name] += FLOOD
        finally:
            gc.enable()
        for name, one in there.items():
            one.close()
            assert name == NOTHING or one.count() == expected[name], (name, one.count(), expected[name])
    return {name: Cost(_result(one.bursts), _result(one.floods)) for name, one in turns.items()}


def _rivals(folder: str) -> dict[str, Hook]:
    return {name: make(Path(folder, str(number))) for number, (name, make) in enumerate(makers().items())}


def _turned(names: list[str], number: int) -> list[str]:
    first = number % len(names)
    return names[first:] + names[:first]


def _drained(run: Run, drain: Callable[[], object]) -> Run:
    def both(calls: int) -> None:
        run(calls)
        drain()

    return both


def _time(run: Run, calls: int) -> float:
    start = time.perf_counter_ns()
    run(calls)
    return (time.perf_counter_ns() - start) / calls


def _result(times: list[float]) -> Time:
    return Time(min(times), statistics.median(times))
