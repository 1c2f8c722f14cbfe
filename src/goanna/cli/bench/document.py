"""What a run of ``goanna bench`` found, as the JSON that it is written as, compared as and shown from."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from goanna.cli.bench.figures import Figure, figure, spread, verdict
from goanna.cli.bench.jobs import FLOOR
from goanna.cli.bench.machine import interpreter, machine, versions
from goanna.cli.bench.measure import Timed
from goanna.cli.bench.suites import Group

__all__ = ["RUNS", "SCHEMA", "Change", "DocumentError", "changes", "document", "figures", "load", "ratio"]

SCHEMA: Final = 1
RUNS: Final = 0.15
"""How much the ratios of two runs of the same may differ: each process has things elsewhere in memory."""

_MARK: Final = "goanna_bench"


class DocumentError(ValueError):
    """A file that is not what ``goanna bench --json`` writes, or of another version."""


def document(groups: list[Group], timed: Mapping[str, Mapping[str, Timed]], rounds: int) -> dict[str, Any]:
    """Return the document of a run; times in nanoseconds for a call."""
    noise = spread([timed[job.name][FLOOR].costs() for group in groups for job in group.jobs])
    return {
        _MARK: SCHEMA,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "interpreter": interpreter(),
        "versions": versions(),
        "rounds": rounds,
        "noise": {"spread": noise, "verdict": verdict(noise)},
        "groups": [
            {
                "name": group.name,
                "floor": group.floor,
                "jobs": [
                    {
                        "name": job.name,
                        "costs": {
                            rival: dataclasses.asdict(figure(one.costs())) for rival, one in timed[job.name].items()
                        },
                    }
                    for job in group.jobs
                ],
            }
            for group in groups
        ],
    }


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a document.

    Raises:
        DocumentError: there is none, or it is of another version.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DocumentError(f"{path} can't be read: {error}") from error
    version = found.get(_MARK) if isinstance(found, dict) else None
    if version is None:
        raise DocumentError(f"{path} was not written by goanna bench --json: it has no {_MARK}")
    if version != SCHEMA:
        raise DocumentError(f"{path} has version {version} of the schema; this goanna reads version {SCHEMA}")
    return dict(found)


def figures(content: Mapping[str, Any]) -> dict[str, dict[str, Figure]]:
    """Return the figures of a document by job and rival."""
    return {
        job["name"]: {rival: Figure(**one) for rival, one in job["costs"].items()}
        for group in content["groups"]
        for job in group["jobs"]
    }


def ratio(costs: Mapping[str, Figure], rival: str) -> float:
    """Return what a rival costs relative to the floor, by the medians."""
    return costs[rival].median / costs[FLOOR].median


@dataclass(frozen=True)
class Change:
    """What became of one figure between two runs.

    Args:
        job, rival: whose.
        before, now: its ratio to the floor of its own run.
        certain: whether the intervals of the two ratios are apart and the ratios differ by more than two runs of the
            same may.
    """

    job: str
    rival: str
    before: float
    now: float
    certain: bool

    @property
    def ratio(self) -> float:
        """The ratio of the ratios: above 1 it has become dearer, whatever the machines were."""
        return self.now / self.before


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Yield the changes of what is in both documents."""
    before, now = figures(old), figures(new)
    for job, costs in now.items():
        for rival in costs:
            if rival != FLOOR and rival in before.get(job, {}):
                low, high = _bounds(costs, rival)
                low_before, high_before = _bounds(before[job], rival)
                apart = low > high_before or high < low_before
                then, after = ratio(before[job], rival), ratio(costs, rival)
                yield Change(job, rival, then, after, apart and abs(math.log(after / then)) > math.log(1 + RUNS))


def _bounds(costs: Mapping[str, Figure], rival: str) -> tuple[float, float]:
    return costs[rival].low / costs[FLOOR].high, costs[rival].high / costs[FLOOR].low
