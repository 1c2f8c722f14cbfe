"""``python -m benchmarks compare``: two runs of the benchmarks, saved as they are."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from goanna.bench import document, request_hooks, request_jobs, terminal
from goanna.bench.figures import Figure
from support.packages import needed

ROOT = Path(__file__).parents[2]


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import __main__

    return __main__


def cost(nanoseconds: float) -> dict[str, float]:
    return dict.fromkeys(("best", "median", "low", "high"), nanoseconds)


def saved(folder: Path, name: str, ours: float, floor: float = 10.0) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    jobs = [{"name": "job", "costs": {"floor": cost(floor), "goanna compiled": cost(ours)}}]
    content: dict[str, Any] = {
        "goanna_bench": 1,
        "date": "2026-01-01T00:00:00+00:00",
        "interpreter": {"python": "CPython 3.11"},
        "versions": {"goanna": "1"},
        "groups": [{"name": "Group", "floor": "nothing", "jobs": jobs}],
        "notes": [],
        "goals": [],
    }
    path.write_text(json.dumps(content))
    return path


def test_runs_of_machines_of_different_speed(program, capsys, tmp_path: Path) -> None:
    old = saved(tmp_path / "old", program.KEPT, 20.0)
    new = saved(tmp_path / "new", program.KEPT, 90.0, floor=30.0)
    for paths in ((old, new), (old.parent, new.parent)):
        assert program.main(["compare", *map(str, paths)]) == 0
        said = capsys.readouterr().out
        assert "2.00" in said
        assert "3.00" in said
        assert "1.50   dearer" in said


def test_request_logs_are_compared_with_the_hook_that_does_nothing() -> None:
    job = request_jobs.hooks("burst", request_hooks.BURST, False)
    assert request_hooks.NOTHING not in job.works
    work = job.works["floor"]()
    work.check()
    work.close()


def test_goals_are_about_the_job_that_is_furthest_from_them(program) -> None:
    from benchmarks.goals import Goal, Rating, rated

    def results(*ours: float) -> dict[str, dict[str, Figure]]:
        others = {"floor": Figure(**cost(10.0)), "fast": Figure(**cost(40.0)), "slow": Figure(**cost(90.0))}
        return {f"job {number}": {**others, "goanna": Figure(**cost(one))} for number, one in enumerate(ours)}

    def rating(goal: Goal, found: dict[str, dict[str, Figure]]) -> Rating:
        job = goal.furthest(found)
        return Rating(goal, job, goal.ratio(found, job, "best"), goal.ratio(found, job, "median"))

    least = Goal("least", "goanna", ("fast", "slow"), ("job 0", "job 1"), 1.5, aim=3.0)
    most = Goal("most", "goanna", ("floor",), ("job 0", "job 1"), 1.5, at_most=True)
    found = results(10.0, 20.0)
    assert (rating(least, found).job, rating(least, found).best) == ("job 1", 2.0)
    assert (rating(most, found).job, rating(most, found).best) == ("job 1", 2.0)
    assert rating(least, found).verdict == "reached, not aim"
    assert rating(most, found).verdict == "missed"
    assert rating(least, results(1.0, 2.0)).verdict == rating(most, results(1.0, 15.0)).verdict == "reached"
    assert list(rated(found)) == [], "those of jobs that were not measured"


@pytest.mark.parametrize(
    ("text", "said"), [("{", "can't be read"), ("{}", "not written by goanna bench"), (None, "can't be read")]
)
def test_what_is_no_run(program, capsys, tmp_path: Path, text: str | None, said: str) -> None:
    new = saved(tmp_path, "new.json", 1.0)
    old = tmp_path / "old.json"
    if text is not None:
        old.write_text(text)
    assert program.main(["compare", str(old), str(new)]) == 2
    assert said in capsys.readouterr().err
    assert program.main(["--quick", "--compare", str(old)]) == 2, "before anything is measured"
    assert said in capsys.readouterr().err


def test_a_folder_without_a_run(program, capsys, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    saved(tmp_path / "new", program.KEPT, 1.0)
    assert program.main(["compare", str(tmp_path / "old"), str(tmp_path / "new")]) == 2
    assert f"{tmp_path / 'old' / program.KEPT} can't be read" in capsys.readouterr().err


def test_a_suite_of_the_benchmarks_is_a_document_of_goanna_bench(program, capsys, tmp_path: Path) -> None:
    needed("dbally")
    paths = [str(tmp_path / name) for name in ("one.json", "other.json")]
    assert program.main(["audit", "--quick", "--json", paths[0]]) == 0
    said = capsys.readouterr().out
    assert "Track an event of db-ally" in said
    assert "Goals" in said
    assert program.main(["audit", "--quick", "--json", paths[1], "--compare", paths[0]]) == 0
    assert "Each figure is divided by the floor of its own run" in capsys.readouterr().out
    content = program.load(paths[1])
    assert {one["who"] for one in content["goals"]} >= {"strict, pure"}


def test_no_such_suite(program, capsys) -> None:
    with pytest.raises(SystemExit):
        program.main(["event"])
    assert "no such suite: event" in capsys.readouterr().err


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where there is something in a document, from the outside in."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield (*path, key)
        yield from places(one, (*path, key))


WRONG = (None, True, -1, 0, 1e308, float("nan"), "text", [], {}, [3], {"x": 1})


def test_a_changed_file_is_refused_or_compared_but_never_an_accident(tmp_path: Path) -> None:
    """Every place of a document with every kind of wrong value, and without it: one error, which names the file."""
    good = json.loads(saved(tmp_path, "good.json", 20.0).read_text())
    path = tmp_path / "changed.json"
    refused = 0
    for place in list(places(good)):
        for wrong in (*WRONG, ...):
            changed = json.loads(json.dumps(good))
            inside = changed
            for key in place[:-1]:
                inside = inside[key]
            if wrong is ...:
                del inside[place[-1]]
            else:
                inside[place[-1]] = wrong
            path.write_text(json.dumps(changed))
            try:
                found = document.load(path)
            except document.DocumentError as error:
                assert str(error).startswith(str(path))
                refused += 1
                continue
            for old, new in ((found, good), (good, found)):
                assert [one.job for one in document.changes(old, new)] in ([], ["job"])
            document.noise_between(found, good)
            terminal.show_changes(Console(file=io.StringIO()), found, good)
    assert refused > 100


def test_what_is_wrong_with_a_file_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path, "bad.json", 20.0)
    content = json.loads(path.read_text())
    content["groups"][0]["jobs"][0]["costs"]["floor"]["low"] = -1
    path.write_text(json.dumps(content))
    with pytest.raises(document.DocumentError, match=r"groups\[0\]\.jobs\[0\]\.costs\['floor'\] is no figure"):
        document.load(path)
    path.write_text("[" * 100_000)
    with pytest.raises(document.DocumentError, match="can't be read"):
        document.load(path)
