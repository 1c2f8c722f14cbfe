"""What reports an error may fail itself: nobody notices, and all is counted. Threads that end nevertheless."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from support.recorders import check, recorder
from support.threads import PATIENCE, meanwhile


class Unformattable(Exception):
    def __str__(self) -> str:
        raise LookupError("no text")


class FailingHandler(logging.Handler):
    """A handler that lets out what it raises, as some do that send records away."""

    def emit(self, record: logging.LogRecord) -> None:
        raise Unformattable


class FailingFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        raise RuntimeError("in the filter")


def fails(error: Exception, listener: Any, event: Any) -> None:
    raise Unformattable


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@contextlib.contextmanager
def failing(how: str) -> Iterator[Any]:
    """Let reports fail in some way; return the error policy for that."""
    logger = logging.getLogger("goanna")
    with pytest.MonkeyPatch.context() as patch:
        handler, filter_ = FailingHandler(), FailingFilter()
        if how == "closed stream":
            patch.setattr(sys, "stderr", closed())
        elif how == "filter":
            logger.addFilter(filter_)
        else:
            logger.addHandler(handler)
        try:
            yield {"closed stream": "print", "policy": fails}.get(how, "log")
        finally:
            logger.removeHandler(handler)
            logger.removeFilter(filter_)


reports = pytest.mark.parametrize("how", ["handler", "filter", "closed stream", "policy"])


def fails_first(event: Any) -> None:
    if event.order_id == 0:
        raise Unformattable


@reports
def test_a_report_that_fails_reaches_neither_the_publisher_nor_the_next_listener(
    goanna: ModuleType, shapes: ModuleType, how: str
) -> None:
    heard: list[Any] = []
    with failing(how) as errors:
        hub = goanna.Dispatcher(errors=errors)
        first = hub.add(goanna.where(recorder(shapes, fails_first), sample=1.0), timed=True, slow=1e-9, quarantine=1)
        second = hub.add(recorder(shapes, heard.append))
        for number in range(3):
            hub.publish(shapes.OrderPlaced(number))
    assert len(heard) == 3
    assert (check(first.stats()).failed, first.stats().dropped) == (1, {"quarantined": 2})
    assert check(second.stats()).delivered == 3


@reports
@pytest.mark.parametrize("batches", [False, True])
def test_a_report_that_fails_ends_no_queue(
    goanna: ModuleType, shapes: ModuleType, how: str, batches: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", hooked.append)
    extra = {"handle_batch": lambda self, events: fails_first(events[0])} if batches else {}
    with failing(how) as errors:
        wrapper = goanna.queued(
            recorder(shapes, fails_first, **extra),
            batch=1,
            maxsize=2,
            overflow="block",
            timeout=None,
            errors=errors,
            slow=1e-9,
        )
        thread = None
        for number in range(4):
            wrapper.placed(shapes.OrderPlaced(number))
            assert wrapper.flush(PATIENCE) == 0
            thread = thread or wrapper._worker._thread
        assert wrapper._worker._thread is thread
        assert wrapper.close(PATIENCE) == 0
    stats = check(wrapper.stats())
    assert (stats.failed, stats.delivered) == (1, 3)
    assert hooked == []


@reports
@pytest.mark.parametrize("awaited", [False, True])
def test_a_report_that_fails_ends_no_loop(goanna: ModuleType, shapes: ModuleType, how: str, awaited: bool) -> None:
    complaints: list[Any] = []

    async def main(errors: Any) -> Any:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))

        class Waits(shapes.OrderListener):  # type: ignore[name-defined, misc]
            async def placed(self, event: Any) -> None:
                fails_first(event)

        wrapper = goanna.on_loop(Waits() if awaited else recorder(shapes, fails_first), errors=errors, slow=1e-9)
        for number in range(3):
            wrapper.placed(shapes.OrderPlaced(number))
            assert await wrapper.aflush(PATIENCE) == 0
        assert await wrapper.aclose(PATIENCE) == 0
        return wrapper.stats()

    with failing(how) as errors:
        stats = check(asyncio.run(main(errors)))
    assert (stats.failed, stats.delivered) == (1, 2)
    assert complaints == []


def test_the_last_resort_is_a_line_or_nothing(
    goanna: ModuleType, shapes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = io.StringIO()
    with failing("filter") as errors:
        hub = goanna.Dispatcher(errors=errors)
        hub.add(recorder(shapes, fails_first))
        for stream in (last, closed(), None):
            monkeypatch.setattr(sys, "__stderr__", stream)
            hub.publish(shapes.OrderPlaced(0))
    assert last.getvalue() == "goanna: a report could not be written: RuntimeError: in the filter\n"


def exits(error: Exception, listener: Any, event: Any) -> None:
    raise SystemExit(3)


@pytest.mark.parametrize("raised", [ValueError, SystemExit])
def test_an_excepthook_that_raises_ends_no_queue(
    goanna: ModuleType, shapes: ModuleType, raised: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hook(arguments: Any) -> None:
        raise raised("in the hook")

    monkeypatch.setattr(threading, "excepthook", hook)
    wrapper = goanna.queued(recorder(shapes, fails_first), errors=exits)
    for number in range(3):
        wrapper.placed(shapes.OrderPlaced(number))
        assert wrapper.flush(PATIENCE) == 0
    stats = check(wrapper.stats())
    assert (stats.failed, stats.delivered) == (1, 2)
    assert wrapper.close(PATIENCE) == 0


# Threads that end nevertheless.


def test_a_thread_that_was_ended_is_started_again(
    goanna: ModuleType, shapes: ModuleType, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    with goanna.queued(recorder(shapes), delay=0) as wrapper:
        worker = wrapper._worker
        first: list[threading.Thread] = []

        def ends(*arguments: Any) -> float:
            """End the thread between two events, as PyThreadState_SetAsyncExc or a greenlet's kill() does."""
            del worker.rest
            first.append(threading.current_thread())
            taken = worker.ring.pop()  # with an event in its hands, if there is one
            raise SystemExit(f"with {taken is not None}")

        worker.rest = ends
        for number in range(5):
            wrapper.placed(shapes.OrderPlaced(number))
            assert wrapper.flush(PATIENCE) == 0
        assert worker._thread is not first[0]
        stats = check(wrapper.stats())
        assert stats.published == 5
        assert (stats.pending, stats.delivered + stats.failed) == (0, 5)
        assert len(told) == 1
    assert [one.getMessage() for one in caplog.records if "started again" in one.getMessage()]


