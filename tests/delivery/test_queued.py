"""queued: a thread of its own behind a bounded queue, in every overflow mode, with listeners that behave badly."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import sys
import threading
import time
import weakref
from types import ModuleType
from typing import Any

import pytest

from support.recorders import Gate, check, recorder, sampled
from support.threads import PATIENCE, run_all

variable: contextvars.ContextVar[Any] = contextvars.ContextVar("variable", default=None)
OVERFLOWS = ["drop_oldest", "drop_newest", "block", "raise"]


def wakes_of(wrapper: Any) -> list[int]:
    """Count how often the thread is woken from now on."""
    rings: list[int] = []
    worker = wrapper._worker

    class Wakeup:
        def __init__(self, lock: Any) -> None:
            self.acquire = lock.acquire
            self._release = lock.release

        def release(self) -> None:
            rings.append(1)
            self._release()

    worker._wakeup = Wakeup(worker._wakeup)
    return rings


def stopped(goanna: ModuleType, shapes: ModuleType, **options: Any) -> tuple[Any, Gate]:
    """A queue whose thread has event -1 and stands at a gate, so that whatever comes next waits."""
    gate = Gate()
    extra = options.pop("extra", {})
    does = options.pop("does", lambda event: None)
    listener = recorder(shapes, lambda event: gate() if event.order_id == -1 else does(event), **extra)
    wrapper = goanna.queued(listener, **options)
    wrapper.placed(shapes.OrderPlaced(-1))
    gate.wait_for_it()
    return wrapper, gate


def test_events_come_in_order_on_one_daemon_thread(goanna: ModuleType, shapes: ModuleType) -> None:
    listener = recorder(shapes)
    wrapper = goanna.queued(listener, name="the order of things")
    assert not [one for one in threading.enumerate() if one.name == "the order of things"]
    for number in range(5000):
        wrapper.placed(shapes.OrderPlaced(number))
    assert wrapper.flush(PATIENCE) == 0
    assert listener.log == list(range(5000))
    (thread,) = set(listener.threads)
    assert (thread.name, thread.daemon) == ("the order of things", True)
    assert thread is not threading.current_thread()
    stats = check(wrapper.stats())
    assert (stats.published, stats.delivered, stats.pending, stats.oldest_age) == (5000, 5000, 0, 0.0)
    assert sum(stats.time.histogram) == 5000
    assert 0 < stats.time.longest <= stats.time.total
    assert wrapper.close(PATIENCE) == 0
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_the_thread_has_the_name_that_it_is_given(goanna: ModuleType, shapes: ModuleType) -> None:
    for name, expected in ((None, "goanna-Recording"), ("orders", "orders")):
        listener = recorder(shapes)
        with goanna.queued(listener, name=name) as wrapper:
            wrapper.placed(shapes.OrderPlaced(1))
            wrapper.flush(PATIENCE)
            assert listener.threads[0].name == expected


def test_every_single_event_arrives_without_another_one_after_it(goanna: ModuleType, shapes: ModuleType) -> None:
    for delay in (0.0, 0.001):
        seen = threading.Semaphore(0)
        with goanna.queued(recorder(shapes, lambda event, seen=seen: seen.release()), delay=delay) as wrapper:
            for number in range(500):
                wrapper.placed(shapes.OrderPlaced(number))
                assert seen.acquire(timeout=PATIENCE)


def test_the_thread_is_never_woken_once_per_event(goanna: ModuleType, shapes: ModuleType) -> None:
    wrapper, gate = stopped(goanna, shapes, batch=100, delay=60.0, maxsize=100_000)
    rings = wakes_of(wrapper)
    for number in range(50_000):
        wrapper.placed(shapes.OrderPlaced(number))
    assert rings == []  # it is at work
    gate.open.set()
    assert wrapper.flush(PATIENCE) == 0
    del rings[:]
    for number in range(1000):  # while it sleeps, or is at work again
        wrapper.placed(shapes.OrderPlaced(number))
    assert wrapper.flush(PATIENCE) == 0
    # Each waking by the ring takes a hundred events; the flush is one more, and its thread may be between the two.
    assert len(rings) <= 1000 // 100 + 2
    wrapper.close(PATIENCE)


def test_batches(goanna: ModuleType, shapes: ModuleType) -> None:
    batches: list[Any] = []
    gate = Gate()

    def handle_batch(self: Any, events: list[Any]) -> None:
        batches.append([event.order_id for event in events])
        if len(batches) == 1:
            gate()

    listener = recorder(shapes, handle_batch=handle_batch)
    with goanna.queued(listener, batch=10) as wrapper:
        wrapper.placed(shapes.OrderPlaced(-1))
        gate.wait_for_it()
        for number in range(25):
            wrapper.placed(shapes.OrderPlaced(number))
            wrapper.shipped(shapes.Shipped(number))  # a method that does nothing: the batch has it all the same
        gate.open.set()
        assert wrapper.flush(PATIENCE) == 0
        stats = check(wrapper.stats())
    assert batches[0] == [-1]
    assert [len(one) for one in batches[1:]] == [10] * 5
    assert [number for one in batches[1:] for number in one] == [number for number in range(25) for _ in range(2)]
    assert listener.log == []
    assert stats.delivered == 51
    assert sum(stats.time.histogram) == 6


def test_a_batch_that_fails(goanna: ModuleType, shapes: ModuleType) -> None:
    errors: list[Any] = []

    def handle_batch(self: Any, events: list[Any]) -> None:
        raise ValueError(len(events))

    wrapper = goanna.queued(
        recorder(shapes, handle_batch=handle_batch), errors=lambda *args: errors.append(args), quarantine=2, batch=1
    )
    for number in range(10):
        wrapper.placed(shapes.OrderPlaced(number))
    wrapper.flush(PATIENCE)
    stats = check(wrapper.stats())
    assert (stats.failed, stats.dropped) == (2, {"quarantined": 8})
    assert [[event.order_id for event in events] for _, _, events in errors] == [[0], [1]]
    wrapper.close(PATIENCE)


@pytest.mark.parametrize("overflow", OVERFLOWS)
@pytest.mark.parametrize("batches", [False, True])
def test_what_a_full_queue_does_and_where_the_gap_is(
    goanna: ModuleType, shapes: ModuleType, overflow: str, batches: bool
) -> None:
    errors: list[Any] = []
    extra: dict[str, Any] = {"events_lost": lambda self, marker: self.log.append(("lost", marker.count))}
    gate = Gate()
    if batches:

        def handle_batch(self: Any, events: list[Any]) -> None:
            self.log += [event.order_id for event in events]
            if events[0].order_id == -1:
                gate()

        extra["handle_batch"] = handle_batch
    listener = recorder(shapes, lambda event: gate() if event.order_id == -1 else None, **extra)
    wrapper = goanna.queued(
        listener, maxsize=3, overflow=overflow, timeout=0.01, errors=lambda *args: errors.append(args)
    )
    wrapper.placed(shapes.OrderPlaced(-1))
    gate.wait_for_it()
    for number in range(5):
        wrapper.placed(shapes.OrderPlaced(number))
    stats = check(wrapper.stats())
    reason = "timeout" if overflow == "block" else "overflow"
    assert (stats.dropped, stats.pending, stats.high_water) == ({reason: 2}, 4, 4)
    assert stats.oldest_age >= 0
    gate.open.set()
    assert wrapper.flush(PATIENCE) == 0
    wrapper.placed(shapes.OrderPlaced(5))
    assert wrapper.close(PATIENCE) == 0
    kept = [("lost", 2), 2, 3, 4] if overflow == "drop_oldest" else [0, 1, 2, ("lost", 2)]
    assert listener.log == [-1, *kept, 5]
    if overflow == "raise":
        from goanna.delivery import QueueFullError

        assert [(type(error), event.order_id) for error, _, event in errors] == [
            (QueueFullError, 3),
            (QueueFullError, 4),
        ]
        assert str(errors[0][0]) == "the queue of 3 events is full"
        assert errors[0][1] is listener
    else:
        assert errors == []


def test_a_listener_that_handles_events_lost(goanna: ModuleType, shapes: ModuleType) -> None:
    class Interface(shapes.OrderListener):  # type: ignore[name-defined,misc]
        @goanna.handles(goanna.EventsLost)
        def missing(self, event: Any) -> None: ...

    class Implementation(Interface):
        def __init__(self) -> None:
            self.log: list[Any] = []

        def placed(self, event: Any) -> None:
            if event.order_id == -1:
                gate()
            self.log.append(event.order_id)

        def missing(self, event: Any) -> None:
            self.log.append(event)

    gate = Gate()
    listener = Implementation()
    with goanna.queued(listener, maxsize=1) as wrapper:
        for number in range(-1, 3):
            wrapper.placed(shapes.OrderPlaced(number))
            if number == -1:
                gate.wait_for_it()
        gate.open.set()
    assert listener.log == [-1, goanna.EventsLost(2), 2]


def test_block_goes_on_when_there_is_room(goanna: ModuleType, shapes: ModuleType) -> None:
    wrapper, gate = stopped(goanna, shapes, maxsize=2, overflow="block", timeout=None)
    done = threading.Event()

    def publish() -> None:
        for number in range(50):
            wrapper.placed(shapes.OrderPlaced(number))
        done.set()

    thread = threading.Thread(target=publish)
    thread.start()
    assert not done.is_set()
    gate.open.set()
    thread.join(PATIENCE)
    assert done.is_set()
    assert wrapper.close(PATIENCE) == 0
    assert wrapper.listener.log == [-1, *range(50)]
    assert check(wrapper.stats()).delivered == 51


def test_many_blocked_publishers(goanna: ModuleType, shapes: ModuleType) -> None:
    wrapper = goanna.queued(recorder(shapes), maxsize=2, overflow="block", timeout=None)

    def publish() -> None:
        for number in range(300):
            wrapper.placed(shapes.OrderPlaced(number))

    with sampled(wrapper) as samples:
        run_all(*[publish] * 4)
    assert wrapper.close(PATIENCE) == 0
    stats = check(wrapper.stats())
    if goanna.BACKEND == "c":
        assert max(one.pending for one in samples) <= 3
    assert (stats.delivered, stats.dropped) == (1200, {})


def test_the_queues_own_thread_never_blocks(goanna: ModuleType, shapes: ModuleType) -> None:
    def publish(event: Any) -> None:
        if event.order_id == 0:
            for number in range(1, 6):
                wrapper.placed(shapes.OrderPlaced(number))

    wrapper = goanna.queued(recorder(shapes, publish), maxsize=2, overflow="block", timeout=None, reentrant="deliver")
    wrapper.placed(shapes.OrderPlaced(0))
    assert wrapper.flush(PATIENCE) == 0
    assert wrapper.close(PATIENCE) == 0
    assert wrapper.listener.log == [0, 1, 2]
    assert check(wrapper.stats()).dropped == {"overflow": 3}


@pytest.mark.parametrize("how", ["close", "finish"])
def test_a_blocked_publisher_goes_on_when_the_queue_is_closed(goanna: ModuleType, shapes: ModuleType, how: str) -> None:
    """Also where the listener hangs, so that there will never be room."""
    wrapper, gate = stopped(goanna, shapes, maxsize=1, overflow="block", timeout=None)
    wrapper.placed(shapes.OrderPlaced(0))
    thread = threading.Thread(target=wrapper.placed, args=(shapes.OrderPlaced(1),))
    thread.start()
    while not wrapper._worker._space:
        time.sleep(0)
    if how == "close":
        assert wrapper.close(0.0) == 2
    else:
        wrapper._worker.finish(0.0)
    thread.join(PATIENCE)
    blocked = thread.is_alive()
    gate.open.set()
    thread.join(PATIENCE)
    assert not blocked
    reason = "closed" if how == "close" else "exit"
    assert check(wrapper.stats()).dropped == {reason: 2}
    wrapper.close(PATIENCE)


@pytest.mark.parametrize("timeout", [0, 0.01])
def test_flush_and_close_honour_the_deadline(goanna: ModuleType, shapes: ModuleType, timeout: float) -> None:
    wrapper, gate = stopped(goanna, shapes)
    for number in range(5):
        wrapper.placed(shapes.OrderPlaced(number))
    assert wrapper.flush(timeout) == 6
    assert wrapper.close(timeout) == 6
    stats = check(wrapper.stats())
    assert (stats.pending, stats.dropped) == (1, {"closed": 5})
    assert wrapper.close(timeout) == 1
    wrapper.placed(shapes.OrderPlaced(5))
    gate.open.set()
    assert wrapper.close(PATIENCE) == 0
    assert wrapper.close() == 0
    stats = check(wrapper.stats())
    assert (stats.delivered, stats.pending, stats.dropped) == (1, 0, {"closed": 6})
    assert wrapper.listener.log == [-1]


def test_endless_timeouts(goanna: ModuleType, shapes: ModuleType) -> None:
    endless = float("inf")
    listener = recorder(shapes)
    wrapper = goanna.queued(
        listener, timeout=endless, delay=endless, exit_timeout=endless, slow=endless, overflow="block", maxsize=2
    )
    for number in range(20):
        wrapper.placed(shapes.OrderPlaced(number))
    assert wrapper.flush(endless) == 0
    wrapper.placed(shapes.OrderPlaced(20))
    assert wrapper.flush(1e300) == 0
    wrapper.placed(shapes.OrderPlaced(21))
    assert wrapper.close(endless) == 0
    assert listener.log == list(range(22))


def test_closing_at_the_same_time(goanna: ModuleType, shapes: ModuleType) -> None:
    wrapper, gate = stopped(goanna, shapes)
    for number in range(100):
        wrapper.placed(shapes.OrderPlaced(number))
    gate.open.set()
    run_all(*[lambda: wrapper.close(PATIENCE)] * 4, *[lambda: wrapper.flush(PATIENCE)] * 2)
    assert check(wrapper.stats()).delivered == 101


def test_flush_within_the_listener_returns_at_once(goanna: ModuleType, shapes: ModuleType) -> None:
    seen: list[int] = []

    def flush(event: Any) -> None:
        seen.append(wrapper.flush())
        if event.order_id == 2:
            seen.append(wrapper.close())

    wrapper, gate = stopped(goanna, shapes, does=flush)
    for number in range(4):
        wrapper.placed(shapes.OrderPlaced(number))
    gate.open.set()
    wrapper._worker._thread.join(PATIENCE)
    assert not wrapper._worker._thread.is_alive()
    assert seen == [4, 3, 2, 2, 1]  # itself and those that wait
    assert check(wrapper.stats()).delivered == 5  # closed by itself it gives nothing up


def test_aflush_and_aclose_hold_up_no_loop(goanna: ModuleType, shapes: ModuleType) -> None:
    async def main() -> None:
        wrapper, gate = stopped(goanna, shapes)
        assert await wrapper.aflush(0.0) == 1
        flushing = asyncio.create_task(wrapper.aflush(PATIENCE))
        await asyncio.sleep(0)
        gate.open.set()
        assert await flushing == 0
        assert await wrapper.aclose(PATIENCE) == 0

    asyncio.run(main())


def test_context(goanna: ModuleType, shapes: ModuleType) -> None:
    for context, expected in (("none", [None] * 3), ("capture", [0, 1, 2])):
        seen: list[Any] = []
        with goanna.queued(
            recorder(shapes, lambda event, seen=seen: seen.append(variable.get())), context=context
        ) as wrapper:
            for number in range(3):
                token = variable.set(number)
                wrapper.placed(shapes.OrderPlaced(number))
                variable.reset(token)
        assert seen == expected


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit("no"), KeyboardInterrupt("no"), GeneratorExit("no")])
@pytest.mark.parametrize("where", ["placed", "handle_batch", "events_lost"])
def test_no_error_ends_the_thread(goanna: ModuleType, shapes: ModuleType, error: BaseException, where: str) -> None:
    errors: list[Any] = []
    gate = Gate()

    def fails(self: Any, what: Any) -> None:
        raise error

    if where == "handle_batch":

        def handle_batch(self: Any, events: list[Any]) -> None:
            for event in events:
                if event.order_id == -1:
                    gate()
                elif event.order_id == 2:
                    raise error
                self.log.append(event.order_id)

        listener = recorder(shapes, handle_batch=handle_batch)
    elif where == "events_lost":
        listener = recorder(shapes, lambda event: gate() if event.order_id == -1 else None, events_lost=fails)
    else:

        def does(event: Any) -> None:
            if event.order_id == -1:
                gate()
            elif event.order_id == 2:
                raise error

        listener = recorder(shapes, does)
    wrapper = goanna.queued(listener, batch=1, maxsize=2, errors=lambda *args: errors.append(args))
    for number in range(-1, 3):  # 0 is pushed out
        wrapper.placed(shapes.OrderPlaced(number))
        if number == -1:
            gate.wait_for_it()
    gate.open.set()
    assert wrapper.flush(PATIENCE) == 0
    wrapper.placed(shapes.OrderPlaced(3))
    assert wrapper.flush(PATIENCE) == 0
    assert wrapper._worker._thread.is_alive()
    assert wrapper.close(PATIENCE) == 0
    assert len(errors) == 1
    if isinstance(error, Exception):
        assert errors[0][0] is error
    else:
        assert type(errors[0][0]) is RuntimeError
        assert errors[0][0].__cause__ is error
    assert errors[0][1] is listener
    stats = check(wrapper.stats())
    failed = 0 if where == "events_lost" else 1
    assert (stats.failed, stats.delivered, stats.dropped, stats.pending) == (failed, 4 - failed, {"overflow": 1}, 0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("how", ["log", "exits", "print"])
@pytest.mark.parametrize("batches", [False, True])
def test_no_policy_ends_the_thread(
    goanna: ModuleType, shapes: ModuleType, how: str, batches: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise LookupError("the log is full")

    class Closed:
        def write(self, text: str) -> None:
            raise ValueError("I/O operation on closed file")

        flush = write

    def exits(error: Exception, listener: Any, event: Any) -> None:
        raise SystemExit(3)

    hooked: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: hooked.append(args.exc_type))
    extra: dict[str, Any] = {}
    if batches:
        extra["handle_batch"] = lambda self, events: {}[len(events)]
    listener = recorder(shapes, lambda event: {}[event.order_id], **extra)
    wrapper = goanna.queued(listener, batch=1, errors=exits if how == "exits" else how)
    handler = Broken()
    logging.getLogger("goanna").addHandler(handler)
    try:
        if how == "print":
            monkeypatch.setattr(sys, "stderr", Closed())
        for number in range(3):
            wrapper.placed(shapes.OrderPlaced(number))
            assert wrapper.flush(5) == 0
        stats = check(wrapper.stats())
        assert wrapper._worker._thread.is_alive()
        assert wrapper.close(PATIENCE) == 0
    finally:
        monkeypatch.undo()
        logging.getLogger("goanna").removeHandler(handler)
    assert (stats.failed, stats.pending) == (3, 0)
    assert hooked == ([SystemExit] * 3 if how == "exits" else [])


def test_the_policy_that_logs_says_who_and_what(
    goanna: ModuleType, shapes: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    with goanna.queued(recorder(shapes, lambda event: {}[event.order_id])) as wrapper:
        wrapper.placed(shapes.OrderPlaced(1))
    (record,) = caplog.records
    assert record.name == "goanna"
    assert record.getMessage().endswith("failed on OrderPlaced")
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError


def test_a_log_handler_that_publishes_into_the_same_listener(goanna: ModuleType, shapes: ModuleType) -> None:
    class Publishes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            wrapper.placed(shapes.OrderPlaced("from the log"))

    handler = Publishes()
    logging.getLogger("goanna").addHandler(handler)
    try:
        wrapper = goanna.queued(recorder(shapes, lambda event: {}[event.order_id]), slow=1e-9, quarantine=3)
        for number in range(5):
            wrapper.placed(shapes.OrderPlaced(number))
        assert wrapper.flush(PATIENCE) == 0
        assert wrapper.close(PATIENCE) == 0
    finally:
        logging.getLogger("goanna").removeHandler(handler)
    stats = check(wrapper.stats())
    assert wrapper.listener.log == [0, 1, 2]
    # One for each failure that was logged, one for the slow call, one for the quarantine.
    assert (stats.failed, stats.dropped) == (3, {"quarantined": 2, "reentrant": 5})


def test_quarantine_counts_failures_in_a_row(
    goanna: ModuleType, shapes: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    def does(event: Any) -> None:
        if event.order_id % 3 != 2 or event.order_id > 8:
            raise ValueError(event.order_id)

    wrapper = goanna.queued(recorder(shapes, does), quarantine=3, errors=lambda *args: None)
    for number in range(20):
        wrapper.placed(shapes.OrderPlaced(number))
    wrapper.flush(PATIENCE)
    wrapper.placed(shapes.OrderPlaced(20))
    stats = check(wrapper.stats())
    assert wrapper.listener.log == list(range(12))
    assert (stats.delivered, stats.failed, stats.dropped) == (3, 9, {"quarantined": 9})
    assert [one.getMessage() for one in caplog.records if "in a row" in one.getMessage()] == [
        f"{wrapper.listener!r} failed 3 times in a row and gets no more events"
    ]
    assert wrapper.close(PATIENCE) == 0


@pytest.mark.parametrize("batches", [False, True])
def test_the_first_slow_call_is_reported(
    goanna: ModuleType, shapes: ModuleType, batches: bool, caplog: pytest.LogCaptureFixture
) -> None:
    extra: dict[str, Any] = {"handle_batch": lambda self, events: None} if batches else {}
    with goanna.queued(recorder(shapes, **extra), slow=1e-9) as wrapper:
        for number in range(5):
            wrapper.placed(shapes.OrderPlaced(number))
    (record,) = caplog.records
    assert "later slow calls are not reported" in record.getMessage()


def test_a_listener_that_publishes_into_its_own_queue(goanna: ModuleType, shapes: ModuleType) -> None:
    done = threading.Event()

    def again(event: Any) -> None:
        if event.order_id < 3000:
            wrapper.placed(shapes.OrderPlaced(event.order_id + 1))
        else:
            done.set()

    wrapper = goanna.queued(recorder(shapes, again), reentrant="deliver")
    wrapper.placed(shapes.OrderPlaced(0))
    assert done.wait(PATIENCE)
    assert wrapper.close(PATIENCE) == 0
    assert wrapper.listener.log == list(range(3001))


def test_the_thread_ends_when_nobody_has_the_wrapper(goanna: ModuleType, shapes: ModuleType) -> None:
    listener = recorder(shapes)
    wrapper = goanna.queued(listener)
    for number in range(100):
        wrapper.placed(shapes.OrderPlaced(number))
    wrapper.flush(PATIENCE)
    wrapper.placed(shapes.OrderPlaced(100))
    (thread,) = set(listener.threads)
    del wrapper
    gc.collect()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert listener.log == list(range(101))


@pytest.mark.parametrize("started", [False, True])
def test_a_listener_that_holds_its_own_wrapper_is_collected(
    goanna: ModuleType, shapes: ModuleType, started: bool
) -> None:
    listener = recorder(shapes)
    listener.wrapper = goanna.queued(listener, delay=0.0)
    log = listener.log
    thread = None
    if started:
        listener.wrapper.placed(shapes.OrderPlaced(1))
        assert listener.wrapper.flush(PATIENCE) == 0
        thread = listener.threads[0]
    gone = weakref.ref(listener)
    del listener
    deadline = time.monotonic() + PATIENCE
    while gone() is not None and time.monotonic() < deadline:  # until the thread has come to its rest
        gc.collect()
        time.sleep(0.001)
    assert gone() is None
    if thread is not None:
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert log == [1]


def test_events_published_just_before_the_wrapper_goes_are_delivered(goanna: ModuleType, shapes: ModuleType) -> None:
    for delay in (0.0, 0.001):
        seen = threading.Semaphore(0)
        for _ in range(50):
            listener = recorder(shapes, lambda event, seen=seen: seen.release())
            listener.wrapper = goanna.queued(listener, delay=delay)
            listener.wrapper.placed(shapes.OrderPlaced(1))
            if delay == 0.0:
                assert seen.acquire(timeout=PATIENCE)
                listener.wrapper.placed(shapes.OrderPlaced(2))
            del listener
            gc.collect()
            assert seen.acquire(timeout=PATIENCE)


def test_a_thread_that_does_not_start(
    goanna: ModuleType, shapes: ModuleType, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    start = threading.Thread.start

    def refuse(self: threading.Thread) -> None:
        if self.name == "goanna-Recording":
            raise RuntimeError("can't start new thread")
        start(self)

    wrapper = goanna.queued(recorder(shapes), maxsize=10)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    wrapper.placed(shapes.OrderPlaced(0))
    assert wrapper.flush(0.0) == 1
    for number in range(1, 5):
        wrapper.placed(shapes.OrderPlaced(number))
    monkeypatch.undo()
    assert check(wrapper.stats()).pending == 5
    wrapper.placed(shapes.OrderPlaced(5))
    assert wrapper.flush(PATIENCE) == 0
    assert wrapper.close(PATIENCE) == 0
    assert wrapper.listener.log == list(range(6))
    assert any("did not start, events wait: can't start new thread" in one.getMessage() for one in caplog.records)


@pytest.mark.parametrize("overflow", OVERFLOWS)
@pytest.mark.parametrize("batches", [False, True])
def test_the_counts_agree_at_any_instant(goanna: ModuleType, shapes: ModuleType, overflow: str, batches: bool) -> None:
    def maybe_fails(event: Any) -> None:
        if event.order_id % 7 == 0:
            raise ValueError(event.order_id)

    def handle_batch(self: Any, events: list[Any]) -> None:
        maybe_fails(events[0])

    listener = recorder(shapes, maybe_fails, **({"handle_batch": handle_batch} if batches else {}))
    wrapper = goanna.queued(listener, maxsize=20, overflow=overflow, timeout=0.001, errors=lambda *args: None, batch=5)
    closing = threading.Event()

    def publish() -> None:
        for number in range(1500):
            wrapper.placed(shapes.OrderPlaced(number))
            if number == 1000:
                closing.set()

    def close() -> None:
        assert closing.wait(PATIENCE)
        wrapper.flush(0.001)
        wrapper.close(0.001)

    with sampled(wrapper):
        run_all(publish, publish, publish, close)
        wrapper.close(PATIENCE)
    stats = check(wrapper.stats())
    assert (stats.published, stats.pending) == (4500, 0)
