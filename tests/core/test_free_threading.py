"""What threads may do at the same time, in the same place, where no GIL keeps them apart; and on any other interpreter.

Each test lets threads meet where state is replaced or counted, and asks for exact totals afterwards. ``make tsan`` runs
them under ThreadSanitizer.
"""

from __future__ import annotations

import asyncio
import datetime
import importlib
import os
import subprocess
import sys
import sysconfig
from types import ModuleType
from typing import Any

import pytest

from support.cores import backends
from support.packages import needed
from support.threads import meanwhile, run_all

THREADS = 4
ROUNDS = 1500


@pytest.fixture
def core(goanna: ModuleType) -> Any:
    return importlib.import_module("goanna.core")


@pytest.fixture
def ring(goanna: ModuleType) -> Any:
    return importlib.import_module("goanna.core")


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this interpreter has a GIL for good")
@pytest.mark.parametrize("name", backends())
def test_the_gil_stays_off(name: str) -> None:
    """No module of either core makes the interpreter switch it on, or warn that it does."""
    parts = "goanna.audit._compiled, goanna.monitoring._compiled"
    if name == "py":
        parts = "goanna.audit._pure, goanna.monitoring._pure"
    program = (
        "import sys, goanna, goanna.audit, goanna.delivery, goanna.requestlog\n"
        f"import {parts}\n"
        "print(goanna.BACKEND, sys._is_gil_enabled())\n"
    )
    environment = {
        key: value for key, value in os.environ.items() if key != "PYTHON_GIL"
    }  # 0 would keep it off by force
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**environment, "GOANNA_BACKEND": name, "GOANNA_INSTALL": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"{name} False\n", "")


def test_tables_replaced_by_several_threads_while_others_publish(core: Any, shapes: ModuleType) -> None:
    """Nobody holds a lock around replace_table() here; each table is retired, and each call counted, once."""
    maker = shapes.OrderPlaced.__event_maker__
    accounts = [core.Account() for _ in range(2)]
    seen: list[list[int]] = [[], []]

    def table(which: int) -> Any:
        return core.Table([core.Call(lambda event: seen[which].append(event.order_id), accounts[which], None)], maker)

    channel = core.Channel(maker, table(0), None)

    def replace(which: int) -> None:
        channel.replace_table(table(which))

    def publish(start: int) -> None:
        for number in range(start, start + ROUNDS):
            channel(number)
            channel.publish(shapes.OrderPlaced(-number))

    with meanwhile(*[lambda which=one: replace(which) for one in range(2)]):
        run_all(*[lambda start=one * ROUNDS: publish(start) for one in range(THREADS)])
    channel.table.settle()
    assert [account.read() for account in accounts] == [(len(one), 0, 0) for one in seen]
    assert sum(len(one) for one in seen) == 2 * THREADS * ROUNDS


