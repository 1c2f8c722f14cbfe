"""A run of ``goanna bench`` in the terminal: tables, bars, and what changed since another run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from goanna.bench.document import Change, Noise, changes, figures, kind, noise_between
from goanna.bench.figures import FLOOR, Figure

__all__ = ["about", "compared", "duration", "noise", "show", "show_changes", "show_setting", "table", "word"]

Other = Callable[[Mapping[str, Figure]], str | None]

_WIDTH = 40
_COLOURS = {"floor": "cyan", "goanna": "green", "stock": "bright_black"}


def show(console: Console, content: Mapping[str, Any], other: Other | None = None) -> None:
    """Print a document.

    Args:
        console: where.
        content: the document.
        other: names the one in a job that all are compared with beside the floor, which is by best times then.
    """
    block = "█" if console.encoding.startswith("utf") else "#"
    found = figures(content)
    for group in content["groups"]:
        console.print(f"\n[bold]{escape(group['name'])}[/]")
        console.print(f"floor: {escape(group['floor'])}", style="dim", highlight=False)
        columns = table("", "median", "95 %", "best", "x floor", *(["x other"] if other else []))
        columns.add_column("", no_wrap=True)
        for job in group["jobs"]:
            _rows(columns, job["name"], found[job["name"]], block, max(console.width - 88, 8), other)
        console.print(columns)
    show_setting(console, content)


def show_setting(console: Console, content: Mapping[str, Any]) -> None:
    """Print where, when and with what it was measured, and how noisy it was there."""
    console.print(escape(about(content)), highlight=False)
    if said := noise(content):
        console.print(f"[yellow]{escape(said)}[/]", highlight=False)


def table(*columns: str, texts: int = 1, title: str | None = None) -> Table:
    """Return a table whose first columns are texts, and the others are figures."""
    made = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1))
    for name in columns[:texts]:
        made.add_column(name, overflow="fold")
    for name in columns[texts:]:
        made.add_column(name, justify="right", no_wrap=True)
    return made


def _rows(table: Table, job: str, costs: Mapping[str, Figure], block: str, width: int, other: Other | None) -> None:
    longest = max(one.median for one in costs.values())
    table.add_row(f"[bold]{escape(job)}[/]")
    for rival, one in costs.items():
        length = max(1, round(min(width, _WIDTH) * one.median / longest))
        interval = f"{duration(one.low)} to {duration(one.high)}"
        bar = f"[{_COLOURS[kind(rival)]}]{block * length}[/]"
        if other is None:
            times = ["" if rival == FLOOR else f"{one.median / costs[FLOOR].median:.2f}"]
        else:
            theirs = other(costs)
            times = ["" if rival == FLOOR else f"{one.best / costs[FLOOR].best:.2f}"]
            times.append("" if theirs is None or rival in (FLOOR, theirs) else f"{costs[theirs].best / one.best:.2f}")
        table.add_row(f"  {escape(rival)}", duration(one.median), interval, duration(one.best), *times, bar)


def duration(nanoseconds: float) -> str:
    """Return a duration as people read it."""
    if abs(nanoseconds) < 100:
        return f"{nanoseconds:.1f} ns"
    return f"{nanoseconds:.0f} ns" if nanoseconds < 10_000 else f"{nanoseconds / 1000:.1f} µs"


def about(content: Mapping[str, Any]) -> str:
    """Return where, when and with what it was measured."""
    machine, interpreter = content["machine"], content["interpreter"]
    packages = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
    built = "optimised" if interpreter["optimised"] else "built without --enable-optimizations"
    return (
        f"{content['date']}, {content['rounds']} interleaved rounds in one process. "
        f"{machine['processor']}, {machine['cpus']} processors, {machine['platform']}. "
        f"{interpreter['python']} ({interpreter['compiler']}, {built}). {packages}."
    )


def noise(content: Mapping[str, Any]) -> str:
    """Return a warning where the machine was noisy, else nothing."""
    found = content["noise"]
    if found["verdict"] == "quiet":
        return ""
    what = f"the floors, which do the same each time, vary by {found['spread']:.0%} from turn to turn"
    if found["verdict"] == "noisy":
        return f"The machine is noisy: {what}. Don't read much into small differences."
    return f"The machine is too noisy to tell: {what}. Close what else runs, and measure again."


def show_changes(console: Console, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Print what changed."""
    found, between = list(changes(old, new)), noise_between(old, new)
    since = f"Since {old['date']}, goanna {old['versions']['goanna']}"
    rows = table("", "x floor then", "x floor now", "now / then", title=since)
    rows.add_column("")
    job = ""
    for one in found:
        if one.job != job:
            job = one.job
            rows.add_row(f"[bold]{escape(job)}[/]")
        colour = {"dearer": "red", "cheaper": "green"}.get(said := word(one, between), "dim")
        rows.add_row(
            f"  {escape(one.rival)}", f"{one.before:.2f}", f"{one.now:.2f}", f"{one.ratio:.2f}",
            f"[{colour}]{said}[/]" if said else "",
        )  # fmt: skip
    console.print(rows)
    console.print(compared(found, between), highlight=False)


def word(change: Change, between: Noise) -> str:
    """Return what became of a figure: "dearer" or "cheaper", or nothing where that may be noise."""
    if not change.beyond(between):
        return ""
    return "dearer" if change.ratio > 1 else "cheaper"


def compared(found: Sequence[Change], between: Noise) -> str:
    """Return how to read a comparison, and what there is in it."""
    if not found:
        return "The two runs have nothing in common."
    if between.controls:
        source = (
            f"Others' {between.controls} figures, whose code is the same in both runs, differ by up to "
            f"{between.limit:.0%}, but for one in twenty"
        )
    else:
        source = f"How much runs of the same differ can't be told from these two, so {between.limit:.0%} is taken"
    words = [word(one, between) for one in found if kind(one.rival) == "goanna"]
    return (
        "Each figure is divided by the floor of its own run. "
        f"{source}; dearer or cheaper is what differs by more and has intervals that don't meet. "
        f"Of {len(words)} figures of goanna {words.count('dearer')} are dearer, {words.count('cheaper')} cheaper."
    )
