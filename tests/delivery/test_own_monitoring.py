"""Delivery behind goanna's own monitoring module, in a process that has no PyMongo."""

from __future__ import annotations

from pathlib import Path

import pytest

from delivery.processes import ended_well, run

PROGRAM = """
import sys
sys.modules["pymongo"] = None
sys.modules["bson"] = None

import asyncio, threading
from collections import Counter
from datetime import timedelta
import goanna
from goanna import monitoring
from delivery.listeners import exact

assert monitoring.CommandListener.__module__ == "goanna.monitoring"
if sys.argv[1] != "as it is":
    assert goanna.install(resolve=sys.argv[1]).fast

class Commands(monitoring.CommandListener):
    def __init__(self):
        self.taken = []
        self.threads = set()
    def started(self, event):
        self.taken.append((event.request_id, "started", event.command_name))
        self.threads.add(threading.get_ident())
    def succeeded(self, event):
        self.taken.append((event.request_id, "succeeded", event.command_name))
    def failed(self, event):
        self.taken.append((event.request_id, "failed", event.command_name))

async def main():
    ones = [Commands() for _ in range(3)]
    queue, loop = goanna.queued(ones[0]), goanna.on_loop(ones[1])
    pings = goanna.where(ones[2], commands="ping")
    for one in (queue, loop):
        monitoring.register(one)
    listeners = monitoring._EventListeners([pings])

    def work(start):
        for number in range(start, start + 200):
            name = "ping" if number % 2 else "insert"
            listeners.publish_command_start({name: 1}, "db", number, ("localhost", 1), 7)
            listeners.publish_command_success(timedelta(microseconds=5), {"ok": 1}, name, number, ("localhost", 1), 7)

    await asyncio.gather(*(asyncio.to_thread(work, start) for start in (0, 1000, 2000)))
    assert await queue.aclose(60) == 0
    assert await loop.aclose(60) == 0
    for one in ones:
        expected = {
            (number, kind, "ping" if number % 2 else "insert")
            for start in (0, 1000, 2000)
            for number in range(start, start + 200)
            for kind in ("started", "succeeded")
            if number % 2 or one is not ones[2]
        }
        assert Counter(one.taken) == Counter(expected)
        for start in (0, 1000, 2000):  # the order of each thread
            mine = [taken for taken in one.taken if start <= taken[0] < start + 200]
            assert mine == sorted(mine, key=lambda taken: (taken[0], taken[1] != "started"))
    assert ones[1].threads == {threading.get_ident()}
    assert threading.get_ident() not in ones[0].threads and len(ones[0].threads) == 1
    assert exact(queue.stats()) and exact(loop.stats()) and exact(pings.stats())
    assert (pings.stats().delivered, pings.stats().filtered) == (600, 600)

asyncio.run(main())
"""


@pytest.mark.parametrize("mode", ["as it is", "publish", "registration"])
def test_the_three_wrappers(backend: str, tmp_path: Path, mode: str) -> None:
    assert ended_well(run(PROGRAM, backend, tmp_path, mode))
