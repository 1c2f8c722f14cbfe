"""The counts in forked children, at the end of the interpreter, and of registrations."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from types import ModuleType
from typing import Any

import pytest

from support.recorders import check, recorder, sampled
from support.threads import PATIENCE, run_all

PROLOGUE = """
import asyncio, contextlib, ctypes, json, os, sys, threading, time
import goanna

class Order(goanna.Event):
    number: int

class Listener(goanna.Listener):
    @goanna.handles(Order)
    def placed(self, event): ...

def check(stats):
    assert stats.published == (
        stats.delivered + stats.failed + stats.filtered + sum(stats.dropped.values()) + stats.pending
    ), stats
    return stats

class Gated(Listener):
    def __init__(self):
        self.reached, self.open, self.log = threading.Event(), threading.Event(), []
    def placed(self, event):
        self.log.append(event.number)
        if event.number == -1:
            self.reached.set()
            assert self.open.wait(30)

def child(pid):
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, "the child failed"
"""


def run(backend: str, script: str, code: int = 0) -> str:
    """Run a script on this core in a process of its own; return what it printed."""
    done = subprocess.run(
        # From 3.12 on os.fork warns where there are other threads, which is what some of these tests are about.
        [sys.executable, "-W", "error", "-W", "ignore:This process", "-c", PROLOGUE + textwrap.dedent(script)],
        env={**os.environ, "GOANNA_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=PATIENCE * 4,
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@forks
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("how", ["os.fork()", "ctypes.CDLL(None).fork()"])
def test_a_forked_child_starts_empty(backend: str, how: str) -> None:
    if "ctypes" in how and not sys.platform.startswith("linux"):
        pytest.skip("forks without hooks are tested on Linux")
    run(
        backend,
        f"""
        listener = Gated()
        queue = goanna.queued(listener)
        loop = asyncio.new_event_loop()
        onloop = goanna.on_loop(Gated(), loop)
        queue.placed(Order(-1))
        assert listener.reached.wait(30)
        for number in range(5):
            queue.placed(Order(number))
            onloop.placed(Order(number))
        pid = {how}
        if pid == 0:
            try:
                stats = check(queue.stats())
                assert (stats.published, stats.pending) == (6, 0), stats
                assert stats.dropped == {{"fork_inherited": 6}}, stats
                stats = check(onloop.stats())
                assert (stats.published, stats.dropped) == (5, {{"fork_inherited": 5}}), stats
                assert queue.flush(0.0) == 0
                del listener.log[:]
                for number in range(10, 15):
                    queue.placed(Order(number))
                assert queue.flush(30) == 0
                assert listener.log == [10, 11, 12, 13, 14]
                stats = check(queue.stats())
                assert (stats.published, stats.delivered, stats.pending) == (11, 5, 0), stats
                onloop.placed(Order(7))
                async def deliver():
                    assert await onloop.aclose(30) == 0
                loop.run_until_complete(deliver())
                assert onloop.listener.log == [7]
                assert queue.close(30) == 0
                check(queue.stats())
                os._exit(0)
            except BaseException:
                import traceback
                traceback.print_exc()
                os._exit(1)
        child(pid)
        listener.open.set()
        assert queue.close(30) == 0
        assert listener.log == [-1, 0, 1, 2, 3, 4]
        assert check(queue.stats()).delivered == 6
        loop.close()
        """,
    )


@forks
def test_forks_while_everybody_publishes(backend: str) -> None:
    run(
        backend,
        """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        class Fails(Listener):
            def placed(self, event):
                if event.number % 5 == 0:
                    raise ValueError(event.number)
        queue = goanna.queued(Fails(), maxsize=50, errors=lambda *args: None)
        rated = goanna.where(goanna.queued(Fails(), errors=lambda *args: None), rate="1000000/s")
        hub = goanna.Dispatcher(errors=lambda *args: None)
        registration = hub.add(rated, timed=True)
        publish = hub.publisher(Order)
        stop = threading.Event()
        def many():
            number = 0
            while not stop.is_set():
                number += 1
                queue.placed(Order(number))
                publish(number)
        def flushes():
            while not stop.is_set():
                queue.flush(0.001)
        threads = [threading.Thread(target=one) for one in (many, many, flushes)]
        for one in threads:
            one.start()
        while not (queue.stats().delivered and rated.stats().delivered):  # their threads have begun
            time.sleep(0.001)
        try:
            for _ in range(30):
                pid = os.fork()
                if pid == 0:
                    try:
                        import faulthandler
                        faulthandler.dump_traceback_later(25, exit=True)
                        for wrapper in (queue, rated.listener):
                            before = check(wrapper.stats())
                            assert before.pending == 0, before
                            for number in range(1, 11):
                                wrapper.placed(Order(number))
                            assert wrapper.flush(20) == 0
                            after = check(wrapper.stats())
                            assert after.published == before.published + 10
                            assert after.delivered == before.delivered + 8
                            assert after.failed == before.failed + 2
                        publish(1)
                        check(rated.stats())
                        check(registration.stats())
                        os._exit(0)
                    except BaseException:
                        import traceback
                        traceback.print_exc()
                        os._exit(1)
                child(pid)
        finally:
            stop.set()
            for one in threads:
                one.join(30)
        assert queue.close(30) == 0
        assert rated.close(30) == 0
        assert check(queue.stats()).pending == 0
        """,
    )


@forks
@pytest.mark.parametrize(
    "lock",
    ["rate._lock", "registration._watch._lock"],
)
def test_no_lock_is_held_for_ever_in_a_child(backend: str, lock: str) -> None:
    """A thread that is not in the child held it when the process was forked."""
    run(
        backend,
        f"""
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        import faulthandler
        import goanna.delivery.rate_limit
        rate = goanna.delivery.rate_limit.Rate(1.0, 1.0)
        queue = goanna.queued(Gated(), delay=60.0)
        hub = goanna.Dispatcher()
        class Plain(Listener):
            def placed(self, event):
                self.last = event
        registration = hub.add(Plain(), timed=True)
        hub.publisher(Order)(0)
        held, release = threading.Event(), threading.Event()
        def hold():
            with {lock}:
                held.set()
                assert release.wait(30)
        thread = threading.Thread(target=hold)
        thread.start()
        assert held.wait(30)
        pid = os.fork()
        if pid == 0:
            faulthandler.dump_traceback_later(15, exit=True)
            rate.admits(1)
            queue.placed(Order(1))
            assert queue.flush(10) == 0
            hub.publisher(Order)(1)
            assert check(registration.stats()).delivered == 2
            os._exit(0)
        release.set()
        thread.join(30)
        child(pid)
        """,
    )


def test_the_end_of_the_interpreter_delivers_what_waits(backend: str) -> None:
    out = run(
        backend,
        """
        class Prints(Listener):
            def placed(self, event):
                os.write(1, b"%d\\n" % event.number)  # two threads write, and print() is several writes
        queue = goanna.queued(Prints(), delay=600.0, batch=1000)
        inner = goanna.queued(Prints())
        nested = goanna.where(inner, fields={"number": 9})
        queue.placed(Order(0))
        assert queue.flush(30) == 0
        for number in range(1, 5):
            queue.placed(Order(number))
        nested.placed(Order(8))
        nested.placed(Order(9))
        """,
    )
    assert sorted(out.split()) == ["0", "1", "2", "3", "4", "9"]


def test_the_end_of_the_interpreter_waits_no_longer_than_it_may(backend: str) -> None:
    out = run(
        backend,
        """
        import atexit
        gated = Gated()
        queue = goanna.queued(gated, exit_timeout=0.05)
        quick = goanna.queued(Gated(), exit_timeout=30.0)
        from goanna.delivery import at_exit
        def look():  # when goanna has finished, because what is registered first comes last
            stats = check(queue.stats())
            print(stats.pending, stats.dropped, check(quick.stats()).delivered)
        atexit.unregister(at_exit._finish)
        atexit.register(look)
        atexit.register(at_exit._finish)
        queue.placed(Order(-1))
        assert gated.reached.wait(30)
        for number in range(5):
            queue.placed(Order(number))
            quick.placed(Order(number))
        """,
    )
    assert "1 {'exit': 5} 5" in out
    assert "6 events of" in out
    assert "were left when the interpreter ended" in out


def test_events_after_the_end_are_counted(backend: str) -> None:
    out = run(
        backend,
        """
        import atexit
        queue = goanna.queued(Gated())
        queue.placed(Order(0))
        from goanna.delivery import at_exit
        def publish():
            queue.placed(Order(1))
            print(check(queue.stats()).dropped)
        atexit.unregister(at_exit._finish)
        atexit.register(publish)
        atexit.register(at_exit._finish)
        """,
    )
    assert "{'exit': 1}" in out


@pytest.mark.parametrize("options", [{}, {"timed": True}, {"quarantine": 50, "slow": 100.0}])
def test_a_registrations_counts_agree_at_any_instant(
    goanna: ModuleType, shapes: ModuleType, options: dict[str, Any]
) -> None:
    def maybe_fails(event: Any) -> None:
        if event.order_id > 1500 and "quarantine" in options:
            raise ValueError(event.order_id)

    hub = goanna.Dispatcher(errors=lambda *args: None)
    registrations = [
        hub.add(recorder(shapes, maybe_fails), **options),
        hub.add(goanna.queued(recorder(shapes, maybe_fails), errors=lambda *args: None), **options),
        hub.add(goanna.where(recorder(shapes), fields={"order_id": range(100)}), **options),
    ]
    publish = hub.publisher(shapes.OrderPlaced)

    def many() -> None:
        for number in range(2000):
            publish(number)

    def comes_and_goes() -> None:
        for _ in range(100):
            with hub.add(recorder(shapes)):
                publish(-1)

    with sampled(*registrations):
        run_all(many, many, comes_and_goes)
    for one in registrations:
        assert check(one.stats()).published == 4100
    stats = registrations[0].stats()
    if "quarantine" in options:
        assert registrations[0].quarantined
        assert stats.failed >= 50
        assert stats.dropped["quarantined"] > 0
    if options:
        assert sum(stats.time.histogram) == stats.delivered + stats.failed
    registrations[1].listener.close(PATIENCE)
