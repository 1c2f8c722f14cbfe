"""The guards of performance: when they fail. They are called with figures made up, and measure nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import gate

    return gate


@pytest.fixture
def instructions(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import instructions

    return instructions


def test_a_bound_must_be_reached_in_one_of_the_tries(gate, capsys: pytest.CaptureFixture[str]) -> None:
    steady, late, never = (gate.Bound(name, "goanna", "floor", 1.0) for name in ("steady", "late", "never"))
    found = {steady: [1.0], late: [0.5, 1.1], never: [0.9, 0.99, 0.8]}
    asked: list[list[str]] = []

    def measure(bounds: Iterable) -> dict:
        asked.append([one.job for one in bounds])
        return {one: found[one][len(asked) - 1] for one in bounds}

    assert gate.judged([steady, late, never], measure, 3) == {never: [0.9, 0.99, 0.8]}
    assert asked == [["steady", "late", "never"], ["late", "never"], ["never"]]


def test_every_bound_is_about_something_that_is_measured(gate) -> None:
    from goanna.bench import suites

    there = {job.name: set(job.works) for group in suites.every() for job in group.jobs}
    for bound in gate.BOUNDS:
        if bound.job.startswith("track_event") and bound.job not in there:
            continue  # db-ally is not installed
        optional = {
            *([] if gate.boto() is not None else ["boto's logger"]),
            "psygnal emit_fast",
            "botocore",
            "pyee",
            gate.COMPILED,
            gate.monitored.COMPILED,
            "strict, compiled",
            "guaranteed, compiled",
        }
        assert {bound.who, bound.than} <= there[bound.job] | optional, bound


@pytest.mark.parametrize(("count", "status"), [(100.0, 0), (102.9, 0), (103.1, 1), (50.0, 0)])
def test_more_instructions_are_an_error_and_fewer_are_told(
    instructions, capsys: pytest.CaptureFixture[str], count: float, status: int
) -> None:
    assert instructions.compared({"path": 100.0}, {"path": count}) == status
    assert ("less: commit it" in capsys.readouterr().out) == (count == 50.0)


def test_a_path_without_a_number_is_an_error(instructions) -> None:
    assert instructions.compared({}, {"new": 1.0}) == 1


@pytest.mark.parametrize(("ours", "status"), [(True, 1), (False, 0)])
def test_without_numbers_nothing_is_compared_but_for_the_version_of_ci(
    instructions,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    ours: bool,
    status: int,
) -> None:
    committed = tmp_path / "none.json"
    committed.write_text("{}")
    monkeypatch.setattr(instructions, "COMMITTED", committed)
    monkeypatch.setattr(instructions.shutil, "which", lambda name: None if name == "cc" else f"/bin/{name}")
    monkeypatch.setattr(instructions.sys, "platform", "linux")
    monkeypatch.setattr(instructions.sys, "argv", ["instructions"])
    monkeypatch.setattr(instructions.platform, "python_version", lambda: instructions.CI_PYTHON if ours else "3.11.0")
    assert instructions.main() == status
    said = capsys.readouterr().out
    assert "NOT COMPARED" in said
    assert "--write" in said


HERE = "CPython 3.11.7 plain, GCC 12.2.0, cc 12.2.0, x86_64"


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        (HERE, 0.03),
        ("CPython 3.11.7 plain, Clang 17, cc 13.1.0, x86_64", 0.15),
        ("CPython 3.11.7 optimised, GCC 12.2.0, cc 12.2.0, x86_64", None),
        ("CPython 3.11.8 plain, GCC 12.2.0, cc 12.2.0, x86_64", None),
        ("CPython 3.11.7 plain, GCC 12.2.0, cc 12.2.0, aarch64", None),
    ],
)
def test_another_compiler_is_compared_less_strictly_another_interpreter_not_at_all(
    instructions, name: str, tolerance: float | None
) -> None:
    numbers, found = instructions.comparable({name: {"path": 1.0}}, HERE)
    assert (numbers is None) == (tolerance is None)
    assert tolerance is None or found == tolerance


def test_the_numbers_of_the_very_compiler_come_first(instructions) -> None:
    other = "CPython 3.11.7 plain, Clang 17, cc 13.1.0, x86_64"
    assert instructions.comparable({other: {"a": 1.0}, HERE: {"a": 2.0}}, HERE) == ({"a": 2.0}, 0.03)


def test_with_another_compiler_more_is_let_pass(instructions) -> None:
    assert instructions.compared({"path": 100.0}, {"path": 114.0}, 0.15) == 0
    assert instructions.compared({"path": 100.0}, {"path": 116.0}, 0.15) == 1


def test_the_version_of_ci_has_numbers_for_every_path(instructions) -> None:
    known = json.loads((ROOT / "benchmarks" / "instructions.json").read_text())
    numbers = [one for name, one in known.items() if name.startswith(f"CPython {instructions.CI_PYTHON} ")]
    assert numbers
    assert all(one.keys() == instructions.PATHS.keys() for one in numbers)


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="it takes Linux, and two processors",
)
def test_pushes_with_the_threads_on_processors_of_their_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import apart

    monkeypatch.setattr(apart, "QUEUES", 1)
    monkeypatch.setattr(apart, "ROUNDS", 2)
    monkeypatch.setattr("sys.argv", ["apart"])
    before = os.sched_getaffinity(0)
    assert apart.main() == 0
    assert "goanna pure: medians of 1 queues" in capsys.readouterr().out
    assert os.sched_getaffinity(0) == before


def test_the_gate_runs_on_one_processor_and_then_on_all_again(gate) -> None:
    if not hasattr(os, "sched_getaffinity"):
        with gate.on_one_processor():
            return
    before = os.sched_getaffinity(0)
    with gate.on_one_processor():
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before
