"""The jobs of delivery in which other threads take part: bursts, what a worker gets through, and overload.

A turn is so many calls in a row of what a publisher would call with an event that is there already; then the thread
waits, untimed, until the other one has handled them all. What it costs the publisher is taken twice: by the clock, and
as the processor time of the publishing thread, ``time.thread_time_ns``. The latter leaves out what the other threads of
this process do while they hold the interpreter's lock, and what other processes do; so it says what delivery costs the
publisher, which is what goals are about. The former says when the publisher is through, wherever the time went.
"""

from __future__ import annotations

import asyncio
import gc
import logging.handlers
import os
import queue
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TextIO

import tornado.ioloop
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from benchmarks.delivery import QUEUE, SIMPLE_QUEUE, best, put, put_nowait
from goanna.bench import cores, deliveries, listeners, monitored
from goanna.bench.driver_calls import CALLS
from goanna.bench.figures import FLOOR
from goanna.bench.jobs import Job, Work, nothing
from goanna.bench.loops import Run, loop
from goanna.bench.orders import FIELDS, Sent
from goanna.bench.request_hooks import ORIGINAL, makers
from goanna.bench.rivals import Goanna
from goanna.bench.suites import Group

CLOCKS = {"processor": time.thread_time_ns, "clock": time.perf_counter_ns}
_CALL = CALLS["command_start"]


def counts(self: Any, event: Any) -> None:
    self.count += 1


def _counter(method: listeners.Method = counts, bases: tuple[type, ...] = (), name: str = "sent") -> Any:
    listener = listeners.listener(method, bases, (name,))
    listener.count = 0
    return listener


def _handled(
    run: Run,
    wait: Callable[[], object],
    counter: Any,
    size: int,
    clock: str,
    close: Callable[[], object] = nothing,
) -> Work:
    """Do it ``size`` times in a turn, after which all must have been handled.

    Args:
        run: does it.
        wait: returns when all has been handled.
        counter: has the ``count`` of what has been; None for what hands nothing on.
        size: how often in a turn.
        clock: by which a turn is timed.
        close: ends it.
    """

    def taken() -> int:
        wait()
        found, counter.count = counter.count, 0
        return int(found)

    def settle() -> None:
        assert counter is None or taken() in (0, size), "all of them, or what was settled before"

    def check() -> None:
        settle()
        run(10)
        assert counter is None or taken() == 10

    return Work(run, check, settle=settle, close=close, calls=size, clock=CLOCKS[clock])


# A loop that runs in another thread


SIZES = (1, 10, 100, 1000)
SOON, CALLBACK = "call_soon_threadsafe", "IOLoop.add_callback"


class RunningLoop:
    """An asyncio loop that runs in a thread of its own, like Tornado's, which stands on it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def wait(self) -> None:
        """Return when the loop has called what it had been asked to call before."""
        done = threading.Event()
        self.loop.call_soon_threadsafe(done.set)
        assert done.wait(60)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def loops() -> Group:
    """Hand an event to a loop that runs in another thread."""
    jobs = [_loop_job(size, clock) for clock, size in product(CLOCKS, SIZES)]
    return Group("Hand bursts to a loop that runs, by so many events", "a call of nothing", tuple(jobs))


def loop_job(size: int, clock: str) -> str:
    return f"on_loop, bursts of {size}, {clock}"


def _loop_job(size: int, clock: str) -> Job:
    def floor() -> Work:
        def nothing_with(event: Any) -> None:
            pass

        return _handled(loop("hand(event)", {"hand": nothing_with, "event": Sent(**FIELDS)}), int, None, size, clock)

    def ours(backend: str) -> Work:
        running, counter = RunningLoop(), _counter(bases=Goanna(cores.load(backend)).bases)
        wrapper = cores.make(backend, "on_loop", counter, running.loop)
        run = loop("hand(event)", {"hand": wrapper.sent, "event": Sent(**FIELDS)})
        return _handled(run, wrapper.flush, counter, size, clock, running.close)

    def theirs(which: str) -> Work:
        running, counter = RunningLoop(), _counter()
        hand: Any = running.loop.call_soon_threadsafe
        if which == CALLBACK:
            hand = asyncio.run_coroutine_threadsafe(_current(), running.loop).result().add_callback
        run = loop("hand(sent, event)", {"hand": hand, "sent": counter.sent, "event": Sent(**FIELDS)})
        return _handled(run, running.wait, counter, size, clock, running.close)

    others = {which: partial(theirs, which) for which in (SOON, CALLBACK)}
    return Job(loop_job(size, clock), {FLOOR: floor, **deliveries.ours(ours), **others})


async def _current() -> tornado.ioloop.IOLoop:
    return tornado.ioloop.IOLoop.current()


# A worker that runs


RUNNING = 200_000
"""How many events a burst has with a worker: several of the interpreter's turns of 5 ms, of which it has some."""


