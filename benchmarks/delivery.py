"""``python -m benchmarks.delivery``: queues, loops, filters and accounts, in one process."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.delivery_bursts import measure_loops, measure_workers
from benchmarks.delivery_jobs import every
from benchmarks.delivery_overload import OVERFLOWS, measure_cost, measure_memory
from benchmarks.delivery_report import Figures, as_json, show
from benchmarks.delivery_rivals import backends
from benchmarks.delivery_sustained import measure_sustained
from benchmarks.measure import measure


@dataclass(frozen=True)
class Extent:
    """How much of everything."""

    rounds: int = 150
    loop_rounds: int = 150
    worker_rounds: int = 10
    events: int = 1_000_000
    sustained_rounds: int = 3
    chunks: int = 2000
    each: int = 25_000


QUICK = Extent(5, 5, 2, 10_000, 1, 200, 2_500)


def run(extent: Extent) -> Figures:
    """Measure all jobs."""
    return Figures(
        measure(every(), extent.rounds),
        measure_loops(extent.loop_rounds),
        measure_workers(extent.worker_rounds),
        measure_sustained(extent.events, extent.sustained_rounds),
        extent.events,
        {
            name: {one: measure_cost(backend, one, extent.chunks) for one in OVERFLOWS}
            for name, backend in backends().items()
        },
        {
            name: {one: measure_memory(backend, one, extent.each) for one in OVERFLOWS}
            for name, backend in backends().items()
        },
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delivery", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it works, and little more")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    options = parser.parse_args()
    figures = run(QUICK if options.quick else Extent())
    show(figures)
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(figures), indent=1) + "\n")


if __name__ == "__main__":
    main()
