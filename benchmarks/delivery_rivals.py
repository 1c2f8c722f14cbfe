"""The ways of handing an event on from the publishing thread, goanna's and those that one writes by hand."""

from __future__ import annotations

import functools
import queue
from collections.abc import Callable
from types import ModuleType
from typing import Any

from benchmarks import _cores, listeners, monitored

QUEUE, SIMPLE_QUEUE = "stock, Queue.put_nowait", "stock, SimpleQueue.put"
STOCK_IDLE = "stock, no-op"
STORES = "stores it"
COMPILED, PURE = _cores.NAMES["c"], _cores.NAMES["py"]

ASLEEP: dict[str, Any] = {"maxsize": 20_000, "batch": 20_000, "delay": 3600.0}
"""Options with which a worker sleeps while a turn lasts, and is woken by ``flush`` between two turns."""


def backends() -> dict[str, str]:
    """Return the cores that this interpreter has, by rival name."""
    return {name: backend for backend, name in _cores.NAMES.items() if name in _cores.copies()}


def make(backend: str, name: str, *args: Any, **options: Any) -> Any:
    """Return what ``goanna.queued``, ``on_loop`` or ``where`` over a core makes of the arguments."""
    with _cores.active(backend):  # the modules of delivery are imported when they are first asked for
        return getattr(_cores.load(backend), name)(*args, **options)


class Hand:
    """A listener on the publishing thread, and what is behind it.

    Args:
        listener: to be published to.
        received: returns all events that have come out behind it since the last call; waits for them if need be.
    """

    def __init__(self, listener: Any, received: Callable[[], list[Any]]) -> None:
        self.listener = listener
        self.received = received

    def settle(self) -> None:
        """Take out what is in there."""
        self.received()


def keeping(bases: tuple[type, ...], method: str) -> Any:
    """Return a listener whose method stores its last event."""
    return listeners.listener(listeners.stores, bases, (method,))


def on_the_spot(kind: listeners.Method, bases: tuple[type, ...], method: str) -> Hand:
    """Return a listener that is called on the publishing thread."""
    listener = listeners.listener(kind, bases, (method,))
    return Hand(listener, lambda: [] if listener.last is None else [listener.last])


def queued(backend: str, bases: tuple[type, ...], method: str, **options: Any) -> Hand:
    """Return a queued listener whose worker sleeps."""
    behind = keeping(bases, method)
    wrapper = make(backend, "queued", behind, **{**ASLEEP, **options})

    def received() -> list[Any]:
        assert wrapper.flush(60.0) == 0
        stats = wrapper.stats()
        assert stats.delivered == stats.published, stats
        return [] if behind.last is None else [behind.last]

    return Hand(wrapper, received)


def put_nowait(self: Any, event: Any) -> None:
    self.queue.put_nowait(event)


def put(self: Any, event: Any) -> None:
    self.queue.put(event)


def through_a_queue(kind: listeners.Method, new: Callable[[], Any], bases: tuple[type, ...], method: str) -> Hand:
    """Return a listener as one writes it by hand, that puts its events into a queue."""
    listener = listeners.listener(kind, bases, (method,))
    listener.queue = new()

    def received() -> list[Any]:
        found = []
        while not listener.queue.empty():
            found.append(listener.queue.get_nowait())
        return found[-1:]

    return Hand(listener, received)


Way = tuple[Callable[[], ModuleType], Callable[[tuple[type, ...], str], Hand]]
"""How to get a module like pymongo.monitoring, and a hand for one method of its listeners."""


def ways(floor: str) -> dict[str, Way]:
    """Return all ways by rival; the floor is publishing to a listener that does nothing, on the best core."""
    best = monitored.stock if "c" not in backends().values() else functools.partial(monitored.installed, "c")
    found: dict[str, Way] = {
        floor: (best, functools.partial(on_the_spot, listeners.empty)),
        STORES: (best, functools.partial(on_the_spot, listeners.stores)),
    }
    for name, backend in backends().items():
        found[name] = (functools.partial(monitored.installed, backend), functools.partial(queued, backend))
    found[STOCK_IDLE] = (monitored.stock, functools.partial(on_the_spot, listeners.empty))
    found[QUEUE] = (monitored.stock, functools.partial(through_a_queue, put_nowait, queue.Queue))
    found[SIMPLE_QUEUE] = (monitored.stock, functools.partial(through_a_queue, put, queue.SimpleQueue))
    return found