@pytest.mark.parametrize("who", ["flush", "block"])
def test_nobody_waits_for_a_thread_that_is_gone(goanna: ModuleType, shapes: ModuleType, who: str) -> None:
    gone = threading.Thread(target=lambda: None)
    gone.start()
    gone.join()
    seen: list[Any] = []
    wrapper = goanna.queued(recorder(shapes, seen.append), maxsize=2, overflow="block", timeout=None, delay=0)
    worker = wrapper._worker
    worker._thread = gone  # as if it had been ended in a way that lets it do nothing more
    worker.ring.disarm()
    for number in range(3 if who == "block" else 2):
        wrapper.placed(shapes.OrderPlaced(number))
    assert wrapper.flush(PATIENCE) == 0
    assert wrapper.close(PATIENCE) == 0
    assert len(seen) == check(wrapper.stats()).delivered == (3 if who == "block" else 2)


# No thread at all.


@pytest.fixture
def no_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Let no thread of a queue start while the list that this returns is not empty; it counts the attempts."""
    start = threading.Thread.start
    attempts = [0]

    def refuse(self: threading.Thread) -> None:
        if attempts and self.name.startswith("goanna-"):
            attempts[0] += 1
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    yield attempts


@pytest.mark.parametrize("batches", [False, True])
@pytest.mark.parametrize("how", ["flush", "close"])
def test_who_waits_delivers_where_no_thread_can_be_started(
    goanna: ModuleType, shapes: ModuleType, no_thread: list[int], how: str, batches: bool
) -> None:
    seen: list[Any] = []

    def notes(event: Any) -> None:
        seen.append((event.order_id, threading.current_thread()))
        assert wrapper.flush() >= 1  # of a listener, it does not wait

    extra = {"handle_batch": lambda self, events: [notes(one) for one in events]} if batches else {}
    wrapper = goanna.queued(recorder(shapes, notes, **extra))
    for number in range(3):
        wrapper.placed(shapes.OrderPlaced(number))
    assert check(wrapper.stats()).pending == 3
    assert getattr(wrapper, how)(PATIENCE) == 0
    assert seen == [(number, threading.current_thread()) for number in range(3)]
    assert check(wrapper.stats()).delivered == 3
    if how == "flush":
        attempts = no_thread[0]
        wrapper.placed(shapes.OrderPlaced(3))
        assert no_thread[0] == attempts + 1  # the next event tries again
        no_thread.clear()
        wrapper.placed(shapes.OrderPlaced(4))
        wrapper.flush(PATIENCE)
        assert [number for number, _ in seen] == [0, 1, 2, 3, 4]
        assert seen[-1][1] is wrapper._worker._thread
        assert wrapper.close(PATIENCE) == 0


def test_several_who_wait_where_no_thread_can_be_started(
    goanna: ModuleType, shapes: ModuleType, no_thread: list[int]
) -> None:
    inside: list[int] = []
    seen: list[int] = []

    def alone(event: Any) -> None:
        inside.append(1)
        assert len(inside) == 1
        seen.append(event.order_id)
        inside.pop()

    wrapper = goanna.queued(recorder(shapes, alone), errors="print")

    def flush() -> None:
        assert wrapper.flush(PATIENCE) == 0

    with meanwhile(flush, flush):
        for number in range(500):
            wrapper.placed(shapes.OrderPlaced(number))
    assert wrapper.close(PATIENCE) == 0
    assert seen == list(range(500))
    assert check(wrapper.stats()).failed == 0


@pytest.mark.parametrize("before", ["", "queue.flush(2)"])
def test_the_end_of_the_interpreter_delivers_where_no_thread_can_be_started(backend: str, before: str) -> None:
    script = f"""
import threading, goanna

class Order(goanna.Event):
    number: int

class Prints(goanna.Listener):
    @goanna.handles(Order)
    def placed(self, event):
        print(event.number)

def start(self):
    raise RuntimeError("can't start new thread")

threading.Thread.start = start
queue = goanna.queued(Prints())
for number in range(3):
    queue.placed(Order(number))
{before}
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, "GOANNA_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["0", "1", "2"]), done.stderr
    assert done.stderr.count("did not start") == 1
