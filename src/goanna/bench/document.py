"""What a run of ``goanna bench`` found, as the JSON that it is written as, compared as and shown from."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from goanna.bench.figures import FLOOR, Figure, figure, spread, verdict
from goanna.bench.machine import interpreter, machine, versions

__all__ = [
    "SCHEMA", "Change", "DocumentError", "Noise", "Section", "changes", "check_folders", "document", "figures", "kind",
    "load", "noise_between", "relative", "setting", "written",
]  # fmt: skip

SCHEMA: Final = 1
UNKNOWN, LEAST = 0.15, 0.05
"""How much the ratios of two runs of the same are taken to differ where that can't be told from the runs themselves,
and the least that is taken: each process has things elsewhere in memory."""

CONTROLS, SHARE = 20, 0.95
"""How many unchanged figures it takes to tell, and which share of them is noise by definition."""

_OURS = ("goanna", "guaranteed", "installed", "compiled", "own", "strict")
_CORES = (", c", ", py")
_PACKAGES: Final = {"stock": ("pymongo", "dbally"), "boto's": ("boto",)}
"""Of rivals whose name doesn't begin with that of their package."""

_MARK: Final = "goanna_bench"


class DocumentError(ValueError):
    """A file that is not what ``goanna bench --json`` writes, or of another version."""


@dataclass(frozen=True)
class Section:
    """What was found of jobs that belong together.

    Args:
        name: of the group.
        floor: what the floor of its jobs is, as text.
        costs: nanoseconds of a call in each turn, by job and rival; every job has its floor.
    """

    name: str
    floor: str
    costs: Mapping[str, Mapping[str, Sequence[float]]]


def document(sections: Sequence[Section], rounds: int) -> dict[str, Any]:
    """Return the document of a run; times in nanoseconds for a call."""
    return {
        _MARK: SCHEMA,
        **setting([costs[FLOOR] for one in sections for costs in one.costs.values()], rounds),
        "groups": [
            {
                "name": one.name,
                "floor": one.floor,
                "jobs": [
                    {"name": job, "costs": {rival: dataclasses.asdict(figure(turns)) for rival, turns in costs.items()}}
                    for job, costs in one.costs.items()
                ],
            }
            for one in sections
        ],
    }


def setting(floors: Iterable[Sequence[float]], rounds: int) -> dict[str, Any]:
    """Return when, where and with what something was measured; the floors say how noisy it was there."""
    noise = spread(floors)
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "interpreter": interpreter(),
        "versions": versions(),
        "rounds": rounds,
        "noise": {"spread": noise, "verdict": verdict(noise)},
    }


