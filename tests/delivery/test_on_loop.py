"""on_loop: plain and async methods, on the loop's thread, in order, with one wake-up for a burst."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import importlib
import queue
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterator
from types import ModuleType
from typing import Any

import pytest

from support.garbage import catch_up
from support.recorders import Gate, check, recorder, sampled
from support.threads import PATIENCE, run_all

variable: contextvars.ContextVar[Any] = contextvars.ContextVar("variable", default=None)


class Counting(asyncio.SelectorEventLoop):
    """A loop that counts how often it is woken."""

    wakes = 0

    def call_soon_threadsafe(self, *args: Any, **kwargs: Any) -> Any:
        self.wakes += 1
        return super().call_soon_threadsafe(*args, **kwargs)


@contextlib.contextmanager
def running(loop: asyncio.AbstractEventLoop) -> Iterator[threading.Thread]:
    """Run a loop on a thread of its own."""
    started = threading.Event()
    loop.call_soon(started.set)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        assert started.wait(PATIENCE)
        yield thread
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


def coroutine_recorder(shapes: ModuleType, does: Callable[[Any], Coroutine[Any, Any, None]], **extra: Any) -> Any:
    async def placed(self: Any, event: Any) -> None:
        self.log.append(("begin", event.order_id))
        await does(event)
        self.log.append(("end", event.order_id))

    made = type("Recording", (shapes.OrderListener,), {"placed": placed, **extra})()
    made.log = []
    return made


async def yielding(event: Any) -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_events_come_on_the_loops_thread_and_in_order(goanna: ModuleType, shapes: ModuleType, kind: str) -> None:
    threads: set[Any] = set()

    async def does(event: Any) -> None:
        threads.add(threading.current_thread())
        await asyncio.sleep(0)

    listener = (
        recorder(shapes, lambda event: threads.add(threading.current_thread()))
        if kind == "plain"
        else coroutine_recorder(shapes, does)
    )
    loop = Counting()
    wrapper = goanna.on_loop(listener, loop)
    with running(loop) as thread:
        for number in range(2000):
            wrapper.placed(shapes.OrderPlaced(number))
        assert wrapper.flush(PATIENCE) == 0
        assert threads == {thread}
        if kind == "plain":
            assert listener.log == list(range(2000))
        else:
            assert listener.log == [(what, number) for number in range(2000) for what in ("begin", "end")]
        stats = check(wrapper.stats())
        assert (stats.published, stats.delivered, stats.pending) == (2000, 2000, 0)
        assert sum(stats.time.histogram) == 2000


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_every_single_event_arrives_without_another_one_after_it(
    goanna: ModuleType, shapes: ModuleType, kind: str
) -> None:
    """The loop may have handled the event before the publisher has come back from waking it."""
    got: queue.SimpleQueue[int] = queue.SimpleQueue()

    async def does(event: Any) -> None:
        got.put(event.order_id)

    listener = (
        recorder(shapes, lambda event: got.put(event.order_id)) if kind == "plain" else coroutine_recorder(shapes, does)
    )
    loop = Counting()
    wrapper = goanna.on_loop(listener, loop)
    with running(loop):
        for number in range(3000):
            wrapper.placed(shapes.OrderPlaced(number))
            assert got.get(timeout=PATIENCE) == number


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_the_loop_handles_a_burst_while_the_publisher_still_wakes_it(
    goanna: ModuleType, shapes: ModuleType, kind: str
) -> None:
    """The same, brought about: the callback runs before ``post`` returns."""
    ran: list[Any] = []

    class Hasty(Own):
        def post(self, callback: Callable[[], object]) -> None:
            self.posted += 1
            self.run(callback)

    loop = Hasty()
    listener = recorder(shapes) if kind == "plain" else coroutine_recorder(shapes, finishing)
    wrapper = goanna.on_loop(listener, loop)
    for number in range(5):
        wrapper.placed(shapes.OrderPlaced(number))
        assert check(wrapper.stats()).delivered == number + 1, ran
    assert loop.posted == 5


async def finishing(event: Any) -> None:
    """Ends without ever having waited."""


class Own:
    """A loop of the test's own, by the methods that on_loop asks for; it runs what was posted when it is told to."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[], object]] = []
        self.posted = 0
        self.over = False
        self.inside = False

    def post(self, callback: Callable[[], object]) -> None:
        from goanna.delivery import LoopClosedError

        if self.over:
            raise LoopClosedError("over")
        self.posted += 1
        self.callbacks.append(callback)

    def spawn(self, work: Callable[[], Coroutine[Any, Any, None]], context: contextvars.Context | None) -> None:
        from goanna.delivery import LoopClosedError

        if self.over:
            raise LoopClosedError("over")
        coroutine = work()
        try:
            (context.run if context else lambda call, value: call(value))(coroutine.send, None)
        except StopIteration:
            return
        raise AssertionError("this loop has no way to wait")

    def closed(self) -> bool:
        return self.over

    def here(self) -> bool:
        return self.inside

    def can_wait(self) -> bool:
        return False

    def flag(self) -> Any:
        raise NotImplementedError

    async def wait(self, flag: Any, timeout: float | None) -> bool:
        raise NotImplementedError

    async def breathe(self) -> None:
        pass

    def run(self, callback: Callable[[], object]) -> None:
        self.inside = True
        try:
            callback()
        finally:
            self.inside = False

    def turn(self) -> None:
        due, self.callbacks = self.callbacks, []
        for one in due:
            self.run(one)


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_a_loop_by_duck_typing_is_woken_once_for_a_burst(
    goanna: ModuleType, shapes: ModuleType, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    loop = Own()
    from goanna.delivery import Loop

    # However long it takes, it ends with its last event.
    monkeypatch.setattr(importlib.import_module("goanna.delivery.loop_worker"), "_BURST_TIME", 1 << 62)

    assert isinstance(loop, Loop)
    listener = recorder(shapes) if kind == "plain" else coroutine_recorder(shapes, finishing)
    wrapper = goanna.on_loop(listener, loop)
    for burst in range(1, 4):
        for number in range(400):
            wrapper.placed(shapes.OrderPlaced(number))
        assert loop.posted == burst
        assert check(wrapper.stats()).pending == 400
        loop.turn()
        assert not loop.callbacks
        assert check(wrapper.stats()).delivered == 400 * burst


def test_a_long_burst_lets_the_loop_breathe(goanna: ModuleType, shapes: ModuleType) -> None:
    loop = Own()
    wrapper = goanna.on_loop(recorder(shapes), loop)
    for number in range(1200):
        wrapper.placed(shapes.OrderPlaced(number))
    turns = 0
    while loop.callbacks:
        loop.turn()
        turns += 1
    assert turns >= 3
    assert loop.posted == turns
    assert wrapper.stats().delivered == 1200


def test_a_loop_that_ends_between_post_and_spawn(goanna: ModuleType, shapes: ModuleType) -> None:
    loop = Own()
    wrapper = goanna.on_loop(coroutine_recorder(shapes, finishing), loop)
    for number in range(3):
        wrapper.placed(shapes.OrderPlaced(number))
    loop.over = True
    loop.turn()
    assert check(wrapper.stats()).dropped == {"loop_closed": 3}


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_one_wake_up_for_a_burst(goanna: ModuleType, shapes: ModuleType, kind: str) -> None:
    listener = recorder(shapes) if kind == "plain" else coroutine_recorder(shapes, yielding)
    loop = Counting()
    wrapper = goanna.on_loop(listener, loop)
    with running(loop):
        gate = Gate()
        loop.call_soon_threadsafe(gate)
        gate.wait_for_it()  # the loop is busy
        loop.wakes = 0
        for number in range(5000):
            wrapper.placed(shapes.OrderPlaced(number))
        assert loop.wakes == 1
        gate.open.set()
        assert wrapper.flush(PATIENCE) == 0
        # The loop goes on by itself, in turns: as many as there are bursts of 500, or of 5 ms on a slow machine.
        assert wrapper.stats().delivered == 5000


def test_publishing_on_the_loop_itself(goanna: ModuleType, shapes: ModuleType) -> None:
    async def main() -> None:
        listener = recorder(shapes)
        wrapper = goanna.on_loop(listener)
        for number in range(10):
            wrapper.placed(shapes.OrderPlaced(number))
        assert listener.log == []
        assert wrapper.flush() == 10  # at once: waiting would be waiting for itself
        assert wrapper.flush(PATIENCE) == 10
        assert await wrapper.aflush(PATIENCE) == 0
        assert listener.log == list(range(10))
        wrapper.placed(shapes.OrderPlaced(10))
        assert wrapper.close() == 1  # closed, but what is left is still delivered
        wrapper.placed(shapes.OrderPlaced(11))
        assert await wrapper.aclose(PATIENCE) == 0
        assert listener.log == list(range(11))
        assert await wrapper.aclose() == 0
        stats = check(wrapper.stats())
        assert stats.dropped == {"closed": 1}

    asyncio.run(main())


def test_a_listener_that_publishes_to_itself(goanna: ModuleType, shapes: ModuleType) -> None:
    async def main() -> None:
        def again(event: Any) -> None:
            if event.order_id < 20:
                wrapper.placed(shapes.OrderPlaced(event.order_id + 1))

        listener = recorder(shapes, again)
        wrapper = goanna.on_loop(listener, reentrant="deliver")
        wrapper.placed(shapes.OrderPlaced(0))
        while len(listener.log) < 21:
            await asyncio.sleep(0)
        assert listener.log == list(range(21))

    asyncio.run(main())


def test_concurrency(goanna: ModuleType, shapes: ModuleType) -> None:
    async def main() -> None:
        now = most = 0
        release = asyncio.Event()
        full = asyncio.Event()

        async def does(event: Any) -> None:
            nonlocal now, most
            now += 1
            most = max(most, now)
            if now == 3:
                full.set()
            await release.wait()
            now -= 1

        listener = coroutine_recorder(shapes, does)
        wrapper = goanna.on_loop(listener, concurrency=3)
        for number in range(10):
            wrapper.placed(shapes.OrderPlaced(number))
        await asyncio.wait_for(full.wait(), PATIENCE)
        for _ in range(10):
            await asyncio.sleep(0)
        assert now == 3
        stats = check(wrapper.stats())
        assert (stats.delivered, stats.pending) == (0, 10)
        assert await wrapper.aflush(0.0) == 10
        release.set()
        assert await wrapper.aflush(PATIENCE) == 0
        assert most == 3
        assert [number for what, number in listener.log if what == "begin"] == list(range(10))
        assert check(wrapper.stats()).delivered == 10

    asyncio.run(main())


def test_a_flush_waits_for_the_earlier_events_only(goanna: ModuleType, shapes: ModuleType) -> None:
    async def main() -> None:
        releases = {number: asyncio.Event() for number in range(3)}

        async def does(event: Any) -> None:
            await releases[event.order_id].wait()

        wrapper = goanna.on_loop(coroutine_recorder(shapes, does), concurrency=3)
        wrapper.placed(shapes.OrderPlaced(0))
        wrapper.placed(shapes.OrderPlaced(1))
        flushing = asyncio.create_task(wrapper.aflush(PATIENCE))
        await asyncio.sleep(0)
        wrapper.placed(shapes.OrderPlaced(2))
        for _ in range(5):
            await asyncio.sleep(0)
        releases[1].set()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not flushing.done()
        releases[0].set()
        assert await flushing == 0
        assert wrapper.stats().pending == 1
        releases[2].set()
        assert await wrapper.aclose(PATIENCE) == 0

    asyncio.run(main())


def test_context_is_captured_for_coroutines_too(goanna: ModuleType, shapes: ModuleType) -> None:
    for kind in ("plain", "async"):
        seen: list[Any] = []

        async def does(event: Any, seen: list[Any] = seen) -> None:
            seen.append((event.order_id, variable.get()))
            await asyncio.sleep(0)
            seen.append((event.order_id, variable.get()))
            variable.set("changed by the listener")

        listener = (
            recorder(shapes, lambda event, seen=seen: seen.append((event.order_id, variable.get())))
            if kind == "plain"
            else coroutine_recorder(shapes, does)
        )

        async def main(listener: Any = listener) -> None:
            wrapper = goanna.on_loop(listener, context="capture")
            for number in range(3):
                token = variable.set(f"publisher {number}")
                wrapper.placed(shapes.OrderPlaced(number))
                variable.reset(token)
            assert await wrapper.aflush(PATIENCE) == 0
            assert variable.get() is None
            assert check(wrapper.stats()).delivered == 3

        asyncio.run(main())
        times = 1 if kind == "plain" else 2
        assert seen == [(number, f"publisher {number}") for number in range(3) for _ in range(times)]


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_without_capture_no_publisher_lends_its_context(goanna: ModuleType, shapes: ModuleType, kind: str) -> None:
    seen: list[Any] = []

    async def does(event: Any) -> None:
        seen.append(variable.get())

    listener = (
        recorder(shapes, lambda event: seen.append(variable.get()))
        if kind == "plain"
        else coroutine_recorder(shapes, does)
    )
    loop = Counting()
    wrapper = goanna.on_loop(listener, loop)
    with running(loop):
        token = variable.set("the publisher's")
        wrapper.placed(shapes.OrderPlaced(1))
        wrapper.placed(shapes.OrderPlaced(2))
        variable.reset(token)
        assert wrapper.flush(PATIENCE) == 0
    assert seen == [None, None]


def test_an_error_in_a_captured_coroutine(goanna: ModuleType, shapes: ModuleType) -> None:
    async def main() -> None:
        errors: list[Any] = []

        async def does(event: Any) -> None:
            await asyncio.sleep(0)
            raise ValueError(event.order_id)

        wrapper = goanna.on_loop(
            coroutine_recorder(shapes, does), context="capture", errors=lambda *args: errors.append(args)
        )
        wrapper.placed(shapes.OrderPlaced(1))
        wrapper.placed(shapes.OrderPlaced(2))
        assert await wrapper.aflush(PATIENCE) == 0
        assert [str(error) for error, _, _ in errors] == ["1", "2"]
        assert all(listener is wrapper.listener for _, listener, _ in errors)
        stats = check(wrapper.stats())
        assert (stats.failed, stats.delivered) == (2, 0)

    asyncio.run(main())


@pytest.mark.parametrize("context", ["none", "capture"])
def test_a_handler_that_awaits_something_cancelled_fails(goanna: ModuleType, shapes: ModuleType, context: str) -> None:
    async def main() -> None:
        errors: list[Any] = []

        async def does(event: Any) -> None:
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

        wrapper = goanna.on_loop(
            coroutine_recorder(shapes, does), context=context, errors=lambda *args: errors.append(args)
        )
        for number in range(3):
            wrapper.placed(shapes.OrderPlaced(number))
        assert await wrapper.aflush(PATIENCE) == 0
        assert [type(error) for error, _, _ in errors] == [RuntimeError] * 3
        assert isinstance(errors[0][0].__cause__, asyncio.CancelledError)
        assert check(wrapper.stats()).failed == 3

    asyncio.run(main())


@pytest.mark.parametrize("context", ["none", "capture"])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_end_of_asyncio_run_cancels_and_leaves_no_warning(
    goanna: ModuleType, shapes: ModuleType, context: str, concurrency: int
) -> None:
    made: list[Any] = []

    async def does(event: Any) -> None:
        await asyncio.Event().wait()

    complaints: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, what: complaints.append(what))
        wrapper = goanna.on_loop(coroutine_recorder(shapes, does), concurrency=concurrency, context=context)
        for number in range(10):
            wrapper.placed(shapes.OrderPlaced(number))
        for _ in range(5):
            await asyncio.sleep(0)
        assert wrapper.stats().pending == 10
        made.append(wrapper)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(main())
        gc.collect()
    assert [str(one.message) for one in caught] == []
    assert complaints == []
    wrapper = made.pop()
    stats = check(wrapper.stats())
    assert stats.pending == 0
    assert stats.failed == concurrency
    assert stats.dropped == {"loop_closed": 10 - concurrency}
    wrapper.placed(shapes.OrderPlaced(10))
    assert check(wrapper.stats()).dropped == {"loop_closed": 11 - concurrency}
    assert wrapper.flush() == 0
    assert wrapper.close() == 0


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_a_loop_that_is_closed_takes_nothing(goanna: ModuleType, shapes: ModuleType, kind: str) -> None:
    listener = recorder(shapes) if kind == "plain" else coroutine_recorder(shapes, yielding)
    loop = asyncio.new_event_loop()
    loop.close()
    wrapper = goanna.on_loop(listener, loop)
    for number in range(5):
        wrapper.placed(shapes.OrderPlaced(number))
    stats = check(wrapper.stats())
    assert (stats.dropped, stats.pending, listener.log) == ({"loop_closed": 5}, 0, [])
    assert wrapper.flush(PATIENCE) == 0


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_a_loop_that_is_closed_with_the_callback_in_it(goanna: ModuleType, shapes: ModuleType, kind: str) -> None:
    listener = recorder(shapes) if kind == "plain" else coroutine_recorder(shapes, yielding)
    loop = asyncio.new_event_loop()
    wrapper = goanna.on_loop(listener, loop, maxsize=5)
    for number in range(3):
        wrapper.placed(shapes.OrderPlaced(number))
    assert check(wrapper.stats()).pending == 3
    loop.close()
    assert wrapper.flush(PATIENCE) == 0
    stats = check(wrapper.stats())
    assert (stats.dropped, stats.pending) == ({"loop_closed": 3}, 0)


