"""Forks: the parent delivers what was waiting, the child starts empty, and neither hangs nor counts wrongly."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import pytest

from delivery.processes import ended_well, run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

PYPY = sys.implementation.name == "pypy"
FREE_THREADED = "free-threading" in sys.version
FORKS = {
    "os.fork": "os.fork()",
    # With the interpreter's lock held, as an extension module would; none of Python's hooks runs.
    "C fork": "ctypes.PyDLL(None).fork()",
}
if PYPY or FREE_THREADED:
    # On PyPy no function is called with the interpreter's lock held. Without a GIL there is none to hold, and a child
    # of which CPython was not told waits for the threads of its parent as soon as all threads are to stop.
    del FORKS["C fork"]

ONE = """
import ctypes, os, sys
import goanna
from delivery.listeners import Gated, Told, ToldListener, exact

listener = Gated()
queue = goanna.queued(listener, name="worker")
hub = goanna.Dispatcher(ToldListener)
registration = hub.add(queue)
publish = hub.publisher(Told)
for number in range(10):
    publish(number, "parent")
assert listener.there.wait(60)  # the first is in flight, nine wait

pid = FORK
if not pid:
    stats = queue.stats()
    assert stats.dropped == {"fork_inherited": 10}, stats
    assert (stats.published, stats.delivered, stats.pending) == (10, 0, 0), stats
    listener.open_in_child()
    for number in range(5):
        publish(number, "child")
    if sys.argv[1] == "flush":
        assert queue.flush(60) == 0
        stats = queue.stats()
        assert exact(stats) and (stats.published, stats.delivered) == (15, 5), stats
        os._exit(0)
    sys.exit()  # and goanna's own end does it

assert os.waitpid(pid, 0)[1] == 0
stats = queue.stats()
assert (stats.published, stats.pending, stats.dropped) == (10, 10, {}), stats
listener.gate.set()
publish(10, "parent")
if sys.argv[1] == "flush":
    assert queue.flush(60) == 0
    stats = queue.stats()
    assert exact(stats) and (stats.published, stats.delivered) == (11, 11), stats
assert registration.stats().published == 11
"""


@pytest.mark.parametrize("end", ["flush", "exit"])
@pytest.mark.parametrize("fork", FORKS)
def test_the_parent_delivers_and_the_child_starts_empty(backend: str, tmp_path: Path, fork: str, end: str) -> None:
    done = run(ONE.replace("FORK", FORKS[fork]), backend, tmp_path, end)
    assert ended_well(done)
    assert done.of("parent") == [list(range(11))]
    assert done.of("child") == [list(range(5))]
    assert len(done.seen()) == 2


@pytest.mark.skipif(PYPY, reason="ctypes calls no function with the interpreter's lock held there")
def test_a_bare_system_call_is_noticed(backend: str, tmp_path: Path) -> None:
    """Not even the C library knows of this one: the page that the kernel wipes does."""
    numbers = {"x86_64": 56, "aarch64": 220}
    if sys.platform != "linux" or platform.machine() not in numbers:
        pytest.skip("the number of the system call is not known here")
    program = """
        import ctypes, os, signal, sys
        import goanna
        from delivery.listeners import Gated, Told, exact

        listener = Gated()
        queue = goanna.queued(listener, batch=1000, delay=3600)
        queue.told(Told(0, "parent"))
        assert listener.there.wait(60)
        queue.told(Told(1, "parent"))
        pid = ctypes.PyDLL(None).syscall(int(sys.argv[1]), signal.SIGCHLD, 0, 0, 0, 0)
        if not pid:
            try:
                stats = queue.stats()
                assert stats.dropped == {"fork_inherited": 2}, stats
                assert exact(stats) and stats.pending == 0, stats
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert queue.stats().pending == 2
        listener.gate.set()
    """
    done = run(program, backend, tmp_path, str(numbers[platform.machine()]))
    assert ended_well(done)
    assert done.of("parent") == [[0, 1]]


def test_generations(backend: str, tmp_path: Path) -> None:
    """Each process hands on its own events, to the third generation; the worker starts again in each."""
    program = """
        import os, sys, threading
        import goanna
        from delivery.listeners import Told, Writer, exact

        queue = goanna.queued(Writer(), name="worker", batch=1000, delay=3600)
        for generation in range(4):
            for number in range(100):
                queue.told(Told(number, f"generation-{generation}"))
            if generation % 2:
                assert queue.flush(60) == 0
            pid = os.fork()
            if pid:
                assert os.waitpid(pid, 0)[1] == 0
                break
            assert not any(one.name == "worker" for one in threading.enumerate())
            stats = queue.stats()
            assert exact(stats) and stats.pending == 0, stats
        else:
            stats = queue.stats()
            assert stats.published == 400, stats
            assert stats.delivered + stats.dropped["fork_inherited"] == 400, stats
    """
    done = run(program, backend, tmp_path)
    assert ended_well(done)
    for generation in range(4):
        assert done.of(f"generation-{generation}") == [list(range(100))]
    assert len(done.seen()) == 4


BUSY = """
import faulthandler, os, sys, threading, time
import goanna
from delivery.listeners import Told, ToldListener, exact

