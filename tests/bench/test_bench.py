"""``goanna bench``: what it measures, writes, shows and compares; no test says how long something takes."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from goanna.bench.document import DocumentError, changes, figures, load, noise_between
from goanna.bench.figures import Figure, figure, spread, verdict
from goanna.bench.page import page
from goanna.bench.terminal import compared, duration, noise, word
from support.cores import without_what_is_missing
from support.html_page import Page

ALONE = """
import sys
for name in ("psygnal", "blinker", "pluggy", "pyee", "botocore", "msgspec", "dbally", "boto"):
    sys.modules[name] = None
from goanna.cli import main
sys.exit(main(sys.argv[1:]))
"""


def bench(*arguments: str, alone: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
    program = ["-c", ALONE] if alone else ["-m", "goanna"]
    return subprocess.run(
        [sys.executable, "-W", "error", *program, "bench", *arguments],
        env={**os.environ, "COLUMNS": "120", "PYTHONUTF8": "1", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def cost(median: float, around: float = 0.01) -> dict[str, float]:
    return {"best": median, "median": median, "low": median * (1 - around), "high": median * (1 + around)}


def made(**costs: float) -> dict[str, Any]:
    return {
        "goanna_bench": 1,
        "date": "2026-01-01T00:00:00+00:00",
        "machine": {"platform": "somewhere", "processor": "<fast>", "cpus": 2, "load": 0.1},
        "interpreter": {"python": "CPython 3.11", "compiler": "cc", "optimised": True},
        "versions": {"goanna": "0"},
        "rounds": 9,
        "noise": {"spread": 0.01, "verdict": "quiet"},
        "groups": [
            {
                "name": "Group",
                "floor": "nothing",
                "jobs": [{"name": "job", "costs": {k: cost(v) for k, v in costs.items()}}],
            }
        ],
    }


def test_everything_is_measured_written_and_shown(tmp_path: Path) -> None:
    first, second, html = (str(tmp_path / name) for name in ("a.json", "b.json", "b.html"))
    done = bench("--quick", "--json", first)
    assert (done.returncode, without_what_is_missing(done.stderr)) == (0, ""), done.stdout
    again = bench("--quick", "--json", second, "--compare", first, "--html", html)
    assert (again.returncode, without_what_is_missing(again.stderr)) == (0, ""), again.stdout
    assert "Each figure is divided by the floor of its own run" in again.stdout
    content = load(second)
    found = figures(content)
    assert {f"publish to {count}" for count in (0, 1, 3, 10, 30)} <= found.keys()
    for job, costs in found.items():
        assert "floor" in costs, job
        assert any(name.endswith("pure") for name in costs) or job == "read a field of command_start", job
        for one in costs.values():
            assert one.best <= one.median
            assert one.low <= one.median <= one.high
        assert job in again.stdout
    assert found["command_start to 1"].keys() >= {"stock", "installed, pure"}
    assert found["read a field of command_start"].keys() >= {"floor", "stock"}
    assert {"hand an event to a thread", "hand an event to an event loop", "reject an event"} <= found.keys()
    logged = "write a line for a request"
    assert ("boto's logger" in found[logged]) == (sys.version_info < (3, 12) and find_spec("boto") is not None)
    assert ("track_event, 1 handler" in found) == (find_spec("dbally") is not None)
    assert content["interpreter"]["python"] in again.stdout.replace("\n", " ")
    told = Page()
    text = Path(html).read_text(encoding="utf-8")
    told.feed(text)
    assert (told.open, told.references) == ([], [])
    assert told.bars == sum(map(len, found.values()))
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"https?://|<script", text)


def test_rivals_that_are_not_installed_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    done = bench("--quick", "--json", str(path), alone=True, GOANNA_BACKEND="py")
    assert (done.returncode, without_what_is_missing(done.stderr)) == (0, ""), done.stdout
    found = figures(load(path))
    assert not {"blinker", "pluggy", "psygnal emit", "msgspec"} & {name for costs in found.values() for name in costs}
    assert {"floor", "plain loop"} <= found["publish to 1"].keys()
    assert not any(job.startswith("track_event") for job in found)


def test_the_interval_of_a_median_is_between_two_of_its_values() -> None:
    found = figure([float(number) for number in range(100, 0, -1)])
    assert (found.best, found.median) == (1.0, 50.5)
    assert (found.low, found.high) == (41.0, 61.0)  # of the binomial distribution: the 41st and the 61st of 100
    assert figure([3.0, 1.0, 2.0]) == Figure(1.0, 2.0, 1.0, 3.0)


def test_figures_whose_intervals_meet_are_not_apart() -> None:
    one, other = Figure(1, 2, 1, 3), Figure(3, 4, 3, 5)
    assert not one.apart(other)
    assert one.apart(Figure(4, 5, 4, 6))
    assert Figure(4, 5, 4, 6).apart(one)


def test_the_machine_is_as_noisy_as_the_floors_vary() -> None:
    steady, shaky = [100.0, 101.0, 100.0, 99.0] * 5, [100.0, 200.0] * 10
    assert verdict(spread([steady])) == "quiet"
    assert verdict(spread([shaky])) == "too noisy"
    assert verdict(spread([steady, steady, shaky])) == "quiet", "a single one of many tells little"
    assert verdict(0.2) == "noisy"


@pytest.mark.parametrize(("said", "word"), [("noisy", "is noisy"), ("too noisy", "too noisy to tell")])
def test_a_noisy_machine_is_warned_of(said: str, word: str) -> None:
    content = made(floor=1.0, goanna=2.0)
    assert noise(content) == ""
    content["noise"] = {"spread": 0.5, "verdict": said}
    assert word in noise(content)
    assert word in page(content)


def test_changes_are_ratios_of_ratios() -> None:
    old, new = made(floor=10.0, goanna=20.0, gone=5.0), made(floor=30.0, goanna=90.0, come=1.0)
    (one,) = changes(old, new)
    assert (one.rival, one.before, one.now, one.ratio, one.apart) == ("goanna", 2.0, 3.0, 1.5, True)
    (one,) = changes(old, made(floor=30.0, goanna=60.5))
    assert not one.apart
    wide = copy.deepcopy(new)
    wide["groups"][0]["jobs"][0]["costs"]["goanna"] = cost(90.0, around=0.6)
    (one,) = changes(old, wide)
    assert not one.apart


def others(count: int, median: float = 100.0) -> dict[str, float]:
    return {f"other {number}": median for number in range(count)}


def test_noise_is_what_unchanged_figures_of_others_differ_by() -> None:
    old = made(floor=1.0, goanna=50.0, **others(40))
    new = made(floor=1.0, goanna=60.0, **{**others(40, 110.0), "other 7": 300.0})
    found = noise_between(old, new)
    assert found.controls == 40
    assert found.limit == pytest.approx(0.1)
    (one,) = (one for one in changes(old, new) if one.rival == "goanna")
    assert one.beyond(found)
    assert word(one, found) == "dearer"
    near = made(floor=1.0, goanna=54.0, **others(40, 110.0))
    (one,) = (one for one in changes(old, near) if one.rival == "goanna")
    assert one.apart
    assert word(one, noise_between(old, near)) == ""


def test_noise_is_never_taken_to_be_nothing() -> None:
    same = made(floor=1.0, **others(40))
    assert noise_between(same, same).limit == 0.05


@pytest.mark.parametrize("what", ["few", "interpreter", "package"])
def test_where_others_can_not_tell_the_noise_it_is_assumed_and_said(what: str) -> None:
    count = 5 if what == "few" else 40
    old, new = made(floor=1.0, goanna=1.0, **others(count)), made(floor=1.0, goanna=1.1, **others(count))
    if what == "interpreter":
        new["interpreter"]["python"] = "CPython 3.12"
    if what == "package":
        old["versions"]["other"], new["versions"]["other"] = "1", "2"
    found = noise_between(old, new)
    assert (found.limit, found.controls) == (0.15, 0)
    assert "15% is taken" in compared(list(changes(old, new)), found)


def test_runs_that_have_nothing_in_common() -> None:
    assert compared([], noise_between(made(floor=1.0), made(floor=1.0))) == "The two runs have nothing in common."


def test_names_are_text_in_the_page() -> None:
    assert "&lt;fast&gt;" in page(made(floor=1.0))
    assert "<fast>" not in page(made(floor=1.0), made(floor=1.0))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "can't be read"),
        ("{", "can't be read"),
        ("[]", "not written by goanna bench"),
        ("{}", "not written by goanna bench"),
        ('{"goanna_bench": 2}', "version 2 of the schema; this goanna reads version 1"),
    ],
)
def test_what_can_not_be_compared_with(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "old.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DocumentError, match=re.escape(said)):
        load(path)


def test_files_are_looked_at_before_anything_is_measured(tmp_path: Path) -> None:
    for options in (["--compare", str(tmp_path / "none.json")], ["--json", "/no/such/folder/a.json"]):
        done = bench("--quick", *options)
        assert done.returncode == 2
        assert options[1] in done.stderr
        assert done.stdout == ""


@pytest.mark.parametrize(
    ("nanoseconds", "text"), [(4.25, "4.2 ns"), (99.96, "100.0 ns"), (250.4, "250 ns"), (12_345.0, "12.3 µs")]
)
def test_durations(nanoseconds: float, text: str) -> None:
    assert duration(nanoseconds) == text


def test_a_document_survives_json(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(made(floor=1.0, goanna=2.0)))
    assert figures(load(path)) == figures(made(floor=1.0, goanna=2.0))
