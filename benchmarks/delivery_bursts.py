"""Bursts: what a publishing thread pays while another thread handles what it publishes.

A burst is so many calls in a row of what a publisher would call with an event that is there already; then the thread
waits, untimed, until the other one has handled them all. It is timed twice: by the clock, and as the processor time of
the publishing thread, ``time.thread_time_ns``. The latter leaves out what the other threads of this process do while
they hold the interpreter's lock, and what other processes do; so it says what delivery costs the publisher, which is
what goals are about. The former says when the publisher is through, wherever the time went.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import queue
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import tornado.ioloop

from benchmarks import listeners, monitored
from benchmarks._cores import load
from benchmarks.delivery_rivals import QUEUE, SIMPLE_QUEUE, backends, make, put, put_nowait
from benchmarks.driver_calls import CALLS
from benchmarks.jobs import FLOOR
from benchmarks.loops import loop
from benchmarks.measure import Time
from benchmarks.orders import FIELDS, Sent, goanna_sent

SIZES = (1, 10, 100, 1000)
"""How many events a burst has on a loop."""
RUNNING = 200_000
"""How many a burst has with a worker: several of the interpreter's turns of 5 ms, of which the worker has some."""
SOON, CALLBACK = "call_soon_threadsafe", "IOLoop.add_callback"
_CALL = CALLS["command_start"]
CLOCKS = {"processor": time.thread_time_ns, "clock": time.perf_counter_ns}

Times = dict[str, dict[str, dict[int, Time]]]
"""Nanoseconds per event by clock, rival and size."""


class Counts:
    """What handles the events, on the other thread."""

    def __init__(self) -> None:
        self.count = 0

    def sent(self, event: Any) -> None:
        self.count += 1


@dataclass
class Rival:
    """One way of handing an event to another thread.

    Args:
        statement: hands ``event`` on.
        names: what it refers to.
        wait: returns when all that was handed on has been handled.
        counts: what handled it, None for the floor.
    """

    statement: str
    names: dict[str, Any]
    wait: Callable[[], object]
    counts: Counts | None
    turns: dict[str, dict[int, list[float]]] = field(default_factory=lambda: {clock: {} for clock in CLOCKS})

    def __post_init__(self) -> None:
        self.run = loop(self.statement, self.names)

    def burst(self, size: int, timed: bool = True) -> None:
        before = self.counts.count if self.counts else 0
        run = self.run
        start = {clock: now() for clock, now in CLOCKS.items()}
        run(size)
        took = {clock: now() - start[clock] for clock, now in CLOCKS.items()}
        self.wait()
        if self.counts:
            assert self.counts.count == before + size
        for clock, nanoseconds in took.items():
            if timed:
                self.turns[clock].setdefault(size, []).append(nanoseconds / size)


@contextlib.contextmanager
def _running_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An asyncio loop that runs in a thread of its own, like Tornado's, which stands on it."""
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.call_soon_threadsafe(made.stop)
        thread.join()
        made.close()


def _wait_for(running: asyncio.AbstractEventLoop) -> None:
    """Return when the loop has called what it had been asked to call before."""
    done = threading.Event()
    running.call_soon_threadsafe(done.set)
    assert done.wait(60)


async def _current() -> tornado.ioloop.IOLoop:
    return tornado.ioloop.IOLoop.current()


def _event() -> Any:
    return Sent(**FIELDS)


def _floor() -> Rival:
    def nothing(event: Any) -> None:
        pass

    return Rival("hand(event)", {"hand": nothing, "event": _event()}, lambda: None, None)


