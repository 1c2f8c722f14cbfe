"""``goanna demo``: a real MongoClient, its events, and what publishing them costs, stock and through goanna."""

from __future__ import annotations

import contextlib
import os
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from html import escape as html_escape
from itertools import groupby
from pathlib import Path

import pymongo
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

import goanna
from goanna.bench.page import frame, row
from goanna.bench.terminal import duration
from goanna.cli.demo.measure import MODES, Measure, installed, measures
from goanna.cli.demo.wire_server import WireServer
from goanna.cli.demo.workload import DATABASE, CommandPrinter, connect, counting, run_workload
from goanna.texts import escaped, without_secrets

__all__ = ["run"]

VARIABLE = "GOANNA_DEMO_URI"
_NEXT = {
    "import goanna; goanna.install()": "in your program, before or after it makes its MongoClient",
    f"{VARIABLE}=mongodb://... goanna demo": f"the same against your server, in its database {DATABASE}",
    "goanna demo --html goanna.html": "the figures as a page",
    "goanna demo --own-events": "events of your own",
}
_WIDTH = 36
_COLOURS = {"stock": "bright_black", "goanna": "green"}


def run(*, quick: bool = False, html: str | None = None) -> int:
    """Show, compare and measure; write the page to ``html`` if it is a path; return the exit status."""
    console = Console()
    about = (
        f"goanna {goanna.__version__}, {'compiled' if goanna.BACKEND == 'c' else 'pure'} core; "
        f"PyMongo {pymongo.version}; Python {platform.python_version()}"
    )
    console.rule(about)
    try:
        with _server(console) as (uri, embedded):
            _show(console, uri)
            report = _report()
            console.print("[bold]goanna.install()[/] says:", escape(report))
            counted = _compare(uri, rounds=5 if quick else 20, embedded=embedded)
            _print_counted(console, counted)
            progress = partial(track, description="measuring", console=console, transient=True)
            found = measures(uri, 4 if quick else 40, progress)
    except PyMongoError as error:
        console.print(f"[red]The server could not be used:[/] {escape(escaped(without_secrets(str(error))))}")
        console.print(f"Check [bold]{VARIABLE}[/], or unset it to use the server that comes with the demonstration.")
        return 2
    _print_measures(console, found)
    if html is not None:
        Path(html).write_text(_page(about, report, counted, found), encoding="utf-8")
        console.print("The same as a page:", escape(html))
    same = all(one == other for _, one, other in counted)
    if not same:
        console.print("[red]The two ways did not publish the same events: see the table above.[/]")
    console.print("Next:")
    for what, why in _NEXT.items():
        console.print(f"  [bold]{escape(what)}[/]\n      {escape(why)}", highlight=False)
    if goanna.BACKEND != "c":
        console.print("This is the pure core; [bold]goanna doctor[/] says what it takes to get the compiled one.")
    return 0 if same else 1


@contextlib.contextmanager
def _server(console: Console) -> Iterator[tuple[str, bool]]:
    """Give the URI of the server to use, and whether it is our own."""
    uri = os.environ.get(VARIABLE)
    if uri:
        console.print(f"using the server that {VARIABLE} names, and there the database {DATABASE}")
        yield uri, False
        return
    with WireServer() as server:
        console.print(f"a small wire server in a process of its own stands in for MongoDB: {server.uri}")
        yield server.uri, True


def _report() -> str:
    """Return what installing reports, and leave nothing installed."""
    try:
        return str(goanna.install())
    finally:
        goanna.uninstall()


def _show(console: Console, uri: str) -> None:
    """Print the first events of a client as they arrive, published through goanna."""
    console.print("a command logger on a MongoClient, its events published through goanna:")
    with installed("goanna"):
        printer = CommandPrinter(lambda text: console.print(f"  {escape(text)}", highlight=False), limit=18)
        client = connect(uri, printer)
        try:
            run_workload(client, rounds=1)
        finally:
            client.close()


def _compare(uri: str, rounds: int, *, embedded: bool) -> list[tuple[str, int, int]]:
    """Return each kind of event with how many of it came from the workload, stock and through goanna."""
    counted: dict[str, Counter[str]] = {}
    for mode in MODES:
        with installed(mode):
            everything = counting()
            client = connect(uri, everything)
            try:
                run_workload(client, rounds)
            finally:
                client.close()
            counted[mode] = everything.counted
    kinds = sorted(counted["stock"].keys() | counted["goanna"].keys())
    # How often another server changes its mind about its topology is not for us to repeat.
    repeatable = kinds if embedded else [kind for kind in kinds if kind.startswith("Command")]
    return [(kind, counted["stock"][kind], counted["goanna"][kind]) for kind in repeatable]


def _print_counted(console: Console, counted: Sequence[tuple[str, int, int]]) -> None:
    table = Table(title="events that a listener to everything got from the same workload")
    table.add_column("event")
    for name in (*MODES, "equal"):
        table.add_column(name, justify="right")
    for kind, one, other in counted:
        table.add_row(kind, str(one), str(other), "yes" if one == other else "[red]no[/]")
    console.print(table)


def _print_measures(console: Console, found: Sequence[Measure]) -> None:
    """Print the figures, then the bars of each group to a scale of its own."""
    table = Table(title="best of interleaved rounds in this process")
    table.add_column("what")
    for name in (*MODES, "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found:
        table.add_row(one.name, *(duration(one.nanoseconds[mode]) for mode in MODES), f"{one.ratio:.2f}x")
    console.print(table)
    block = "█" if console.encoding.startswith("utf") else "#"
    for group, members in groupby(found, lambda one: one.group):
        shown = list(members)
        longest = max(max(one.nanoseconds.values()) for one in shown)
        console.print(f"[bold]{escape(group)}[/]")
        for one in shown:
            console.print(f"  {escape(one.name)}", highlight=False)
            for mode in MODES:
                length = max(1, round(_WIDTH * one.nanoseconds[mode] / longest))
                bar = f"[{_COLOURS[mode]}]{block * length}[/]"
                console.print(f"  {mode:>6} {bar} {duration(one.nanoseconds[mode])}", highlight=False)


def _page(about: str, report: str, counted: Sequence[tuple[str, int, int]], found: Iterable[Measure]) -> str:
    """Return the page: what ran, how many events of each kind came in both modes, and what each thing costs."""
    body = f'<p class="faint">{html_escape(report).replace(chr(10), "<br>")}</p>\n'
    for group, members in groupby(found, lambda one: one.group):
        shown = list(members)
        longest = max(max(one.nanoseconds.values()) for one in shown)
        body += f"<h2>{html_escape(group[0].upper() + group[1:])}</h2>\n"
        for one in shown:
            body += f"<h3>{html_escape(one.name)}</h3>\n"
            for mode in MODES:
                value = one.nanoseconds[mode]
                times = f"{one.ratio:.2f}&times;" if mode == "goanna" else ""
                body += row(mode, f"{mode}: {duration(value)}", [(mode, value)], longest, times)
    body += '<h2>The events are the same</h2>\n<p class="faint">How many a listener to everything got from the same '
    body += "workload.</p>\n<table>\n<tr><th>event</th><th>stock</th><th>goanna</th></tr>\n"
    for kind, stock, ours in counted:
        body += f"<tr><td>{html_escape(kind)}</td><td>{stock}</td><td>{ours}</td></tr>\n"
    body += "</table>\n"
    intro = "The best of interleaved rounds in one process. Bars of one group are to one scale."
    return frame("What PyMongo's monitoring costs", about, "", intro, {"stock": "stock", "goanna": "goanna"}, body)
