"""The application that the servers of test_prefork.py serve, in worker processes forked off a master that loaded it.

The queued listener is the master's, as is all that a module makes when it is imported; the client of each worker is its
own, as PyMongo wants it.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

from pymongo import MongoClient, monitoring

import goanna
from delivery.listeners import Told, ToldListener, Writer, exact, note


class Commands(monitoring.CommandListener):
    """Notes the pings that have started and ended, by their number in the process."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def _note(self, kind: str, event: Any) -> None:
        if event.command_name == "ping":
            note(kind, self.counts.setdefault(f"{os.getpid()}-{kind}", 0))
            self.counts[f"{os.getpid()}-{kind}"] += 1

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self._note("started", event)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        self._note("succeeded", event)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        self._note("failed", event)


goanna.install()
# Nothing but a flush would have these events handled while a test runs.
queue = goanna.queued(Writer(), batch=1000, delay=3600, exit_timeout=60)
commands = goanna.queued(Commands(), batch=1000, delay=3600, exit_timeout=60)
hub = goanna.Dispatcher(ToldListener)
hub.add(queue)
publish = hub.publisher(Told)
loaded_in = os.getpid()
for number in range(int(os.environ["LOADING"])):
    publish(number, "loading")

_lock = threading.Lock()
_published = 0
_client: MongoClient[Any] | None = None


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Ping the server once and publish ten events; answer who did so and what the queues say."""
    global _published, _client
    with _lock:
        if _client is None:
            _client = MongoClient(os.environ["MONGODB_URI"], event_listeners=[commands])
        for number in range(_published, _published + 10):
            publish(number, "request")
        _published += 10
        _client.admin.command("ping")
        if os.environ["FLUSH"] == "each request":
            assert queue.flush(60) == commands.flush(60) == 0
        stats = queue.stats()
        answer = {
            "pid": os.getpid(),
            "preloaded": os.getpid() != loaded_in,
            "exact": exact(stats) and exact(commands.stats()),
            "published": stats.published,
            "inherited": stats.dropped.get("fork_inherited", 0),
            "requested": _published,
        }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
