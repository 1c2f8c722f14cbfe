"""``python -m benchmarks.requestlog``: what request logs cost, boto's own and goanna's, in one process."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import os
import platform
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.boto_calls import IDLE, LOGGER, NOBODY, Call, measure_calls
from benchmarks.boto_hooks import Cost, measure_hooks
from goanna.bench.request_hooks import COMPILED, NOTHING, ORIGINAL

ROUNDS, QUICK_ROUNDS = 400, 20
FLOODS, QUICK_FLOODS = 5, 1
CALL_ROUNDS, QUICK_CALL_ROUNDS = 200, 5

GOAL = 10.0
"""How many times less than boto's logger ours is to cost the thread of the request."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.requestlog", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it works, and little more")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    options = parser.parse_args()
    hooks = measure_hooks(*((QUICK_ROUNDS, QUICK_FLOODS) if options.quick else (ROUNDS, FLOODS)))
    calls = measure_calls(QUICK_CALL_ROUNDS if options.quick else CALL_ROUNDS)
    console = Console(width=max(110, Console().width))
    console.print(hooks_table(hooks))
    console.print(
        "A burst fits into boto's queue, which is empty before. A flood does not, is over when every line is written,\n"
        "and drops none.\n"
        "x is how many times less than boto's logger.\n",
        highlight=False,
    )
    console.print(verdict(hooks), highlight=False)
    console.print()
    console.print(calls_table(calls))
    console.print(
        "Processor time of the calling thread; added to the mean of the two clients with nothing attached, the\n"
        "median of the rounds. How much those two differ is how wrong it may be.",
        highlight=False,
    )
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(hooks, calls), indent=1) + "\n")


def ratio(hooks: dict[str, Cost], name: str, what: str = "burst", of: str = "best") -> float | None:
    """Return how many times less than boto's logger a hook costs; None where there is no boto."""
    if ORIGINAL not in hooks:
        return None
    times = {one: float(getattr(getattr(hooks[one], what), of)) for one in (ORIGINAL, name)}
    return times[ORIGINAL] / times[name]


def verdict(hooks: dict[str, Cost]) -> str:
    """Return what became of the goal."""
    if COMPILED not in hooks or ORIGINAL not in hooks:
        return "No verdict: it takes the compiled core, and a Python that boto 2 imports on (3.11)."
    best, median = (ratio(hooks, COMPILED, of=of) or 0.0 for of in ("best", "median"))
    reached = "reached" if min(best, median) >= GOAL else "missed"
    return f"Goal, {GOAL:.0f} times less than boto's logger in a burst: {best:.1f} best, {median:.1f} median: {reached}"


def hooks_table(hooks: dict[str, Cost]) -> Table:
    """Return the table of what hooks cost."""
    table = _table("A hook on boto 2, ns per call", "hook", "burst, best", "x", "median", "x", "flood, median", "x")
    for name, cost in hooks.items():
        cells = []
        for what, of in (("burst", "best"), ("burst", "median"), ("flood", "median")):
            times = ratio(hooks, name, what, of)
            cells += [
                f"{getattr(getattr(cost, what), of):,.0f}",
                "" if times is None or name == NOTHING else f"{times:.1f}",
            ]
        table.add_row(name, *cells)
    return table


def calls_table(calls: dict[str, Call]) -> Table:
    """Return the table of what listening adds to a call of boto3."""
    table = _table("describe_volumes of boto3 with a canned answer, µs", "attached", "median", "best", "added", "share")
    bare = calls[NOBODY].median
    for name, one in calls.items():
        table.add_row(name, f"{one.median:.1f}", f"{one.best:.1f}", f"{one.added:.1f}", f"{one.added / bare:.1%}")
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1))
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
    return table


def as_json(hooks: dict[str, Cost], calls: dict[str, Call]) -> dict[str, Any]:
    """Return everything as what json.dump takes."""
    return {
        "versions": {
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            **{name: importlib.metadata.version(name) for name in ("goanna", "boto", "botocore")},
        },
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count()},
        "hooks, ns": {name: dataclasses.asdict(one) for name, one in hooks.items()},
        "calls, µs": {name: dataclasses.asdict(one) for name, one in calls.items()},
        "goal": {"bound": GOAL, "best": ratio(hooks, COMPILED) if COMPILED in hooks else None},
        "share of a call": {name: calls[name].added / calls[NOBODY].median for name in (IDLE, LOGGER) if name in calls},
    }


if __name__ == "__main__":
    main()
