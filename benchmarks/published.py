"""``python -m benchmarks published``: the figures in the README and the page of the dated run, from docs/bench.json.

In the README these are the table between its markers and the numbers of the sentences in ``SENTENCES``.

That file is what ``goanna bench --json docs/bench.json`` wrote. ``--check`` writes nothing and fails where the texts
are not in step with it.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goanna.bench import monitored
from goanna.bench.cores import NAMES
from goanna.bench.deliveries import ON_LOOP, QUEUED, REJECTED
from goanna.bench.document import figures, kind, load
from goanna.bench.figures import FLOOR, Figure
from goanna.bench.monitoring_jobs import READ
from goanna.bench.monitoring_jobs import name as monitoring_name
from goanna.bench.request_hooks import ORIGINAL
from goanna.bench.request_jobs import LOG
from goanna.bench.rivals import PLAIN
from goanna.bench.terminal import about, duration, noise

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- figures: written by benchmarks published -->", "<!-- end of figures -->"
COMPILED, PURE = NAMES["c"], NAMES["py"]

ROWS = (
    ("build an event of eight fields", "construct, positional", COMPILED, PURE, "dataclass"),
    ("publish it to 1 listener", "publish to 1", COMPILED, PURE, "psygnal emit_fast"),
    ("publish it to 10", "publish to 10", COMPILED, PURE, "psygnal emit_fast"),
    ("publish where nobody listens", "publish to 0", COMPILED, PURE, "psygnal emit_fast"),
    ("read a field", "read a field", COMPILED, PURE, "property"),
    ("hand an event to a thread", QUEUED, COMPILED, PURE, "queue.SimpleQueue"),
    ("hand an event to a loop", ON_LOOP, COMPILED, PURE, "call_soon_threadsafe"),
    ("reject an event", REJECTED, COMPILED, PURE, "by hand"),
    ("PyMongo's command start to 1", monitoring_name("command_start", 1), monitored.COMPILED, monitored.PURE, "stock"),
    ("the same to 10", monitoring_name("command_start", 10), monitored.COMPILED, monitored.PURE, "stock"),
    ("read a field of that event", READ, monitored.COMPILED, None, "stock"),
    ("db-ally's span, 1 handler", "track_event, 1 handler", "strict, compiled", "strict, pure", "stock"),
    ("a line for a request of boto 2", LOG, COMPILED, PURE, ORIGINAL),
)
"""What the README shows: text, job, the two cores, and with whom they are compared.

