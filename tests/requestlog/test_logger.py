"""RequestLogger: where its lines go, what becomes of them when they can't, and what boto's own logger does there."""

from __future__ import annotations

import ast
import contextlib
import csv
import errno
import io
import json
import logging
import logging.handlers
import os
import queue
import re
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from support import boto2
from support.aws_servers import EC2_EMPTY, Moto, scripted
from support.boto2 import Request, Response
from support.cores import backends

PATIENCE = 60
"""Seconds after which something that should have happened never will."""


class Gate(io.StringIO):
    """A file whose ``write`` waits until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.open = threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        assert self.open.wait(PATIENCE)
        return super().write(text)


def log(logger: Any, *actions: str) -> None:
    for action in actions:
        logger.handle_request_data(Request(action), Response())


def actions(text: str) -> list[str]:
    return [ast.literal_eval(line)[4] for line in text.splitlines()]


def check(logger: Any, **counts: int) -> None:
    """Raise AssertionError unless the counts are these and add up."""
    stats = logger.stats()
    dropped = sum(stats.dropped.values())
    assert stats.published == stats.delivered + stats.failed + stats.filtered + dropped + stats.pending
    assert {name: dropped if name == "dropped" else getattr(stats, name) for name in counts} == counts


# The tutorial


@boto2.needed
def test_the_tutorial_of_boto(requestlog: ModuleType, moto: Moto, tmp_path: Path) -> None:
    """boto's own documentation, step by step, with the import changed."""
    path = tmp_path / "request_log.csv"
    conn = boto2.ec2(moto.port)
    logger = requestlog.RequestLogger(filename=str(path))
    conn.set_request_hook(logger)
    assert conn.get_all_volumes() == []
    logger.request_log_queue.join()
    (line,) = path.read_text().splitlines()
    moment, status, seconds, size, action = ast.literal_eval(line)
    assert line == f"'{moment}', '{status}', '{seconds}', '{size}', '{action}'"
    assert (status, action) == ("200", "DescribeVolumes")
    assert 0 < float(seconds) < PATIENCE
    assert int(size) > 0
    logger.close()


