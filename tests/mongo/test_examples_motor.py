"""Motor's recipe: one listener for every event, which hands what the driver's threads tell it to the loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from motor.motor_tornado import MotorClient
from tornado.ioloop import IOLoop

from mongo.drivers import run_in_tornado

OPTIONS = {"serverSelectionTimeoutMS": 10_000, "heartbeatFrequencyMS": 600_000}


def forwarding(forward: Callable[..., object], target: Any) -> Any:
    """Return a command listener that has the loop call ``target``."""
    from goanna import monitoring

    class Forwarding(monitoring.CommandListener):
        def started(self, event: monitoring.CommandStartedEvent) -> None:
            forward(target.started, event)

        def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
            forward(target.succeeded, event)

        def failed(self, event: monitoring.CommandFailedEvent) -> None:
            forward(target.failed, event)

    return Forwarding()


class OnLoop:
    """Where events arrive: notes them and their thread, and wakes who waits for the one that ends a command."""

    def __init__(self, last: str) -> None:
        self.last = last
        self.arrived: list[tuple[str, str, int]] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def note(self, event: Any) -> None:
        self.arrived.append((type(event).__name__, event.command_name, threading.get_ident()))

    started = note

    def succeeded(self, event: Any) -> None:
        self.note(event)
        if event.command_name == self.last and not self.done.done():
            self.done.set_result(None)

    failed = succeeded


class Threads:
    """A listener that is called where the driver publishes."""

    def __init__(self) -> None:
        self.idents: set[int] = set()

    def __call__(self, target: Callable[..., object], event: object) -> None:
        self.idents.add(threading.get_ident())
        self.forward(target, event)

    forward: Callable[..., object]


async def use(client: Any, target: OnLoop) -> None:
    try:
        await client.goanna_test.forwarded.insert_one({"total": 1})
        await client.admin.command("ping")
        await asyncio.wait_for(target.done, 10)
    finally:
        await client.goanna_test.forwarded.drop()
        client.close()


def check(target: OnLoop, threads: Threads) -> None:
    """Everything arrived in order and on the loop's thread, though it was published on others."""
    here = threading.get_ident()
    assert {ident for _, _, ident in target.arrived} == {here}
    assert threads.idents - {here}
    assert [(kind, name) for kind, name, _ in target.arrived if name in ("insert", "ping")] == [
        ("CommandStartedEvent", "insert"),
        ("CommandSucceededEvent", "insert"),
        ("CommandStartedEvent", "ping"),
        ("CommandSucceededEvent", "ping"),
    ]


def test_forwarding_to_asyncio(installed: str, uri: str) -> None:
    async def main() -> None:
        target, threads = OnLoop("ping"), Threads()
        threads.forward = asyncio.get_running_loop().call_soon_threadsafe
        await use(AsyncIOMotorClient(uri, event_listeners=[forwarding(threads, target)], **OPTIONS), target)
        check(target, threads)

    asyncio.run(main())


def test_forwarding_to_tornado(installed: str, registry: None, uri: str) -> None:
    """Here the listener is registered for all clients, as Motor's users do before they make one."""
    from goanna import monitoring

    async def main() -> None:
        target, threads = OnLoop("ping"), Threads()
        threads.forward = IOLoop.current().add_callback
        monitoring.register(forwarding(threads, target))
        await use(MotorClient(uri, **OPTIONS), target)
        check(target, threads)

    run_in_tornado(main())


def test_two_listeners_one_here_one_there(installed: str, uri: str) -> None:
    """The same event object reaches both."""

    async def main() -> None:
        from goanna import monitoring

        direct: list[int] = []
        forwarded: list[int] = []

        class Direct(monitoring.CommandListener):
            def started(self, event: monitoring.CommandStartedEvent) -> None:
                direct.append(id(event))
                kept.append(event)

            def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
                self.started(event)

            failed = succeeded

        kept: list[object] = []  # so that no id is used again
        target, threads = OnLoop("ping"), Threads()
        loop = asyncio.get_running_loop()

        def forward(to: Callable[..., object], event: object) -> None:
            forwarded.append(id(event))
            loop.call_soon_threadsafe(to, event)

        threads.forward = forward
        listeners = [Direct(), forwarding(threads, target)]
        await use(AsyncIOMotorClient(uri, event_listeners=listeners, **OPTIONS), target)
        assert direct == forwarded
        assert len(direct) >= 6

    asyncio.run(main())
