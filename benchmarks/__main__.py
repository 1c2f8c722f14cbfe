"""Measure, and print the times and ratios.

Instead of suites there may be the name of a tool, which says more with --help: compare (what changed between two runs),
gate (ratios below which a run fails), instructions (of the hot paths, counted by valgrind), contention (of threads),
apart (a queue's two threads on two processors), published (the figures in README and docs).
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from goanna.bench.document import DocumentError, check_folders, load, written

TOOLS = ("gate", "instructions", "contention", "apart", "published")
SUITES = ("events", "monitoring", "audit", "requestlog", "delivery")
KEPT = "bench.json"
"""What ``make bench SAVE=FOLDER`` writes into the folder."""


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in TOOLS:
        return int(importlib.import_module(f"benchmarks.{given[0]}").main(given[1:]))
    try:
        return compare(given[1:]) if given[:1] == ["compare"] else measure(given)
    except DocumentError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2


def measure(arguments: Sequence[str]) -> int:
    """Measure suites, show what was found, write and compare it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"{', '.join(SUITES)}; all by default")
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it works, and little more")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to FILE, as goanna bench does")
    parser.add_argument("--compare", metavar="OLD", help="say what changed since the run that was written to OLD")
    options = parser.parse_args(arguments)
    if unknown := set(options.suites).difference(SUITES):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    before = None if options.compare is None else _kept(options.compare)
    check_folders(options.json)
    # All rivals, and rich: what the tools can do without.
    from benchmarks import report, suites

    content = suites.run(options.suites or SUITES, quick=options.quick)
    report.show(content)
    if options.json is not None:
        written(content, options.json)
    if before is not None:
        report.show_changes(before, content)
    return 0


def compare(arguments: Sequence[str]) -> int:
    """Say what changed between two runs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks compare", description=compare.__doc__)
    help = "what --json has written, of goanna bench or of the benchmarks; or the folder of make bench SAVE=FOLDER"
    parser.add_argument("old", metavar="OLD", help=help)
    parser.add_argument("new", metavar="NEW")
    options = parser.parse_args(arguments)
    from benchmarks import report

    report.show_changes(_kept(options.old), _kept(options.new))
    return 0


def _kept(path: str) -> dict[str, Any]:
    return load(Path(path, KEPT) if Path(path).is_dir() else path)


if __name__ == "__main__":
    sys.exit(main())
