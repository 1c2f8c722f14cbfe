"""The tables of one run, for the screen and as JSON."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import operator
import os
import platform
from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks._cores import NAMES
from benchmarks.goals import COMPILED, GOALS, Results
from benchmarks.jobs import FLOOR
from benchmarks.rivals import OTHERS, PLAIN

PACKAGES = ("goanna", "psygnal", "blinker", "pluggy", "pyee", "botocore", "msgspec")
WIDTH = 144
"""What the tables need at least; a narrower terminal shows their lines broken rather than their figures cut."""


def versions() -> dict[str, str]:
    """Return what was measured with what."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return {"python": python, **{name: importlib.metadata.version(name) for name in PACKAGES}}


def show(results: Results) -> None:
    """Print the tables and the goals."""
    console = Console(width=max(WIDTH, Console().width))
    dispatch = {job: times for job, times in results.items() if any(one in OTHERS for one in times)}
    console.print(_table("Events, ns", {job: results[job] for job in results if job not in dispatch}))
    console.print(_table("Dispatch, ns", dispatch))
    console.print(
        "Best of all rounds. x floor: goanna compiled relative to the floor, made of the fastest parts that can be\n"
        "had without goanna; below 1 goanna's own parts are faster. x rival: the fastest rival relative to goanna\n"
        "compiled; below 1 goanna loses.\n"
        "* plain loop: no isolation of errors, no counting, no registration; not counted as a rival.",
        highlight=False,
    )
    console.print(_goals(results))
    console.print(", ".join(f"{name} {version}" for name, version in versions().items()), highlight=False)


def _table(title: str, results: Results) -> Table:
    known = [FLOOR, *NAMES.values()]
    rivals = list(dict.fromkeys(one for times in results.values() for one in times if one not in known))
    columns = [one for one in [*known, *rivals] if any(one in times for times in results.values())]
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("job", no_wrap=True)
    for column in columns:
        shown = f"{column} *" if column == PLAIN else column
        table.add_column(shown.replace(" ", "\n", 1), justify="right", no_wrap=True)
    for column in ("x\nfloor", "x\nrival"):
        table.add_column(column, justify="right", no_wrap=True)
    for job, times in results.items():
        cells = [_number(times[one].best) if one in times else "" for one in columns]
        mine, fastest = times.get(COMPILED), [times[one].best for one in rivals if one in times and one != PLAIN]
        ratios = [mine.best / times[FLOOR].best, min(fastest) / mine.best] if mine else []
        table.add_row(job, *cells, *(f"{ratio:.2f}" for ratio in ratios))
    return table


def _number(nanoseconds: float) -> str:
    return f"{nanoseconds:,.1f}" if nanoseconds < 10 else f"{nanoseconds:,.0f}"


def _goals(results: Results) -> Table:
    table = Table(title="Goals", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1))
    for column in ("goal", "bound", "best", "median", "this run"):
        table.add_column(column, justify="left" if column == "goal" else "right")
    for one in rated(results):
        table.add_row(
            one["goal"], f"{one['bound']:.2f}", f"{one['best']:.2f}", f"{one['median']:.2f}",
            "reached" if one["reached"] else "missed",
        )  # fmt: skip
    return table


def rated(results: Results) -> Iterable[dict[str, Any]]:
    """Yield the goals with their ratios by the best and by the median times; the best decide."""
    for goal in GOALS:
        best = goal.ratio(results, operator.attrgetter("best"))
        median = goal.ratio(results, operator.attrgetter("median"))
        if best is not None:
            yield {
                "goal": goal.text,
                "bound": goal.bound,
                "best": best,
                "median": median,
                "reached": goal.reached(best),
            }


def as_json(results: Results, rounds: int) -> dict[str, Any]:
    """Return everything as what json.dump takes; times in nanoseconds per call."""
    return {
        "versions": versions(),
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count()},
        "rounds": rounds,
        "results": {
            job: {rival: dataclasses.asdict(one) for rival, one in times.items()} for job, times in results.items()
        },
        "goals": list(rated(results)),
    }