def test_a_flush_under_way_notices_that_the_loop_is_closed(goanna: ModuleType, shapes: ModuleType) -> None:
    loop = asyncio.new_event_loop()
    blocked = Gate()
    wrapper = goanna.on_loop(recorder(shapes), loop)
    left: list[int] = []
    started = threading.Event()

    def flush() -> None:
        started.set()
        left.append(wrapper.flush())

    with running(loop):
        loop.call_soon_threadsafe(blocked)
        blocked.wait_for_it()
        loop.call_soon_threadsafe(loop.stop)  # comes before the callback that delivers
        wrapper.placed(shapes.OrderPlaced(1))
        thread = threading.Thread(target=flush)
        thread.start()
        assert started.wait(PATIENCE)
        blocked.open.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert left == [0]
    stats = check(wrapper.stats())
    assert stats.pending == 0


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
def test_a_loop_that_never_runs_costs_no_more_than_the_bound(
    goanna: ModuleType, shapes: ModuleType, overflow: str
) -> None:
    class Marked:
        alive = 0

        def __init__(self) -> None:
            Marked.alive += 1

        def __del__(self) -> None:
            Marked.alive -= 1

    loop = Counting()
    wrapper = goanna.on_loop(recorder(shapes), loop, maxsize=10, overflow=overflow)
    for _ in range(1000):
        wrapper.placed(shapes.OrderPlaced(Marked()))
    catch_up()
    assert Marked.alive == 10
    assert loop.wakes == 1
    stats = check(wrapper.stats())
    assert (stats.pending, stats.dropped, stats.high_water) == (10, {"overflow": 990}, 10)
    assert wrapper.flush(PATIENCE) == 10  # at once
    assert wrapper.close(PATIENCE) == 10
    loop.close()
    check(wrapper.stats())


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
@pytest.mark.parametrize("kind", ["plain", "async"])
def test_lost_events_are_told_where_they_are_missing(
    goanna: ModuleType, shapes: ModuleType, overflow: str, kind: str
) -> None:
    if kind == "plain":
        listener = recorder(shapes, events_lost=lambda self, marker: self.log.append(("lost", marker.count)))
    else:

        async def events_lost(self: Any, marker: Any) -> None:
            await asyncio.sleep(0)
            self.log.append(("lost", marker.count))

        listener = recorder(shapes, events_lost=events_lost)
    loop = asyncio.new_event_loop()
    wrapper = goanna.on_loop(listener, loop, maxsize=3, overflow=overflow)
    for number in range(8):
        wrapper.placed(shapes.OrderPlaced(number))

    async def deliver() -> None:
        assert await wrapper.aflush(PATIENCE) == 0
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        wrapper.placed(shapes.OrderPlaced(8))
        assert await wrapper.aclose(PATIENCE) == 0

    loop.run_until_complete(deliver())
    loop.close()
    expected = [("lost", 5), 5, 6, 7] if overflow == "drop_oldest" else [0, 1, 2, ("lost", 5)]
    assert listener.log == [*expected, 8]


