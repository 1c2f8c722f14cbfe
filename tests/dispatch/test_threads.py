"""Threads that add, remove and publish at once: nothing is lost, nothing is counted twice."""

from __future__ import annotations

import itertools
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from support.threads import run_all


@pytest.fixture(autouse=True)
def _eager_switching() -> Iterator[None]:
    """Switch threads as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def counter(shapes: ModuleType, every: int = 0) -> Any:
    """Return a listener that keeps what it saw (appending to a list is atomic) and fails on every so many."""

    class Counts(shapes.OrderListener):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            self.seen: list[int] = []

        def placed(self, event: Any) -> None:
            self.seen.append(event.order_id)
            if every and event.order_id % every == 0:
                raise ValueError

    return Counts()


def test_counts_are_exact_under_publishing_threads(goanna: ModuleType, shapes: ModuleType) -> None:
    hub = goanna.Dispatcher(errors=lambda *args: None)
    good, bad = counter(shapes), counter(shapes, every=3)
    registrations = [hub.add(good), hub.add(bad)]
    publish = hub.publisher(shapes.OrderPlaced)

    def job(start: int) -> None:
        for number in range(start, start + 3000):
            publish(number)

    run_all(*[lambda start=start: job(start) for start in range(0, 24000, 3000)])
    assert sorted(good.seen) == list(range(24000))
    assert registrations[0].stats() == goanna.Stats(24000, 24000, 0)
    assert registrations[1].stats() == goanna.Stats(24000, 16000, 8000)


def test_adding_and_removing_while_others_publish(goanna: ModuleType, shapes: ModuleType) -> None:
    hub = goanna.Dispatcher(errors=lambda *args: None)
    steady = counter(shapes)
    always = hub.add(steady, priority=1)
    publish = hub.publisher(shapes.OrderPlaced)
    passing: list[tuple[Any, Any]] = []
    done = threading.Event()

    def churn() -> None:
        for _ in range(400):
            listener = counter(shapes, every=5)
            registration = hub.add(listener)
            passing.append((registration, listener))
            if len(passing) % 2:
                registration.refresh()
            registration.remove()

    def publisher(start: int) -> None:
        for number in range(start, start + 4000):
            publish(number)

    def reader() -> None:
        while not done.is_set():
            stats = always.stats()
            assert 0 <= stats.delivered <= len(steady.seen)

    watching = threading.Thread(target=reader)
    watching.start()
    try:
        run_all(churn, churn, *[lambda start=start: publisher(start) for start in (0, 4000, 8000)])
    finally:
        done.set()
        watching.join()
    assert len(passing) == 800
    assert sorted(steady.seen) == list(range(12000))
    assert always.stats() == goanna.Stats(12000, 12000, 0)
    for registration, listener in passing:
        stats = registration.stats()
        failed = sum(1 for number in listener.seen if number % 5 == 0)
        assert stats == goanna.Stats(len(listener.seen), len(listener.seen) - failed, failed)
    assert len(hub) == 1


def test_thousands_of_short_threads(goanna: ModuleType, shapes: ModuleType) -> None:
    hub = goanna.Dispatcher()
    steady = counter(shapes)
    always = hub.add(steady)
    publish = hub.publisher(shapes.OrderPlaced)
    passing: list[tuple[Any, Any]] = []

    def life(number: int) -> None:
        listener = counter(shapes)
        with hub.add(listener) as registration:
            publish(number)
            hub.publish(shapes.OrderPlaced(number))
        passing.append((registration, listener))

    for start in range(0, 2000, 50):
        run_all(*[lambda number=number: life(number) for number in range(start, start + 50)])
    assert Counter(steady.seen) == dict.fromkeys(range(2000), 2)
    assert always.stats() == goanna.Stats(4000, 4000, 0)
    for number, (registration, listener) in enumerate(passing):
        assert len(listener.seen) >= 2, number
        assert registration.stats() == goanna.Stats(len(listener.seen), len(listener.seen), 0)


def test_once_is_once_under_threads(goanna: ModuleType, shapes: ModuleType) -> None:
    hub = goanna.Dispatcher()
    publish = hub.publisher(shapes.OrderPlaced)
    for _ in range(50):
        listener = counter(shapes)
        registration = hub.add(listener, once=True)
        run_all(*[lambda: publish(1)] * 8)
        assert len(listener.seen) == 1
        assert registration.stats() == goanna.Stats(1, 1, 0)
        assert not registration.active


def test_publishers_opened_at_once_are_the_same(goanna: ModuleType, shapes: ModuleType) -> None:
    for _ in range(50):
        hub = goanna.Dispatcher()
        listener = counter(shapes)
        found: list[Any] = []
        run_all(*[lambda: found.append(hub.publisher(shapes.OrderPlaced))] * 4, lambda: hub.add(listener))
        assert len({id(one) for one in found}) == 1
        found[0](1)
        assert listener.seen == [1]


def test_constraints_under_threads(goanna: ModuleType, shapes: ModuleType) -> None:
    hub = goanna.Dispatcher()
    anchor = hub.add(counter(shapes))
    numbers = itertools.count()

    def job() -> None:
        for _ in range(60):
            hub.add(counter(shapes), before=anchor, priority=next(numbers) % 3)

    run_all(*[job] * 4)
    assert len(hub) == 241
    assert hub.registrations[-1] is anchor
    priorities = [one.priority for one in hub.registrations[:-1]]
    assert priorities == sorted(priorities, reverse=True)
