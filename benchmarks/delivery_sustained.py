"""Sustained: many events through one worker, from the first put to the last event handled.

Two jobs, one producer: the worker counts events, or it writes a line for each. Nothing may be lost: goanna's queues
hold the producer up when they are full, as boto's does; the others have no bound, or a bound that is not reached.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import logging.handlers
import queue
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TextIO

from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from benchmarks._cores import load
from benchmarks.delivery_rivals import backends, make
from benchmarks.loops import loop

COUNT, LINE = "count", "write a line"
BATCH = "by batch"
BOTO, OTEL, LOGGING, THREAD = "boto RequestLogger", "OpenTelemetry batches", "QueueListener", "queue.Queue, a thread"


@dataclass
class Lane:
    """A producer's way to a worker.

    Args:
        statement: puts one event in.
        names: what it refers to.
        finish: waits until all has been handled, and returns how many events were.
    """

    statement: str
    names: dict[str, Any]
    finish: Callable[[], int]


class Request:
    start_time = datetime(2026, 11, 20)
    params = {"Action": "DescribeInstances"}  # noqa: RUF012


class Response:
    status = 200

    def getheader(self, name: str) -> str:
        return "5120"


class Finished:
    """What is handed over: a request and its response, and what OpenTelemetry's processor wants to see of a span."""

    request, response = Request(), Response()

    class context:  # noqa: N801
        class trace_flags:  # noqa: N801
            sampled = True


def line(event: Finished) -> str:
    """Return the line that boto's logger writes."""
    now = datetime.now()
    took = now - event.request.start_time
    seconds = (took.microseconds + int(took.seconds + took.days * 24 * 3600) * 1e6) / 1e6
    length = event.response.getheader("Content-Length")
    stamp = now.strftime("%Y-%m-%d %H:%M:%S")
    return f"'{stamp}', '{event.response.status}', '{seconds}', '{length}', '{event.request.params['Action']}'\n"


class Worker:
    """What the worker does: counts, or writes a line and flushes it."""

    def __init__(self, file: TextIO | None) -> None:
        self.count = 0
        self.file = file

    def one(self, event: Any) -> None:
        self.count += 1
        if self.file is not None:
            self.file.write(line(event))
            self.file.flush()

    def many(self, events: Any) -> None:
        self.count += len(events)
        if self.file is not None:
            self.file.writelines([line(event) for event in events])
            self.file.flush()


@contextlib.contextmanager
def _goanna(backend: str, by_batch: bool, file: TextIO | None, events: int) -> Iterator[Lane]:
    goanna = load(backend)
    worker = Worker(file)
    event_type: Any = type(goanna.Event)("SustainedEvent", (goanna.Event,), {})

    class Interface(goanna.Listener):  # type: ignore[misc, name-defined]
        @goanna.handles(event_type)  # type: ignore[untyped-decorator]
        def sent(self, event: Any) -> None: ...

    class Counts(Interface):
        count = 0

        def sent(self, event: Any) -> None:
            self.count += 1

    class Writes(Interface):
        sent = worker.one

    class Batches(Interface):
        def sent(self, event: Any) -> None: ...
        def handle_batch(self, events: list[Any]) -> None:
            worker.many(events)

    listener = Batches() if by_batch else Counts() if file is None else Writes()
    wrapper = make(backend, "queued", listener, overflow="block", timeout=None)

    def finish() -> int:
        assert wrapper.flush(600.0) == 0
        return int(wrapper.stats().delivered)

    with wrapper:
        yield Lane("put(event)", {"put": wrapper.sent, "event": Finished()}, finish)


@contextlib.contextmanager
def _boto(file: TextIO | None, events: int) -> Iterator[Lane]:
    """boto's own logger, from boto's own module, which wants Python 2's name of ``queue``."""
    assert file is not None
    logger = boto_logger()(file.name)
    event = Finished()

    def finish() -> int:
        logger.request_log_queue.join()
        logger.request_log_file.close()
        return events

    names = {"put": logger.handle_request_data, "request": event.request, "response": event.response}
    yield Lane("put(request, response)", names, finish)
    # Its thread can't be ended, which is why it is made a daemon; it waits for ever.