def written(content: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a document."""
    Path(path).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def check_folders(*paths: str | None) -> None:
    """See that files can be written, before anything is measured.

    Raises:
        DocumentError: a folder is missing.
    """
    for path in paths:
        if path is not None and not Path(path).absolute().parent.is_dir():
            raise DocumentError(f"{path} can't be written: {Path(path).absolute().parent} is no folder")


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a document.

    Raises:
        DocumentError: there is none, or it is of another version, or not as it was written; the text says what.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DocumentError(f"{path} can't be read: {error}") from error
    version = found.get(_MARK) if isinstance(found, dict) else None
    if version is None:
        raise DocumentError(f"{path} was not written by goanna bench --json: it has no {_MARK}")
    if version != SCHEMA:
        raise DocumentError(f"{path} has version {version} of the schema; this goanna reads version {SCHEMA}")
    for wrong in _faults(found):
        raise DocumentError(f"{path} was changed since goanna bench --json wrote it: {wrong}")
    return dict(found)


_LEAST, _MOST = 1e-3, 1e15
"""Nanoseconds that a figure may be: between these no ratio of two overflows."""


def _faults(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is not as it must be for the document to be compared, with where it is."""
    if not isinstance(content.get("date"), str):
        yield "its date is no text"
    for name in ("interpreter", "versions"):
        if not isinstance(content.get(name), dict):
            yield f"its {name} is no object"
            return
    if not isinstance(content["versions"].get("goanna"), str):
        yield "versions.goanna is no text"
    if not all(isinstance(version, str | None) for version in content["versions"].values()):
        yield "versions has what is no text"
    seen: set[str] = set()
    for index, group in _objects(content.get("groups")):
        where = f"groups[{index}]"
        if group is None or not isinstance(group.get("jobs"), list):
            yield f"{where} is no object with a list of jobs"
            return
        for number, job in _objects(group["jobs"]):
            at = f"{where}.jobs[{number}]"
            if job is None or not isinstance(job.get("name"), str) or not isinstance(job.get("costs"), dict):
                yield f"{at} is no object with a name and costs"
                return
            if job["name"] in seen:
                yield f"{at} is a second {job['name']!r}"
            seen.add(job["name"])
            if FLOOR not in job["costs"]:
                yield f"{at}.costs has no {FLOOR}"
            for rival, one in job["costs"].items():
                if not _is_figure(one):
                    yield f"{at}.costs[{rival!r}] is no figure"
    if not isinstance(content.get("groups"), list):
        yield "its groups are no list"


def _objects(values: Any) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield the items of a list with their numbers; None for one that is no object."""
    for number, one in enumerate(values if isinstance(values, list) else ()):
        yield number, one if isinstance(one, dict) else None


def _is_figure(value: Any) -> bool:
    names = {one.name for one in dataclasses.fields(Figure)}
    return (
        isinstance(value, dict)
        and value.keys() == names
        and all(type(one) in (int, float) and _LEAST <= one <= _MOST for one in value.values())
    )


def figures(content: Mapping[str, Any]) -> dict[str, dict[str, Figure]]:
    """Return the figures of a document by job and rival."""
    return {
        job["name"]: {rival: Figure(**one) for rival, one in job["costs"].items()}
        for group in content["groups"]
        for job in group["jobs"]
    }


def relative(costs: Mapping[str, Figure], rival: str) -> Figure:
    """Return what a rival costs relative to the floor."""
    one, floor = costs[rival], costs[FLOOR]
    return Figure(one.best / floor.best, one.median / floor.median, one.low / floor.high, one.high / floor.low)


def kind(rival: str) -> str:
    """Return what a rival is: "floor", "goanna" in any shape, or "stock" for everybody else."""
    if rival == FLOOR:
        return "floor"
    return "goanna" if rival.startswith(_OURS) or rival.endswith(_CORES) else "stock"


@dataclass(frozen=True)
class Change:
    """What became of one figure between two runs.

    Args:
        job, rival: whose.
        before, now: its ratio to the floor of its own run.
        apart: whether the confidence intervals of the two ratios leave no doubt which is the lesser.
    """

    job: str
    rival: str
    before: float
    now: float
    apart: bool

    @property
    def ratio(self) -> float:
        """The ratio of the ratios: above 1 it has become dearer, whatever the machines were."""
        return self.now / self.before

    def beyond(self, noise: Noise) -> bool:
        """Return whether it is more than noise: the intervals are apart, and runs of the same don't differ so much."""
        return self.apart and abs(math.log(self.ratio)) > math.log(1 + noise.limit)


@dataclass(frozen=True)
class Noise:
    """How much two runs differ where nothing has changed.

    Args:
        limit: 0.1 for ratios that differ by a tenth.
        controls: how many figures it was found from: those of others whose code is the same in both runs. 0 where there
            are too few of them.
    """

    limit: float
    controls: int


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Yield the changes of what is in both documents."""
    before, now = figures(old), figures(new)
    for job, costs in now.items():
        for rival in costs:
            if rival != FLOOR and rival in before.get(job, {}):
                then, since = relative(before[job], rival), relative(costs, rival)
                yield Change(job, rival, then.median, since.median, since.apart(then))


def noise_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> Noise:
    """Return how much two runs differ where nothing has changed.

    What others cost relative to the floor is the same in both, if interpreter and packages are, and yet it is not
    found to be: the noise is what 19 in 20 of their figures stay within. It holds what confidence intervals can't,
    since these know the turns of one process only.
    """
    same = all(
        old["interpreter"].get(name) == new["interpreter"].get(name) for name in ("python", "compiler", "optimised")
    )
    changed = {name for name, version in new["versions"].items() if old["versions"].get(name, version) != version}
    found = []
    for one in changes(old, new) if same else ():
        first = one.rival.partition(" ")[0]
        if kind(one.rival) == "stock" and not changed.intersection(_PACKAGES.get(first, (first,))):
            found.append(abs(math.log(one.ratio)))
    if len(found) < CONTROLS:
        return Noise(UNKNOWN, 0)
    limit = math.exp(sorted(found)[math.ceil(SHARE * len(found)) - 1]) - 1
    return Noise(max(limit, LEAST), len(found))
