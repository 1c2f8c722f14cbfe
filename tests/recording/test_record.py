"""``goanna record`` and ``goanna replay``: what a program did comes back, and no more of it than was asked for."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import uuid
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
    assert "exists and is no recording" in ran.stderr
    ran = record(tmp_path, "plain", uri, "--force")
    assert (ran.returncode, "exists and is no recording" in ran.stderr) == (2, True)
    assert (tmp_path / "r.jsonl").read_text() == "mine"
    for name in ("r.jsonl", "r.jsonl.77", "r.jsonl.77-2"):
        write(tmp_path / name, HEADER)
    for name in ("r.jsonl.78", "r.jsonl.20240101"):
        (tmp_path / name).write_text("mine")
    write(tmp_path / "rXjsonl.77", HEADER)
    (tmp_path / "r.jsonl.79").symlink_to("r.jsonl.77-2")
    ran = record(tmp_path, "plain", uri)
    assert (ran.returncode, "--force" in ran.stderr) == (2, True)
    assert record(tmp_path, "plain", uri, "--force").returncode == 0
    assert read(tmp_path / "r.jsonl").events
    kept = {"r.jsonl", "r.jsonl.78", "r.jsonl.79", "r.jsonl.20240101", "rXjsonl.77"}
    assert {one.name for one in tmp_path.iterdir()} == kept


@pytest.mark.parametrize("name", ["r[1].jsonl", "*.jsonl", "r?.jsonl"])
def test_a_name_is_no_pattern(tmp_path: Path, name: str) -> None:
    for one in ("r1.jsonl.7", "other.jsonl.7", "r2.jsonl"):
        write(tmp_path / one, HEADER)
    assert files_of(str(tmp_path / name)) == []


def test_a_program_that_cannot_be_run_costs_no_recording(tmp_path: Path) -> None:
    before = write(tmp_path / "r.jsonl", HEADER).read_text()
    ran = goanna("record", "-o", str(tmp_path / "r.jsonl"), "--force", "--", "no-such-program-anywhere")
    assert ran.returncode == 127
    assert [one.name for one in tmp_path.iterdir()] == ["r.jsonl"]
    assert (tmp_path / "r.jsonl").read_text() == before


@pytest.mark.skipif(sys.platform == "win32", reason="sizes of files are bounded for a process on POSIX only")
def test_what_cannot_be_written_is_told_and_counted(tmp_path: Path, uri: str, core: str) -> None:
    ran = record(tmp_path, "full", uri, "--documents", "full", core=core)
    assert ran.returncode == 1
    found = read(tmp_path / "r.jsonl")
    assert found.end is not None
    assert found.end["error"].startswith(f"[Errno {errno.EFBIG}]")
    assert found.end["not_written"] > 0
    assert found.end["events"] == len(found.events) > 0
    assert "can't be written any more" in ran.stderr
    assert "is why it ends here" in ran.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="sizes of files are bounded for a process on POSIX only")
def test_where_nothing_can_be_written_there_is_no_file(tmp_path: Path, uri: str, core: str) -> None:
    ran = record(tmp_path, "fuller", uri, core=core)
    assert ran.returncode == 1
    assert ran.stderr.count("can't be written any more") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("room", range(0, 3000, 97))
def test_a_disk_that_is_full_at_any_byte(
    backend: str, tmp_path: Path, room: int, capfd: pytest.CaptureFixture[str]
) -> None:
    from goanna.recording.file import RecordingFile
    from goanna.recording.form import line

    file = RecordingFile(str(tmp_path / "r.jsonl"), "omitted", 64_000)
    lines = [line({"t": number, "e": "PoolReadyEvent", "f": {"address": ["h" * number, 1]}}) for number in range(60)]
    file.write(lines[:1])
    disk = file._file
    assert disk is not None
    raw, left = disk._raw, [room]

    class Filling:
        name = raw.name
        fileno = raw.fileno

        def write(self, data: memoryview) -> int:
            count = min(left[0], len(data))
            left[0] -= count
            if not count:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return int(raw.write(data[:count]))

    disk._raw = Filling()  # type: ignore[assignment]
    cut = disk.cut

    def freed(size: int) -> None:
        left[0] += os.fstat(raw.fileno()).st_size - size
        cut(size)

    disk.cut = freed  # type: ignore[method-assign]
    for number in range(1, 60, 7):
        file.write(lines[number : number + 7])
    file.end(0)
    found = read(tmp_path / "r.jsonl")
    assert [one.at for one in found.events] == list(range(len(found.events)))
    if room < 384:  # not even the last line would fit, and next to nothing can go to make room for it
        return
    assert found.end is not None
    assert not found.torn
    assert found.end["events"] == len(found.events)
    assert found.end["events"] + found.end["not_written"] == 60
    assert found.end["error"].startswith(f"[Errno {errno.ENOSPC}]")
    assert capfd.readouterr().err.count("can't be written any more") == 1


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


def test_no_value_costs_the_event(backend: str) -> None:
    """Whatever a driver's event holds, it costs its own place at most."""
    from goanna.recording.form import line

    class Odd:
        def __repr__(self) -> str:
            raise LookupError

    class OddError(Exception):
        def __str__(self) -> str:
            raise LookupError

    class OddMapping(dict[str, Any]):
        def items(self) -> Any:
            raise LookupError

    cycle: list[Any] = []
    cycle.append(cycle)
    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]
    number = uuid.UUID(int=7)
    fields = {
        "uuid": number, "odd": Odd(), "error": OddError(), "mapping": OddMapping(a=1), "cycle": cycle, "deep": deep,
        "long": 10**5000, "names": {(1, 2): 3, Odd(): 4}, "set": {number}, "good": {"a": [1, "\ud800", None]},
    }  # fmt: skip
    for key, value in fields.items():
        found = json.loads(line({"t": 1, "e": "E", "f": {key: value, "other": 5}}))
        assert found["f"]["other"] == 5, key
    found = json.loads(line({"t": 1, "e": "E", "f": fields}))["f"]
    assert found["uuid"] == {"$uuid": str(number)}
    assert found["set"] == [{"$uuid": str(number)}]
    assert found["good"] == {"a": [1, "\ud800", None]}
    assert found["odd"] == {"$repr": f"<{Odd.__qualname__}: LookupError>"}
    assert found["error"] == {"$repr": f"<{OddError.__qualname__}: LookupError>"}
    assert found["long"] == {"$repr": "<int: ValueError>"}
    assert found["names"]["(1, 2)"] == 3


