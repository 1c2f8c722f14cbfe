"""``python -m benchmarks``: measure every job in this process, and print the times and ratios."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.jobs import every
from benchmarks.measure import measure
from benchmarks.report import as_json, show

ROUNDS, QUICK_ROUNDS = 200, 15


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it works, and little more")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    options = parser.parse_args()
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    results = measure(every(), rounds)
    show(results)
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(results, rounds), indent=1) + "\n")


if __name__ == "__main__":
    main()
