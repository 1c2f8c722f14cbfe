"""The report of one run: the tables of ``goanna bench``, what else there is to say, and the goals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from benchmarks.delivery import PYTHON_NOTHING
from goanna.bench import terminal
from goanna.bench.document import kind
from goanna.bench.figures import Figure
from goanna.bench.monitored import STOCK
from goanna.bench.request_hooks import ORIGINAL
from goanna.bench.rivals import PLAIN

NO_RIVALS = (PLAIN, PYTHON_NOTHING)
WIDTH = 190
"""What the tables need at least; a narrower terminal shows their lines broken rather than their figures cut."""


def show(content: Mapping[str, Any]) -> None:
    """Print it."""
    console = Console(width=max(WIDTH, Console().width))
    terminal.show(console, content, other)
    console.print(
        "x floor and x other are of the best times. x other: how many times as long stock takes, or boto's logger, or\n"
        f"else the fastest rival; below 1 they are faster. A {PLAIN} has no isolation of errors, no counting and no\n"
        "registration, and is not counted as a rival.",
        highlight=False,
    )
    for one in content["notes"]:
        console.print(escape(one), highlight=False, soft_wrap=True)
    columns = "who", "goal", "than", "at", "bound", "aim", "best", "median", "this run"
    rows = terminal.table(*columns, texts=4, title="Goals")
    for one in content["goals"]:
        bound, aim = f"at {'most' if one['at_most'] else 'least'} {one['bound']:.2f}", one["aim"]
        than = one["than"][0] if len(one["than"]) == 1 else "the fastest other"
        figures = f"{one['best']:.2f}", f"{one['median']:.2f}"
        rows.add_row(one["who"], one["text"], than, one["job"], bound, "" if aim is None else f"{aim:.1f}", *figures,
                     one["verdict"])  # fmt: skip
    console.print(rows)


def show_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Print what changed."""
    terminal.show_changes(Console(), old, new)


def other(costs: Mapping[str, Figure]) -> str | None:
    """Return with whom goanna is compared in a job."""
    for one in (STOCK, ORIGINAL):
        if one in costs:
            return one
    rivals = [one for one in costs if kind(one) == "stock" and one not in NO_RIVALS]
    return min(rivals, key=lambda one: costs[one].best, default=None)
