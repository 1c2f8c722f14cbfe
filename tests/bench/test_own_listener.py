"""``goanna bench --listener``: one's own listener, on events that were made up or recorded."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html import escape
from pathlib import Path

import pytest

from goanna.bench.own_listener import ALONE, FLOOR, IDLE, INSTALLED, ON_LOOP, QUEUED, QUEUED_WHOLE, STOCK
from support.cores import without_what_is_missing

WAYS = {FLOOR, ALONE, IDLE, STOCK, INSTALLED, QUEUED, QUEUED_WHOLE, ON_LOOP}

LISTENERS = """
import json, os
from pymongo import monitoring

class Commands(monitoring.CommandListener):
    def __init__(self):
        self.open = {}
    def started(self, event):
        self.open[event.request_id] = event.command_name
    def succeeded(self, event):
        self.open.pop(event.request_id, None)
    failed = succeeded

class Checked(monitoring.ConnectionPoolListener):
    def _take(self, event):
        pass
    pool_created = pool_ready = pool_cleared = pool_closed = _take
    connection_created = connection_ready = connection_closed = connection_check_out_started = _take
    connection_check_out_failed = connection_checked_out = connection_checked_in = _take

class Topologies(monitoring.TopologyListener):
    def opened(self, event): ...
    closed = description_changed = opened

class Raising(Commands):
    def started(self, event):
        raise ValueError("mine")

import goanna

class Placed(goanna.Event):
    number: int

class Orders(goanna.Listener):
    @goanna.handles(Placed)
    def placed(self, event): ...

class Printer(Orders):
    def placed(self, event):
        print(event)
"""


def bench(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "mine.py").write_text(LISTENERS)
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "goanna", "bench", "--quick", *arguments],
        env={**os.environ, "COLUMNS": "130", "PYTHONUTF8": "1", **environment},
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


@pytest.mark.parametrize("core", ["auto", "py"])
@pytest.mark.parametrize(("name", "wanted"), [("mine:Commands", 200), ("mine:Checked", 300)])
def test_a_listener_is_measured_in_every_way(tmp_path: Path, core: str, name: str, wanted: int) -> None:
    done = bench(tmp_path, "--listener", name, "--json", "out.json", "--html", "out.html", GOANNA_BACKEND=core)
    assert (done.returncode, without_what_is_missing(done.stderr)) == (0, ""), done.stdout
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["goanna_bench_listener"] == 1
    assert (content["stream"]["events"], content["stream"]["wanted"]) == (500, wanted)
    assert content["costs"].keys() >= WAYS
    assert content["dispatch"].keys() >= {STOCK, INSTALLED, QUEUED_WHOLE}
    assert all(0 <= share <= 1 for share in content["dispatch"].values())
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    for way in content["costs"]:
        assert way in done.stdout
        assert f"<span>{escape(way)}</span>" in text
    assert text.count('<rect class="own"') == 1 + len(content["dispatch"])
    assert not re.search(r"https?://|<script", text)


def test_a_recording_is_the_stream(tmp_path: Path) -> None:
    started = {
        "command_name": "ping", "database_name": "admin", "request_id": 1, "operation_id": 1, "service_id": None,
        "connection_id": ["localhost", 27017], "server_connection_id": None,
    }  # fmt: skip
    lines = [
        {"goanna_recording": 1},
        {"t": 1, "e": "CommandStartedEvent", "f": started},
        {"t": 2, "e": "CommandSucceededEvent", "f": {**started, "duration_micros": 5}},
        {"t": 3, "e": "PoolReadyEvent", "f": {"address": ["localhost", 27017]}},
    ]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    done = bench(tmp_path, "--listener", "mine:Commands", "--recording", "r.jsonl", "--json", "out.json")
    assert (done.returncode, without_what_is_missing(done.stderr)) == (0, ""), done.stdout
    stream = json.loads((tmp_path / "out.json").read_text())["stream"]
    assert stream["source"] == "r.jsonl"
    assert stream["wanted"] * 3 == stream["events"] * 2
    refused = bench(tmp_path, "--listener", "mine:Topologies", "--recording", "r.jsonl")
    assert refused.returncode == 2
    assert "takes none of the" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--listener", "mine:Printer"], "no listener of PyMongo's"),
        (["--listener", "mine:Nobody"], "mine has no Nobody"),
        (["--listener", "mine:Raising"], "Raising.started raised ValueError: mine"),
        (["--listener", "mine:Topologies"], "takes none of the"),
        (["--listener", "mine:Commands", "--recording", "none.jsonl"], "none.jsonl can't be read"),
        (["--listener", "mine:Commands", "--compare", "x.json"], "--compare is not for --listener"),
        (["--listener", "mine:Commands", "--html", "no/x.html"], "no is no folder"),
        (["--recording", "none.jsonl"], "--recording needs --listener"),
    ],
)
def test_what_can_not_be_measured(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = bench(tmp_path, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
