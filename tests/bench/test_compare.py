"""``python -m benchmarks.compare``: two runs of the benchmarks, saved as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import compare

    return compare


def time(nanoseconds: float) -> dict[str, float]:
    return {"best": nanoseconds, "median": nanoseconds}


def saved(folder: Path, name: str, content: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(json.dumps({"versions": {"python": "CPython 3.11", "goanna": "1"}, **content}))
    return path


def results(ours: float, base: str = "floor", unit: float = 10.0) -> dict[str, Any]:
    return {"results": {"job": {base: time(unit), "goanna compiled": time(ours)}}}


def run(compare, monkeypatch: pytest.MonkeyPatch, *paths: Path) -> int:
    monkeypatch.setattr("sys.argv", ["compare", *map(str, paths)])
    return compare.main()


@pytest.mark.parametrize("base", ["floor", "stock"])
def test_runs_of_machines_of_different_speed(compare, monkeypatch, capsys, tmp_path: Path, base: str) -> None:
    old = saved(tmp_path / "old", "events.json", results(20.0, base))
    new = saved(tmp_path / "new", "events.json", results(90.0, base, unit=30.0))
    for paths in ((old, new), (old.parent, new.parent)):
        assert run(compare, monkeypatch, *paths) == 0
        said = capsys.readouterr().out
        assert "2.00" in said
        assert "3.00" in said
        assert "1.50   dearer" in said


def test_request_logs_are_compared_with_the_hook_that_does_nothing(
    compare, monkeypatch, capsys, tmp_path: Path
) -> None:
    def hooks(ours: float) -> dict[str, Any]:
        costs = {"do-nothing hook": time(10.0), "goanna compiled": time(ours)}
        return {"hooks, ns": {name: {"burst": one, "flood": one} for name, one in costs.items()}}

    old, new = (saved(tmp_path / name, "r.json", hooks(ours)) for name, ours in (("old", 100.0), ("new", 40.0)))
    assert run(compare, monkeypatch, old, new) == 0
    assert capsys.readouterr().out.count("0.40   cheaper") == 2


@pytest.mark.parametrize(
    ("text", "said"), [("{", "can't be read"), ("{}", "not written by a benchmark"), (None, "can't be read")]
)
def test_what_is_no_run(compare, monkeypatch, capsys, tmp_path: Path, text: str | None, said: str) -> None:
    new = saved(tmp_path, "new.json", results(1.0))
    old = tmp_path / "old.json"
    if text is not None:
        old.write_text(text)
    assert run(compare, monkeypatch, old, new) == 2
    assert said in capsys.readouterr().err


def test_folders_without_a_file_in_common(compare, monkeypatch, capsys, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    saved(tmp_path / "new", "events.json", results(1.0))
    assert run(compare, monkeypatch, tmp_path / "old", tmp_path / "new") == 2
    assert "make bench SAVE=" in capsys.readouterr().err