def workers(size: int) -> Group:
    """Publish a command's start while a thread handles those published before."""
    floor = "publishing to a listener that does nothing, with goanna installed"
    return Group("Hand events to a worker that runs", floor, tuple([_worker_job(size, clock) for clock in CLOCKS]))


def _worker_job(size: int, clock: str) -> Job:
    def floor() -> Work:
        module = monitored.installed(best())
        idle = listeners.listener(listeners.empty, (module.CommandListener,), (_CALL.method,))
        return _handled(_publishing(module, idle), int, None, size, clock)

    def ours(backend: str) -> Work:
        module = monitored.installed(backend)
        counter = _counter(counts, (module.CommandListener,), _CALL.method)
        wrapper = cores.make(backend, "queued", counter, maxsize=2 * RUNNING)
        return _handled(_publishing(module, wrapper), wrapper.flush, counter, size, clock, wrapper.close)

    def by_hand(new: Callable[[], Any], method: listeners.Method) -> Work:
        module, counter = monitored.stock(), _counter()
        listener = listeners.listener(method, (module.CommandListener,), (_CALL.method,))
        listener.queue = waiting = new()
        done, end = threading.Semaphore(0), object()

        def consume() -> None:
            while (event := waiting.get()) is not end:
                if event is None:
                    done.release()
                else:
                    counter.sent(event)

        def wait() -> None:
            waiting.put(None)
            done.acquire()

        def close() -> None:
            waiting.put(end)
            thread.join()

        thread = threading.Thread(target=consume, daemon=True)
        thread.start()
        return _handled(_publishing(module, listener), wait, counter, size, clock, close)

    others = {
        QUEUE: partial(by_hand, queue.Queue, put_nowait),
        SIMPLE_QUEUE: partial(by_hand, queue.SimpleQueue, put),
    }
    return Job(f"queue command_start, bursts of {size}, {clock}", {FLOOR: floor, **deliveries.ours(ours), **others})


def _publishing(module: ModuleType, listener: Any) -> Run:
    return loop(_CALL.statement, {**_CALL.names, "listeners": module._EventListeners([listener])})


# Sustained: many events through one worker, from the first put to the last event handled


COUNT, LINE = "through a worker that counts", "through a worker that writes a line"


class Lane(NamedTuple):
    """A producer's way to a worker.

    Args:
        put: puts one event in.
        finish: returns when all has been handled.
        start: called before the first put.
        close: ends it.
    """

    put: Callable[..., object]
    finish: Callable[[], object] = nothing
    start: Callable[[], object] = nothing
    close: Callable[[], object] = nothing


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


class Lines:
    """The lines of a file as a ``count`` that can be set to 0."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def count(self) -> int:
        return self.path.read_bytes().count(b"\n")

    @count.setter
    def count(self, value: int) -> None:
        os.truncate(self.path, value)


def sustained(events: int) -> Group:
    """Put so many events in a turn through workers. Nothing may be lost.

    goanna's queues hold the producer up when they are full, as boto's does; the others have no bound, or none that is
    reached.
    """
    lanes: dict[str, Callable[[Worker, int], Lane]] = {FLOOR: lambda worker, events: Lane(worker.one)}
    for name, backend in cores.backends().items():
        lanes[name] = partial(_queued, backend, False)
        lanes[f"{name}, by batch"] = partial(_queued, backend, True)
    lanes |= {"QueueListener": _logging, "queue.Queue, a thread": _thread, "OpenTelemetry batches": _opentelemetry}
    jobs = []
    for job in (COUNT, LINE):
        works: dict[str, Callable[[], Work]] = {}
        for name, lane in lanes.items():
            works[name] = partial(_sustained, lane, job == LINE, events)
        if job == LINE and ORIGINAL in makers():
            works[ORIGINAL] = partial(_boto, events)
        jobs.append(Job(job, works))
    return Group("Sustained", "the worker's work, on the producer's thread", tuple(jobs))


def _sustained(make: Callable[[Worker, int], Lane], to_file: bool, events: int) -> Work:
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name, "lines.csv")
    worker = Worker(path.open("a") if to_file else None)
    lane = make(worker, events)
    puts = loop("put(event)", {"put": lane.put, "event": Finished()})

    def run(times: int) -> None:
        lane.start()
        puts(times)
        lane.finish()

    def close() -> None:
        lane.close()
        if worker.file is not None:
            worker.file.close()
        folder.cleanup()

    return _handled(run, nothing, Lines(path) if to_file else worker, events, "clock", close)


def _boto(events: int) -> Work:
    """Return boto's own logger."""
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name, "lines.csv")
    hook = makers()[ORIGINAL](path)
    puts = hook.loop(Finished.request, Finished.response)

    def run(times: int) -> None:
        puts(times)
        hook.drain()

    def close() -> None:
        hook.close()
        folder.cleanup()

    return _handled(run, nothing, Lines(path), events, "clock", close)