class Counter(ToldListener):
    def told(self, event):
        self.last = event

class Failing(ToldListener):
    def told(self, event):
        raise ValueError("it does so each time")

pushed = goanna.queued(Counter(), maxsize=50)
blocked = goanna.queued(Counter(), maxsize=2, overflow="block", timeout=0.001)
limited = goanna.where(Counter(), rate="1000/s")
sampled = goanna.where(Counter(), lambda event: event.number % 2, sample=0.5)
hub = goanna.Dispatcher(ToldListener, errors=lambda *_: None)
registrations = [hub.add(pushed), hub.add(blocked), hub.add(limited), hub.add(sampled), hub.add(Failing())]
registrations.append(hub.add(Counter(), timed=True))
publish = hub.publisher(Told)
over = threading.Event()

def busy(work):
    def loop():
        number = 0
        while not over.is_set():
            work(number)
            number += 1
    return threading.Thread(target=loop, daemon=True)

def register(number):
    hub.add(Counter(), weak=bool(number % 2)).remove()

def look(number):
    for one in (pushed, blocked, limited, sampled, *registrations):
        assert exact(one.stats()), one

def make(number):
    goanna.queued(Counter()).told(Told(number))

# Both ask isinstance() of abstract classes. Without a GIL a child can hang in that, whether it has goanna or not:
# nobody gives back the lock of a class for which threads of its parent were waiting.
abstract = [] if "free-threading" in sys.version else [register, make]
threads = [busy(one) for one in (publish, publish, look, lambda _: pushed.flush(0.001), *abstract)]
for one in threads:
    one.start()

# Where there is no GIL the parent's threads leave a child little of a busy machine, so there is an end to it.
end = time.monotonic() + 60
for number in range(int(sys.argv[1])):
    if number >= 5 and time.monotonic() > end:
        break
    pid = os.fork()
    if not pid:
        faulthandler.dump_traceback_later(30, exit=True)
        try:
            for one in (pushed, blocked, limited, sampled, *registrations):
                assert exact(one.stats()), one.stats()
            assert pushed.stats().pending == blocked.stats().pending == 0
            register(0)
            before = registrations[0].stats().published
            for number in range(200):
                publish(number, "child")
            assert pushed.flush(60) == blocked.flush(60) == 0
            assert registrations[0].stats().published == before + 200
            for one in (pushed, blocked, limited, sampled, *registrations):
                assert exact(one.stats()), one.stats()
            make(0)
            assert pushed.close(60) == 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    assert not status, f"the child ended with status {status}"
over.set()
for one in threads:
    one.join()
look(0)
"""


def test_a_fork_while_threads_are_busy_everywhere(backend: str, tmp_path: Path) -> None:
    """Whatever lock another thread holds at that moment, nobody will give it back in the child."""
    assert ended_well(run(BUSY, backend, tmp_path, "60"))


HELD = """
import faulthandler, gc, os, sys, threading
import goanna
from delivery.listeners import Gated, Told, ToldListener
from goanna.dispatch.watch import Watch
from goanna.delivery.rate_limit import Rate