Where the pure core leaves things as they are it is None.
"""


Found = Mapping[str, Mapping[str, Figure]]
NUMBER = r"\d[\d.,]*(?:%|\s(?:ns|µs))?"
"""What a number in a sentence looks like."""


@dataclass(frozen=True)
class Sentence:
    """A sentence of the README, or part of one, with numbers from the run.

    Args:
        text: as it is there, with ``{}`` for each number; lines may be broken elsewhere.
        numbers: what makes them.
    """

    text: str
    numbers: tuple[Callable[[Found], str], ...]

    def pattern(self) -> re.Pattern[str]:
        """Return what finds it, and its numbers."""
        parts = [r"\s+".join(map(re.escape, re.split(r"\s+", one))) for one in self.text.split("{}")]
        return re.compile(f"({NUMBER})".join(parts))

    def written(self, text: str, found: Found) -> str:
        """Return the text with the numbers of a run in the sentence.

        Raises:
            ValueError: the sentence is not in it once.
        """
        there = list(self.pattern().finditer(text))
        if len(there) != 1:
            raise ValueError(f"the README must hold this sentence once, with a number for each {{}}: {self.text}")
        for place, number in reversed(list(enumerate(self.numbers, start=1))):
            start, end = there[0].span(place)
            text = text[:start] + number(found) + text[end:]
        return text


def _cost(job: str, who: str) -> Callable[[Found], str]:
    return lambda found: duration(found[job][who].median)


def _part(job: str, who: str, of: str) -> Callable[[Found], str]:
    return lambda found: f"{found[job][who].median / found[job][of].median:.0%}"


def _times(job: str, who: str, of: str) -> Callable[[Found], str]:
    return lambda found: f"{found[job][who].median / found[job][of].median:.2f}"


def _fastest_other(job: str) -> Callable[[Found], str]:
    """Return how many times what goanna costs the fastest other dispatcher does; a loop by hand is none."""

    def number(found: Found) -> str:
        costs = found[job]
        others = [one.median for rival, one in costs.items() if kind(rival) == "stock" and rival != PLAIN]
        return f"{min(others) / costs[COMPILED].median:.1f}"

    return number


_START = monitoring_name("command_start", 1)
SENTENCES = (
    Sentence(
        "publishing a command event takes {} of the time, reading a field of it {}.",
        (_part(_START, monitored.COMPILED, "stock"), _part(READ, monitored.COMPILED, "stock")),
    ),
    Sentence(
        "a span with one handler takes {} of the time",
        (_part("track_event, 1 handler", "strict, compiled", "stock"),),
    ),
    Sentence(
        "a line costs the request {}, {} of what it costs with boto's own logger.",
        (_cost(LOG, COMPILED), _part(LOG, COMPILED, ORIGINAL)),
    ),
    Sentence(
        "handing it to one listener takes {}, which is {} times what",
        (_cost("publish to 1", COMPILED), _times("publish to 1", COMPILED, FLOOR)),
    ),
    Sentence("The fastest other dispatcher takes {} times as long.", (_fastest_other("publish to 1"),)),
    Sentence(
        "Where nobody listens it costs {} times what a call does that does nothing.",
        (_times("publish to 0", COMPILED, FLOOR),),
    ),
    Sentence(
        "Handing an event to a queue costs its publisher {} times what a call of the listener does, handing it to a "
        "loop {}, and a filter that keeps it out {}.",
        tuple([_times(job, COMPILED, FLOOR) for job in (QUEUED, ON_LOOP, REJECTED)]),
    ),
)
"""What the README says in words."""


def table(content: Mapping[str, Any]) -> str:
    """Return the table of the README."""
    found = figures(content)
    lines = ["| medians | floor | compiled | pure | compared with | |", "| --- | ---: | ---: | ---: | --- | ---: |"]
    for text, job, compiled, pure, other in ROWS:
        cells = ["unchanged" if who is None else duration(found[job][who].median) for who in (FLOOR, compiled, pure)]
        lines.append(f"| {text} | {' | '.join(cells)} | {other} | {duration(found[job][other].median)} |")
    where = f"{content['interpreter']['python']} on {content['machine']['processor']}, {content['date'][:10]}"
    return "\n".join([*lines, "", f"{where}; [all of that run, losses included](docs/performance-run.md)."])


def readme(text: str, content: Mapping[str, Any]) -> str:
    """Return the README with its table and its sentences as the run has them.

    Raises:
        ValueError: the markers are not there, once each and in this order, or a sentence isn't.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in tail:
        raise ValueError(f"the README must hold {BEGIN} and {END} once each, in this order")
    text = f"{head}{BEGIN}\n{table(content)}\n{END}{tail}"
    for one in SENTENCES:
        text = one.written(text, figures(content))
    return text


def run_page(content: Mapping[str, Any]) -> str:
    """Return the page of the run."""
    found = figures(content)
    lines = [
        "# One run of goanna bench",
        "",
        "Written by `python -m benchmarks published` from `docs/bench.json`, which `goanna bench --json` wrote.",
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


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks published", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something is not in step")
    options = parser.parse_args(arguments)
    content = load(ROOT / "docs" / "bench.json")
    path = ROOT / "README.md"
    wanted = {
        path: readme(path.read_text(encoding="utf-8"), content),
        ROOT / "docs" / "performance-run.md": run_page(content),
    }
    stale = [one for one, text in wanted.items() if not one.exists() or one.read_text(encoding="utf-8") != text]
    if options.check:
        for one in stale:
            print(f"{one.name} is not in step with docs/bench.json: python -m benchmarks published", file=sys.stderr)
        return int(bool(stale))
    for one in stale:
        one.write_text(wanted[one], encoding="utf-8")
    return 0