def test_quarantine_and_slow(goanna: ModuleType, shapes: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async def does(event: Any) -> None:
            await asyncio.sleep(0)
            if event.order_id != 1:
                raise ValueError(event.order_id)

        wrapper = goanna.on_loop(coroutine_recorder(shapes, does), quarantine=3, slow=1e-9, errors=lambda *args: None)
        for number in range(10):
            wrapper.placed(shapes.OrderPlaced(number))
        assert await wrapper.aflush(PATIENCE) == 0
        wrapper.placed(shapes.OrderPlaced(10))
        stats = check(wrapper.stats())
        assert (stats.delivered, stats.failed, stats.dropped) == (1, 4, {"quarantined": 6})

    asyncio.run(main())
    texts = [one.getMessage() for one in caplog.records]
    assert sum("failed 3 times in a row and gets no more events" in one for one in texts) == 1
    assert sum("later slow calls are not reported" in one for one in texts) == 1


def test_a_policy_that_raises_stops_nothing(goanna: ModuleType, shapes: ModuleType) -> None:
    import logging

    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise LookupError("the log is full")

    handler = Broken()
    logger = logging.getLogger("goanna")
    complaints: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, what: complaints.append(what["exception"]))

        async def does(event: Any) -> None:
            raise ValueError(event.order_id)

        for kind in ("plain", "async"):

            def fails(event: Any) -> None:
                raise ValueError(event)

            listener = recorder(shapes, fails) if kind == "plain" else coroutine_recorder(shapes, does)
            wrapper = goanna.on_loop(listener)
            for number in range(3):
                wrapper.placed(shapes.OrderPlaced(number))
            assert await wrapper.aflush(PATIENCE) == 0
            stats = check(wrapper.stats())
            assert (stats.failed, stats.dropped) == (3, {}), kind
            await asyncio.sleep(0)

    logger.addHandler(handler)
    try:
        asyncio.run(main())
        gc.collect()
    finally:
        logger.removeHandler(handler)
    assert complaints == []


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_the_counts_agree_at_any_instant(goanna: ModuleType, shapes: ModuleType, kind: str) -> None:
    def maybe_fails(event: Any) -> None:
        if event.order_id % 7 == 0:
            raise ValueError(event.order_id)

    async def does(event: Any) -> None:
        if event.order_id % 5 == 0:
            await asyncio.sleep(0)
        maybe_fails(event)

    listener = recorder(shapes, maybe_fails) if kind == "plain" else coroutine_recorder(shapes, does)
    loop = Counting()
    wrapper = goanna.on_loop(listener, loop, maxsize=50, errors=lambda *args: None, concurrency=2)
    with running(loop), sampled(wrapper):

        def publish() -> None:
            for number in range(2000):
                wrapper.placed(shapes.OrderPlaced(number))

        run_all(publish, publish, publish)
        wrapper.close(PATIENCE)
        publish()
    stats = check(wrapper.stats())
    assert (stats.published, stats.pending) == (8000, 0)
    assert stats.dropped["closed"] == 2000


