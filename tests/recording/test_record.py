"""``goanna record`` and ``goanna replay``: what a program did comes back, and no more of it than was asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goanna.cli.demo.wire_server import WireServer
from goanna.recording.reader import Recording, read
from goanna.recording.record import LEAST, files_of
from support.cores import backends

PROGRAM = Path(__file__).with_name("programs.py")
COMMANDS = 7
SECRET = "hunter2"


@pytest.fixture(scope="module")
def uri() -> Iterator[str]:
    with WireServer() as server:
        yield server.uri


@pytest.fixture(params=backends())
def core(request: pytest.FixtureRequest) -> str:
    return request.param


def goanna(*arguments: str, core: str = "auto", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "goanna", *arguments],
        env={**os.environ, "GOANNA_BACKEND": core, **environment},
        cwd=PROGRAM.parent,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def record(
    folder: Path, kind: str, uri: str, *options: str, core: str = "auto", **environment: str
) -> subprocess.CompletedProcess[str]:
    program = ["--", sys.executable, str(PROGRAM), kind, uri]
    return goanna("record", "-o", str(folder / "r.jsonl"), *options, *program, core=core, **environment)


def commands(recording: Recording) -> list[str]:
    return [one.event for one in recording.events if one.event.startswith("Command")]


def test_what_a_listener_of_the_program_saw_a_listener_of_the_replay_sees(tmp_path: Path, uri: str, core: str) -> None:
    ran = record(tmp_path, "prints", uri, "--documents", "full", core=core)
    assert ran.returncode == 0, ran.stderr
    replayed = goanna("replay", str(tmp_path / "r.jsonl"), "--listener", "programs:Printing", core=core)
    assert replayed.returncode == 0, replayed.stderr
    there, again = (
        [one for one in text.splitlines() if one.startswith("('")] for text in (ran.stdout, replayed.stdout)
    )
    assert len(there) >= 2 * (COMMANDS + 1)
    assert there == again


@pytest.mark.parametrize("documents", ["omitted", "redacted"])
def test_no_value_of_a_document_is_in_the_file(tmp_path: Path, uri: str, core: str, documents: str) -> None:
    ran = record(tmp_path, "plain", uri, "--documents", documents, core=core)
    assert ran.returncode == 0, ran.stderr
    text = (tmp_path / "r.jsonl").read_text()
    assert SECRET not in text
    assert ('"deep"' in text) == (documents == "redacted")
    assert commands(read(tmp_path / "r.jsonl")).count("CommandFailedEvent") == 1


def test_omitting_is_the_default(tmp_path: Path, uri: str) -> None:
    record(tmp_path, "plain", uri)
    found = read(tmp_path / "r.jsonl")
    assert found.header["documents"] == "omitted"
    assert not any({"command", "reply", "failure", "options"} & one.fields.keys() for one in found.events)


def test_a_recording_has_all_events_and_an_end(tmp_path: Path, uri: str, core: str) -> None:
    ran = record(tmp_path, "plain", uri, core=core)
    found = read(tmp_path / "r.jsonl")
    assert found.end is not None
    assert found.end["events"] == len(found.events)
    assert (found.end["not_written"], found.end["lost"], found.lost) == (0, 0, 0)
    counted = found.counted()
    assert counted["CommandStartedEvent"] == counted["CommandSucceededEvent"] + counted["CommandFailedEvent"]
    assert counted["ConnectionCheckedOutEvent"] == counted["ConnectionCheckedInEvent"]
    assert {"TopologyOpenedEvent", "ServerHeartbeatSucceededEvent", "PoolClosedEvent", "TopologyClosedEvent"} <= {
        *counted
    }
    assert found.header["core"] == core
    assert f"{len(found.events)} events" in ran.stderr


PYPY_CRASHES = pytest.mark.skipif(
    sys.implementation.name == "pypy",
    reason="when a listener of a child starts a thread PyPy crashes now and then, without goanna too",
)


@pytest.mark.parametrize("kind", [pytest.param("fork", marks=PYPY_CRASHES), "spawn"])
def test_every_process_has_a_file_of_its_own(tmp_path: Path, uri: str, core: str, kind: str) -> None:
    ran = record(tmp_path, kind, uri, core=core)
    assert ran.returncode == 0, ran.stderr
    parent, child = (read(one) for one in files_of(str(tmp_path / "r.jsonl")))
    assert parent.header["pid"] != child.header["pid"]
    assert commands(parent).count("CommandFailedEvent") == commands(child).count("CommandFailedEvent") == 1
    for found in (parent, child):
        assert found.end is not None
        assert (found.end["lost"], found.lost) == (0, 0)
        assert found.end["events"] == len(found.events)
    assert child.counted()["TopologyOpenedEvent"] >= 1  # a driver may tell of the client that it has inherited, too


def test_a_full_file_takes_no_more_and_says_how_many_are_missing(tmp_path: Path, uri: str, core: str) -> None:
    whole, bounded = tmp_path / "whole", tmp_path / "bounded"
    whole.mkdir()
    bounded.mkdir()
    record(whole, "plain", uri, core=core)
    ran = record(bounded, "plain", uri, "--max-bytes", str(LEAST), core=core)
    assert (whole / "r.jsonl").stat().st_size > LEAST
    assert (bounded / "r.jsonl").stat().st_size <= LEAST
    found = read(bounded / "r.jsonl")
    assert found.end is not None
    assert found.end["not_written"] > 0
    assert found.end["events"] == len(found.events)
    assert found.end["events"] + found.end["not_written"] == len(read(whole / "r.jsonl").events)
    assert f"{found.end['not_written']} not written" in ran.stderr


def test_the_status_is_that_of_the_program(tmp_path: Path, uri: str) -> None:
    assert record(tmp_path, "status", uri).returncode == 3


def test_a_killed_program_leaves_a_recording_without_an_end(tmp_path: Path, uri: str) -> None:
    ran = record(tmp_path, "killed", uri)
    assert ran.returncode == 128 + 9
    assert all(read(one).end is None for one in files_of(str(tmp_path / "r.jsonl")))


def test_a_program_without_events_is_told_of(tmp_path: Path, uri: str) -> None:
    ran = record(tmp_path, "nothing", uri)
    assert (ran.returncode, ran.stdout) == (1, "no driver here\n")
    assert "no event of PyMongo" in ran.stderr
    assert not files_of(str(tmp_path / "r.jsonl"))


def test_an_earlier_recording_is_not_overwritten(tmp_path: Path, uri: str) -> None:
    (tmp_path / "r.jsonl").write_text("mine")
    ran = record(tmp_path, "plain", uri)
    assert ran.returncode == 2
    assert "--force" in ran.stderr
    assert (tmp_path / "r.jsonl").read_text() == "mine"
    assert record(tmp_path, "plain", uri, "--force").returncode == 0
    assert read(tmp_path / "r.jsonl").events


def test_another_sitecustomize_runs_too(tmp_path: Path, uri: str) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('here I am')")
    ran = record(tmp_path, "plain", uri, PYTHONPATH=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("here I am\n") == 2, "in the program, and in the command itself"
    assert read(tmp_path / "r.jsonl").events


@pytest.mark.parametrize(("program", "status"), [(["no-such-program-anywhere"], 127), ([str(PROGRAM.parent)], 126)])
def test_a_program_that_cannot_be_run(tmp_path: Path, program: list[str], status: int) -> None:
    ran = goanna("record", "-o", str(tmp_path / "r.jsonl"), "--", *program)
    assert ran.returncode == status
    assert program[0] in ran.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--max-bytes", "5"], f"at least {LEAST}"),
        (["--documents", "some"], "invalid choice: 'some'"),
        (["-o", "/no/such/folder/r.jsonl"], "/no/such/folder is no folder"),
    ],
)
def test_bad_options_of_record(tmp_path: Path, options: list[str], said: str) -> None:
    ran = goanna("record", "-o", str(tmp_path / "r.jsonl"), *options, "--", sys.executable, "-c", "print('ran')")
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "ran\n" not in ran.stdout


HEADER: dict[str, Any] = {"goanna_recording": 1, "documents": "omitted"}
OPENED = {"t": 5, "e": "PoolReadyEvent", "f": {"address": ["localhost", 27017]}}


def write(path: Path, *lines: Any) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return path


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "no header"),
        ([{}], "no goanna_recording"),
        ([{**HEADER, "goanna_recording": 2}], "version 2 of the format; this goanna reads version 1"),
        ([HEADER, {"t": "5"}], "line 2: neither"),
        ([HEADER, [1]], "line 2: an object is needed"),
        ([HEADER, {"end": {}}, OPENED], "line 2: neither"),
    ],
)
def test_what_is_no_recording(tmp_path: Path, lines: list[Any], said: str) -> None:
    ran = goanna("replay", str(write(tmp_path / "r.jsonl", *lines)))
    assert ran.returncode == 2
    assert said in ran.stderr


def test_a_line_that_is_cut_off_at_the_end_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", HEADER, OPENED)
    path.write_text(path.read_text() + '{"t": 6, "e": "Pool')
    found = read(path)
    assert len(found.events) == 1
    assert found.end is None


def test_events_that_this_driver_does_not_know_are_left_out_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", HEADER, OPENED, {**OPENED, "e": "OfTomorrowEvent"}, {"end": {}})
    ran = goanna("replay", str(path), "--listener", "pymongo.event_loggers:ConnectionPoolLogger")
    assert ran.returncode == 1
    assert "published 1 events" in ran.stdout
    assert "1 OfTomorrowEvent could not be published" in ran.stderr


@pytest.mark.parametrize(
    ("listener", "said"),
    [
        ("programs", "package.module:Class"),
        ("no_such_module:X", "there is no module no_such_module"),
        ("programs:Nothing", "programs has no Nothing"),
        ("programs:COMMANDS", "neither a listener"),
        ("programs:Broken", "can't be called without arguments"),
        ("collections:Counter", "implements no listener interface"),
    ],
)
def test_what_is_no_listener(tmp_path: Path, listener: str, said: str) -> None:
    path = write(tmp_path / "r.jsonl", HEADER, OPENED)
    ran = goanna("replay", str(path), "--listener", listener)
    assert ran.returncode == 2
    assert said in ran.stderr


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast"])
def test_what_is_no_speed(tmp_path: Path, speed: str) -> None:
    ran = goanna("replay", str(write(tmp_path / "r.jsonl", HEADER, OPENED)), f"--speed={speed}")
    assert ran.returncode == 2
    assert "full, original or a number above 0" in ran.stderr


@pytest.mark.parametrize("command", ["replay", "doctor"])
def test_nobody_reads_on(tmp_path: Path, command: str) -> None:
    """As with ``goanna replay FILE | head -1``: it ends, and says nothing of it."""
    arguments = [command] if command == "doctor" else [command, str(write(tmp_path / "r.jsonl", HEADER, OPENED))]
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "goanna", *arguments], stdout=writing, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writing)
    assert (done.stderr, done.returncode) == (b"", 1)
