"""``goanna bench``: measure, show, write, compare."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import track

from goanna.bench import suites
from goanna.bench.document import DocumentError, check_folders, document, load
from goanna.bench.measure import turns
from goanna.bench.page import page
from goanna.bench.terminal import show, show_changes

__all__ = ["ROUNDS", "run"]

ROUNDS, QUICK_ROUNDS = 300, 60


def run(*, quick: bool = False, json_file: str | None = None, html: str | None = None, old: str | None = None) -> int:
    """Measure everything that there is here, and show it.

    Args:
        quick: whether a few seconds must do.
        json_file: where to write the document.
        html: where to write the page.
        old: a document to compare with.

    Returns:
        The exit status: 0, or 2 where a file can't be used.
    """
    console = Console()
    try:
        before = None if old is None else load(old)
        check_folders(json_file, html)
    except DocumentError as error:
        print(f"goanna bench: {error}", file=sys.stderr)
        return 2
    content = measured(console, QUICK_ROUNDS if quick else ROUNDS)
    show(console, content)
    if before is not None:
        show_changes(console, before, content)
    if json_file is not None:
        Path(json_file).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        console.print("The same as JSON:", escape(json_file))
    if html is not None:
        Path(html).write_text(page(content, before), encoding="utf-8")
        console.print("The same as a page:", escape(html))
    return 0


def measured(console: Console, rounds: int) -> dict[str, Any]:
    """Measure with a progress bar, and return the document."""
    said = io.StringIO()
    with console.status("getting ready"), contextlib.redirect_stderr(said):
        groups = list(suites.every())
    if said.getvalue():
        console.print(escape(said.getvalue().strip()), style="dim", highlight=False)
    progress = track(range(rounds), description="measuring", console=console, transient=True)
    timed = turns([job for group in groups for job in group.jobs], progress)
    return document(groups, timed, rounds)