def _queued(backend: str, by_batch: bool, worker: Worker, events: int) -> Lane:
    bases = Goanna(cores.load(backend)).bases
    methods: dict[str, Any] = {"sent": worker.one}
    if by_batch:
        methods = {"sent": listeners.empty, "handle_batch": lambda self, events: worker.many(events)}
    wrapper = cores.make(backend, "queued", type("Works", bases, methods)(), overflow="block", timeout=None)

    def finish() -> None:
        assert wrapper.flush(600.0) == 0

    return Lane(wrapper.sent, finish, close=wrapper.close)


def _logging(worker: Worker, events: int) -> Lane:
    """The queue and the thread of logging; the handler behind is handed what was put, no record is made or prepared."""

    class Handler(logging.Handler):
        def handle(self, record: Any) -> bool:
            worker.one(record)
            return True

    waiting: Any = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(waiting, Handler())
    return Lane(logging.handlers.QueueHandler(waiting).enqueue, listener.stop, listener.start)


def _thread(worker: Worker, events: int) -> Lane:
    """What one writes by hand."""
    waiting: queue.Queue[Any] = queue.Queue(10_000)
    done = threading.Semaphore(0)

    def work() -> None:
        while (event := waiting.get()) is not None:
            worker.one(event)
        done.release()

    def finish() -> None:
        waiting.put(None)
        done.acquire()

    return Lane(waiting.put, finish, lambda: threading.Thread(target=work, daemon=True).start())


def _opentelemetry(worker: Worker, events: int) -> Lane:
    """The processor of the SDK, with a queue that holds all, because a full one drops and logs."""

    class Exporter(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            worker.many(spans)
            return SpanExportResult.SUCCESS

    processor: Any = BatchSpanProcessor(Exporter(), max_queue_size=events + 1)

    def finish() -> None:
        assert processor.force_flush()

    return Lane(processor.on_end, finish, close=processor.shutdown)


def notes(costs: Mapping[str, Mapping[str, Sequence[float]]]) -> Iterator[str]:
    """Yield how many events a second workers get through."""
    for job in (COUNT, LINE):
        for name, turns in costs.get(job, {}).items():
            yield f"{job}, {name}: {1e6 / min(turns):,.0f} thousand events a second"


# Overload: publishers at full speed, and a listener that takes a millisecond for each event


CHUNK = 90
"""Events of a turn: few enough that there are some before it that don't count, with which the queue is full again."""
MAXSIZE = 10_000
OVERFLOWS = ("drop_oldest", "drop_newest")
PRODUCERS = 4


def overload() -> Group:
    """Publish to a queue that is full, in turns with one that is not."""
    jobs = [
        Job(overload_job(name, overflow, clock), _overload(name, backend, overflow, clock))
        for (name, backend), overflow, clock in product(cores.backends().items(), OVERFLOWS, CLOCKS)
    ]
    return Group("Publish a command's start to a queue that is full", "the same to one that is not", tuple(jobs))


def overload_job(name: str, overflow: str, clock: str) -> str:
    return f"{overflow}, {name}, {clock}"


def _overload(name: str, backend: str, overflow: str, clock: str) -> dict[str, Callable[[], Work]]:
    def calm() -> Work:
        # It is woken between two turns, so that its work is not timed; the other never sleeps.
        wrapper, run, counter = _queue(backend, counts, overflow=overflow, batch=MAXSIZE, delay=3600.0)
        return _handled(run, wrapper.flush, counter, CHUNK, clock, wrapper.close)

    def overloaded() -> Work:
        wrapper, run, _ = _queue(backend, _slow, overflow=overflow)

        def check() -> None:
            run(MAXSIZE + CHUNK)
            before = wrapper.stats().dropped["overflow"]
            run(CHUNK)
            assert wrapper.stats().dropped["overflow"] >= before + CHUNK // 2

        return Work(run, check, close=lambda: wrapper.close(0.0), calls=CHUNK, clock=CLOCKS[clock])

    return {FLOOR: calm, name: overloaded}


def memory(each: int) -> Iterator[str]:
    """Yield what is held while PRODUCERS threads publish ``each`` events more than a queue has room for."""
    for (name, backend), overflow in product(cores.backends().items(), OVERFLOWS):
        wrapper, publish, _ = _queue(backend, _slow, overflow=overflow)
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
        yield (
            f"{overflow}, {name}: {stats.published:,} published by {PRODUCERS} threads, at most {stats.high_water:,} "
            f"pending; {(full - before) / 1024:,.0f} KiB when full, {(peak - before) / 1024:,.0f} KiB at most"
        )


def _slow(self: Any, event: Any) -> None:
    time.sleep(0.001)


def _queue(backend: str, method: listeners.Method, **options: Any) -> tuple[Any, Run, Any]:
    module = monitored.installed(backend)
    behind = _counter(method, (getattr(module, _CALL.interface),), _CALL.method)
    wrapper = cores.make(backend, "queued", behind, maxsize=MAXSIZE, **options)
    return wrapper, _publishing(module, wrapper), behind