def test_a_wrapper_in_a_cycle_with_its_listener_is_collected(goanna: ModuleType, shapes: ModuleType) -> None:
    import weakref

    loop = asyncio.new_event_loop()
    listener = recorder(shapes)
    listener.wrapper = goanna.on_loop(listener, loop)
    gone = weakref.ref(listener)
    del listener
    gc.collect()
    assert gone() is None
    loop.close()


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_trio(goanna: ModuleType, shapes: ModuleType, kind: str) -> None:
    import trio

    wrappers: list[Any] = []

    async def does(event: Any) -> None:
        assert threading.current_thread() is loop_thread
        await trio.sleep(0)

    loop_thread = threading.current_thread()
    listener = recorder(shapes) if kind == "plain" else coroutine_recorder(shapes, does)

    async def main() -> None:
        from goanna.delivery import TaskGroupLoop

        async with trio.open_nursery() as nursery:
            wrapper = goanna.on_loop(listener, TaskGroupLoop(nursery))
            wrappers.append(wrapper)

            def publish() -> None:
                for number in range(300):
                    wrapper.placed(shapes.OrderPlaced(number))
                assert wrapper.flush(PATIENCE) == 0

            await trio.to_thread.run_sync(publish)
            wrapper.placed(shapes.OrderPlaced(300))
            assert wrapper.flush() == 1
            assert await wrapper.aflush(PATIENCE) == 0
            assert check(wrapper.stats()).delivered == 301

    trio.run(main)
    if kind == "plain":
        assert listener.log == list(range(301))
    else:
        assert [number for what, number in listener.log if what == "begin"] == list(range(301))
    (wrapper,) = wrappers
    wrapper.placed(shapes.OrderPlaced(301))
    stats = check(wrapper.stats())
    assert stats.dropped == {"loop_closed": 1}


