"""Recordings that somebody has changed: one error, which names the line, or a replay; never a traceback."""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pymongo import monitoring

from goanna.cli.demo.wire_server import WireServer
from support.programs import python

ROUNDS = 400
VALUES: list[Any] = [
    None, True, -1, 0, 10**30, 1.5, float("nan"), "", "\ud800", "\x1b[2J", "a" * 5000, [], [[]], [None, None],
    {}, {"": None}, {"$error": 5}, {"$error": "BulkWriteError", "text": "x"}, {"$error": "AutoReconnect", "text": []},
    {"server_type_name": 5}, {"server_type_name": "RSPrimary", "all_hosts": 3}, {"topology_type_name": []},
    {"topology_type_name": "Single", "servers": [5]}, {"$uuid": "no"}, {"$oid": "no"}, {"$date": []}, {"$binary": 5},
    {"$numberDecimal": "x"}, {"$repr": 5},
]  # fmt: skip


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    path = tmp_path_factory.mktemp("recorded") / "r.jsonl"
    with WireServer() as server:
        program = [sys.executable, str(Path(__file__).with_name("programs.py")), "plain", server.uri]
        ran = python("-m", "goanna", "record", "-o", str(path), "--documents", "full", "--", *program)
    assert ran.returncode == 0, ran.stderr
    return path.read_bytes().splitlines(keepends=True)


def changed(lines: list[bytes], chance: random.Random) -> list[bytes]:
    """Return the lines with a few of them changed, in one of many ways."""
    lines = list(lines)
    for _ in range(chance.randint(1, 3)):
        number = chance.randrange(len(lines))
        text = bytearray(lines[number])
        what = chance.randrange(6)
        if what == 0:
            text[chance.randrange(len(text))] = chance.randrange(256)
        elif what == 1:
            at = chance.randrange(len(text))
            del text[at : at + chance.randint(1, 20)]
        elif what == 2:
            text = bytearray(lines[chance.randrange(len(lines))])
        elif what == 3:
            text *= 2
        else:
            try:
                text = bytearray(json.dumps(one_changed(json.loads(text), chance)).encode() + b"\n")
            except ValueError:  # it was changed before
                continue
        lines[number] = bytes(text)
    return lines


def one_changed(value: Any, chance: random.Random) -> Any:
    """Return a value of JSON with one of the values in it replaced, removed or renamed."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        name = chance.choice(list(value))
        kind = chance.random()
        if kind < 0.1:
            return {one: inner for one, inner in value.items() if one != name}
        if kind < 0.15:
            return {(f"{one}_" if one == name else one): inner for one, inner in value.items()}
        return {**value, name: one_changed(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.85:
        at = chance.randrange(len(value))
        return [*value[:at], one_changed(value[at], chance), *value[at + 1 :]]
    return chance.choice(VALUES)


class Everything:
    """Hears all events and looks at nothing."""

    def __init__(self) -> None:
        self.heard = 0

    def take(self, event: Any) -> None:
        self.heard += 1


@pytest.fixture
def replay(goanna: ModuleType, backend: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from goanna.recording import replay
    from goanna.recording.recorder import everything

    everything_heard = Everything()
    monkeypatch.setattr(replay, "load", lambda name: everything(monitoring, everything_heard.take))
    yield replay.replay
    goanna.uninstall()
    assert everything_heard.heard


def test_a_changed_recording_is_replayed_or_refused(
    replay: Any, original: list[bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.jsonl"
    seed = random.randrange(2**32)
    statuses = set()
    for number in range(ROUNDS):
        path.write_bytes(b"".join(changed(original, random.Random(f"{seed}-{number}"))))
        status = replay(str(path), "any:thing", "full")
        said = capsys.readouterr()
        statuses.add(status)
        where = f"seed {seed}, round {number}: {said.err}"
        assert all(line.isprintable() for line in (said.out + said.err).splitlines()), where
        assert "Traceback" not in said.err, where
        if status == 2:
            assert said.err.count("\n") == 1, where
            assert re.search(r"r\.jsonl, line \d+: |is no recording|version", said.err), where
        assert status in (0, 1, 2), where
    assert statuses >= {0, 2}, "both must occur, or nothing was tried"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            b'{"t": 1, "e": "PoolReadyEvent", "f": {"address": {"$uuid": "no"}}}',
            "PoolReadyEvent makes no sense: ValueE",
        ),
        (b'{"t": 1, "e": "CommandStartedEvent", "f": {}}', "CommandStartedEvent makes no sense: KeyError"),
        (b'{"t": 1, "e": "CommandSucceededEvent", "f": {"duration_micros": "x"}}', "makes no sense: TypeError"),
        (b'{"t": -1, "e": "PoolReadyEvent", "f": {}}', "neither an event nor the end"),
        (b'{"lost": -1}', "neither an event nor the end"),
        (b"[" * 100_000, "recursion"),
        (b"\xff", "utf-8"),
    ],
)
def test_the_error_names_the_line(
    replay: Any, original: list[bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str], line: bytes, said: str
) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(b"".join(original))
    assert replay(str(path), "any:thing", "full") == 0
    capsys.readouterr()
    path.write_bytes(original[0] + line + b"\n")
    assert replay(str(path), "any:thing", "full") == 2
    assert re.search(f"r\\.jsonl, line 2: .*{re.escape(said)}", capsys.readouterr().err)
