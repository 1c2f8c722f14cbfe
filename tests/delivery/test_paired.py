"""paired: one call for a beginning and its end, whatever becomes of either."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from types import ModuleType
from typing import Any

import pytest
from pymongo import monitoring


class Started:
    def __init__(self, request_id: Any, connection_id: Any = ("localhost", 27017)) -> None:
        self.request_id = request_id
        self.connection_id = connection_id


class Ended(Started):
    def __init__(self, request_id: Any, connection_id: Any = ("localhost", 27017), micros: Any = 1500) -> None:
        super().__init__(request_id, connection_id)
        self.duration_micros = micros


class Keeper(monitoring.CommandListener):
    def __init__(self) -> None:
        self.operations: list[Any] = []

    def started(self, event: Any) -> Any:
        return f"carried {event.request_id}"

    def succeeded(self, event: Any) -> None:
        raise AssertionError("the ends go to command()")

    failed = succeeded

    def command(self, operation: Any) -> None:
        self.operations.append(operation)


def total(stats: Any) -> int:
    return stats.delivered + stats.failed + stats.filtered + sum(stats.dropped.values()) + stats.pending  # type: ignore[no-any-return]


def test_one_call_with_both_events_the_duration_and_what_was_carried(goanna: ModuleType) -> None:
    keeper = Keeper()
    pairs = goanna.paired(keeper)
    assert isinstance(pairs, monitoring.CommandListener)
    first, second = Started(1), Started(2)
    good, bad = Ended(2), Ended(1, micros=2_000_000)
    for event in (first, second):
        pairs.started(event)
    assert pairs.stats().pending == 2
    pairs.succeeded(good)
    pairs.failed(bad)
    assert [(one.start, one.end, one.duration, one.carried) for one in keeper.operations] == [
        (second, good, 0.0015, "carried 2"),
        (first, bad, 2.0, "carried 1"),
    ]
    stats = pairs.stats()
    assert (stats.published, stats.delivered, stats.pending, stats.high_water) == (2, 2, 0, 2)


def test_the_same_request_id_on_two_connections_is_two_operations(goanna: ModuleType) -> None:
    keeper = Keeper()
    pairs = goanna.paired(keeper)
    pairs.started(Started(1, ("a", 1)))
    pairs.started(Started(1, ("b", 1)))
    pairs.succeeded(Ended(1, ("a", 1)))
    assert [one.start.connection_id for one in keeper.operations] == [("a", 1)]
    assert pairs.stats().pending == 1


def test_without_a_method_for_the_start_nothing_is_carried(goanna: ModuleType) -> None:
    class Ends(monitoring.CommandListener):
        seen: list[Any] = []

        def command(self, operation: Any) -> None:
            self.seen.append(operation.carried)

    pairs = goanna.paired(Ends())
    pairs.started(Started(1))
    pairs.succeeded(Ended(1))
    assert Ends.seen == [None]


def test_lost_ends_are_given_up_and_leak_nothing(goanna: ModuleType) -> None:
    pairs = goanna.paired(Keeper(), maxsize=10)
    references = []
    for number in range(100):
        event = Started(number)
        references.append(weakref.ref(event))
        pairs.started(event)
    del event
    gc.collect()
    assert sum(one() is not None for one in references) == 10
    stats = pairs.stats()
    assert (stats.pending, stats.dropped) == (10, {"overflow": 90})
    assert total(stats) == stats.published == 100
    assert pairs.close() == 10
    assert pairs.stats().dropped == {"overflow": 90, "closed": 10}
    gc.collect()
    assert not any(one() is not None for one in references)


def test_operations_expire(goanna: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    now = [100.0]
    monkeypatch.setattr(sys.modules["goanna.delivery.paired"].time, "monotonic", lambda: now[0])
    keeper = Keeper()
    pairs = goanna.paired(keeper, expires=10)
    pairs.started(Started(1))
    now[0] += 9.0
    pairs.started(Started(2))
    assert pairs.stats().oldest_age == 9.0
    now[0] += 2.0
    pairs.started(Started(3))
    pairs.succeeded(Ended(1))
    stats = pairs.stats()
    assert stats.dropped == {"expired": 1, "unpaired": 1}
    assert total(stats) == stats.published
    assert keeper.operations == []


def test_ends_without_a_start_and_second_starts_are_counted(goanna: ModuleType) -> None:
    keeper = Keeper()
    pairs = goanna.paired(keeper)
    pairs.succeeded(Ended(1))
    pairs.started(Started(2))
    again = Started(2)
    pairs.started(again)
    pairs.failed(Ended(2))
    assert [one.start for one in keeper.operations] == [again]
    stats = pairs.stats()
    assert (stats.published, stats.delivered, stats.dropped) == (3, 1, {"unpaired": 2})


def test_what_the_listener_raises_goes_to_the_publisher_and_is_counted_once(goanna: ModuleType) -> None:
    class Failing(Keeper):
        def started(self, event: Any) -> Any:
            if event.request_id == 1:
                raise ValueError("at the start")

        def command(self, operation: Any) -> None:
            raise ValueError("at the end")

    pairs = goanna.paired(Failing())
    with pytest.raises(ValueError, match="at the start"):
        pairs.started(Started(1))
    pairs.succeeded(Ended(1))
    pairs.started(Started(2))
    with pytest.raises(ValueError, match="at the end"):
        pairs.succeeded(Ended(2))
    stats = pairs.stats()
    assert (stats.published, stats.failed, stats.pending, stats.dropped) == (2, 2, 0, {})


def test_under_a_dispatcher_and_with_other_names(goanna: ModuleType) -> None:
    class Began(goanna.Event):
        number: int

    class Done(goanna.Event):
        number: int

    class Jobs(goanna.Listener):
        @goanna.handles(Began)
        def began(self, event: Any) -> Any: ...

        @goanna.handles(Done)
        def done(self, event: Any) -> None: ...

    class Log(Jobs):
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def began(self, event: Any) -> Any:
            return event.number * 10

        def job(self, operation: Any) -> None:
            self.seen.append((operation.start.number, operation.end.number, operation.carried))
            assert operation.duration >= 0

    log = Log()
    hub = goanna.Dispatcher(Jobs, errors="raise")
    pairs = goanna.paired(log, start="began", ends="done", method="job", key=lambda event: event.number)
    hub.add(goanna.queued(pairs))
    for number in range(3):
        hub.publisher(Began)(number)
    for number in (2, 0, 1):
        hub.publisher(Done)(number)
    assert hub.registrations[0].listener.flush(10) == 0
    assert log.seen == [(2, 2, 20), (0, 0, 0), (1, 1, 10)]
    hub.registrations[0].listener.close(10)


def test_under_a_stock_client(goanna: ModuleType) -> None:
    keeper = Keeper()
    pairs = goanna.paired(keeper)
    import datetime

    listeners = monitoring._EventListeners([goanna.where(pairs, commands="ping")])
    for number, name in enumerate(("ping", "find", "ping")):
        listeners.publish_command_start({name: 1}, "test", number, ("localhost", 1), None)
        listeners.publish_command_success(
            datetime.timedelta(seconds=0.25), {"ok": 1}, name, number, ("localhost", 1), None
        )
    assert [(one.start.request_id, one.end.command_name, one.duration) for one in keeper.operations] == [
        (0, "ping", 0.25),
        (2, "ping", 0.25),
    ]


def test_operations_of_many_threads(goanna: ModuleType) -> None:
    keeper = Keeper()
    pairs = goanna.paired(keeper)

    def work(thread: int) -> None:
        for number in range(500):
            pairs.started(Started((thread, number)))
            pairs.succeeded(Ended((thread, number)))
            stats = pairs.stats()
            assert total(stats) == stats.published

    threads = [threading.Thread(target=work, args=(one,)) for one in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(keeper.operations) == 2000
    assert all(one.start.request_id == one.end.request_id for one in keeper.operations)
    assert pairs.stats().delivered == 2000


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"start": "begun"}, ValueError, "Keeper has no method 'begun' for events; start and ends must be of"),
        ({"ends": ()}, ValueError, "ends must be methods other than 'started', one at least"),
        ({"ends": "started"}, ValueError, "ends must be methods other than 'started', one at least"),
        ({"method": "commands"}, TypeError, r"Keeper has no method commands\(operation\)"),
        ({"key": 1}, TypeError, "key must be callable or None, not int"),
        ({"maxsize": 0}, ValueError, "maxsize is 0; it must be at least 1"),
        ({"expires": 0}, ValueError, "expires is 0; it must be more than 0 seconds"),
        ({"method": "succeeded"}, ValueError, "method is 'succeeded', which takes events"),
        ({"expires": -1}, ValueError, "expires is -1; it must be 0 seconds or more"),
    ],
)
def test_bad_input(goanna: ModuleType, arguments: dict[str, Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        goanna.paired(Keeper(), **arguments)


def test_events_that_tell_nothing_apart_need_a_key(goanna: ModuleType) -> None:
    pairs = goanna.paired(Keeper())
    with pytest.raises(TypeError, match="object has neither request_id nor connection_id; say with key="):
        pairs.started(object())


def test_whole_operations_are_queued_and_dropped(goanna: ModuleType) -> None:
    class Batches(Keeper):
        def handle_batch(self, operations: list[Any]) -> None:
            self.operations += [(one.start.request_id, one.end.request_id) for one in operations]

    class Single(monitoring.CommandListener):
        def __init__(self) -> None:
            self.operations: list[Any] = []

        def command(self, operation: Any) -> None:
            self.operations.append((operation.start.request_id, operation.end.request_id))

    with pytest.raises(TypeError, match=r"Batches.handle_batch would get nothing.*paired\(goanna.queued\(listener\)\)"):
        goanna.queued(goanna.paired(Batches()))
    with pytest.raises(TypeError, match="a Where takes no operations; put it in front"):
        goanna.paired(goanna.where(Keeper(), sample=1.0))
    for listener in (Batches(), Single()):
        queue = goanna.queued(listener, maxsize=4, delay=600.0, overflow="drop_newest", batch=4)
        pairs = goanna.paired(queue)
        with goanna.muted():
            pairs.started(Started(0))
        for number in range(3):
            pairs.started(Started(number))
        for number in range(3):
            pairs.succeeded(Ended(number))
        assert pairs.flush(10) == 0
        assert listener.operations == [(0, 0), (1, 1), (2, 2)]
        assert (queue.stats().published, pairs.stats().delivered) == (3, 3)
        pairs.started(Started(9))
        assert pairs.close(10) == 1
        assert queue.stats().pending == 0


def test_coroutines_are_awaited_on_a_loop(goanna: ModuleType) -> None:
    seen: list[Any] = []

    class Async(monitoring.CommandListener):
        async def command(self, operation: Any) -> None:
            await asyncio.sleep(0)
            seen.append((operation.start.request_id, operation.end.request_id))

        async def given_up(self, operation: Any) -> None:
            await asyncio.sleep(0)
            seen.append((operation.start.request_id, operation.given_up))

    with pytest.raises(TypeError, match=r"Async.command\(\) is a coroutine function.*paired\(goanna.on_loop\(listener"):
        goanna.paired(Async())

    async def main() -> None:
        pairs = goanna.paired(goanna.on_loop(Async()))
        for number in range(3):
            pairs.started(Started(number))
        pairs.succeeded(Ended(1))
        pairs.failed(Ended(0))
        assert await pairs.aflush(10) == 0
        assert seen == [(1, 1), (0, 0)]
        assert await pairs.aclose(10) == 1

    asyncio.run(main())
    assert seen == [(1, 1), (0, 0), (2, "closed")]


class Pools(monitoring.ConnectionPoolListener):
    def __init__(self) -> None:
        self.held: list[Any] = []

    def command(self, operation: Any) -> None:
        self.held.append((operation.start.address[0], operation.end.address[0]))


def test_connections_of_two_servers_are_not_mixed(goanna: ModuleType) -> None:
    pools = Pools()
    pairs = goanna.paired(pools, start="connection_checked_out", ends="connection_checked_in")
    for server in ("a", "b"):
        pairs.connection_checked_out(monitoring.ConnectionCheckedOutEvent((server, 1), 1, 0.0))
    for server in ("a", "b"):
        pairs.connection_checked_in(monitoring.ConnectionCheckedInEvent((server, 1), 1))
    assert pools.held == [("a", "a"), ("b", "b")]


def test_where_nothing_tells_operations_apart_a_key_is_asked_for(goanna: ModuleType) -> None:
    check_out = {"start": "connection_check_out_started", "ends": ("connection_checked_out",)}
    for names in (check_out, {"start": "pool_created", "ends": "pool_closed"}):
        with pytest.raises(TypeError, match=r"Event tells which of them belong together; say it with key="):
            goanna.paired(Pools(), **names)
    pools = Pools()
    pairs = goanna.paired(pools, **check_out, key=lambda event: (event.address, threading.get_ident()))
    pairs.connection_check_out_started(monitoring.ConnectionCheckOutStartedEvent(("a", 1)))
    pairs.connection_checked_out(monitoring.ConnectionCheckedOutEvent(("a", 1), 7, 0.0))
    assert pools.held == [("a", "a")]


class Beats(monitoring.ServerHeartbeatListener):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def command(self, operation: Any) -> None:
        self.seen.append((operation.start, operation.end))


def test_heartbeats_of_two_clients_are_not_mixed(goanna: ModuleType) -> None:
    beats = Beats()
    pairs = goanna.paired(beats)
    barrier = threading.Barrier(2)
    expected = []

    def watch(duration: float) -> None:
        start = monitoring.ServerHeartbeatStartedEvent(("a", 1))
        end = monitoring.ServerHeartbeatSucceededEvent(duration, {}, ("a", 1))  # type: ignore[arg-type]
        expected.append((start, end))
        pairs.started(start)
        barrier.wait(10)
        pairs.succeeded(end)

    threads = [threading.Thread(target=watch, args=(one,)) for one in (1.0, 2.0)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(map(id, [end for _, end in beats.seen])) == sorted(id(end) for _, end in expected)
    assert all(pair in expected for pair in beats.seen)

    async def client(duration: float) -> None:
        pairs.started(duration_start := monitoring.ServerHeartbeatStartedEvent(("b", 1)))
        await asyncio.sleep(0)
        pairs.succeeded(monitoring.ServerHeartbeatSucceededEvent(duration, {}, ("b", 1)))  # type: ignore[arg-type]
        assert duration_start in [start for start, end in beats.seen if end.duration == duration]

    async def clients() -> None:
        await asyncio.gather(client(3.0), client(4.0))

    asyncio.run(clients())
    assert pairs.stats().dropped == {}


def test_behind_a_queue_heartbeats_need_a_key(goanna: ModuleType) -> None:
    for make in (goanna.paired, lambda one: goanna.where(goanna.paired(one), sample=1.0)):
        with pytest.raises(
            TypeError, match="Beats.* tells the operations of several clients apart by thread; say with key="
        ):
            goanna.queued(make(Beats()))
    goanna.queued(goanna.paired(Beats(), key=lambda event: event.connection_id)).close(10)


def test_an_operation_that_is_given_up_is_told(goanna: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    now = [100.0]
    monkeypatch.setattr(sys.modules["goanna.delivery.paired"].time, "monotonic", lambda: now[0])

    class Told(Keeper):
        def given_up(self, operation: Any) -> None:
            self.operations.append((operation.start.request_id, operation.carried, operation.given_up))
            assert operation.end is None
            if operation.start.request_id == 4:
                raise ValueError("this is logged")

    keeper = Told()
    pairs = goanna.paired(keeper, expires=10, maxsize=2)
    for number in (1, 2, 3):
        pairs.started(Started(number))
    pairs.started(Started(3))
    now[0] += 11
    stats = pairs.stats()
    assert (stats.pending, stats.dropped) == (0, {"overflow": 1, "expired": 2, "unpaired": 1})
    pairs.started(Started(4))
    now[0] += 11
    pairs.succeeded(Ended(4))  # too late, and the same operation still
    pairs.started(Started(5))
    assert pairs.close() == 1
    stats = pairs.stats()
    assert total(stats) == stats.published == 6
    assert stats.dropped == {"overflow": 1, "expired": 3, "unpaired": 1, "closed": 1}
    assert keeper.operations == [
        (1, "carried 1", "overflow"),
        (3, "carried 3", "unpaired"),
        (2, "carried 2", "expired"),
        (3, "carried 3", "expired"),
        (4, "carried 4", "expired"),
        (5, "carried 5", "closed"),
    ]