def test_trio_cancels(goanna: ModuleType, shapes: ModuleType) -> None:
    import trio

    wrappers: list[Any] = []

    async def does(event: Any) -> None:
        await trio.sleep_forever()

    async def main() -> None:
        from goanna.delivery import TaskGroupLoop

        async with trio.open_nursery() as nursery:
            wrapper = goanna.on_loop(coroutine_recorder(shapes, does), TaskGroupLoop(nursery), concurrency=2)
            wrappers.append(wrapper)
            for number in range(5):
                wrapper.placed(shapes.OrderPlaced(number))
            await trio.testing.wait_all_tasks_blocked()
            assert await wrapper.aflush(0.0) == 5
            nursery.cancel_scope.cancel()

    import trio.testing

    trio.run(main)
    stats = check(wrappers[0].stats())
    assert (stats.failed, stats.dropped, stats.pending) == (2, {"loop_closed": 3}, 0)


def test_trio_captures_context(goanna: ModuleType, shapes: ModuleType) -> None:
    import trio

    seen: list[Any] = []

    async def does(event: Any) -> None:
        await trio.sleep(0)
        seen.append((event.order_id, variable.get()))

    async def main() -> None:
        from goanna.delivery import TaskGroupLoop

        async with trio.open_nursery() as nursery:
            wrapper = goanna.on_loop(coroutine_recorder(shapes, does), TaskGroupLoop(nursery), context="capture")
            for number in range(3):
                token = variable.set(number)
                wrapper.placed(shapes.OrderPlaced(number))
                variable.reset(token)
            assert await wrapper.aclose(PATIENCE) == 0

    trio.run(main)
    assert seen == [(0, 0), (1, 1), (2, 2)]


