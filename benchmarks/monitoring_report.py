"""The tables of the monitoring benchmarks, for the screen and as JSON."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import platform
import statistics
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.commands import CLOCKS, MODES, NOBODY, Turns, share
from benchmarks.goals import Results
from benchmarks.monitored import STOCK, rivals
from benchmarks.monitoring_goals import rated, ratio

WIDTH = 170
"""What the tables need at least."""
_TEXTS = ("listener", "where", "at", "this run")
"""The columns that hold no figures, beside the first of each table."""


def show(results: Results, turns: Turns | None) -> None:
    """Print the tables and the goals."""
    console = Console(width=max(WIDTH, Console().width))
    console.print(_times(results))
    console.print("Best of all rounds; x is how many times faster than stock.\n", highlight=False)
    if turns is not None:
        console.print(_commands(turns))
        console.print(
            "Medians of all rounds. What is left: installed minus no listener over stock minus no listener, and the\n"
            "middle 80 % of what rounds drawn anew from these give.\n",
            highlight=False,
        )
    console.print(_goals(results))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1))
    for number, column in enumerate(columns):
        left = number == 0 or column in _TEXTS
        table.add_column(column, justify="left" if left else "right", no_wrap=True)
    return table


def _times(results: Results) -> Table:
    who = list(rivals())
    table = _table("PyMongo's monitoring, ns", "job", *who)
    for job, times in results.items():
        cells = []
        for one in who:
            if one not in times:
                cells.append("")
            else:
                digits = 1 if times[one].best < 10 else 0
                faster = "" if one == STOCK else f"  x {ratio(results, job, one):.2f}"
                cells.append(f"{times[one].best:,.{digits}f}{faster}")
        table.add_row(job, *cells)
    return table


def _commands(turns: Turns) -> Table:
    table = _table("A ping on a client, µs", "by", "listener", *MODES, "what is left")
    for clock, kinds in turns.items():
        for kind, modes in kinds.items():
            cells = [f"{statistics.median(modes[mode]) / 1000:.1f}" for mode in MODES]
            found = share(turns, clock, kind) if kind != NOBODY else None
            left = f"{found.ratio:.2f} ({found.low:.2f} to {found.high:.2f})" if found else ""
            table.add_row(clock, kind, *cells, left)
    return table


def _goals(results: Results) -> Table:
    table = _table("Goals, times faster than stock", "who", "where", "bound", "aim", "best", "median", "at", "this run")
    for one in rated(results):
        aim = "" if one.goal.aim is None else f"{one.goal.aim:.1f}"
        table.add_row(
            one.goal.who, one.goal.text, f"{one.goal.bound:.1f}", aim, f"{one.best:.2f}", f"{one.median:.2f}",
            one.job, one.verdict,
        )  # fmt: skip
    return table


def as_json(results: Results, turns: Turns | None) -> dict[str, Any]:
    """Return everything as what json.dump takes; times in nanoseconds."""
    commands = {
        clock: {
            kind: {
                "medians": {mode: statistics.median(modes[mode]) for mode in MODES},
                "left": None if kind == NOBODY else dataclasses.asdict(share(turns, clock, kind)),
            }
            for kind, modes in turns[clock].items()
        }
        for clock in (CLOCKS if turns else ())
        if turns
    }
    return {
        "versions": {
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            **{name: importlib.metadata.version(name) for name in ("goanna", "pymongo")},
        },
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count()},
        "results": {
            job: {rival: dataclasses.asdict(one) for rival, one in times.items()} for job, times in results.items()
        },
        "commands": commands,
        "goals": [{**dataclasses.asdict(one), "verdict": one.verdict} for one in rated(results)],
    }
