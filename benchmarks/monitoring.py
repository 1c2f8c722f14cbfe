"""``python -m benchmarks.monitoring``: PyMongo's monitoring, stock and with goanna installed, in one process."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.commands import measure_commands
from benchmarks.measure import measure
from benchmarks.monitored import COMPILED, rivals
from benchmarks.monitoring_jobs import every
from benchmarks.monitoring_report import as_json, show

ROUNDS, QUICK_ROUNDS = 200, 8
COMMAND_ROUNDS, QUICK_COMMAND_ROUNDS = 300, 6
COMMANDS = 50


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitoring", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it works, and little more")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    options = parser.parse_args()
    results = measure(every(), QUICK_ROUNDS if options.quick else ROUNDS)
    turns = None
    if COMPILED in rivals():
        turns = measure_commands(QUICK_COMMAND_ROUNDS if options.quick else COMMAND_ROUNDS, COMMANDS)
    show(results, turns)
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(results, turns), indent=1) + "\n")


if __name__ == "__main__":
    main()