@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_anyio(goanna: ModuleType, shapes: ModuleType, library: str) -> None:
    import anyio
    import anyio.to_thread

    async def does(event: Any) -> None:
        await anyio.lowlevel.checkpoint()

    import anyio.lowlevel

    listener = coroutine_recorder(shapes, does)

    async def main() -> None:
        from goanna.delivery import TaskGroupLoop

        async with anyio.create_task_group() as group:
            wrapper = goanna.on_loop(listener, TaskGroupLoop(group))

            def publish() -> None:
                for number in range(100):
                    wrapper.placed(shapes.OrderPlaced(number))
                assert wrapper.flush(PATIENCE) == 0

            await anyio.to_thread.run_sync(publish)
            wrapper.placed(shapes.OrderPlaced(100))
            assert await wrapper.aclose(PATIENCE) == 0
            assert check(wrapper.stats()).delivered == 101

    anyio.run(main, backend=library)
    assert [number for what, number in listener.log if what == "end"] == list(range(101))


def test_tornado(goanna: ModuleType, shapes: ModuleType) -> None:
    from tornado.ioloop import IOLoop

    async def main() -> None:
        listener = recorder(shapes)
        wrapper = goanna.on_loop(listener, IOLoop.current())
        thread = threading.Thread(target=lambda: [wrapper.placed(shapes.OrderPlaced(n)) for n in range(100)])
        thread.start()
        thread.join(PATIENCE)
        assert await wrapper.aclose(PATIENCE) == 0
        assert listener.log == list(range(100))
        assert set(listener.threads) == {threading.current_thread()}

    asyncio.run(main())


def test_aflush_elsewhere_is_refused(goanna: ModuleType, shapes: ModuleType) -> None:
    loop = asyncio.new_event_loop()
    wrapper = goanna.on_loop(recorder(shapes), loop)

    async def main() -> None:
        with pytest.raises(RuntimeError, match="awaited on the loop that delivers"):
            await wrapper.aflush()

    asyncio.run(main())
    loop.close()
