"""The programs in examples/, as somebody would start them: with a server of their own, and with another."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from goanna.cli.demo.wire_server import WireServer
from support.cores import backends

EXAMPLES = Path(__file__).parents[2] / "examples"

EXPECTED = {
    "queued_logger.py": r"""goanna-CommandLogger: insert with request id -?\d+ started
goanna-CommandLogger: insert with request id -?\d+ took \d+ us
goanna-CommandLogger: ping with request id -?\d+ started
goanna-CommandLogger: ping with request id -?\d+ took \d+ us
8 events, 4 filtered, 4 logged, 0 left
""",
    "motor_on_loop.py": r"""insert started, told on MainThread
insert succeeded, told on MainThread
drop started, told on MainThread
drop succeeded, told on MainThread
endSessions started, told on MainThread
endSessions succeeded, told on MainThread
6 events, 0 left
""",
}


def example(name: str, backend: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments],
        env={**os.environ, "GOANNA_BACKEND": backend},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, ""), f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("choice", backends())
@pytest.mark.parametrize("name", EXPECTED)
def test_an_example(name: str, choice: str) -> None:
    assert re.fullmatch(EXPECTED[name], example(name, choice))


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_with_another_server(name: str) -> None:
    with WireServer() as server:
        assert re.fullmatch(EXPECTED[name], example(name, backends()[0], server.uri))