def measure_loops(rounds: int) -> Times:
    """Return what it costs to hand events to a loop that runs in another thread; the floor is a call of nothing."""
    with contextlib.ExitStack() as stack:
        rivals = {FLOOR: _floor()}
        for name, backend in backends().items():
            running, counts = stack.enter_context(_running_loop()), Counts()
            wrapper = make(backend, "on_loop", _listener(backend, counts), running)
            rivals[name] = Rival("hand(event)", {"hand": wrapper.sent, "event": _event()}, wrapper.flush, counts)
        running, counts = stack.enter_context(_running_loop()), Counts()
        rivals[SOON] = Rival(
            "soon(sent, event)",
            {"soon": running.call_soon_threadsafe, "sent": counts.sent, "event": _event()},
            functools.partial(_wait_for, running),
            counts,
        )
        running, counts = stack.enter_context(_running_loop()), Counts()
        tornados = asyncio.run_coroutine_threadsafe(_current(), running).result()
        rivals[CALLBACK] = Rival(
            "add_callback(sent, event)",
            {"add_callback": tornados.add_callback, "sent": counts.sent, "event": _event()},
            functools.partial(_wait_for, running),
            counts,
        )
        return _measured(rivals, SIZES, rounds)


def measure_workers(rounds: int) -> Times:
    """Return what a command's start costs its publisher while a thread handles those published before.

    The floor is publishing to a listener that does nothing, with goanna installed.
    """
    with contextlib.ExitStack() as stack:
        best = "c" if "c" in backends().values() else "py"
        module = monitored.installed(best)
        idle = listeners.listener(listeners.empty, (module.CommandListener,), (_CALL.method,))
        rivals = {FLOOR: _publishing(module, idle, lambda: None, None)}
        for name, backend in backends().items():
            module, counts = monitored.installed(backend), Counts()
            behind = listeners.listener(_counts, (module.CommandListener,), (_CALL.method,))
            behind.counts = counts
            wrapper = stack.enter_context(make(backend, "queued", behind, maxsize=2 * RUNNING))
            rivals[name] = _publishing(module, wrapper, wrapper.flush, counts)
        for name, new, method in ((QUEUE, queue.Queue, put_nowait), (SIMPLE_QUEUE, queue.SimpleQueue, put)):
            module = monitored.stock()
            waiting: Any = new()
            listener = listeners.listener(method, (module.CommandListener,), (_CALL.method,))
            listener.queue = waiting
            wait, counts = stack.enter_context(_consumed(waiting))
            rivals[name] = _publishing(module, listener, wait, counts)
        return _measured(rivals, (RUNNING,), rounds)


def _counts(self: Any, event: Any) -> None:
    self.counts.count += 1


def _publishing(module: ModuleType, listener: Any, wait: Callable[[], object], counts: Counts | None) -> Rival:
    return Rival(_CALL.statement, {**_CALL.names, "listeners": module._EventListeners([listener])}, wait, counts)


@contextlib.contextmanager
def _consumed(waiting: Any) -> Iterator[tuple[Callable[[], None], Counts]]:
    """Have a thread read a queue, as one writes it by hand; a None ends a burst."""
    counts, done, end = Counts(), threading.Semaphore(0), object()

    def consume() -> None:
        while (event := waiting.get()) is not end:
            if event is None:
                done.release()
            else:
                counts.sent(event)

    def wait() -> None:
        waiting.put(None)
        done.acquire()

    thread = threading.Thread(target=consume, daemon=True)
    thread.start()
    yield wait, counts
    waiting.put(end)
    thread.join()


def _listener(backend: str, counts: Counts) -> Any:
    """Return a listener of goanna's over a core that has the method of ``counts``."""
    goanna = load(backend)

    class Interface(goanna.Listener):  # type: ignore[misc, name-defined]
        @goanna.handles(goanna_sent(goanna))  # type: ignore[untyped-decorator]
        def sent(self, event: Any) -> None: ...

    class Listener(Interface):
        def sent(self, event: Any) -> None:
            counts.count += 1

    return Listener()


def _measured(rivals: dict[str, Rival], sizes: tuple[int, ...], rounds: int) -> Times:
    for one in rivals.values():
        for size in sizes:
            one.burst(size, timed=False)
    gc.collect()
    gc.disable()
    try:
        for number in range(rounds):
            turns = list(rivals.values())
            first = number % len(turns)
            for size in sizes:
                for one in turns[first:] + turns[:first]:
                    one.burst(size)
    finally:
        gc.enable()
    return {
        clock: {
            name: {size: Time(min(found), statistics.median(found)) for size, found in one.turns[clock].items()}
            for name, one in rivals.items()
        }
        for clock in CLOCKS
    }
