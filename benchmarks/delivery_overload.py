"""Overload: publishers at full speed, and a listener that takes a millisecond for each event.

What a publish costs then is compared with what it costs while nothing is overloaded, in turns; and the memory that
waiting events take is watched while several threads publish.
"""

from __future__ import annotations

import gc
import statistics
import threading
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import monitored
from benchmarks.delivery_rivals import keeping, make
from benchmarks.driver_calls import CALLS
from benchmarks.loops import loop

CHUNK = 100
MAXSIZE = 10_000
OVERFLOWS = ("drop_oldest", "drop_newest")
PRODUCERS = 4
CLOCKS = {"processor": time.thread_time_ns, "clock": time.perf_counter_ns}
_CALL = CALLS["command_start"]


@dataclass(frozen=True)
class Cost:
    """What a publish costs in nanoseconds, medians over chunks of CHUNK, by clock."""

    calm: dict[str, float]
    overloaded: dict[str, float]
    dropped: int


@dataclass(frozen=True)
class Memory:
    """What waits, while PRODUCERS threads publish.

    Args:
        published: how many events they published.
        high_water: the most that were pending at once.
        full: bytes of a full queue.
        peak: bytes at most, from then on.
    """

    published: int
    high_water: int
    full: int
    peak: int


def measure_cost(backend: str, overflow: str, chunks: int) -> Cost:
    """Return what a command's start costs its publisher with a queue of MAXSIZE, before and after it is full."""
    calm, publish_calmly = _queue(backend, overflow, _quick)
    overloaded, publish = _queue(backend, overflow, _slow)
    turns: dict[str, dict[str, list[float]]] = {one: {clock: [] for clock in CLOCKS} for one in ("calm", "overloaded")}
    publish(MAXSIZE + CHUNK)
    publish_calmly(10 * CHUNK)
    gc.collect()
    gc.disable()
    try:
        for number in range(chunks):
            if number % 10 == 0:
                assert calm.flush(60.0) == 0
                publish(20)  # the listener has taken some
            for one, run in (("calm", publish_calmly), ("overloaded", publish)):
                start = {clock: now() for clock, now in CLOCKS.items()}
                run(CHUNK)
                for clock, now in CLOCKS.items():
                    turns[one][clock].append((now() - start[clock]) / CHUNK)
    finally:
        gc.enable()
    stats = overloaded.stats()
    assert stats.dropped["overflow"] >= chunks * CHUNK // 2
    assert not calm.stats().dropped
    for one in (calm, overloaded):
        one.close(0.0)
    medians = {one: {clock: statistics.median(took) for clock, took in found.items()} for one, found in turns.items()}
    return Cost(medians["calm"], medians["overloaded"], stats.dropped["overflow"])


def measure_memory(backend: str, overflow: str, each: int) -> Memory:
    """Return what is held while PRODUCERS threads publish ``each`` events more than a queue has room for."""
    wrapper, publish = _queue(backend, overflow, _slow)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        publish(MAXSIZE)
        full, _ = tracemalloc.get_traced_memory()
        threads = [threading.Thread(target=publish, args=(each,)) for _ in range(PRODUCERS)]
        tracemalloc.reset_peak()
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    stats = wrapper.stats()
    assert stats.published == MAXSIZE + PRODUCERS * each
    dropped = sum(stats.dropped.values())
    assert stats.published == stats.delivered + stats.failed + stats.filtered + dropped + stats.pending
    assert stats.high_water <= MAXSIZE + 1, "what waits, and the one that the listener has"
    wrapper.close(0.0)
    return Memory(stats.published, stats.high_water, full - before, peak - before)


def _quick(self: Any, event: Any) -> None:
    self.last = event


def _slow(self: Any, event: Any) -> None:
    time.sleep(0.001)


def _queue(backend: str, overflow: str, method: Callable[[Any, Any], None]) -> tuple[Any, Callable[[int], object]]:
    module = monitored.installed(backend)
    behind = keeping((getattr(module, _CALL.interface),), _CALL.method)
    setattr(type(behind), _CALL.method, method)
    # A listener that keeps up is woken between two turns, so that its work is not timed; the other never sleeps.
    options = {"batch": MAXSIZE, "delay": 3600.0} if method is _quick else {}
    wrapper = make(backend, "queued", behind, maxsize=MAXSIZE, overflow=overflow, **options)
    return wrapper, loop(_CALL.statement, {**_CALL.names, "listeners": module._EventListeners([wrapper])})
