"""A command logger in a thread of its own: the application doesn't wait for what the logger does.

Runs against the server whose URI is given, or against a small one of its own::

    python examples/queued_logger.py [mongodb://...]
"""

from __future__ import annotations

import contextlib
import logging
import sys

from pymongo import MongoClient, monitoring

import goanna
from goanna.cli.demo.wire_server import WireServer


class CommandLogger(monitoring.CommandListener):
    """An ordinary listener of PyMongo's: it knows nothing of threads and queues."""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        logging.info("%s with request id %d started", event.command_name, event.request_id)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        logging.info("%s with request id %d took %d us", event.command_name, event.request_id, event.duration_micros)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        logging.error("%s with request id %d failed: %s", event.command_name, event.request_id, event.failure)


def main(uri: str) -> None:
    """Insert an order and count what became of its events."""
    # Only these two commands, and what they hold of documents is not kept while they wait.
    queue = goanna.queued(CommandLogger(), documents="omit")
    listener = goanna.where(queue, commands=["insert", "ping"])
    with MongoClient(uri, event_listeners=[listener]) as client:
        client.goanna_example.orders.insert_one({"total": 9.5})
        client.admin.command("ping")
        client.goanna_example.orders.drop()
    left = listener.close(timeout=5)
    filtered, stats = listener.stats(), queue.stats()
    print(f"{filtered.published} events, {filtered.filtered} filtered, {stats.delivered} logged, {left} left")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(threadName)s: %(message)s", stream=sys.stdout)
    goanna.install()
    with contextlib.ExitStack() as stack:
        main(sys.argv[1] if len(sys.argv) > 1 else stack.enter_context(WireServer()).uri)
