"""Signals whose handlers raise, at any moment of a publish: nothing stays half done, and the counts stay right."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from support.threads import PATIENCE

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signal.setitimer")

PROLOGUE = """
import asyncio, logging, os, random, signal, sys, threading, time
import goanna

class Event(goanna.Event):
    request_id: int
    connection_id: int = 0

class Start(Event): ...
class End(Event): ...

class Interface(goanna.Listener):
    @goanna.handles(Start)
    def started(self, event): ...
    @goanna.handles(End)
    def ended(self, event): ...

class Good(Interface):
    def __init__(self): self.begun = self.returned = 0
    def started(self, event): self.begun += 1; self.returned += 1
    def ended(self, event): self.started(event)
    def command(self, operation): self.started(operation)

class Bad(Interface):
    def __init__(self): self.begun = 0
    def started(self, event):
        self.begun += 1
        raise ValueError
    def ended(self, event): self.started(event)

def policy(error, listener, event):
    for _ in range(3):
        len(())

class Stop(KeyboardInterrupt if sys.argv[2] == "interrupt" else Exception): ...

armed, hits, publishes = False, 0, int(sys.argv[1])

def handler(*_):
    global hits
    if armed:
        hits += 1
        raise Stop

signal.signal(signal.SIGALRM, handler)
random.seed(5)

logging.disable(logging.CRITICAL)
longest = 400e-6

def again():
    signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, longest))

def interrupted(publish):
    '''Publish so often, interrupted at random moments.'''
    global armed
    errors = 0
    for number in range(publishes):
        try:
            armed = True
            publish(number)
            armed = False
        except Stop:
            armed = False
            errors += 1
        if not number % 10 and not signal.getitimer(signal.ITIMER_REAL)[0]:
            again()
    armed = False
    signal.setitimer(signal.ITIMER_REAL, 0)
    return errors

def check(stats):
    assert stats.published == (
        stats.delivered + stats.failed + stats.filtered + sum(stats.dropped.values()) + stats.pending
    ), stats
    assert min(stats.published, stats.delivered, stats.failed, stats.filtered, stats.pending) >= 0, stats
    return stats