class Slowly(ToldListener):
    def told(self, event):
        self.last = event

gated = Gated()
queue = goanna.queued(gated)
queue.told(Told(0))
assert gated.there.wait(60)
waiting = threading.Thread(target=queue.flush, daemon=True)
waiting.start()
rate = goanna.where(Slowly(), rate="100/s", sample=1.0)
hub = goanna.Dispatcher(ToldListener)
timed = hub.add(Slowly(), timed=True)
hub.add(rate)
publish = hub.publisher(Told)
publish(0)

# All locks of goanna's own that there are.
held = [
    lock
    for one in gc.get_objects()
    if str(type(one).__module__).startswith("goanna")
    for lock in (getattr(one, "_lock", None), getattr(one, "lock", None))
    if isinstance(lock, type(threading.RLock()))
]
held += [
    lock
    for name, module in list(sys.modules.items())
    if name.startswith("goanna")
    for lock in vars(module).values()
    if isinstance(lock, type(threading.RLock()))
]
assert len(held) >= 3, held
ready, end = threading.Event(), threading.Event()

def hold():
    for lock in held:
        lock.acquire()
    ready.set()
    end.wait()
    for lock in held:
        lock.release()

threading.Thread(target=hold, daemon=True).start()
assert ready.wait(60)
pid = os.fork()
if not pid:
    faulthandler.dump_traceback_later(30, exit=True)
    gated.open_in_child()
    try:
        publish(1)
        assert timed.stats().delivered == 2, timed.stats()
        assert timed.stats().time.total > 0
        assert rate.stats().published == 2
        queue.told(Told(1))
        assert queue.flush(60) == 0
        assert queue.close(60) == 0
        assert goanna.queued(Slowly()).close(60) == 0
        goanna.install()
        goanna.uninstall()
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)
status = os.waitpid(pid, 0)[1]
end.set()
gated.gate.set()
assert not status, f"the child ended with status {status}"
"""


def test_a_fork_while_another_thread_holds_every_lock(backend: str, tmp_path: Path) -> None:
    assert ended_well(run(HELD, backend, tmp_path))


def test_a_listener_that_forks(backend: str, tmp_path: Path) -> None:
    """The worker itself forks: the child's copy of it is a second one as soon as there is a first, so it must end."""
    program = """
        import os, sys
        import goanna
        from delivery.listeners import Told, ToldListener, Writer, note

        class Forking(Writer):
            def told(self, event):
                super().told(event)
                if event.source == "fork":
                    self.child = os.fork()
                    if not self.child:
                        for number in range(100):
                            queue.told(Told(number, "child"))
                        assert queue.flush(60) == 0
                        note("in-the-child", queue.stats().delivered)
                        os._exit(0)

        listener = Forking()
        queue = goanna.queued(listener)
        queue.told(Told(0, "parent"))
        assert queue.flush(60) == 0
        queue.told(Told(0, "fork"))
        queue.told(Told(1, "parent"))
        assert queue.flush(60) == 0
        assert os.waitpid(listener.child, 0)[1] == 0
        assert queue.stats().delivered == 3, queue.stats()
    """
    done = run(program, backend, tmp_path)
    assert ended_well(done)
    assert done.of("parent") == [[0, 1]]
    assert done.of("child") == [list(range(100))]
    # The one that was delivered before the fork, and the child's own; the one under way is the parent's.
    assert done.of("in-the-child") == [[101]]


def test_a_listener_that_forks_and_returns(backend: str, tmp_path: Path) -> None:
    """In the child its thread is the only one: when it ends, so does the process."""
    program = """
        import os
        import goanna
        from delivery.listeners import Told, ToldListener

        class Forking(ToldListener):
            def told(self, event):
                self.child = os.fork()

        listener = Forking()
        queue = goanna.queued(listener)
        queue.told(Told(0))
        assert queue.flush(60) == 0
        assert os.waitpid(listener.child, 0)[1] == 0
        assert queue.stats().delivered == 1, queue.stats()
    """
    assert ended_well(run(program, backend, tmp_path))


