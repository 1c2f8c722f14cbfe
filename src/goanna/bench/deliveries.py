"""Delivery: what a publisher pays for a listener behind a queue, on a loop, or behind a condition."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from goanna.bench import cores, listeners
from goanna.bench.figures import FLOOR
from goanna.bench.jobs import Job, Work, call_nothing, nothing
from goanna.bench.loops import loop
from goanna.bench.orders import FIELDS, POSITIONAL, Sent, goanna_sent, same
from goanna.bench.rivals import Goanna

ASLEEP: dict[str, Any] = {"maxsize": 4000, "batch": 4000, "delay": 1.0}
"""Options of a queue with room for more events than there are in a turn, so that its thread sleeps until it is over."""

QUEUED, ON_LOOP = "hand an event to a thread", "hand an event to an event loop"
PASSED, REJECTED, UNBUILT = "let an event through", "reject an event", "reject an event before it is built"
BY_HAND = "by hand"
SIMPLE_QUEUE, SOON = "queue.SimpleQueue", "call_soon_threadsafe"


def every() -> Iterator[Job]:
    """Yield all jobs."""
    yield Job(QUEUED, {FLOOR: _call, SIMPLE_QUEUE: _simple_queue, **ours(_queued)})
    yield Job(ON_LOOP, {FLOOR: _call, SOON: _soon, **ours(_on_loop)})
    yield Job(PASSED, {FLOOR: _call, BY_HAND: partial(_by_hand, "find"), **ours(partial(_where, "find"))})
    yield Job(REJECTED, {FLOOR: _call, BY_HAND: partial(_by_hand, "insert"), **ours(partial(_where, "insert"))})
    yield Job(UNBUILT, {FLOOR: call_nothing, **ours(unbuilt)})


def ours(make: Callable[[str], Work]) -> dict[str, Callable[[], Work]]:
    """Return what makes the works of goanna over each core."""
    return {name: partial(make, backend) for name, backend in cores.backends().items()}


def _taken(
    take: Callable[[Any], object],
    event: Any,
    got: Callable[[], Any],
    *,
    passes: bool = True,
    settle: Callable[[], object] = nothing,
    close: Callable[[], object] = nothing,
) -> Work:
    """Hand an event on; ``got`` says what has come out last."""
    run = loop("take(event)", {"take": take, "event": event})

    def check() -> None:
        run(1)
        assert (got() is event) == passes

    return Work(run, check, settle=settle, close=close)


def _call() -> Work:
    there = listeners.listener(listeners.stores)
    return _taken(there.sent, Sent(**FIELDS), lambda: there.last)


def _simple_queue() -> Work:
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def settle() -> None:
        while not waiting.empty():
            waiting.get()

    return _taken(waiting.put, Sent(**FIELDS), waiting.get, settle=settle)


def _queued(backend: str) -> Work:
    package = cores.load(backend)
    there = Goanna(package).listener()
    wrapper = cores.make(backend, "queued", there, **ASLEEP)

    def got() -> Any:
        wrapper.flush()
        assert wrapper.stats().delivered == wrapper.stats().published
        return there.last

    return _taken(wrapper.sent, goanna_sent(package)(**FIELDS), got, settle=wrapper.flush, close=wrapper.close)


class OwnLoop:
    """A loop that runs when it is told to, and is closed when nobody has it any more."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def __del__(self) -> None:
        self.loop.close()


def _soon() -> Work:
    there, event, holder = listeners.listener(listeners.stores), Sent(**FIELDS), OwnLoop()
    run = loop("soon(take, event)", {"soon": holder.loop.call_soon_threadsafe, "take": there.sent, "event": event})

    def settle() -> None:
        holder.loop.run_until_complete(asyncio.sleep(0))

    def check() -> None:
        run(1)
        settle()
        assert there.last is event

    return Work(run, check, settle=settle)


def _on_loop(backend: str) -> Work:
    package, holder = cores.load(backend), OwnLoop()
    there = Goanna(package).listener()
    wrapper = cores.make(backend, "on_loop", there, holder.loop, maxsize=ASLEEP["maxsize"])

    def settle() -> None:
        holder.loop.run_until_complete(wrapper.aflush())

    def got() -> Any:
        settle()
        assert not wrapper.stats().dropped
        return there.last

    return _taken(wrapper.sent, goanna_sent(package)(**FIELDS), got, settle=settle)


def _by_hand(command: str) -> Work:
    """A listener that looks for itself."""
    event, names = Sent(**FIELDS), frozenset([command])

    def sent(self: Any, event: Any) -> None:
        if event.command_name in names:
            self.last = event

    there = type("Listener", (), {"sent": sent, "last": None})()
    return _taken(there.sent, event, lambda: there.last, passes=event.command_name == command)


def _where(command: str, backend: str) -> Work:
    package = cores.load(backend)
    there = Goanna(package).listener()
    wrapper = cores.make(backend, "where", there, commands=command)
    event = goanna_sent(package)(**FIELDS)
    return _taken(wrapper.sent, event, lambda: there.last, passes=event.command_name == command)


def published(
    backend: str, wrap: Callable[[Any], Any], arguments: str = POSITIONAL, *, passes: bool = True, settles: bool = False
) -> Work:
    """Publish by a Dispatcher to what ``wrap`` makes of a listener that stores its last event.

    Args:
        backend: the core.
        wrap: makes it.
        arguments: what is published, as source.
        passes: whether the listener is to get it; if not, the filter is to count it.
        settles: whether there is a queue in it that must be flushed after each turn.
    """
    rival = Goanna(cores.load(backend))
    there = rival.listener()
    wrapper = wrap(there)
    registration = rival.hub.add(wrapper)
    run = loop(f"publish({arguments})", {**FIELDS, **rival.names})

    def settle() -> None:
        assert wrapper.flush(60.0) == 0
        assert wrapper.stats().delivered == wrapper.stats().published

    def check() -> None:
        if settles:
            settle()
        there.last, filtered = None, registration.stats().filtered
        run(1)
        if settles:
            settle()
        assert same(there.last) if passes else there.last is None
        assert registration.stats().filtered == filtered + (not passes)

    return Work(run, check, settle=settle if settles else nothing, close=wrapper.close if settles else nothing)


def unbuilt(backend: str, arguments: str = POSITIONAL) -> Work:
    """Publish what the only listener doesn't want."""
    wrap = partial(cores.make, backend, "where", commands="insert")
    return published(backend, wrap, arguments, passes=False)
