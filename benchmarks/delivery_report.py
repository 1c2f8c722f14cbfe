"""The tables of the delivery benchmarks, for the screen and as JSON."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import platform
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.delivery_bursts import Times as Bursts
from benchmarks.delivery_goals import Costs, rated
from benchmarks.delivery_overload import CLOCKS, Memory
from benchmarks.goals import Results
from benchmarks.jobs import FLOOR

WIDTH = 190
"""What the tables need at least."""
PACKAGES = ("goanna", "pymongo", "tornado", "opentelemetry-sdk", "boto")


@dataclass(frozen=True)
class Figures:
    """All that one run has measured."""

    results: Results
    loops: Bursts
    workers: Bursts
    sustained: dict[str, dict[str, float]]
    events: int
    costs: Costs
    memories: dict[str, dict[str, Memory]]


def show(figures: Figures) -> None:
    """Print the tables and the goals."""
    console = Console(width=max(WIDTH, Console().width))
    for job, times in figures.results.items():
        table = _table(f"{job}, ns", "who", "best", "median", "x floor")
        for name, time in times.items():
            ratio = time.best / times[FLOOR].best
            table.add_row(name, f"{time.best:,.1f}", f"{time.median:,.1f}", f"{ratio:.2f}")
        console.print(table)
    for title, bursts in (("To a loop that runs", figures.loops), ("To a worker that runs", figures.workers)):
        console.print(_bursts(title, bursts))
    console.print("Bursts by their number of events; best, and the median in brackets.\n", highlight=False)
    table = _table(f"Sustained: {figures.events:,} events, thousands per second", "who", *figures.sustained)
    for name in dict.fromkeys(name for rates in figures.sustained.values() for name in rates):
        cells = [f"{rates[name] / 1000:,.0f}" if name in rates else "" for rates in figures.sustained.values()]
        table.add_row(name, *cells)
    console.print(table)
    console.print(_overload(figures))
    table = _table("Goals", "goal", "bound", "best", "median", "this run")
    for one in rated(figures.results, figures.loops, figures.costs):
        bound = f"{'at least' if one.at_least else 'at most'} {one.bound:.1f}"
        reached = "reached" if one.reached else "missed"
        table.add_row(one.text, bound, f"{one.best:.2f}", f"{one.median:.2f}", reached)
    console.print(table)
    console.print(", ".join(f"{name} {version}" for name, version in versions().items()), highlight=False)


def versions() -> dict[str, str]:
    """Return what was measured with what."""
    found = {"python": f"{platform.python_implementation()} {platform.python_version()}"}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1))
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table


def _bursts(title: str, bursts: Bursts) -> Table:
    sizes = list(next(iter(bursts["clock"].values())))
    table = _table(f"{title}, ns per event", "who", *(f"{clock} {size}" for clock in bursts for size in sizes))
    for name in bursts["clock"]:
        times = [bursts[clock][name][size] for clock in bursts for size in sizes]
        table.add_row(name, *(f"{one.best:,.0f} ({one.median:,.0f})" for one in times))
    return table


def _overload(figures: Figures) -> Table:
    clocks = [f"{clock}, {when}" for when in ("calm", "overloaded") for clock in CLOCKS]
    table = _table(
        "Overload, ns and KiB", "core", "overflow", *clocks, "published", "high water", "memory, full", "at most"
    )
    for name, costs in figures.costs.items():
        for overflow, cost in costs.items():
            memory = figures.memories[name][overflow]
            table.add_row(
                name, overflow, *(f"{cost.calm[one]:,.0f}" for one in CLOCKS),
                *(f"{cost.overloaded[one]:,.0f}" for one in CLOCKS), f"{memory.published:,}", f"{memory.high_water:,}",
                f"{memory.full / 1024:,.0f}", f"{memory.peak / 1024:,.0f}",
            )  # fmt: skip
    return table


def as_json(figures: Figures) -> dict[str, Any]:
    """Return everything as what json.dump takes; times in nanoseconds."""
    goals = rated(figures.results, figures.loops, figures.costs)
    return {
        "versions": versions(),
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count()},
        **dataclasses.asdict(figures),
        "goals": [{**dataclasses.asdict(one), "reached": one.reached} for one in goals],
    }
