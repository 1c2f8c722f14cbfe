"""The end of the interpreter: what waits is delivered within a bound, the rest is counted and reported."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from delivery.processes import LONG, ended_well, environment, noted, run
from support.cores import backends
from support.packages import needed

SLEEPY = """
import atexit, os, sys, threading
import goanna
from delivery.listeners import Gated, Hanging, Told, ToldListener, Writer, exact, note

# Nothing but the end of the interpreter would have these events handled.
queue = goanna.queued(Writer(), batch=1000, delay=3600)

def tell(count, source):
    for number in range(count):
        queue.told(Told(number, source))
"""

ENDS = {
    "the end of the program": ("", 0, ""),
    "sys.exit": ("sys.exit(3)", 3, ""),
    "an exception": ("raise ValueError('nobody catches this')", 1, r"ValueError: nobody catches this$"),
    "a thread": ("threading.Thread(target=tell, args=(100, 'thread')).start()", 0, ""),
    # A program that was started in the background may have inherited that SIGINT is ignored.
    "SIGINT": (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); signal.raise_signal(signal.SIGINT)",
        -signal.SIGINT,
        r"KeyboardInterrupt$",
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_waits_is_delivered(backend: str, tmp_path: Path, end: str) -> None:
    last, status, error = ENDS[end]
    done = run(f"{SLEEPY}\ntell(100, 'main')\n{last}\n", backend, tmp_path)
    assert done.status == status, done.stderr
    assert re.search(error, done.stderr.rstrip()) if error else not done.stderr
    assert done.of("main") == [list(range(100))]
    assert done.of("thread") == ([list(range(100))] if end == "a thread" else [])


def test_a_signal_handler_that_exits(backend: str, tmp_path: Path) -> None:
    """As process managers end their programs: SIGTERM, which the program turns into an exit."""
    program = tmp_path / "program.py"
    program.write_text(
        SLEEPY + "import signal, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "tell(100, 'main')\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    time.sleep(0.05)\n"  # signal.pause() would miss a signal that comes just before it
    )
    evidence = tmp_path / "evidence"
    with subprocess.Popen(
        [sys.executable, "-W", "error", str(program)],
        env=environment(backend, evidence),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=LONG)
        finally:
            process.kill()
        assert (process.returncode, errors) == (0, b"")
    assert noted(evidence) == {process.pid: {"main": list(range(100))}}


def test_what_other_handlers_of_the_end_publish(backend: str, tmp_path: Path) -> None:
    """They run in reverse: those registered after goanna was imported come before it and are still delivered."""
    program = """
        import atexit

        def earlier():
            queue.told(Told(1, "too-late"))
            stats = queue.stats()
            assert stats.dropped == {"exit": 1}, stats
            assert exact(stats) and (stats.published, stats.delivered) == (3, 2), stats
            note("checked", 1)

        atexit.register(earlier)

        import goanna
        from delivery.listeners import Told, Writer, exact, note

        queue = goanna.queued(Writer(), batch=1000, delay=3600)
        atexit.register(lambda: queue.told(Told(1, "in-time")))
        queue.told(Told(0, "in-time"))
    """
    done = run(program, backend, tmp_path)
    assert ended_well(done)
    assert done.of("in-time") == [[0, 1]]
    assert done.of("too-late") == []
    assert done.of("checked") == [[1]]


HANGING = f"""{SLEEPY}
hanging = [Hanging(), Hanging()]
queues = [goanna.queued(one, exit_timeout=float(sys.argv[1])) for one in hanging]
for number in range(100):
    for one in queues:
        one.told(Told(number))
tell(100, "main")
for one in hanging:
    assert one.there.wait(60)
