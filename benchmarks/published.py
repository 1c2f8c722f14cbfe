"""``python -m benchmarks.published``: the figures in the README and the page of the dated run, from docs/bench.json.

That file is what ``goanna bench --json docs/bench.json`` wrote. ``--check`` writes nothing and fails where the texts
are not in step with it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goanna.cli.bench import monitored
from goanna.cli.bench.cores import NAMES
from goanna.cli.bench.deliveries import ON_LOOP, QUEUED, REJECTED
from goanna.cli.bench.document import figures, load
from goanna.cli.bench.figures import Figure
from goanna.cli.bench.jobs import FLOOR
from goanna.cli.bench.monitoring_jobs import name as monitoring_name
from goanna.cli.bench.terminal import about, duration, kind, noise

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- figures: written by benchmarks.published -->", "<!-- end of figures -->"
COMPILED, PURE = NAMES["c"], NAMES["py"]

ROWS = (
    ("build an event of eight fields", "construct, positional", COMPILED, PURE, "dataclass"),
    ("publish it to 1 listener", "publish to 1", COMPILED, PURE, "psygnal emit_fast"),
    ("publish it to 10", "publish to 10", COMPILED, PURE, "psygnal emit_fast"),
    ("publish where nobody listens", "publish to 0", COMPILED, PURE, "psygnal emit_fast"),
    ("read a field", "read a field", COMPILED, PURE, "property"),
    ("hand an event to a loop", ON_LOOP, COMPILED, PURE, "call_soon_threadsafe"),
    ("reject an event", REJECTED, COMPILED, PURE, "by hand"),
    ("PyMongo's command start to 1", monitoring_name("command_start", 1), monitored.COMPILED, monitored.PURE, "stock"),
    ("the same to 10", monitoring_name("command_start", 10), monitored.COMPILED, monitored.PURE, "stock"),
    ("db-ally's span, 1 handler", "track_event, 1 handler", "strict, compiled", "strict, pure", "stock"),
)
"""What the README shows: text, job, the two cores, and with whom they are compared.

Not the queue: what it takes differs from process to process, and with it the order of goanna and SimpleQueue.
"""
NOTES = {
    QUEUED: "Differs from process to process, see the last section of [the guards](performance-guards.md): no order\n"
    "of the two queues can be read from one run."
}
"""What must be said beside a job."""


def table(content: Mapping[str, Any]) -> str:
    """Return the table of the README."""
    found = figures(content)
    lines = ["| medians | floor | compiled | pure | compared with | |", "| --- | ---: | ---: | ---: | --- | ---: |"]
    for text, job, compiled, pure, other in ROWS:
        cells = [duration(found[job][who].median) for who in (FLOOR, compiled, pure)]
        lines.append(f"| {text} | {' | '.join(cells)} | {other} | {duration(found[job][other].median)} |")
    where = f"{content['interpreter']['python']} on {content['machine']['processor']}, {content['date'][:10]}"
    return "\n".join([*lines, "", f"{where}; [all of that run, losses included](docs/performance-run.md)."])


def readme(text: str, content: Mapping[str, Any]) -> str:
    """Return the README with its table as the run has it.

    Raises:
        ValueError: the markers are not there, once each and in this order.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in tail:
        raise ValueError(f"the README must hold {BEGIN} and {END} once each, in this order")
    return f"{head}{BEGIN}\n{table(content)}\n{END}{tail}"


def run_page(content: Mapping[str, Any]) -> str:
    """Return the page of the run."""
    found = figures(content)
    lines = [
        "# One run of goanna bench",
        "",
        "Written by `python -m benchmarks.published` from `docs/bench.json`, which `goanna bench --json` wrote.",
        "",
        about(content),
        *([noise(content)] if noise(content) else []),
        f"The floors varied by {content['noise']['spread']:.0%} from turn to turn.",
        f"The load of the machine was {content['machine']['load']:.1f} at the end.",
        "",
        "Medians with their 95 % intervals, and relative to the floor. A dagger stands behind those of others that",
        "cost less than every goanna in the same table.",
    ]
    for group in content["groups"]:
        lines += ["", f"## {group['name']}", "", f"Floor: {group['floor']}."]
        for job in group["jobs"]:
            lines += ["", f"### {job['name']}", ""]
            if job["name"] in NOTES:
                lines += [NOTES[job["name"]], ""]
            lines += _rows(found[job["name"]])
    return "\n".join(lines) + "\n"


def _rows(costs: Mapping[str, Figure]) -> list[str]:
    ours = min(one.median for rival, one in costs.items() if kind(rival) == "goanna")
    lines = ["| | median | 95 % | x floor |", "| --- | ---: | ---: | ---: |"]
    for rival, one in costs.items():
        times = "" if rival == FLOOR else f"{one.median / costs[FLOOR].median:.2f}"
        mark = " †" if kind(rival) == "stock" and one.median < ours else ""
        interval = f"{duration(one.low)} to {duration(one.high)}"
        lines.append(f"| {rival}{mark} | {duration(one.median)} | {interval} | {times} |")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.published", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something is not in step")
    options = parser.parse_args()
    content = load(ROOT / "docs" / "bench.json")
    path = ROOT / "README.md"
    wanted = {
        path: readme(path.read_text(encoding="utf-8"), content),
        ROOT / "docs" / "performance-run.md": run_page(content),
    }
    stale = [one for one, text in wanted.items() if not one.exists() or one.read_text(encoding="utf-8") != text]
    if options.check:
        for one in stale:
            print(f"{one.name} is not in step with docs/bench.json: python -m benchmarks.published", file=sys.stderr)
        return int(bool(stale))
    for one in stale:
        one.write_text(wanted[one], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
