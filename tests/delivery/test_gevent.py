"""Programs that gevent has patched: threads are greenlets there, and locks are the hub's.

Nothing is forked here: a child of a patched process hangs at times before it runs any Python, goanna or not. The
workers of gunicorn (test_prefork.py) are forked off a master that has not been patched.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from delivery.processes import ended_well, run
from goanna.cli.demo.wire_server import WireServer
from support.packages import needed

needed("gevent")

PATCH = "from gevent import monkey; monkey.patch_all()"
USE = """
import os, sys, threading
import goanna
from delivery.listeners import Told, Writer, exact
"""
MAKE = "queue = goanna.queued(Writer(), name='worker', maxsize=100_000)\n"
PUBLISH = "queue.told(Told(0, 'before'))\n"

ORDERS = {
    "patched first": f"{PATCH}\n{USE}{MAKE}{PUBLISH}",
    "patched after the import": f"{USE}{PATCH}\n{MAKE}{PUBLISH}",
    "patched after the queue was made": f"{USE}{MAKE}{PATCH}\n{PUBLISH}",
    "patched after the thread was started": f"{USE}{MAKE}{PUBLISH}assert queue.flush(60) == 0\n{PATCH}\n",
}

GREENLETS = """
import gevent

def publish(source):
    for number in range(500):
        queue.told(Told(number, source))
        if number % 50 == 0:
            gevent.sleep(0)

gevent.joinall([gevent.spawn(publish, f"greenlet-{one}") for one in range(4)], raise_error=True)
assert queue.flush(60) == 0
stats = queue.stats()
assert exact(stats) and stats.delivered == stats.published == 2001, stats
publish("at-the-end")
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("order", ORDERS)
def test_a_queue_under_greenlets(backend: str, tmp_path: Path, order: str) -> None:
    done = run(ORDERS[order] + GREENLETS, backend, tmp_path)
    assert done.status == 0, done.stderr
    assert done.of("before") == [[0]]
    for source in (*(f"greenlet-{one}" for one in range(4)), "at-the-end"):
        assert done.of(source) == [list(range(500))], source


def test_a_report_that_switches_greenlets(backend: str, tmp_path: Path) -> None:
    """What another greenlet publishes while one writes a report is no part of the report."""
    program = f"""{PATCH}
{USE}
import gevent, logging

class Switching(logging.Handler):
    def emit(self, record):
        inside.set()
        queue.told(Told(0, "reentrant"))
        outside.wait()

class Slow(Writer):
    def told(self, event):
        super().told(event)
        gevent.sleep(0.01)

inside, outside = gevent.event.Event(), gevent.event.Event()
logging.getLogger("goanna").addHandler(Switching())
queue = goanna.queued(Slow(), slow=0.001)
queue.told(Told(0))
inside.wait()
for number in range(1, 10):
    queue.told(Told(number))
outside.set()
assert queue.flush(60) == 0
stats = queue.stats()
assert exact(stats) and (stats.delivered, stats.dropped) == (10, {{"reentrant": 1}}), stats
"""
    done = run(program, backend, tmp_path)
    assert ended_well(done)
    assert done.of("main") == [list(range(10))]


def test_a_client_under_greenlets(backend: str, tmp_path: Path) -> None:
    program = f"""{PATCH}
{USE}
import gevent
from collections import Counter
from pymongo import MongoClient, monitoring

class Commands(monitoring.CommandListener):
    def __init__(self):
        self.counted = Counter()
        self.threads = set()
    def started(self, event):
        self.counted[event.command_name, "started"] += 1
        self.threads.add(threading.current_thread().name)
    def succeeded(self, event):
        self.counted[event.command_name, "succeeded"] += 1
    def failed(self, event):
        raise AssertionError(event)

goanna.install()
listener = Commands()
queue = goanna.queued(listener, name="worker")
with MongoClient(sys.argv[1], event_listeners=[queue]) as client:
    def work():
        for _ in range(20):
            client.admin.command("ping")
    gevent.joinall([gevent.spawn(work) for _ in range(5)], raise_error=True)
assert queue.flush(60) == 0
assert listener.counted["ping", "started"] == listener.counted["ping", "succeeded"] == 100, listener.counted
assert listener.threads == {{"worker"}}, listener.threads
assert exact(queue.stats()), queue.stats()
"""
    with WireServer() as server:
        done = run(program, backend, tmp_path, server.uri)
    assert done.status == 0, done.stderr