"""


@pytest.mark.parametrize("bound", [0.0, 0.5])
def test_a_listener_that_hangs_does_not_keep_the_process(backend: str, tmp_path: Path, bound: float) -> None:
    done = run(HANGING, backend, tmp_path, str(bound))
    assert done.status == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert re.fullmatch("100 events of <.*Hanging .*> were left when the interpreter ended", line)
    # The one that works is not in the way of those that don't, nor they in its.
    assert done.of("main") == [list(range(100))]


def test_an_end_that_is_bounded_is_not_waited_for_by_other_means(backend: str, tmp_path: Path) -> None:
    """A closed queue with a listener that hangs in its last event."""
    program = f"""{SLEEPY}
listener = Hanging()
closed = goanna.queued(listener, exit_timeout=0.1)
closed.told(Told(0))
assert listener.there.wait(60)
assert closed.close(0.0) == 1
closed.told(Told(1))
stats = closed.stats()
assert exact(stats) and stats.pending == 1 and stats.dropped == {{"closed": 1}}, stats
"""
    done = run(program, backend, tmp_path)
    assert done.status == 0, done.stderr
    assert re.fullmatch("1 events of <.*Hanging .*> were left when the interpreter ended\n", done.stderr)


def test_a_listener_that_publishes_into_another_queue(backend: str, tmp_path: Path) -> None:
    """At the end all is flushed before anything is shut, whatever its bound."""
    program = f"""{SLEEPY}
class Forwarding(ToldListener):
    def told(self, event):
        queue.told(event)

first = goanna.queued(Forwarding(), batch=1000, delay=3600, exit_timeout=int(sys.argv[1]))
for number in range(100):
    first.told(Told(number, "forwarded"))
"""
    for bound in ("1", "60"):  # the other one has the default of 2
        done = run(program, backend, tmp_path, bound)
        assert ended_well(done)
    assert [one for one in done.of("forwarded") if one != list(range(100))] == []
    assert len(done.of("forwarded")) == 2


def test_daemon_threads_that_go_on_publishing(backend: str, tmp_path: Path) -> None:
    """Up to a moment what they publish is delivered, from then on it is counted; the end comes all the same."""
    program = """
        import atexit

        def last():
            for one in (queue, small):
                stats = one.stats()
                assert exact(stats), stats
                assert not stats.pending, stats
            lost = queue.stats().dropped
            note("delivered", queue.stats().delivered)
            assert set(lost) <= {"exit", "overflow"}, lost

        atexit.register(last)

        import itertools, threading
        import goanna
        from delivery.listeners import Told, ToldListener, exact, note

        class Counter(ToldListener):
            def told(self, event):
                self.last = event

        queue = goanna.queued(Counter(), exit_timeout=60)
        small = goanna.queued(Counter(), maxsize=3, overflow="block", timeout=0.01, exit_timeout=60)
        begun = threading.Barrier(5)

        def publish(one):
            one.told(Told(0))
            begun.wait()
            for number in itertools.count(1):
                one.told(Told(number))

        for _ in range(2):
            for one in (queue, small):
                threading.Thread(target=publish, args=(one,), daemon=True).start()
        begun.wait()
    """
    done = run(program, backend, tmp_path)
    assert ended_well(done)
    ((count,),) = done.of("delivered")
    assert count >= 2


def test_an_error_policy_that_logs_at_the_end(backend: str, tmp_path: Path) -> None:
    """The logging module is still there when listeners fail at the very end."""
    program = f"""{SLEEPY}
import logging
logging.basicConfig(filename=sys.argv[1], format="%(name)s %(levelname)s %(message)s")

class Failing(ToldListener):
    def told(self, event):
        raise ValueError("at the end")

failing = goanna.queued(Failing(), batch=1000, delay=3600)
for number in range(3):
    failing.told(Told(number))