def test_counts_of_what_fails_and_what_is_filtered(goanna: ModuleType, shapes: ModuleType) -> None:
    hub = goanna.Dispatcher(errors=lambda *args: None)
    seen: list[int] = []

    class Fails(shapes.OrderListener):  # type: ignore[name-defined,misc]
        def placed(self, event: Any) -> None:
            seen.append(event.order_id)
            if event.order_id % 3 == 0:
                raise ValueError

    filtered = hub.add(goanna.where(Fails(), fields={"total": frozenset({1.0})}))
    plain = hub.add(Fails())
    publish = hub.publisher(shapes.OrderPlaced)

    def job() -> None:
        for number in range(ROUNDS):
            publish(number, float(number % 2))

    total = THREADS * ROUNDS

    def watch() -> None:
        stats = plain.stats()
        assert stats.delivered + stats.failed <= total
        assert min(stats.delivered, stats.failed) >= 0

    with meanwhile(watch):
        run_all(*[job] * THREADS)
    assert plain.stats() == goanna.Stats(total, total - total // 3, total // 3)
    stats = filtered.stats()
    odd_and_divisible = THREADS * len([one for one in range(ROUNDS) if one % 2 and one % 3 == 0])
    assert stats.failed == odd_and_divisible
    assert stats.delivered == total // 2 - odd_and_divisible
    assert len(seen) == total + total // 2


@pytest.mark.parametrize("options", [{}, {"newest": True}, {"capture": True}], ids=["oldest", "newest", "capture"])
def test_a_ring_under_producers_and_one_consumer(ring: Any, options: dict[str, Any]) -> None:
    """At every moment published = delivered + failed + dropped + pending; what comes from one thread is in order."""
    last = [-1] * THREADS
    disorder: list[Any] = []
    failures: list[Any] = []

    def handle(event: tuple[int, int]) -> None:
        who, number = event
        if number <= last[who]:
            disorder.append(event)
        last[who] = number
        if number % 50 == 0:
            raise ValueError

    made = ring.Ring(64, lambda: None, lambda *args: failures.append(args), **options)
    inlet = made.inlet(handle)

    def produce(who: int) -> None:
        for number in range(ROUNDS):
            inlet((who, number))
            if number % 100 == 0:
                made.drop("timeout")

    def consume() -> None:
        made.drain(10, 1 << 60)
        made.arm(5)
        made.wake_now()

    def watch() -> None:
        published, delivered, failed, dropped, pending = made.counts()[:5]
        assert published == delivered + failed + sum(dropped) + pending
        assert pending <= 65
        made.left(made.accepted)

    with meanwhile(consume, watch):
        run_all(*[lambda who=who: produce(who) for who in range(THREADS)])
    while len(made):
        consume()
    assert not disorder
    published, delivered, failed, dropped, pending = made.counts()[:5]
    assert published == THREADS * ROUNDS + THREADS * len(range(0, ROUNDS, 100))
    assert (pending, failed) == (0, len(failures))
    assert published == delivered + failed + sum(dropped)


def test_a_ring_that_is_emptied_and_shut_under_producers(ring: Any) -> None:
    for _ in range(20):
        made = ring.Ring(32, lambda: None, lambda *args: None)
        inlet = made.inlet(lambda event: None)

        def produce(inlet: Any = inlet) -> None:
            for number in range(200):
                inlet([number])

        def empty(made: Any = made) -> None:
            for _ in range(20):
                made.take(5)
                made.done(0, 0, 1)
                made.discard("exit")
            made.shut("closed")

        run_all(*[produce] * THREADS, empty)
        made.discard("exit")
        published, delivered, failed, dropped, pending = made.counts()[:5]
        assert published == THREADS * 200
        assert published == delivered + failed + sum(dropped) + pending


def test_reports_of_several_threads(ring: Any) -> None:
    """What a thread publishes while it writes a report is dropped, whatever reports others begin and end."""
    made = ring.Ring(1 << 20, lambda: None, lambda *args: None)
    inlet = made.inlet(lambda event: None)

    def job() -> None:
        for number in range(300):
            assert ring.enter_report()
            assert ring.in_report()
            inlet(number)
            ring.leave_report()
            assert not ring.in_report()
            inlet(number)

    run_all(*[job] * THREADS)
    assert made.counts()[3][ring.REASONS.index("reentrant")] == len(made) == THREADS * 300


def test_the_same_class_defined_by_several_threads(goanna: ModuleType) -> None:
    made: list[Any] = []

    def job() -> None:
        for _ in range(30):
            name = {"__annotations__": {"first": int, "second": int}, "__doc__": "A pair.", "__module__": __name__}
            cls = type(goanna.Event)("Pair", (goanna.Event,), name)
            made.append(cls(1, second=2))

    run_all(*[job] * THREADS)
    assert {(one.first, one.second) for one in made} == {(1, 2)}
    assert len(made) == THREADS * 30


def test_installing_while_clients_publish(goanna: ModuleType) -> None:
    """Each publish goes the stock way or the installed way, and reaches the listener exactly once."""
    needed("pymongo")
    monitoring = importlib.import_module("pymongo.monitoring")
    seen: list[int] = []

    class Pool(monitoring.ConnectionPoolListener):  # type: ignore[name-defined,misc]
        def __getattribute__(self, name: str) -> Any:
            if name.startswith(("connection_", "pool_")):
                return lambda event: seen.append(event.connection_id) if name == "connection_created" else None
            return super().__getattribute__(name)

    class Commands(monitoring.CommandListener):  # type: ignore[name-defined,misc]
        def started(self, event: Any) -> None:
            seen.append(event.request_id)

        def succeeded(self, event: Any) -> None:
            assert event.command_name in ("find", "insert")
            seen.append(event.request_id)

        def failed(self, event: Any) -> None: ...

    listeners = monitoring._EventListeners([Commands(), goanna.where(Commands(), commands={"find"}), Pool()])

    def publish(start: int) -> None:
        for number in range(start, start + 300):
            command = "find" if number % 2 else "insert"
            listeners.publish_command_start({command: 1}, "db", number, ("host", 1), None)
            listeners.publish_command_success(
                datetime.timedelta(seconds=1), {"ok": 1}, command, number, ("host", 1), None, database_name="db"
            )
            listeners.publish_connection_created(("host", 1), number)

    def switch() -> None:
        goanna.install()
        goanna.refresh()
        goanna.uninstall()

    with meanwhile(switch):
        run_all(*[lambda start=one * 300: publish(start) for one in range(THREADS)])
    assert sorted(set(seen)) == list(range(THREADS * 300))
    assert len(seen) == THREADS * 300 * 3 + THREADS * 150 * 2


@pytest.mark.parametrize("resolve", ["publish", "registration"])
def test_lists_of_listeners_that_change_while_clients_publish(goanna: ModuleType, resolve: str) -> None:
    needed("pymongo")
    monitoring = importlib.import_module("pymongo.monitoring")
    always: list[int] = []

    class Steady(monitoring.ServerListener):  # type: ignore[name-defined,misc]
        def opened(self, event: Any) -> None:
            always.append(event.topology_id)

        def description_changed(self, event: Any) -> None: ...

        def closed(self, event: Any) -> None: ...

    class Passing(Steady):
        def opened(self, event: Any) -> None: ...

    listeners = monitoring._EventListeners([Steady()])
    inner = listeners._EventListeners__server_listeners

    def change() -> None:
        inner.append(Passing())
        inner.append(Passing())
        inner.pop()
        inner.pop()

    def publish() -> None:
        for number in range(ROUNDS):
            listeners.publish_server_opened(("host", 1), number)

    goanna.install(resolve=resolve)
    try:
        with meanwhile(change):
            run_all(*[publish] * THREADS)
    finally:
        goanna.uninstall()
    assert len(always) == THREADS * ROUNDS


def test_a_tracker_of_several_threads(backend: str) -> None:
    audit = importlib.import_module("goanna.audit")
    seen: list[str] = []

    class Handler(audit.EventHandler):  # type: ignore[name-defined,misc]
        async def request_start(self, user_request: Any) -> None: ...

        async def event_start(self, event: Any, request_context: Any) -> str:
            seen.append("start")
            return "context"

        async def event_end(self, event: Any, event_context: str, request_context: Any) -> None:
            assert event_context == "context"
            seen.append("end")

        async def request_end(self, output: Any, request_context: Any) -> None: ...

    class Passing(Handler):
        async def event_start(self, event: Any, request_context: Any) -> str:
            return "context"

        async def event_end(self, event: Any, event_context: str, request_context: Any) -> None: ...

    tracker = audit.EventTracker.initialize_with_handlers([Handler()], max_open=3)
    counts: list[int] = []

    async def work() -> None:
        for _ in range(100):
            async with tracker.track_event(object()):
                async with tracker.track_event(object()):
                    counts.append(len(tracker.open_spans))

    def subscribe() -> None:
        for _ in range(20):
            tracker.subscribe(Passing())

    run_all(*[lambda: asyncio.run(work())] * THREADS, subscribe)
    assert seen.count("start") == seen.count("end") == THREADS * 200
    assert tracker.open_count == 0
    assert tracker.open_spans == ()
    assert max(counts) <= 3
