"""``goanna bench``: measure, show, write, compare."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from pathlib import Path

__all__ = ["add"]

ROUNDS, QUICK_ROUNDS = 300, 60


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("bench", help="measure what events cost here, with goanna and without")
    parser.add_argument("--quick", action="store_true", help="measure in a few seconds, less exactly")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE, too")
    parser.add_argument("--html", metavar="FILE", help="write the figures as a page, too")
    parser.add_argument("--compare", metavar="OLD", help="say what changed since the run that was written to OLD")
    parser.add_argument("--listener", metavar="MODULE:CLASS", help="measure a listener of yours instead")
    parser.add_argument("--recording", metavar="FILE", help="with the events that goanna record has written to FILE")
    parser.set_defaults(func=_bench, refuse=parser.error)


def _bench(chosen: argparse.Namespace) -> int:
    if chosen.listener is None:
        if chosen.recording is not None:
            chosen.refuse("--recording needs --listener")
        return _run(chosen)
    if chosen.compare is not None:
        chosen.refuse("--compare is not for --listener")
    from goanna.bench.own_listener import run

    return run(chosen.listener, recording=chosen.recording, quick=chosen.quick, json_file=chosen.json, html=chosen.html)


def _run(chosen: argparse.Namespace) -> int:
    """Measure everything that there is here, and show it; the exit status is 2 where a file can't be used."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import track

    from goanna.bench import suites
    from goanna.bench.document import DocumentError, check_folders, document, load, written
    from goanna.bench.page import page
    from goanna.bench.terminal import show, show_changes

    console = Console()
    try:
        before = None if chosen.compare is None else load(chosen.compare)
        check_folders(chosen.json, chosen.html)
    except DocumentError as error:
        print(f"goanna bench: {error}", file=sys.stderr)
        return 2
    said = io.StringIO()
    with console.status("getting ready"), contextlib.redirect_stderr(said):
        groups = list(suites.every())
    if said.getvalue():
        console.print(escape(said.getvalue().strip()), style="dim", highlight=False)
    rounds = QUICK_ROUNDS if chosen.quick else ROUNDS
    progress = track(range(rounds), description="measuring", console=console, transient=True)
    content = document(suites.measured(groups, progress), rounds)
    show(console, content)
    if before is not None:
        show_changes(console, before, content)
    if chosen.json is not None:
        written(content, chosen.json)
        console.print("The same as JSON:", escape(chosen.json))
    if chosen.html is not None:
        Path(chosen.html).write_text(page(content, before), encoding="utf-8")
        console.print("The same as a page:", escape(chosen.html))
    return 0
