"""Eight producers against a consumer that stalls: nothing is lost uncounted, order per thread, memory within its bound.

How long is up to ``--stress-seconds``, for each core; ``make stress`` gives it longer than the suite does.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from types import ModuleType
from typing import Any

import pytest

from support.recorders import check, recorder, sampled
from support.threads import PATIENCE, run_all

PRODUCERS = 8
MAXSIZE = 500


class Payload:
    """Carried by each event, and counted as long as it lives."""

    __slots__ = ("number", "producer")

    def __init__(self, producer: int, number: int) -> None:
        self.producer = producer
        self.number = number


class Consumer:
    """Checks what comes, and stalls now and then."""

    def __init__(self, patience: float, seed: int) -> None:
        self.last = [-1] * PRODUCERS
        self.count = 0
        self.failures = 0
        self.lost = 0
        self.disorder: list[Any] = []
        self.random = random.Random(seed)
        self.patience = patience

    def __call__(self, event: Any) -> None:
        payload = event.order_id
        if payload.number <= self.last[payload.producer]:
            self.disorder.append((payload.producer, self.last[payload.producer], payload.number))
        self.last[payload.producer] = payload.number
        chance = self.random.random()
        if chance < 0.0002:
            time.sleep(self.random.random() * self.patience)
        if chance > 0.999:
            self.failures += 1
            raise ValueError("now and then")
        self.count += 1


def produce(wrapper: Any, event_type: Any, seconds: float, sent: list[int], producer: int) -> None:
    number = 0
    placed = wrapper.placed
    pause = random.Random(producer)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(pause.randrange(200)):
            placed(event_type(Payload(producer, number)))
            number += 1
        if pause.random() < 0.1:
            time.sleep(pause.random() * 0.002)
    sent[producer] = number


@pytest.mark.parametrize("way", ["drop_oldest", "drop_newest", "block", "raise", "on_loop"])
def test_nothing_is_lost_uncounted(goanna: ModuleType, shapes: ModuleType, way: str, stress_seconds: float) -> None:
    consumer = Consumer(0.02, seed=len(way))
    sent = [0] * PRODUCERS

    def lost(self: Any, marker: Any) -> None:
        consumer.lost += marker.count

    listener = recorder(shapes, None, placed=lambda self, event: consumer(event), events_lost=lost)
    raised: list[Any] = []
    options: dict[str, Any] = {"maxsize": MAXSIZE, "errors": lambda error, *_: raised.append(type(error).__name__)}
    loop = None
    if way == "on_loop":
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        wrapper = goanna.on_loop(listener, loop, **options)
    else:
        wrapper = goanna.queued(listener, overflow=way, timeout=0.005, **options)
    try:
        with sampled(wrapper) as samples:
            run_all(
                *[
                    lambda one=one: produce(wrapper, shapes.OrderPlaced, stress_seconds / 5, sent, one)  # type: ignore[misc]
                    for one in range(PRODUCERS)
                ],
                patience=stress_seconds,
            )
            wrapper.flush(PATIENCE)
        at_rest = check(wrapper.stats())
        assert wrapper.close(PATIENCE) == 0
        wrapper.placed(shapes.OrderPlaced(Payload(0, 1 << 60)))
    finally:
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(PATIENCE)
            loop.close()
    stats = check(wrapper.stats())
    reason = {"block": "timeout"}.get(way, "overflow")
    assert not consumer.disorder
    assert at_rest.published == sum(sent) > 0
    assert (stats.published, stats.pending) == (sum(sent) + 1, 0)
    assert (stats.delivered, stats.failed) == (consumer.count, consumer.failures)
    assert stats.dropped.pop("closed") == 1
    assert set(stats.dropped) <= {reason}
    assert consumer.lost == stats.dropped.get(reason, 0)
    assert sum(stats.time.histogram) == consumer.count + consumer.failures
    assert raised.count("ValueError") == consumer.failures
    assert raised.count("QueueFullError") == (stats.dropped.get(reason, 0) if way == "raise" else 0)
    # What waits is the bound, and one is with the listener; a push of the pure core may be a moment over it.
    assert max(one.pending for one in samples) <= MAXSIZE + 1 + (0 if goanna.BACKEND == "c" else PRODUCERS)
    assert stats.high_water <= MAXSIZE + 1