@pytest.mark.parametrize("documents", ["full", "redacted"])
def test_uuids_and_what_else_a_program_sends(tmp_path: Path, backend: str, documents: str) -> None:
    from pymongo import monitoring
    from pymongo.monitoring import _EventListeners

    from goanna.recording.calls import calls
    from goanna.recording.recorder import Recorder, everything

    class Hostile(dict[str, Any]):
        def items(self) -> Any:
            raise LookupError

    number = uuid.uuid4()
    recorder = Recorder(str(tmp_path / "r.jsonl"), documents)
    listeners = _EventListeners([everything(monitoring, recorder._taker())])
    commands = [{"find": "c", "id": number}, Hostile(find="c"), {"find": "c", "at": 1}]
    for one in commands:
        listeners.publish_command_start(one, "db", 1, ("h", 1), 5)
    recorder.finish()
    found = read(tmp_path / "r.jsonl")
    assert found.end is not None
    assert (found.end["events"], found.end["unencoded"]) == (3, 0)
    made, _ = calls(found, monitoring)
    first = made[0].arguments[0]
    assert first == {"find": "c" if documents == "full" else "", "id": number if documents == "full" else first["id"]}


def test_errors_are_recorded_without_the_secrets_of_urls(backend: str) -> None:
    from goanna.recording.form import line

    text = line({"error": OSError("can't reach https://u:p@host/a?X-Amz-Signature=secret")})
    assert b"https://host/a?..." in text
    assert b"secret" not in text


def test_replay_says_nothing_to_the_terminal_that_the_file_says(tmp_path: Path) -> None:
    orders = "\x1b]0;owned\x07\x9b2J\u202e\nforged"
    header = {**HEADER, "python": orders, "documents": orders}
    path = write(tmp_path / "r.jsonl", header, {**OPENED, "e": f"Of{orders}Event"}, {"end": {"lost": orders}})
    for arguments in ([], ["--listener", "pymongo.event_loggers:ConnectionPoolLogger"]):
        ran = goanna("replay", str(path), *arguments)
        assert "Of\\x1b]0;owned" in ran.stdout + ran.stderr
        assert all(one.isprintable() for one in (ran.stdout + ran.stderr).splitlines())
        assert not [one for one in (ran.stdout + ran.stderr).splitlines() if one.startswith("forged")]
    path.write_text('{"goanna_recording": 1}\n"\x1b[2J\u2028"\n')
    ran = goanna("replay", str(path))
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)
    assert ran.stderr[:-1].isprintable()


LAUNCHER = """
import os, sys
os.environ["PYTHONPATH"] = os.pathsep.join([sys.argv[1], os.environ["PYTHONPATH"]])
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.skipif(os.name == "nt", reason="a process does not become another one there")
def test_a_program_behind_another_launcher_is_recorded(tmp_path: Path, uri: str, core: str) -> None:
    """Launchers of agents put a sitecustomize of their own in front, which runs no other."""
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "sitecustomize.py").write_text("print('agent', flush=True)")
    (tmp_path / "launcher.py").write_text(LAUNCHER)
    launched = [sys.executable, str(tmp_path / "launcher.py"), str(tmp_path / "agent")]
    program = [sys.executable, str(PROGRAM), "plain", uri]
    ran = goanna("record", "-o", str(tmp_path / "r.jsonl"), "--", *launched, *program, core=core)
    assert ran.returncode == 0, ran.stderr
    assert "agent" in ran.stdout.split()
    assert commands(read(tmp_path / "r.jsonl")).count("CommandFailedEvent") == 1