"""
    log = tmp_path / "log"
    done = run(program, backend, tmp_path, str(log))
    assert ended_well(done)
    assert log.read_text().count("ValueError: at the end") == 3


def test_events_for_a_loop_are_not_waited_for(backend: str, tmp_path: Path) -> None:
    """A loop that has ended, or never ran, holds up no exit and says nothing."""
    program = """
        import asyncio, sys
        import goanna
        from delivery.listeners import Told, Writer, exact

        async def main():
            return goanna.on_loop(Writer())

        idle = asyncio.new_event_loop()
        ended, never = asyncio.run(main()), goanna.on_loop(Writer(), idle)
        for number in range(10):
            ended.told(Told(number))
            never.told(Told(number))
        assert ended.flush() == 0 and never.flush() == 10
        assert ended.stats().dropped == {"loop_closed": 10} and never.stats().pending == 10
        assert exact(ended.stats()) and exact(never.stats())
        idle.close()
    """
    done = run(program, backend, tmp_path)
    assert ended_well(done)
    assert done.seen() == {}


NO_THREAD = """
import atexit, os, sys, threading
import goanna
from delivery.listeners import Told, Writer, exact

start = threading.Thread.start

def refuse(self):
    raise RuntimeError("can't start new thread")

threading.Thread.start = refuse
queue = goanna.queued(Writer(), maxsize=10, overflow=sys.argv[1], timeout=None)
for number in range(20):
    queue.told(Told(number))
stats = queue.stats()
assert exact(stats) and (stats.published, stats.pending, stats.dropped) == (20, 10, {"overflow": 10}), stats
if sys.argv[2] == "later":
    threading.Thread.start = start
    assert queue.flush() == 0
    queue.told(Told(20))
    assert queue.flush() == 0
    assert exact(queue.stats()) and queue.stats().delivered == 11
"""


@pytest.mark.parametrize("when", ["later", "never"])
@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest", "block"])
def test_a_thread_that_can_not_be_started(backend: str, tmp_path: Path, overflow: str, when: str) -> None:
    """As in a process at its limit, and from Python 3.12 on in one that is about to end."""
    done = run(NO_THREAD, backend, tmp_path, overflow, when)
    assert done.status == 0, done.stderr
    first, *others = done.stderr.splitlines()
    assert re.fullmatch("the thread of <.*Writer .*> did not start, events wait: can't start new thread", first)
    kept = range(10, 20) if overflow == "drop_oldest" else range(10)
    assert (others, done.of("main")) == ([], [[*kept, 20] if when == "later" else [*kept]])


SECOND = """
import os, sys
try:
    import _interpreters as interpreters  # 3.13
except ImportError:
    import _xxsubinterpreters as interpreters
import goanna
import goanna.delivery
print(goanna.BACKEND, flush=True)
second = interpreters.create()
interpreters.run_string(second, '''
import goanna
from delivery.listeners import Told, Writer, exact
print(goanna.BACKEND, flush=True)
queue = goanna.queued(goanna.where(Writer(), fields={"source": "here"}))
for number in range(3):
    queue.told(Told(number, "here"))
left = queue.flush()
stats = queue.stats()
# A second interpreter may not start daemon threads; then events wait, within the bound, and nobody is held up.
assert exact(stats) and stats.delivered + left == stats.published == 3, stats
''')
if sys.version_info < (3, 13):
    os._exit(0)  # the end of a second interpreter that has imported ssl (asyncio does) crashes 3.12
interpreters.destroy(second)  # 3.14 warns of one that is left
"""


@pytest.mark.skipif("c" not in backends(), reason="without the compiled core there is nothing to fall back from")
@pytest.mark.skipif(
    "free-threading" in sys.version and sys.version_info < (3, 14),
    reason="a free-threaded 3.13 never ends once a second interpreter has had a thread, with or without us",
)
def test_delivery_in_a_second_interpreter(tmp_path: Path) -> None:
    done = run(SECOND, "auto", tmp_path)
    assert done.status == 0, done.stderr
    assert done.stdout.splitlines() == ["c", "py"]
    assert "Traceback" not in done.stderr


def test_ending_the_process_at_once_is_left_alone(backend: str, tmp_path: Path) -> None:
    """os._exit is what it says."""
    done = run(f"{SLEEPY}\ntell(100, 'main')\nos._exit(4)\n", backend, tmp_path)
    assert (done.status, done.stderr) == (4, "")


IMPORTS = {
    "futures first": "from concurrent.futures import {0}\nimport goanna",
    "goanna first": "import goanna\nfrom concurrent.futures import {0}",
    "futures last": "import goanna",
}
EXECUTOR = """
import time
{imports}
from delivery.listeners import Told, ToldListener, Writer, note

