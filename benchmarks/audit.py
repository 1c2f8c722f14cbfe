"""``python -m benchmarks.audit``: db-ally's tracker, one written by hand, and goanna's, in one process."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import platform
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.audit_goals import rated, ratio
from benchmarks.audit_jobs import every
from benchmarks.goals import Results
from benchmarks.jobs import FLOOR
from benchmarks.measure import measure
from benchmarks.tracked import STOCK, rivals

ROUNDS, QUICK_ROUNDS = 300, 8
WIDTH = 150


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it works, and little more")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    options = parser.parse_args()
    results = measure(every(), QUICK_ROUNDS if options.quick else ROUNDS)
    show(results)
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(results), indent=1) + "\n")


def show(results: Results) -> None:
    """Print the tables."""
    console = Console(width=max(WIDTH, Console().width))
    who = [FLOOR, *rivals()]
    table = Table(title="A span, ns", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1))
    for column in ("job", *who):
        table.add_column(column, justify="left" if column == "job" else "right", no_wrap=True)
    for job, times in results.items():
        cells = []
        for one in who:
            faster = "" if one in (FLOOR, STOCK) else f"  x {ratio(results, job, one):.2f}"
            cells.append(f"{times[one].best:,.0f}{faster}")
        table.add_row(job, *cells)
    console.print(table)
    console.print(
        "Best of all rounds; x is how many times faster than stock. The floor is making and awaiting the handlers'\n"
        "coroutines, and nothing else.\n",
        highlight=False,
    )
    table = Table(title="Goals", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1))
    for column in ("who", "times faster than", "where", "bound", "best", "median", "this run"):
        table.add_column(column, justify="right" if column in ("bound", "best", "median") else "left")
    for rating in rated(results):
        goal = rating.goal
        figures = f"{goal.bound:.1f}", f"{rating.best:.2f}", f"{rating.median:.2f}"
        table.add_row(goal.who, goal.than, goal.job, *figures, rating.verdict)
    console.print(table)


def as_json(results: Results) -> dict[str, Any]:
    """Return everything as what json.dump takes; times in nanoseconds."""
    return {
        "versions": {
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            **{name: importlib.metadata.version(name) for name in ("goanna", "dbally")},
        },
        "results": {
            job: {rival: dataclasses.asdict(one) for rival, one in times.items()} for job, times in results.items()
        },
        "goals": [{**dataclasses.asdict(one), "verdict": one.verdict} for one in rated(results)],
    }


if __name__ == "__main__":
    main()
