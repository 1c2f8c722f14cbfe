"""What threads cost each other: a fixed number of publishes, divided among 1, 2 and 4 threads.

``python -m benchmarks contention`` prints the seconds that the whole of it takes and their ratio to one thread. Where
there is no GIL and a processor for each thread, 0.5 and 0.25 would be no contention at all; 1.0 is what a GIL gives.
Rounds are interleaved and the best counts.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from goanna.bench import listeners
from goanna.bench.cores import active, copies
from goanna.bench.loops import Run, loop
from goanna.bench.orders import FIELDS
from goanna.bench.rivals import Goanna

COUNTS = (1, 2, 4)


def returns(self: Any, event: Any) -> Any:
    return event  # a method that does nothing at all would be left out


def jobs(core: ModuleType) -> Iterator[tuple[str, Run]]:
    """Yield a name and what publishes so many times."""
    for count in (1, 3):
        rival = Goanna(core)
        for _ in range(count):
            rival.add(listeners.listener(returns, rival.bases))
        if len(rival.publish.table) != count:
            raise AssertionError("a listener was left out")
        yield f"publish to {count}", loop(rival.publishes, {**FIELDS, **rival.names})
    with active(core.BACKEND):
        ring = importlib.import_module("goanna.core")
    inlet = ring.Ring(1000, lambda: None, lambda *args: None, newest=True).inlet(lambda event: None)
    yield "push into a full ring", loop("push(1)", {"push": inlet})


def bare(times: int) -> None:
    """The floor: a loop that calls a function which nobody else has."""
    loop("nothing(1, 1.0)", {"nothing": lambda number, total: None})(times)


def timed(job: Run, threads: int, total: int) -> float:
    """Return the seconds that ``total`` calls take, divided among so many threads."""
    barrier = threading.Barrier(threads + 1)

    def run() -> None:
        barrier.wait()
        job(total // threads)

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for one in workers:
        one.start()
    start = time.perf_counter()
    barrier.wait()
    for one in workers:
        one.join()
    return time.perf_counter() - start


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks contention", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="few rounds")
    quick = parser.parse_args(arguments).quick
    total, rounds = (8_000, 2) if quick else (200_000, 7)
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    print(f"CPython {sys.version.split()[0]}, GIL {'on' if gil else 'off'}, {os.cpu_count()} processors, {total} calls")
    print(f"{'':<32}" + "".join(f"{count} thread{'s' if count > 1 else ' '}".rjust(18) for count in COUNTS))
    everything: list[tuple[str, Run]] = [("bare call", bare)]
    for name, core in copies().items():
        everything += [(f"{name}: {job}", call) for job, call in jobs(core)]
    best: dict[tuple[str, int], float] = {}
    for _ in range(rounds):
        for name, job in everything:
            for count in COUNTS:
                best[name, count] = min(best.get((name, count), 1e9), timed(job, count, total))
    for name, _ in everything:
        cells = [f"{best[name, count] * 1e3:8.1f} ms {best[name, count] / best[name, 1]:5.2f}" for count in COUNTS]
        print(f"{name:<32}" + "".join(cell.rjust(18) for cell in cells))
    return 0
