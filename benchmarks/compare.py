"""``python -m benchmarks.compare OLD NEW``: what changed between two runs of ``make bench SAVE=FOLDER``.

OLD and NEW are such folders, or two files that the same benchmark has written with ``--json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from goanna.bench.document import DocumentError
from goanna.bench.jobs import FLOOR
from goanna.bench.request_hooks import NOTHING
from goanna.bench.terminal import show_changes

BASES = (FLOOR, "stock", NOTHING)
"""What figures are divided by: the first of these that is in the job."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("old", type=Path, metavar="OLD")
    parser.add_argument("new", type=Path, metavar="NEW")
    options = parser.parse_args()
    console = Console()
    try:
        for title, old, new in pairs(options.old, options.new):
            documents = document(old), document(new)
            console.print(f"\n[bold]{title}[/]")
            show_changes(console, *documents)
    except DocumentError as error:
        print(f"benchmarks.compare: {error}", file=sys.stderr)
        return 2
    return 0


def pairs(old: Path, new: Path) -> list[tuple[str, Path, Path]]:
    """Return the names and the files that belong together.

    Raises:
        DocumentError: there are none.
    """
    if not (old.is_dir() and new.is_dir()):
        return [(new.stem, old, new)]
    found = [(one.stem, old / one.name, one) for one in sorted(new.glob("*.json")) if (old / one.name).exists()]
    if not found:
        raise DocumentError(f"{old} and {new} have no file of the same name; make bench SAVE=FOLDER writes them")
    return found


def document(path: Path) -> dict[str, Any]:
    """Return what a benchmark has written, as ``goanna bench`` writes it.

    There are no intervals in it, so that these are as narrow as can be.

    Raises:
        DocumentError: it can't be read, or was not written by a benchmark.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DocumentError(f"{path} can't be read: {error}") from error
    if not isinstance(found, dict) or "versions" not in found:
        raise DocumentError(f"{path} was not written by a benchmark's --json")
    results = found.get("results") or {
        f"handle_request_data, {kind}": {name: one[kind] for name, one in found.get("hooks, ns", {}).items()}
        for kind in ("burst", "flood")
    }
    versions = dict(found["versions"])
    return {
        "date": path.name,
        "interpreter": {"python": versions.pop("python", None)},
        "versions": {"goanna": "?", **versions},
        "groups": [{"jobs": [{"name": job, "costs": _costs(times)} for job, times in results.items()]}],
    }


def _costs(times: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    base = next(one for one in BASES if one in times)
    return {
        FLOOR if name == base else name: {**one, "low": one["median"], "high": one["median"]}
        for name, one in times.items()
    }


if __name__ == "__main__":
    sys.exit(main())
