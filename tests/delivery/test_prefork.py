"""Real servers that fork their workers: each process hands on its own events, all of them, and no other's."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from delivery.processes import LONG, environment, noted
from goanna.cli.demo.wire_server import WireServer
from support.packages import needed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="these servers need fork")

GUNICORN = [sys.executable, "-m", "gunicorn", "--log-level", "warning", "--no-control-socket"]


@pytest.fixture(scope="module")
def uri() -> Iterator[str]:
    with WireServer() as server:
        yield server.uri


@contextlib.contextmanager
def serving(command: list[str], backend: str, folder: Path, uri: str, **variables: str) -> Iterator[int]:
    """Run a server on a socket that listens already, ``{fd}`` in the command; stop it gracefully at the end."""
    settings = {"MONGODB_URI": uri, "TMPDIR": str(folder), "LOADING": "10", "FLUSH": "at the end", **variables}
    with socket.create_server(("127.0.0.1", 0)) as listening, open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [one.format(fd=listening.fileno()) for one in command],
            env={**environment(backend, folder / "evidence"), **settings},
            pass_fds=[listening.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            yield listening.getsockname()[1]
            process.send_signal(signal.SIGTERM)
            status = process.wait(LONG)
        finally:
            process.kill()
            process.wait()
    text = (folder / "log").read_text()
    assert status == 0, text
    assert "Traceback" not in text, text
    assert "were left" not in text, text


def ask(connection: http.client.HTTPConnection) -> dict[str, Any]:
    """Read the answer to a request that has been sent."""
    response = connection.getresponse()
    answer = response.read()
    assert response.status == 200, answer
    found: dict[str, Any] = json.loads(answer)
    return found


@contextlib.contextmanager
def connected(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG)
    try:
        yield connection
    finally:
        connection.close()


def exchange(port: int) -> dict[str, Any]:
    with connected(port) as connection:
        connection.request("GET", "/")
        return ask(connection)


def exchange_with_two(port: int) -> list[dict[str, Any]]:
    """Have two workers of one thread answer: one is busy with half a request while the other gets a whole one."""
    with connected(port) as half:
        half.connect()
        half.sock.sendall(b"GET / HTTP/1.1\r\n")
        whole = exchange(port)
        half.sock.sendall(b"Host: localhost\r\n\r\n")
        response = http.client.HTTPResponse(half.sock, method="GET")
        response.begin()
        return [whole, json.loads(response.read())]


def check(answers: list[dict[str, Any]], folder: Path, *, preloaded: bool, loading: int = 10) -> None:
    """Compare what was noted with what was answered."""
    last: dict[int, int] = {}
    for one in answers:
        assert one["exact"], one
        assert one["preloaded"] is preloaded
        if preloaded:
            assert one["published"] == one["requested"] + loading
            assert one["inherited"] <= loading  # the master's thread may have dealt with some of them before the fork
        last[one["pid"]] = max(last.get(one["pid"], 0), one["requested"])
    found = noted(folder / "evidence")
    loaded = {pid: sources.pop("loading") for pid, sources in found.items() if "loading" in sources}
    for pid, numbers in loaded.items():
        # A worker that answered nothing may have been told to end before it had begun.
        complete = preloaded or pid in last
        assert numbers == list(range(loading if complete else len(numbers)))
    if preloaded:
        assert len(loaded) == (loading > 0)
    assert {pid: sources for pid, sources in found.items() if sources} == {
        pid: {
            "request": list(range(count)),
            "started": list(range(count // 10)),
            "succeeded": list(range(count // 10)),
        }
        for pid, count in last.items()
    }


KINDS = {
    "sync": ["--workers", "2"],
    "gthread": ["--workers", "2", "--threads", "4"],
    "gevent": ["--workers", "2", "--worker-class", "gevent"],
}


@pytest.mark.parametrize("preload", [True, False], ids=["preload", "each"])
@pytest.mark.parametrize("kind", KINDS)
def test_gunicorn(backend: str, tmp_path: Path, uri: str, kind: str, preload: bool) -> None:
    if sys.implementation.name == "pypy":
        pytest.skip("gunicorn takes the socket for a file there, whose name it deletes at its end")
    needed("gunicorn", *(["gevent"] if kind == "gevent" else []))
    command = [*GUNICORN, *KINDS[kind], "--bind", "fd://{fd}", *(["--preload"] if preload else [])]
    with serving([*command, "delivery.application"], backend, tmp_path, uri) as port:
        answers = [exchange(port) for _ in range(10)]
        if kind == "sync":
            two = exchange_with_two(port)
            assert two[0]["pid"] != two[1]["pid"]
            answers += two
    check(answers, tmp_path, preloaded=preload)


@pytest.mark.prefork
@pytest.mark.parametrize("lazy", [False, True], ids=["preload", "each"])
def test_uwsgi(backend: str, tmp_path: Path, uri: str, lazy: bool) -> None:
    """Its workers are forked in C, and Python's hooks run nevertheless.

    Two things can't be relied on there, with any library: a thread that runs in the master while it forks (a child may
    never get the interpreter's lock), so nothing is published while it loads; and that a worker runs Python's exit
    handlers at its end, so that the requests flush.
    """
    executable = shutil.which("uwsgi", path=sysconfig.get_path("scripts"))
    assert executable, "uwsgi is needed: pip install --group prefork"
    command = [
        executable,
        "--http-socket",
        "fd://{fd}",
        "--master",
        "--processes",
        "2",
        "--enable-threads",
        "--need-app",
    ]
    command += ["--die-on-term", "--disable-logging", "--virtualenv", sys.prefix, "--module", "delivery.application"]
    command += ["--lazy-apps"] if lazy else []
    with serving(command, backend, tmp_path, uri, LOADING="0", FLUSH="each request") as port:
        answers = [exchange(port) for _ in range(10)]
        two = exchange_with_two(port)
        assert two[0]["pid"] != two[1]["pid"]
        answers += two
    check(answers, tmp_path, preloaded=not lazy, loading=0)
