"""Motor calls its listeners on threads of its own; this one is called on the loop, where it may touch what lives there.

Runs against the server whose URI is given, or against a small one of its own::

    python examples/motor_on_loop.py [mongodb://...]
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import monitoring

import goanna
from goanna.cli.demo.wire_server import WireServer


class Feed(monitoring.CommandListener):
    """Puts what happens into an asyncio.Queue, which is not made for any other thread than the loop's."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[str] = asyncio.Queue()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.lines.put_nowait(f"{event.command_name} started, told on {threading.current_thread().name}")

    async def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:  # type: ignore[override]
        await self.lines.put(f"{event.command_name} succeeded, told on {threading.current_thread().name}")

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        self.lines.put_nowait(f"{event.command_name} failed, told on {threading.current_thread().name}")


async def main(uri: str) -> None:
    """Insert an order while a task prints what the listener tells."""
    feed = Feed()
    listener = goanna.on_loop(feed)  # this one call; for Tornado it is on_loop(feed, IOLoop.current())

    async def show() -> None:
        while True:
            print(await feed.lines.get())
            feed.lines.task_done()

    showing = asyncio.create_task(show())
    client = AsyncIOMotorClient(uri, event_listeners=[listener])
    try:
        await client.goanna_example.orders.insert_one({"total": 9.5})
        await client.goanna_example.orders.drop()
    finally:
        client.close()
        left = await listener.aclose(timeout=5)
    await feed.lines.join()
    showing.cancel()
    print(f"{listener.stats().delivered} events, {left} left")


if __name__ == "__main__":
    goanna.install()
    with contextlib.ExitStack() as stack:
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else stack.enter_context(WireServer()).uri))
