"""A bound by bytes beside the one by events."""

from __future__ import annotations

import asyncio
import sys
import threading
from types import ModuleType
from typing import Any

import pytest

from support.recorders import Gate, check, recorder
from support.threads import PATIENCE

MEGABYTE = 1 << 20


def large(shapes: ModuleType, number: int) -> Any:
    return shapes.OrderPlaced(number, f"{number}" + "x" * MEGABYTE)


@pytest.mark.parametrize(
    ("overflow", "delivered", "reason"),
    [("drop_oldest", [7, 8, 9], "overflow"), ("drop_newest", [1, 2, 3], "overflow"), ("block", [1, 2, 3], "timeout")],
)
def test_a_queue_is_full_of_bytes(
    goanna: ModuleType, shapes: ModuleType, overflow: str, delivered: list[int], reason: str
) -> None:
    gate = Gate()
    listener = recorder(shapes, lambda event: gate() if event.order_id == 0 else None)
    wrapper = goanna.queued(listener, max_bytes=3 * MEGABYTE + 100_000, overflow=overflow, timeout=0.001)
    wrapper.placed(shapes.OrderPlaced(0))
    gate.wait_for_it()
    for number in range(1, 10):
        wrapper.placed(large(shapes, number))
    assert wrapper.stats().pending == 4
    gate.open.set()
    assert wrapper.close(PATIENCE) == 0
    stats = check(wrapper.stats())
    assert listener.log == [0, *delivered]
    assert stats.dropped == {reason: 6}


def test_one_event_may_wait_in_any_case(goanna: ModuleType, shapes: ModuleType) -> None:
    listener = recorder(shapes)
    with goanna.queued(listener, max_bytes=1, overflow="block", timeout=None) as wrapper:
        for number in range(10):
            wrapper.placed(large(shapes, number))
    assert listener.log == list(range(10))


def test_the_thread_is_woken_before_the_bytes_are_full(goanna: ModuleType, shapes: ModuleType) -> None:
    told = threading.Semaphore(0)
    wrapper = goanna.queued(
        recorder(shapes, lambda event: told.release()), max_bytes=4 * MEGABYTE, batch=1000, delay=3600.0
    )
    wrapper.placed(shapes.OrderPlaced(-1))
    assert wrapper.flush(PATIENCE) == 0
    assert told.acquire(timeout=PATIENCE)
    for number in range(20):  # half of the bound wakes it
        wrapper.placed(large(shapes, number))
        if number % 2:
            assert told.acquire(timeout=PATIENCE)
            assert told.acquire(timeout=PATIENCE)
    assert wrapper.close(PATIENCE) == 0
    assert check(wrapper.stats()).dropped == {}


def test_a_loop_is_full_of_bytes(goanna: ModuleType, shapes: ModuleType) -> None:
    async def main() -> None:
        listener = recorder(shapes)
        wrapper = goanna.on_loop(listener, max_bytes=3 * MEGABYTE + 100_000)
        for number in range(1, 10):
            wrapper.placed(large(shapes, number))
        assert await wrapper.aflush(PATIENCE) == 0
        assert listener.log == [7, 8, 9]
        assert check(wrapper.stats()).dropped == {"overflow": 6}

    asyncio.run(main())


def test_what_an_event_is_said_to_hold(goanna: ModuleType) -> None:
    from goanna.delivery.sizes import size_of

    class Holds(goanna.Event):
        value: Any

    class Odd:
        def __sizeof__(self) -> int:
            raise ValueError

    def of(value: Any) -> int:
        return size_of(Holds(value)) - size_of(Holds(None)) + sys.getsizeof(None)

    cycle: list[Any] = []
    cycle.append(cycle)
    text = "x" * 1000
    assert of(text) == sys.getsizeof(text)
    assert of([text, {"a": text}]) >= 2 * sys.getsizeof(text)
    documents = [{"n": one} for one in range(10_000)]
    exact = sys.getsizeof(documents) + sum(sys.getsizeof(one) + sys.getsizeof("n") + 28 for one in documents)
    assert exact * 0.9 < of(documents) < exact * 1.1
    for value in (Odd(), cycle, object(), 1.5, (), {}, {1, 2}, b"x"):
        assert 0 < of(value) < 10_000