@boto2.needed
def test_the_same_requests_in_both_logs(
    requestlog: ModuleType, moto: Moto, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = boto2.original()
    monkeypatch.setattr(module, "Thread", lambda target: threading.Thread(target=target, daemon=True))
    theirs, ours = (str(tmp_path / name) for name in ("theirs", "ours"))
    conn = boto2.ec2(moto.port)
    original = module.RequestLogger(theirs)
    with requestlog.RequestLogger(ours) as logger:
        conn.set_request_hook(requestlog.RequestHooks(hooks=[original, logger]))
        volume = conn.create_volume(1, "us-west-2a")
        conn.get_all_volumes()
        with pytest.raises(boto2.boto().exception.EC2ResponseError):
            conn.get_all_volumes(["vol-00000000"])
        volume.delete()
    original.request_log_queue.join()
    original.request_log_file.close()
    lines = [list(map(ast.literal_eval, Path(one).read_text().splitlines())) for one in (theirs, ours)]
    assert len(lines[0]) == len(lines[1]) == 4
    for original_line, line in zip(*lines, strict=True):
        assert (original_line[1], *original_line[3:]) == (line[1], *line[3:])
        assert float(original_line[2]) == pytest.approx(float(line[2]), abs=1)


# The end of the process


def run(script: str, *arguments: str, core: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        env={**os.environ, "GOANNA_BACKEND": core},
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )


CALL = """
    import datetime, os, sys
    from goanna.requestlog import RequestLogger

    class Request:
        def __init__(self, action):
            self.params, self.start_time = {"Action": action}, datetime.datetime.now()

    class Response:
        status, headers = 200, {"content-length": "1"}

    logger = RequestLogger(sys.argv[1])

    def log(*actions):
        for action in actions:
            logger.handle_request_data(Request(action), Response())
"""


@boto2.needed
def test_the_thread_of_botos_logger_keeps_the_process_alive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = []

    class Thread(threading.Thread):
        def start(self) -> None:
            made.append(self)

    module = boto2.original()
    monkeypatch.setattr(module, "Thread", Thread)
    module.RequestLogger(str(tmp_path / "log")).request_log_file.close()
    assert [one.daemon for one in made] == [False], "and nothing tells it to end"


@pytest.mark.parametrize("core", backends())
def test_the_last_lines_are_on_disk_when_the_process_exits(core: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    done = run(CALL + "    log(*(f'A{number}' for number in range(2000)))", str(path), core=core)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert actions(path.read_text()) == [f"A{number}" for number in range(2000)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.parametrize("core", backends())
def test_a_forked_child_logs_too(core: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    done = run(
        CALL
        + """
    log("Before")
    logger.flush()
    child = os.fork()
    log(*(["Child"] * 300 if child == 0 else ["Parent"] * 300))
    if child == 0:
        logger.close(30)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    """,
        str(path),
        core=core,
    )
    # From 3.12 on Python warns of every fork in a process with threads.
    errors = [line for line in done.stderr.splitlines() if "Warning" not in line and "child = os.fork()" not in line]
    assert (done.returncode, done.stdout, errors) == (0, "", [])
    written = actions(path.read_text())
    assert written[0] == "Before"
    assert sorted(written) == ["Before"] + ["Child"] * 300 + ["Parent"] * 300


@boto2.needed
def test_the_queue_of_botos_logger_blocks_where_nobody_empties_it(theirs: Any) -> None:
    full = queue.Queue(100)
    for _ in range(100):
        theirs(Request(), Response())  # it takes each line out again
        full.put("")
    assert full.full()
    with pytest.raises(queue.Full):
        full.put("", block=False)  # boto's put waits here, in a forked child for ever


# Too many, too late


def test_a_full_queue_drops_and_counts(requestlog: ModuleType) -> None:
    gate = Gate()
    logger = requestlog.RequestLogger(file=gate, maxsize=10)
    log(logger, "First")
    assert gate.reached.wait(PATIENCE)
    log(logger, *(f"A{number}" for number in range(50)))
    check(logger, published=51, delivered=0, dropped=40, pending=11)
    assert logger.stats().dropped == {"overflow": 40}
    gate.open.set()
    assert logger.close() == 0
    check(logger, published=51, delivered=11, dropped=40, pending=0)
    assert actions(gate.getvalue()) == ["First", *(f"A{number}" for number in range(40, 50))]


def test_a_full_queue_keeps_the_oldest_if_asked(requestlog: ModuleType) -> None:
    gate = Gate()
    logger = requestlog.RequestLogger(file=gate, maxsize=10, overflow="drop_newest")
    log(logger, "First")
    assert gate.reached.wait(PATIENCE)
    log(logger, *(f"A{number}" for number in range(50)))
    gate.open.set()
    logger.close()
    assert actions(gate.getvalue()) == ["First", *(f"A{number}" for number in range(10))]


def test_a_full_queue_blocks_if_asked(requestlog: ModuleType) -> None:
    gate = Gate()
    logger = requestlog.RequestLogger(file=gate, maxsize=10, overflow="block")
    thread = threading.Thread(target=log, args=(logger, *(f"A{number}" for number in range(50))))
    thread.start()
    assert gate.reached.wait(PATIENCE)
    gate.open.set()
    thread.join(PATIENCE)
    assert logger.close() == 0
    assert actions(gate.getvalue()) == [f"A{number}" for number in range(50)]
    check(logger, published=50, delivered=50, dropped=0)


def test_blocking_ends(requestlog: ModuleType) -> None:
    gate = Gate()
    logger = requestlog.RequestLogger(file=gate, maxsize=1, overflow="block", timeout=0.01)
    log(logger, "First")
    assert gate.reached.wait(PATIENCE)
    log(logger, "Second", "Third")
    assert logger.stats().dropped == {"timeout": 1}
    gate.open.set()
    logger.close()
    check(logger, published=3, delivered=2, dropped=1)


def test_flush_and_close_give_up_in_time(requestlog: ModuleType) -> None:
    gate = Gate()
    logger = requestlog.RequestLogger(file=gate)
    log(logger, "First")
    assert gate.reached.wait(PATIENCE)
    log(logger, "Second")
    assert logger.flush(0.01) == 2
    assert logger.close(0.01) == 2
    gate.open.set()
    assert logger.flush(PATIENCE) == 0
    log(logger, "Late")
    assert logger.close() == 0
    check(logger, published=3, delivered=1, dropped=2)
    assert actions(gate.getvalue()) == ["First"]


def test_closing_while_a_line_is_written(requestlog: ModuleType, tmp_path: Path) -> None:
    logger = requestlog.RequestLogger(tmp_path / "log")
    target, reached, goes_on = logger._writer.target, threading.Event(), threading.Event()
    write = target.write

    class Slow:
        file = target.file

        def write(self, lines: list[str]) -> Any:
            reached.set()
            assert goes_on.wait(PATIENCE)
            return write(lines)

        def close(self) -> None:
            target.close()
            closed.set()

    closed = threading.Event()
    logger._writer.target = Slow()
    log(logger, "First")
    assert reached.wait(PATIENCE)
    assert logger.close(0.01) == 1
    assert not closed.is_set(), "its number could be somebody else's file by the time that the line is written"
    goes_on.set()
    assert closed.wait(PATIENCE)
    assert actions((tmp_path / "log").read_text()) == ["First"]


def test_a_logger_is_a_context_manager(requestlog: ModuleType, tmp_path: Path) -> None:
    with requestlog.RequestLogger(tmp_path / "log") as logger:
        log(logger, "First")
    assert logger.request_log_file.closed
    assert actions((tmp_path / "log").read_text()) == ["First"]
    log(logger, "Late")
    logger.close()
    check(logger, published=2, delivered=1, dropped=1)
    assert logger.stats().dropped == {"closed": 1}


def test_many_threads(requestlog: ModuleType, tmp_path: Path) -> None:
    with requestlog.RequestLogger(tmp_path / "log") as logger:
        threads = [
            threading.Thread(target=log, args=(logger, *(f"T{one}n{number}" for number in range(500))))
            for one in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    written = actions((tmp_path / "log").read_text())
    assert sorted(written) == sorted(f"T{one}n{number}" for one in range(8) for number in range(500))
    for one in range(8):
        mine = [name for name in written if name.startswith(f"T{one}n")]
        assert mine == [f"T{one}n{number}" for number in range(500)]
    check(logger, published=4000, delivered=4000)


# What goes wrong


@boto2.needed
def test_botos_logger_waits_for_ever_after_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import traceback

    printed = threading.Event()
    print_exc = traceback.print_exc
    monkeypatch.setattr(traceback, "print_exc", lambda file: (print_exc(file=file), printed.set()))
    module = boto2.original()
    monkeypatch.setattr(module, "Thread", lambda target: threading.Thread(target=target, daemon=True))
    logger = module.RequestLogger(str(tmp_path / "log"))
    logger.request_log_file.close()
    log(logger, "First")
    assert printed.wait(PATIENCE)
    assert "ValueError" in capsys.readouterr().out
    assert logger.request_log_queue.unfinished_tasks == 1, "join() will not return"


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="there is no full device on this system")
def test_a_full_disk_is_counted_and_logged_once(
    requestlog: ModuleType, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = requestlog.RequestLogger(FULL)
    with caplog.at_level(logging.WARNING, "goanna"):
        for _ in range(3):
            log(logger, "A", "B")
            logger.request_log_queue.join()
        check(logger, published=6, delivered=0, failed=6)
        (record,) = caplog.records
        assert "'/dev/full' can't be written: OSError: [Errno 28] No space left on device" in record.getMessage()
        logger.request_log_file.close()
        with (tmp_path / "log").open("w") as file:
            logger.request_log_file = file
            log(logger, "C")
            assert logger.flush() == 0
            assert caplog.records[-1].getMessage().endswith("log' can be written again; 6 lines were lost")
            log(logger, "D")
            logger.close()
        assert len(caplog.records) == 2
    check(logger, published=8, delivered=2, failed=6)
    assert actions((tmp_path / "log").read_text()) == ["C", "D"]
    assert capsys.readouterr() == ("", "")


def test_a_disk_that_fills_up_within_a_line(
    requestlog: ModuleType, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logger = requestlog.RequestLogger(tmp_path / "log")
    target = logger._writer.target
    raw, room = target._raw, [80]

    class Filling:
        name = raw.name

        def write(self, data: memoryview) -> int:
            count = min(room[0], len(data))
            room[0] -= count
            if not count:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return int(raw.write(data[:count]))

    target._raw = Filling()
    logger._writer.handle_batch([_event(requestlog, "One"), _event(requestlog, "Two")])
    assert logger._writer.lost == 1
    logger._writer.handle_batch([_event(requestlog, "Three")])
    assert logger._writer.lost == 2
    room[0] = 10_000
    logger._writer.handle_batch([_event(requestlog, "Four")])
    logger.close()
    lines = (tmp_path / "log").read_text().splitlines()
    assert [actions(lines[0]), actions(lines[2])] == [["One"], ["Four"]]
    assert len(lines[0]) + 1 + len(lines[1]) == 80, "the beginning of the line that is lost has one of its own"
    assert len(caplog.records) == 2


def _event(requestlog: ModuleType, operation: str) -> Any:
    return requestlog.RequestCompleted("ec2", operation, 200, 0.5, 10, 1, None, 1_700_000_000.0)


def test_a_file_that_somebody_closes(requestlog: ModuleType, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with requestlog.RequestLogger(tmp_path / "log") as logger:
        logger.request_log_file.close()
        log(logger, "A", "B")
    check(logger, published=2, failed=2)
    assert len(caplog.records) == 1


def test_a_request_that_cannot_be_logged(requestlog: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    class Odd(Response):
        headers = {"content-length": "1"}

        def __init__(self) -> None:
            self.status = "two hundred"  # type: ignore[assignment]

    class None_:
        pass

    file = io.StringIO()
    with requestlog.RequestLogger(file=file) as logger:
        for _ in range(3):
            logger.handle_request_data(Request(), Odd())
        log(logger, "A")
    check(logger, published=4, delivered=1, failed=3)
    assert len(caplog.records) == 1
    assert actions(file.getvalue()) == ["A"]
    caplog.clear()
    logger.handle_request_data(Request(), None_())  # it has no status
    assert "failed on Request" in caplog.text


# Where the lines go


def test_a_log_is_appended_to(requestlog: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "log"
    for options, expected in (({}, ["A"]), ({}, ["A", "A"]), ({"append": False}, ["A"])):
        with requestlog.RequestLogger(path, **options) as logger:
            log(logger, "A")
        assert actions(path.read_text()) == expected


@boto2.needed
def test_botos_logger_empties_the_log_and_follows_links(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = boto2.original()
    monkeypatch.setattr(module, "Thread", lambda target: threading.Thread())  # one that ends at once
    (tmp_path / "victim").write_text("precious")
    shared = _shared(tmp_path)
    (shared / "request_log.csv").symlink_to(tmp_path / "victim")
    module.RequestLogger(str(shared / "request_log.csv")).request_log_file.close()
    assert (tmp_path / "victim").read_text() == ""


def _shared(tmp_path: Path) -> Path:
    """Return a folder where everybody may write, as the temporary folder is."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    return shared


posix = pytest.mark.skipif(os.name != "posix", reason="modes and owners of files are those of POSIX")


@posix
def test_a_link_in_a_shared_folder_is_refused(requestlog: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    shared = _shared(tmp_path)
    (shared / "log").symlink_to(tmp_path / "victim")
    with pytest.raises(PermissionError, match="is a symbolic link in a folder where everybody may write"):
        requestlog.RequestLogger(shared / "log")
    (shared / "log").unlink()
    (shared / "log").hardlink_to(tmp_path / "victim")
    with pytest.raises(PermissionError, match="in a folder where everybody may write, and has other names"):
        requestlog.RequestLogger(shared / "log", append=False)
    assert (tmp_path / "victim").read_text() == "precious"


@posix
def test_a_strangers_file_in_a_shared_folder_is_refused(
    requestlog: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = _shared(tmp_path)
    (shared / "log").write_text("")
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    with pytest.raises(PermissionError, match="in a folder where everybody may write, and belongs to somebody else"):
        requestlog.RequestLogger(shared / "log")


@posix
@pytest.mark.parametrize(("options", "mode"), [({}, 0o600), ({"mode": 0o640}, 0o640)])
def test_a_new_file_is_nobody_elses_unless_told(
    requestlog: ModuleType, tmp_path: Path, options: dict[str, int], mode: int
) -> None:
    before = os.umask(0o022)
    try:
        for path in (_shared(tmp_path) / "log", tmp_path / "log"):
            requestlog.RequestLogger(path, **options).close()
            assert stat.S_IMODE(path.stat().st_mode) == mode
    finally:
        os.umask(before)


@posix
def test_a_folder_that_is_a_link_in_a_shared_folder_is_refused(requestlog: ModuleType, tmp_path: Path) -> None:
    shared = _shared(tmp_path)
    (tmp_path / "precious").mkdir()
    (shared / "logs").symlink_to(tmp_path / "precious")
    (tmp_path / "ours").symlink_to(shared)
    for path in (shared / "logs/log", tmp_path / "ours/logs/log", tmp_path / "precious/../shared/./logs//log"):
        with pytest.raises(PermissionError, match="the folder logs on the way to it is a symbolic link in a folder wh"):
            requestlog.RequestLogger(path)
    assert list((tmp_path / "precious").iterdir()) == []
    (shared / "own").mkdir()
    requestlog.RequestLogger(tmp_path / "ours/own/log").close()
    assert (shared / "own/log").exists(), "a link in a folder of one's own is followed"


@posix
def test_links_that_lead_nowhere(requestlog: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(OSError, match=re.escape(os.strerror(errno.ELOOP))):
        requestlog.RequestLogger(tmp_path / "round")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/up").symlink_to("../there")
    requestlog.RequestLogger("sub/up").close()
    assert (tmp_path / "there").exists()


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="there is no such file")
def test_standard_output_is_a_file(goanna: ModuleType) -> None:
    code = (
        "from goanna.requestlog import RequestLogger, RequestCompleted\n"
        "with RequestLogger('/dev/stdout') as logger:\n"
        "    logger.completed(RequestCompleted('ec2', 'One', 200, 0.5, 10, 1, None, 1.0))\n"
    )
    environment = {**os.environ, "GOANNA_BACKEND": goanna.BACKEND}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert actions(done.stdout) == ["One"]


@posix
def test_a_link_in_a_folder_of_ones_own_is_followed(requestlog: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to(tmp_path / "elsewhere")
    with requestlog.RequestLogger(tmp_path / "log") as logger:
        log(logger, "A")
    assert actions((tmp_path / "elsewhere").read_text()) == ["A"]


@posix
def test_without_a_name_the_log_is_a_new_file(
    requestlog: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(_shared(tmp_path)))
    with requestlog.RequestLogger() as one, requestlog.RequestLogger() as two:
        log(one, "A")
        log(two, "B")
    paths = [Path(logger.request_log_file.name) for logger in (one, two)]
    assert [actions(path.read_text()) for path in paths] == [["A"], ["B"]]
    for path in paths:
        assert path.parent == tmp_path / "shared"
        assert re.fullmatch(r"request_log_.*\.csv", path.name)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_csv_log_has_one_header(requestlog: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    for _ in range(2):
        with requestlog.RequestLogger(path, format="csv") as logger:
            log(logger, "A, B", 'C"D')
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["operation"] for row in rows] == ["A, B", 'C"D'] * 2
    assert {row["status"] for row in rows} == {"200"}


@pytest.mark.parametrize("make", [io.StringIO, io.BytesIO])
def test_a_file_object_stays_open(requestlog: ModuleType, make: Callable[[], Any]) -> None:
    file = make()
    with requestlog.RequestLogger(file=file, format="json") as logger:
        assert logger.request_log_file is file
        log(logger, "é")
    assert not file.closed
    (row,) = map(json.loads, file.getvalue().splitlines())
    assert row["operation"] == "é"


def test_a_binary_file_on_disk(requestlog: ModuleType, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file, requestlog.RequestLogger(file=file) as logger:
        log(logger, "é")
    assert actions((tmp_path / "log").read_text("utf-8")) == ["é"]


def test_rotation(requestlog: ModuleType, tmp_path: Path) -> None:
    handler = logging.handlers.RotatingFileHandler(tmp_path / "log", maxBytes=1000, backupCount=100)
    with contextlib.closing(handler), requestlog.RequestLogger(handler=handler) as logger:
        log(logger, *(f"A{number}" for number in range(100)))
    files = sorted(tmp_path.iterdir(), key=lambda path: int(path.suffix[1:] or 0), reverse=True)
    assert len(files) > 5
    assert actions("".join([path.read_text() for path in files])) == [f"A{number}" for number in range(100)]
    check(logger, published=100, delivered=100)


class Failing(logging.Handler):
    """A handler that fails in one of the ways that handlers have."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way

    def emit(self, record: logging.LogRecord) -> None:
        if self.way == "told":
            self.handleError(record)
            return
        try:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            if self.way == "raised":
                raise
            self.handleError(record)


@pytest.mark.parametrize("way", ["raised", "handled", "told"])
def test_a_handler_that_fails_is_counted_and_logged_once(
    requestlog: ModuleType, way: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = Failing(way)
    with contextlib.closing(handler), requestlog.RequestLogger(handler=handler) as logger:
        for _ in range(3):
            log(logger, "A", "B")
            logger.flush()
    check(logger, published=6, failed=6)
    assert len(caplog.records) == 1
    assert ("the logging handler says that it has failed" if way == "told" else "No space left") in caplog.text
    assert capsys.readouterr() == ("", "")
    assert "handleError" not in vars(handler)


def test_a_handlers_own_ways_are_kept(requestlog: ModuleType) -> None:
    stream, failed = io.StringIO(), []
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    handler.addFilter(lambda record: "Secret" not in record.getMessage())
    handler.handleError = failed.append  # type: ignore[method-assign]
    mine = handler.handleError
    with requestlog.RequestLogger(handler=handler, format="json") as logger:
        log(logger, "A", "Secret", "B")
        assert logger.request_log_file is stream
    lines = stream.getvalue().splitlines()
    assert [line[:23] for line in lines] == ["goanna.requestlog INFO "] * 2
    assert [json.loads(line[23:])["operation"] for line in lines] == ["A", "B"]
    assert handler.handleError is mine
    handler.setLevel(logging.WARNING)
    with requestlog.RequestLogger(handler=handler) as logger:
        log(logger, "C")
    assert len(stream.getvalue().splitlines()) == 2


def test_the_file_can_be_written_to_by_others(requestlog: ModuleType, tmp_path: Path) -> None:
    with requestlog.RequestLogger(tmp_path / "log") as logger:
        assert logger.request_log_file.name == str(tmp_path / "log")
        logger.request_log_file.write("# é\n")
        log(logger, "A")
    assert (tmp_path / "log").read_text("utf-8").startswith("# é\n'")


# The queue that programs look into


def test_the_queue(requestlog: ModuleType) -> None:
    gate = Gate()
    logger = requestlog.RequestLogger(file=gate, maxsize=2)
    lines = logger.request_log_queue
    assert (lines.maxsize, lines.qsize(), lines.empty(), lines.full()) == (2, 0, True, False)
    log(logger, "A")
    assert gate.reached.wait(PATIENCE)
    log(logger, "B")
    assert (lines.qsize(), lines.empty(), lines.full()) == (2, False, True)
    assert repr(lines) == "<RequestLogQueue with 2 of 2>"
    gate.open.set()
    lines.join()
    assert lines.qsize() == 0
    logger.close()


def test_what_a_logger_says_of_itself(requestlog: ModuleType, tmp_path: Path) -> None:
    with requestlog.RequestLogger(tmp_path / "log") as logger:
        assert repr(logger) == f"<RequestLogger to {str(tmp_path / 'log')!r}>"
    assert isinstance(logger, requestlog.RequestHook)
    assert isinstance(logger, requestlog.RequestListener)


# boto3


def test_boto3(requestlog: ModuleType, moto: Moto, tmp_path: Path) -> None:
    from botocore.exceptions import ClientError

    client = boto3.client("ec2", endpoint_url=moto.url)
    paths = {form: tmp_path / form for form in ("boto", "csv", "json")}
    with contextlib.ExitStack() as stack:
        for form, path in paths.items():
            logger = stack.enter_context(requestlog.RequestLogger(path, format=form))
            stack.enter_context(requestlog.attach(client, logger, attempts=True))
        client.describe_volumes()
        with pytest.raises(ClientError) as caught:
            client.describe_volumes(VolumeIds=["vol-00000000"])
    lines = [ast.literal_eval(line) for line in paths["boto"].read_text().splitlines()]
    assert [(line[1], line[4]) for line in lines] == [("200", "DescribeVolumes"), ("400", "DescribeVolumes")]
    rows = [json.loads(line) for line in paths["json"].read_text().splitlines()]
    assert [row["event"] for row in rows] == ["attempt", "completed", "attempt", "failed"]
    assert rows[-1]["code"] == "InvalidVolume.NotFound"
    assert rows[-1]["error"] == f"ClientError: {caught.value}"
    assert [row["bytes"] for row in rows] == [int(lines[0][3])] * 2 + [int(lines[1][3])] * 2
    with paths["csv"].open(newline="") as file:
        assert [row["event"] for row in csv.DictReader(file)] == [row["event"] for row in rows]


@boto2.needed
def test_one_log_for_boto_2_and_boto3(requestlog: ModuleType, tmp_path: Path) -> None:
    with scripted(EC2_EMPTY) as server, requestlog.RequestLogger(tmp_path / "log", format="json") as logger:
        connection, client = boto2.ec2(server.port), boto3.client("ec2", endpoint_url=server.url)
        connection.set_request_hook(logger)
        requestlog.attach(client, logger)
        connection.get_all_volumes()
        client.describe_volumes()
    old, new = map(json.loads, (tmp_path / "log").read_text().splitlines())
    same = {"event", "service", "operation", "status", "bytes", "request_id", "code", "error"}
    assert {name: old[name] for name in same} == {name: new[name] for name in same}
    assert (old["attempts"], new["attempts"]) == (None, 1)


def test_a_logger_is_a_listener_like_any_other(goanna: ModuleType, requestlog: ModuleType, moto: Moto) -> None:
    everything, failures = io.StringIO(), io.StringIO()
    client = boto3.client("ec2", endpoint_url=moto.url)
    with requestlog.RequestLogger(file=everything) as one, requestlog.RequestLogger(file=failures) as two:
        hub = goanna.Dispatcher(requestlog.RequestListener)
        hub.add(one)
        hub.add(goanna.where(two, lambda event: event.status != 200))
        requestlog.attach(client, hub)
        client.describe_volumes()
        with pytest.raises(client.exceptions.ClientError):
            client.describe_volumes(VolumeIds=["vol-00000000"])
        requestlog.RequestHooks(hub).handle_request_data(Request("Old"), Response())
        requestlog.RequestHooks(hub).handle_request_data(Request("Bad"), None, error=True)
    assert actions(everything.getvalue()) == ["DescribeVolumes", "DescribeVolumes", "Old", "Bad"]
    assert actions(failures.getvalue()) == ["DescribeVolumes", "Bad"]


# What can be wrong from the start


@pytest.fixture
def closed() -> Iterator[Any]:
    file = io.StringIO()
    file.close()
    yield file


def test_wrong_arguments(requestlog: ModuleType, tmp_path: Path, closed: Any) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "log"
    for error, text, arguments in (
        (FileNotFoundError, "folder of the file does not exist: '.*none'", {"filename": tmp_path / "none/log"}),
        (FileNotFoundError, "folder of the file is not a folder: '.*file'", {"filename": tmp_path / "file/log"}),
        (IsADirectoryError, "Is a directory", {"filename": tmp_path}),
        (TypeError, "filename must be a str or a path of one, not bytes", {"filename": b"log"}),
        (TypeError, "not int", {"filename": 3}),
        (TypeError, "takes one of filename, file and handler", {"filename": path, "file": io.StringIO()}),
        (TypeError, "file must be a file object; str has no method write", {"file": "log"}),
        (ValueError, "file is closed", {"file": closed}),
        (TypeError, "handler must be a logging.Handler, not 'log'", {"handler": "log"}),
        (TypeError, "handler must be .*; call it first", {"handler": logging.StreamHandler}),
        (ValueError, "format is 'xml'; it must be", {"filename": path, "format": "xml"}),
        (ValueError, "overflow is 'raise'; it must be", {"filename": path, "overflow": "raise"}),
        (ValueError, "maxsize", {"filename": path, "maxsize": 0}),
        (ValueError, "exit_timeout", {"filename": path, "exit_timeout": -1}),
    ):  # fmt: skip
        with pytest.raises(error, match=text):
            requestlog.RequestLogger(**arguments)
    assert not path.exists(), "nothing is created before everything else is right"
    with (tmp_path / "file").open() as reading, pytest.raises(ValueError, match="file is open for reading only"):
        requestlog.RequestLogger(file=reading)
