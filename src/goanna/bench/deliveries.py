"""Delivery: what a publisher pays for a listener behind a queue, on a loop, or behind a condition."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

from goanna.bench import cores, listeners
from goanna.bench.jobs import FLOOR, Job, Work
from goanna.bench.loops import loop
from goanna.bench.orders import FIELDS, POSITIONAL, Sent, goanna_sent, same
from goanna.bench.rivals import Goanna

ROOM = 4000
"""Events that a queue has room for: more than there are in a turn, so that its thread sleeps until the turn is over."""

QUEUED, ON_LOOP = "hand an event to a thread", "hand an event to an event loop"
PASSED, REJECTED, UNBUILT = "let an event through", "reject an event", "reject an event before it is built"
BY_HAND = "by hand"
SIMPLE_QUEUE, SOON = "queue.SimpleQueue", "call_soon_threadsafe"


def every() -> Iterator[Job]:
    """Yield all jobs."""
    yield Job(QUEUED, {FLOOR: _call, SIMPLE_QUEUE: _simple_queue, **_ours(_queued)})
    yield Job(ON_LOOP, {FLOOR: _call, SOON: _soon, **_ours(_on_loop)})
    yield Job(PASSED, {FLOOR: _call, BY_HAND: partial(_by_hand, "find"), **_ours(partial(_where, "find"))})
    yield Job(REJECTED, {FLOOR: _call, BY_HAND: partial(_by_hand, "insert"), **_ours(partial(_where, "insert"))})
    yield Job(UNBUILT, {FLOOR: _nothing, **_ours(_unbuilt)})


def _ours(make: Callable[[str, ModuleType], Work]) -> dict[str, Callable[[], Work]]:
    backends = {name: backend for backend, name in cores.NAMES.items()}
    return {name: partial(make, backends[name], package) for name, package in cores.copies().items()}


def _call() -> Work:
    """Call the listener."""
    there, event = listeners.listener(listeners.stores), Sent(**FIELDS)
    run = loop("take(event)", {"take": there.sent, "event": event})

    def check() -> None:
        run(1)
        assert there.last is event

    return Work(run, check)


def _nothing() -> Work:
    import sys

    return Work(loop(f"audit({POSITIONAL})", {**FIELDS, "audit": sys.audit}))


def _simple_queue() -> Work:
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    event = Sent(**FIELDS)
    run = loop("take(event)", {"take": waiting.put, "event": event})

    def settle() -> None:
        while not waiting.empty():
            waiting.get()

    def check() -> None:
        run(1)
        assert waiting.get() is event

    return Work(run, check, settle=settle)


def _queued(backend: str, package: ModuleType) -> Work:
    rival = Goanna(package)
    there = rival.listener()
    with cores.active(backend):
        wrapper = package.queued(there, maxsize=ROOM, batch=ROOM, delay=1.0)
    event = goanna_sent(package)(**FIELDS)
    run = loop("take(event)", {"take": wrapper.sent, "event": event})

    def check() -> None:
        wrapper.flush()
        before = wrapper.stats().delivered
        run(1)
        wrapper.flush()
        assert there.last is event
        assert wrapper.stats().delivered == before + 1
        assert not wrapper.stats().dropped

    return Work(run, check, settle=wrapper.flush, close=wrapper.close)


class _Loop:
    """A loop that runs when it is told to, and is closed when nobody has it any more."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def __del__(self) -> None:
        self.loop.close()


def _soon() -> Work:
    there, event, holder = listeners.listener(listeners.stores), Sent(**FIELDS), _Loop()
    run = loop("soon(take, event)", {"soon": holder.loop.call_soon_threadsafe, "take": there.sent, "event": event})

    def settle() -> None:
        holder.loop.run_until_complete(asyncio.sleep(0))

    def check() -> None:
        run(1)
        settle()
        assert there.last is event

    return Work(run, check, settle=settle)


def _on_loop(backend: str, package: ModuleType) -> Work:
    rival, holder = Goanna(package), _Loop()
    there = rival.listener()
    with cores.active(backend):
        wrapper = package.on_loop(there, holder.loop, maxsize=ROOM)
    event = goanna_sent(package)(**FIELDS)
    run = loop("take(event)", {"take": wrapper.sent, "event": event})

    def settle() -> None:
        holder.loop.run_until_complete(wrapper.aflush())

    def check() -> None:
        run(1)
        settle()
        assert there.last is event
        assert not wrapper.stats().dropped

    return Work(run, check, settle=settle)


def _by_hand(command: str) -> Work:
    """A listener that looks for itself."""
    event, names = Sent(**FIELDS), frozenset([command])

    def sent(self: Any, event: Any) -> None:
        if event.command_name in names:
            self.last = event

    there = type("Listener", (), {"sent": sent, "last": None})()
    run = loop("take(event)", {"take": there.sent, "event": event})

    def check() -> None:
        run(1)
        assert (there.last is event) == (event.command_name == command)

    return Work(run, check)


def _where(command: str, backend: str, package: ModuleType) -> Work:
    there = Goanna(package).listener()
    with cores.active(backend):
        wrapper = package.where(there, commands=command)
    event = goanna_sent(package)(**FIELDS)
    run = loop("take(event)", {"take": wrapper.sent, "event": event})

    def check() -> None:
        run(1)
        assert (there.last is event) == (event.command_name == command)

    return Work(run, check)


def _unbuilt(backend: str, package: ModuleType) -> Work:
    rival = Goanna(package)
    there = [rival.listener(), rival.listener()]
    with cores.active(backend):
        for one, command in zip(there, ("insert", "find"), strict=True):
            registration = rival.hub.add(package.where(one, commands=command))
            if command == "find":
                loop(rival.publishes, {**FIELDS, **rival.names()})(1)
                assert same(one.last)
                registration.remove()  # it was there to show that the event arrives where it is let through
    run = loop(rival.publishes, {**FIELDS, **rival.names()})

    def check() -> None:
        run(1)
        assert there[0].last is None

    return Work(run, check)