class Submits(ToldListener):
    def told(self, event):
        global pool
        if pool is None:
            pool = make()
        pool.submit(note, "main", event.number).result()

def make():
    from concurrent.futures import {executor}
    return {executor}(2)

if __name__ == "__main__":
    pool = None if {late} else make()
    queue = goanna.queued(Submits(), delay=3600, batch=5)
    for number in range(5 if {late} else 0):
        queue.told(Told(number))  # the executor is imported by the listener
        queue.flush(60)
    from goanna.delivery import at_exit
    while "{executor}" == "ProcessPoolExecutor" and "concurrent.futures.process" not in at_exit._executors:
        time.sleep(0.001)  # the queue's thread sees it when the call has returned
    for number in range(5 if {late} else 0, 10 if {late} else 5):
        queue.told(Told(number))
"""


@pytest.mark.parametrize("imports", IMPORTS)
@pytest.mark.parametrize("executor", ["ThreadPoolExecutor", "ProcessPoolExecutor"])
def test_a_listener_that_uses_an_executor(backend: str, tmp_path: Path, executor: str, imports: str) -> None:
    """Executors are shut down before the hooks of atexit run."""
    late = imports == "futures last"
    program = EXECUTOR.format(imports=IMPORTS[imports].format(executor), executor=executor, late=late)
    done = run(program, backend, tmp_path)
    assert ended_well(done)
    assert sorted(number for numbers in done.of("main") for number in numbers) == list(range(10 if late else 5))


def test_what_exit_hooks_publish_is_delivered_too(backend: str, tmp_path: Path) -> None:
    done = run(
        f"{SLEEPY}\natexit.register(tell, 3, 'hook')\nthreading._register_atexit(tell, 3, 'thread')\ntell(3, 'main')\n",
        backend,
        tmp_path,
    )
    assert ended_well(done)
    assert [done.of(one) for one in ("main", "hook", "thread")] == [[[0, 1, 2]]] * 3


ALL = """
import goanna, asyncio
from delivery.listeners import Told, ToldListener, Writer, Hanging, exact

class Forwards(ToldListener):
    def told(self, event):
        last.told(event)

first = goanna.queued(Forwards(), batch=1000, delay=3600)
middle = goanna.queued(Writer(), batch=1000, delay=3600)
last = goanna.queued(Writer(), batch=1000, delay=3600)
for number in range(3):
    first.told(Told(number, "forwarded"))
    middle.told(Told(number))
assert goanna.flush(60) == 0
assert [one.stats().delivered for one in (first, middle, last)] == [3, 3, 3]
middle.told(Told(3))
"""


def test_flushing_and_closing_all(backend: str, tmp_path: Path) -> None:
    done = run(
        f"{ALL}\nimport os\nassert goanna.close(60) == goanna.close(60) == 0\nmiddle.told(Told(4))\n"
        "assert middle.stats().dropped == {'closed': 1}, middle.stats()\nos._exit(0)\n",
        backend,
        tmp_path,
    )
    assert ended_well(done)
    assert (done.of("main"), done.of("forwarded")) == ([[0, 1, 2, 3]], [[0, 1, 2]])


def test_what_is_left_when_all_are_closed(backend: str, tmp_path: Path) -> None:
    """Queues, a loop that does not run, and one that a program awaits on."""
    program = f"""{ALL}
import os
hanging = Hanging()
queue = goanna.queued(hanging)
loop = asyncio.new_event_loop()
waits = goanna.on_loop(Writer(), loop)
for number in range(3):
    queue.told(Told(number, "hanging"))
    waits.told(Told(number, "loop"))