def boto_logger() -> Any:
    """Return boto's RequestLogger with a thread that does not keep the process from ending.

    Raises:
        ImportError: boto is not there, or not for this Python, which for 2.49 is 3.12 and later.
    """
    sys.modules.setdefault("Queue", queue)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import boto.requestlog  # type: ignore[import-untyped]
    boto.requestlog.Thread = partial(threading.Thread, daemon=True)
    return boto.requestlog.RequestLogger


@contextlib.contextmanager
def _logging(file: TextIO | None, events: int) -> Iterator[Lane]:
    """The queue and the thread of logging; the handler behind is handed what was put, no record is made or prepared."""
    worker = Worker(file)

    class Handler(logging.Handler):
        def handle(self, record: Any) -> bool:
            worker.one(record)
            return True

    waiting: Any = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(waiting, Handler())
    listener.start()

    def finish() -> int:
        listener.stop()
        return worker.count

    put = logging.handlers.QueueHandler(waiting).enqueue
    yield Lane("put(event)", {"put": put, "event": Finished()}, finish)


@contextlib.contextmanager
def _thread(file: TextIO | None, events: int) -> Iterator[Lane]:
    """What one writes by hand."""
    worker = Worker(file)
    waiting: queue.Queue[Any] = queue.Queue(10_000)

    def work() -> None:
        while (event := waiting.get()) is not None:
            worker.one(event)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()

    def finish() -> int:
        waiting.put(None)
        thread.join()
        return worker.count

    yield Lane("put(event)", {"put": waiting.put, "event": Finished()}, finish)


@contextlib.contextmanager
def _opentelemetry(file: TextIO | None, events: int) -> Iterator[Lane]:
    """The processor of the SDK, with a queue that holds all, because a full one drops and logs."""
    worker = Worker(file)

    class Exporter(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            worker.many(spans)
            return SpanExportResult.SUCCESS

    processor = BatchSpanProcessor(Exporter(), max_queue_size=events + 1)

    def finish() -> int:
        assert processor.force_flush()
        return worker.count

    yield Lane("put(event)", {"put": processor.on_end, "event": Finished()}, finish)
    processor.shutdown()  # type: ignore[no-untyped-call]


def lanes(job: str) -> dict[str, Callable[[TextIO | None, int], contextlib.AbstractContextManager[Lane]]]:
    """Return the rivals of a job."""
    found: dict[str, Callable[[TextIO | None, int], contextlib.AbstractContextManager[Lane]]] = {}
    for name, backend in backends().items():
        found[name] = partial(_goanna, backend, False)
        found[f"{name}, {BATCH}"] = partial(_goanna, backend, True)
    found |= {LOGGING: _logging, THREAD: _thread, OTEL: _opentelemetry}
    if job == LINE:
        try:
            boto_logger()
        except ImportError as error:
            print(f"{BOTO} is left out: {error}", file=sys.stderr)
        else:
            found[BOTO] = _boto
    return found


def measure_sustained(events: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return the most events per second by job and rival."""
    best: dict[str, dict[str, float]] = {COUNT: {}, LINE: {}}
    for number in range(rounds):
        for job, found in best.items():
            rivals = list(lanes(job).items())
            first = number % len(rivals)
            for name, lane in rivals[first:] + rivals[:first]:
                gc.collect()
                rate = events / _seconds(lane, job == LINE, events)
                found[name] = max(found.get(name, 0.0), rate)
    return best


def _seconds(
    lane: Callable[[TextIO | None, int], contextlib.AbstractContextManager[Lane]], to_file: bool, events: int
) -> float:
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(tempfile.NamedTemporaryFile("w", suffix=".csv")) if to_file else None
        way = stack.enter_context(lane(file, events))  # type: ignore[arg-type]
        run = loop(way.statement, way.names)
        start = time.perf_counter()
        run(events)
        handled = way.finish()
        took = time.perf_counter() - start
        assert handled == events
        if file is not None:
            with open(file.name) as written:
                assert sum(1 for _ in written) == events
        return took
