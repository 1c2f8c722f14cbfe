"""``goanna demo`` with MongoDB: against its own server, against another, and without one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from goanna.cli.demo.wire_server import WireServer
from support.cores import backends
from support.html_page import Page


def demo(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "GOANNA_DEMO_URI"}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "goanna", "demo", "--quick", *arguments],
        env={**inherited, "COLUMNS": "150", "PYTHONUTF8": "1", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


@pytest.mark.parametrize("choice", backends())
def test_the_demo_runs(choice: str, tmp_path: Path) -> None:
    file = tmp_path / "goanna.html"
    done = demo("--html", str(file), GOANNA_BACKEND=choice)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert ("compiled core" in done.stdout) is (choice == "c")
    # Without its extension PyMongo numbers requests over all of 32 bits, the signed ones too.
    assert re.search(r"insert with request id -?\d+ succeeded in \d+ µs", done.stdout)
    assert re.search(r"goannaHasNoSuchCommand with request id -?\d+ failed in \d+ µs: CommandNotFound", done.stdout)
    assert re.search(r"CommandStartedEvent +│ +(\d+) │ +\1 │ +yes", done.stdout)
    assert re.search(r"publish_command_start, 1 listener +│ +[\d.]+ [nµ]s │ +[\d.]+ [nµ]s │ +[\d.]+x", done.stdout)
    assert "█" in done.stdout
    assert "Next:" in done.stdout.splitlines()
    page = Page()
    text = file.read_text(encoding="utf-8")
    page.feed(text)
    assert (page.open, page.references) == ([], [])
    assert page.bars == 18
    assert "prefers-color-scheme: dark" in text
    assert "http" not in text


def test_another_server_can_be_named() -> None:
    with WireServer() as server:
        done = demo(GOANNA_DEMO_URI=server.uri)
    assert (done.returncode, done.stderr) == (0, "")
    assert "the server that GOANNA_DEMO_URI names" in done.stdout
    assert "CommandSucceededEvent" in done.stdout
    assert "ServerHeartbeatStartedEvent" not in done.stdout


def test_a_server_that_does_not_speak_mongodb_is_reported() -> None:
    done = demo(GOANNA_DEMO_URI="mongodb://localhost:1/?serverSelectionTimeoutMS=10")
    assert done.returncode == 2
    assert "The server could not be used" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "pymongo.py").write_text("raise ModuleNotFoundError('no such module', name='pymongo')\n")
    done = demo(PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert "goanna demo needs the package pymongo: pip install 'goanna[cli]'" in done.stderr