hanging.there.wait()
assert goanna.flush(0.01) == 6
async def main():
    here = goanna.on_loop(Writer())
    here.told(Told(0, "here"))
    assert goanna.flush(0.01) == 7
    assert await here.aclose(60) == 0
asyncio.run(main())
assert goanna.close(0.01) == 6
stats = queue.stats()
assert exact(stats) and (stats.pending, stats.dropped) == (1, {{"closed": 2}}), stats
for wrong in (-1, "1"):
    try:
        goanna.close(wrong)
    except (TypeError, ValueError) as error:
        assert "timeout" in str(error)
os._exit(0)
"""
    assert ended_well(run(program, backend, tmp_path))


BILLIARD = """
import billiard, goanna
from delivery.listeners import Told, Writer

queue = goanna.queued(Writer(), batch=1000, delay=3600)

def work():
    for number in range(10):
        queue.told(Told(number))

if __name__ == "__main__":
    child = billiard.Process(target=work)
    child.start()
    child.join()
    assert child.exitcode == 0
"""


def test_a_process_of_billiard(backend: str, tmp_path: Path) -> None:
    needed("billiard")
    done = run(BILLIARD, backend, tmp_path)
    assert done.status == 0, done.stderr
    assert done.of("main") == [list(range(10))]


CELERY = """
import goanna
from celery import Celery
from celery.signals import worker_process_shutdown
from delivery.listeners import Told, Writer

app = Celery("program", broker="filesystem://")
app.conf.update(
    broker_transport_options={{"data_folder_in": {queue!r}, "data_folder_out": {queue!r}}},
    broker_connection_retry_on_startup=False, worker_hijack_root_logger=False, worker_enable_remote_control=False,
)
listener = goanna.queued(Writer(), batch=1000, delay=3600)

@app.task
def work(count):
    for number in range(count):
        listener.told(Told(number))

@worker_process_shutdown.connect
def ends(**_):
    goanna.close(5)
"""


def test_a_worker_of_celery(backend: str, tmp_path: Path) -> None:
    """Its pool ends its processes past every hook, and tells of it by a signal."""
    needed("celery")
    folder = tmp_path / "queue"
    folder.mkdir()
    (tmp_path / "tasks.py").write_text(CELERY.format(queue=str(folder)))
    env = environment(backend, tmp_path / "evidence")
    env["PYTHONPATH"] += os.pathsep + str(tmp_path)
    sent = "import tasks; tasks.work.delay(10)"
    subprocess.run([sys.executable, "-c", sent], env=env, cwd=tmp_path, check=True, timeout=LONG)
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "tasks",
        "worker",
        "--pool=prefork",
        "--concurrency=1",
        "-l",
        "INFO",
    ]
    options = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    said = []
    with subprocess.Popen(
        command + options, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as worker:
        assert worker.stdout is not None
        for line in worker.stdout:
            said.append(line)
            if "succeeded in" in line:
                worker.send_signal(signal.SIGTERM)
        assert worker.wait(LONG) == 0, "".join(said)
    assert [one["main"] for one in noted(tmp_path / "evidence").values()] == [list(range(10))], "".join(said)


POOL = """
import goanna, multiprocessing
from delivery.listeners import Told, Writer

queue = goanna.queued(Writer(), batch=1000, delay=3600)

def work(number):
    queue.told(Told(number))

if __name__ == "__main__":
    pool = multiprocessing.Pool(1)
    pool.map(work, range(10))
    pool.close()
    pool.join()
"""


def test_a_pool_that_is_closed_and_joined(backend: str, tmp_path: Path) -> None:
    done = run(POOL, backend, tmp_path)
    assert ended_well(done)
    assert done.of("main") == [list(range(10))]


def test_a_handler_of_sigterm_that_exits(backend: str, tmp_path: Path) -> None:
    end = "import signal; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); signal.raise_signal(signal.SIGTERM)"
    done = run(f"{SLEEPY}\ntell(10, 'main')\n{end}\n", backend, tmp_path)
    assert ended_well(done)
    assert done.of("main") == [list(range(10))]