"""

KINDS = {
    "dispatcher": """
        hub = goanna.Dispatcher(errors=policy)
        good, bad, last = Good(), Bad(), Good()
        ones = [hub.add(one) for one in (good, bad, last)]
        publish = hub.publisher(Start)
        interrupted(publish)
        for listener, one in zip((good, bad, last), ones):
            stats = check(one.stats())
            # What is being noted at the very moment of an interrupt may be lost, no more.
            assert abs(listener.begun - stats.delivered - stats.failed) <= hits / 20 + 1, (listener.begun, stats, hits)
        assert ones[1].stats().delivered == 0
        for one in ones:
            one.remove()
        assert check(ones[0].stats()).published
    """,
    "changes": """
        hub = goanna.Dispatcher(errors=policy)
        good = Good()
        first = hub.add(good)
        publish = hub.publisher(Start)
        def change(number):
            with hub.add(Bad()):
                publish(number)
            first.stats()
        interrupted(change)
        stats = check(first.stats())
        assert abs(good.begun - stats.delivered - stats.failed) <= hits / 20 + 1, (good.begun, stats, hits)
        before = good.begun
        publish(0)
        assert good.begun == before + 1
        assert check(first.stats()).delivered == stats.delivered + 1
    """,
    "where": """
        good, bad = Good(), Bad()
        some = goanna.where(good, fields={"request_id": range(0, publishes, 2)})
        others = goanna.where(bad, lambda event: True)
        hub = goanna.Dispatcher(errors=policy)
        one, two = hub.add(some), hub.add(others)
        publish = hub.publisher(Start)
        interrupted(publish)
        for listener, counted in ((good, one), (good, some), (bad, two), (bad, others)):
            stats = check(counted.stats())
            assert abs(listener.begun - stats.delivered - stats.failed) <= hits / 5 + 1, (listener.begun, stats, hits)
        assert two.stats().delivered == others.stats().delivered == 0
    """,
    "paired": """
        good = Good()
        pairs = goanna.paired(good, start="started", ends="ended", maxsize=50)
        hub = goanna.Dispatcher(errors=policy)
        hub.add(pairs)
        start, end = hub.publisher(Start), hub.publisher(End)
        least = 0
        def operation(number):
            global least
            start(number)
            if number % 3:
                end(number)
            published = check(pairs.stats()).published
            assert published >= least
            least = published
        interrupted(operation)
        stats = check(pairs.stats())
        assert stats.delivered and stats.dropped["overflow"]
        pairs.close()
        assert check(pairs.stats()).pending == 0
    """,
    "queued": """
        good = Good()
        queue = goanna.queued(good, delay=0, maxsize=100, overflow="drop_oldest")
        hub = goanna.Dispatcher(errors=policy)
        one = hub.add(queue)
        publish = hub.publisher(Start)
        def pushes(number):
            publish(number)
            if not number % 50:
                queue.flush(30)
        interrupted(pushes)
        publish(0)
        assert queue.flush(30) == 0
        stats = check(queue.stats())
        assert stats.pending == 0 and stats.delivered == good.returned, (stats, good.returned)
        assert queue.close(30) == 0
    """,
    "many queues": """
        turns, publishes, longest = publishes // 50, 20, 150e-6
        for _ in range(turns):
            good = Good()
            queue = goanna.queued(good, batch=5)
            interrupted(lambda number: queue.started(Start(number)))
            queue.started(Start(1))
            assert queue.flush(30) == 0
            assert check(queue.stats()).delivered == good.returned
            queue.close(30)
    """,
    "on_loop": """
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        class Awaits(Good):
            async def started(self, event): super().started(event)
        for good in (Good(), Awaits()):
            queue = goanna.on_loop(good, loop, maxsize=100)
            def pushes(number):
                queue.started(Start(number))
                if not number % 50:
                    queue.flush(30)
            interrupted(pushes)
            queue.started(Start(0))
            assert queue.flush(30) == 0
            stats = check(queue.stats())
            assert stats.pending == 0 and stats.delivered == good.returned, (stats, good.returned)
            assert queue.close(30) == 0
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
    """,
    "no thread": """
        def start(self):
            raise RuntimeError("can't start new thread")
        threading.Thread.start = start
        good = Good()
        queue = goanna.queued(good, maxsize=100, errors=policy)
        def pushes(number):
            queue.started(Start(number))
            if not number % 20:
                queue.flush(30)
        interrupted(pushes)
        queue.started(Start(0))
        assert queue.flush(30) == 0
        stats = check(queue.stats())
        assert stats.pending == 0 and stats.delivered <= good.returned, (stats, good.returned)
        assert queue.close(30) == 0
    """,
}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("how", ["interrupt", "exception"])
def test_signals_that_raise(backend: str, kind: str, how: str, stress_seconds: float) -> None:
    publishes = 100_000 if stress_seconds > 10 else 10_000
    done = subprocess.run(
        [sys.executable, "-c", PROLOGUE + textwrap.dedent(KINDS[kind]) + "\nassert hits\n", str(publishes), how],
        env={**os.environ, "GOANNA_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=PATIENCE * 4,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(importlib.util.find_spec("_testcapi") is None, reason="needs _testcapi.set_nomemory")
def test_memory_that_runs_out(backend: str) -> None:
    """One allocation fails, each of the first hundred in turn: what is begun is counted, and all goes on."""
    script = """
        import _testcapi
        logging.disable(logging.CRITICAL)
        good, bad, one = Good(), Bad(), Good()
        hub = goanna.Dispatcher(errors=policy)
        ones = [hub.add(goanna.where(good, lambda event: True)), hub.add(bad), hub.add(one)]
        pairs, behind = goanna.paired(Good(), start="started", ends="ended"), Good()
        queue = goanna.queued(behind, delay=0)
        calls = [hub.publisher(Start), lambda number: (pairs.started(Start(number)), pairs.ended(End(number)))]
        calls.append(lambda number: queue.started(Start(number)))
        failed = 0
        for call in calls:
            for number in range(publishes):
                call(number)
                try:
                    _testcapi.set_nomemory(1 + number // 2, 2 + number // 2)
                    call(number)
                except MemoryError:
                    failed += 1
                finally:
                    _testcapi.remove_mem_hooks()
                check(pairs.stats())
        for listener, counted in zip((good, bad, one), ones):
            stats = check(counted.stats())
            assert abs(listener.begun - stats.delivered - stats.failed) <= failed / 4, (listener.begun, stats, failed)
        assert ones[1].stats().delivered == 0
        queue.started(Start(0))
        assert queue.flush(30) == 0
        stats = check(queue.stats())
        assert (stats.pending, stats.delivered) == (0, behind.returned), (stats, behind.returned)
        assert queue.close(30) == 0
        assert failed
    """
    done = subprocess.run(
        [sys.executable, "-c", PROLOGUE + textwrap.dedent(script), "200", "exception"],
        env={**os.environ, "GOANNA_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
    )
    assert done.returncode == 0, done.stderr