def test_a_loop_that_is_run_in_the_child(backend: str, tmp_path: Path) -> None:
    """What waited for a loop is the parent's; what the child publishes reaches the loop that the child runs."""
    program = """
        import asyncio, os
        import goanna
        from delivery.listeners import Told, Writer, exact

        async def rest(count, source):
            for number in range(count):
                wrapper.told(Told(number, source))
            assert await wrapper.aflush(60) == 0

        loop = asyncio.new_event_loop()
        wrapper = goanna.on_loop(Writer(), loop)
        for number in range(10):
            wrapper.told(Told(number, "parent"))
        pid = os.fork()
        if not pid:
            stats = wrapper.stats()
            assert stats.dropped == {"fork_inherited": 10} and stats.pending == 0, stats
            loop.run_until_complete(rest(5, "child"))
            stats = wrapper.stats()
            assert exact(stats) and (stats.published, stats.delivered) == (15, 5), stats
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert wrapper.stats().pending == 10
        loop.run_until_complete(rest(3, "later"))
        stats = wrapper.stats()
        assert exact(stats) and (stats.published, stats.delivered) == (13, 13), stats
        loop.close()
    """
    done = run(program, backend, tmp_path)
    assert ended_well(done)
    assert done.of("parent") == [list(range(10))]
    assert done.of("later") == [list(range(3))]
    assert done.of("child") == [list(range(5))]
    assert len(done.seen()) == 2


MULTIPROCESSING = """
import multiprocessing, sys
import goanna
from delivery.listeners import Told, Writer

queue = goanna.queued(Writer(), batch=1000, delay=3600)

def work(name):
    for number in range(100):
        queue.told(Told(number, name))

def fail(name):
    work(name)
    raise SystemExit(3)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    work("parent")
    ones = [context.Process(target=work, args=(f"child-{number}",)) for number in range(2)]
    ones.append(context.Process(target=fail, args=("child-2",)))
    for one in ones:
        one.start()
    for one in ones:
        one.join()
    assert [one.exitcode for one in ones] == [0, 0, 3]
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_process_of_multiprocessing_flushes_at_its_end(backend: str, tmp_path: Path, method: str) -> None:
    done = run(MULTIPROCESSING, backend, tmp_path, method)
    assert ended_well(done)
    for source in ("parent", "child-0", "child-1", "child-2"):
        assert done.of(source) == [list(range(100))], source
    assert len(done.seen()) == 4


def test_what_a_hook_of_the_fork_publishes_is_flushed_too(backend: str, tmp_path: Path) -> None:
    """The thread starts before multiprocessing has set its process up, and forgets what was registered with it."""
    program = """
        import multiprocessing, os
        import goanna
        from delivery.listeners import Told, Writer

        queue = goanna.queued(Writer(), batch=1000, delay=3600)
        os.register_at_fork(after_in_child=lambda: queue.told(Told(-1, "child")))

        def work():
            queue.told(Told(0, "child"))

        if __name__ == "__main__":
            one = multiprocessing.get_context("fork").Process(target=work)
            one.start()
            one.join()
            assert one.exitcode == 0
    """
    done = run(program, backend, tmp_path)
    assert ended_well(done)
    assert done.of("child") == [[-1, 0]]


def test_a_pool_of_processes(backend: str, tmp_path: Path) -> None:
    program = """
        import concurrent.futures, multiprocessing, os
        import goanna
        from delivery.listeners import Told, Writer

        queue = goanna.queued(Writer(), batch=1000, delay=3600)

        def work(number):
            queue.told(Told(number, f"pool-{os.getpid()}"))
            return os.getpid()

        if __name__ == "__main__":
            work(0)
            context = multiprocessing.get_context("fork")
            with concurrent.futures.ProcessPoolExecutor(2, context) as pool:
                pids = list(pool.map(work, range(1, 101)))
            assert os.getpid() not in pids
    """
    done = run(program, backend, tmp_path)
    assert ended_well(done)
    assert all(sources == {f"pool-{pid}": sorted(sources[f"pool-{pid}"])} for pid, sources in done.seen().items())
    assert sorted(number for sources in done.seen().values() for one in sources.values() for number in one) == list(
        range(101)
    )
