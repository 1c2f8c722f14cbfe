"""where: conditions on events, before they are built where that is possible."""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from pymongo import monitoring

from support.recorders import check, recorder, sampled
from support.threads import PATIENCE, run_all

ADDRESS = ("h", 27017)


def names(listener: Any) -> list[str]:
    return [type(event).__name__ for event in listener.events]


@pytest.fixture
def commands(goanna: ModuleType) -> Any:
    """A command's events, and a listener of them, of goanna's own kind."""

    class Started(goanna.Event):
        command_name: str
        database_name: str
        request_id: int

    class Succeeded(goanna.Event):
        command_name: str
        database_name: str
        request_id: int
        duration_micros: int

    class Failed(goanna.Event):
        command_name: str
        database_name: str
        request_id: int
        duration_micros: int
        failure: Any = None

    class Interface(goanna.Listener):
        @goanna.handles(Started)
        def started(self, event: Any) -> None: ...
        @goanna.handles(Succeeded)
        def succeeded(self, event: Any) -> None: ...
        @goanna.handles(Failed)
        def failed(self, event: Any) -> None: ...

    class Keeps(Interface):
        def __init__(self) -> None:
            self.events: list[Any] = []

        def started(self, event: Any) -> None:
            self.events.append(event)

        def succeeded(self, event: Any) -> None:
            self.events.append(event)

        def failed(self, event: Any) -> None:
            self.events.append(event)

    return SimpleNamespace(Started=Started, Succeeded=Succeeded, Failed=Failed, Keeps=Keeps, Interface=Interface)


def publish_all(hub: Any, commands: Any, *requests: tuple[str, str, int, int]) -> None:
    """Each request is a command name, a database, a number and microseconds; below 0 for one that fails."""
    for command, database, number, micros in requests:
        hub.publisher(commands.Started)(command, database, number)
        if micros < 0:
            hub.publisher(commands.Failed)(command, database, number, -micros, "broken")
        else:
            hub.publisher(commands.Succeeded)(command, database, number, micros)


REQUESTS = [("find", "a", 1, 10), ("insert", "a", 2, 2_000_000), ("find", "b", 3, -5), ("drop", "b", 4, 500_000)]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"commands": "find"}, ["S1", "E1", "S3", "F3"]),
        ({"commands": ["find", "drop"]}, ["S1", "E1", "S3", "F3", "S4", "E4"]),
        ({"databases": {"b"}}, ["S3", "F3", "S4", "E4"]),
        ({"commands": "find", "databases": "b"}, ["S3", "F3"]),
        ({"fields": {"request_id": (1, 4)}}, ["S1", "E1", "S4", "E4"]),
        ({"fields": {"request_id": 2, "database_name": ["a"]}}, ["S2", "E2"]),
        ({"fields": {"failure": "broken"}}, ["F3"]),
        ({"min_duration": 0.5}, ["E2", "E4"]),
        ({"min_duration": 0}, ["E1", "E2", "F3", "E4"]),
        ({"min_duration": 3}, []),
        ({"sample": 1.0}, ["S1", "E1", "S2", "E2", "S3", "F3", "S4", "E4"]),
        ({"sample": 0.0}, []),
        ({"sample": 0, "always": "failed"}, ["F3"]),
        ({"sample": 0, "always": 0.5}, ["E2", "E4"]),
        ({"sample": 0, "always": ["failed", 1.0]}, ["E2", "F3"]),
        ({"sample": 0, "always": lambda event: event.request_id == 4}, ["S4", "E4"]),
        ({"sample": 0, "always": "failed", "databases": "a"}, []),
        ({"rate": "2/h"}, ["S1", "E1", "S2", "E2"]),
        ({"rate": "1/h", "always": "failed"}, ["S1", "E1", "F3"]),
        ({"rate": "1/h", "by": "database_name"}, ["S1", "E1", "S2", "E2"]),
        ({"predicate": lambda event: event.request_id % 2}, ["S1", "E1", "S3", "F3"]),
        ({"predicate": lambda event: event.request_id % 2, "commands": "find", "min_duration": 1e-5}, ["E1"]),
    ],
)
def test_conditions(goanna: ModuleType, commands: Any, conditions: dict[str, Any], expected: list[str]) -> None:
    letters = {"Started": "S", "Succeeded": "E", "Failed": "F"}
    listener = commands.Keeps()
    wrapper = goanna.where(listener, **conditions)
    hub = goanna.Dispatcher(commands.Interface)
    registration = hub.add(wrapper)
    publish_all(hub, commands, *REQUESTS)
    assert [letters[type(one).__name__] + str(one.request_id) for one in listener.events] == expected
    for stats in (wrapper.stats(), registration.stats()):
        check(stats)
        assert (stats.published, stats.delivered, stats.filtered) == (8, len(expected), 8 - len(expected))


def test_event_types(goanna: ModuleType, shapes: ModuleType) -> None:
    for events, expected in (
        (shapes.OrderPlaced, [1, 2]),
        ([shapes.RushOrder], [2]),
        ((shapes.Shipped, shapes.RushOrder), [2, 3]),
    ):
        listener = recorder(shapes, shipped=lambda self, event: self.log.append(event.order_id))
        hub = goanna.Dispatcher()
        hub.add(goanna.where(listener, events=events))
        hub.publisher(shapes.OrderPlaced)(1)
        hub.publisher(shapes.RushOrder)(2)
        hub.publisher(shapes.Shipped)(3)
        assert listener.log == expected


def test_a_sample_keeps_the_events_of_a_request_together_and_is_about_the_share(
    goanna: ModuleType, commands: Any
) -> None:
    for share in (0.01, 0.1, 0.5):
        listener = commands.Keeps()
        hub = goanna.Dispatcher()
        hub.add(goanna.where(listener, sample=share))
        publish_all(hub, commands, *[("find", "a", number, 1) for number in range(20_000)])
        started = [one.request_id for one in listener.events if type(one) is commands.Started]
        ended = [one.request_id for one in listener.events if type(one) is commands.Succeeded]
        assert started == ended
        assert 0.8 * share < len(started) / 20_000 < 1.2 * share
        again = commands.Keeps()
        hub.add(goanna.where(again, sample=share))
        publish_all(hub, commands, *[("find", "a", number, 1) for number in range(1000)])
        assert [one.request_id for one in again.events if type(one) is commands.Started] == [
            one for one in started if one < 1000
        ]


def test_events_without_a_request_are_sampled_one_by_one(goanna: ModuleType, shapes: ModuleType) -> None:
    for always in ((), "failed"):
        listener = recorder(shapes)
        wrapper = goanna.where(listener, sample=0.25, always=always)
        for number in range(8000):
            wrapper.placed(shapes.OrderPlaced(number))
        assert 0.2 < len(listener.log) / 8000 < 0.3


def test_a_rate_fills_up_again(goanna: ModuleType, commands: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from goanna.delivery import rate_limit

    now = 1000.0
    monkeypatch.setattr(rate_limit, "time", SimpleNamespace(monotonic=lambda: now))
    listener = commands.Keeps()
    wrapper = goanna.where(listener, rate="2/s")

    def admitted(number: int) -> bool:
        before = len(listener.events)
        wrapper.started(commands.Started("find", "a", number))
        return len(listener.events) > before

    assert [admitted(number) for number in range(4)] == [True, True, False, False]
    now += 0.49
    assert not admitted(4)
    now += 0.02
    assert [admitted(5), admitted(6)] == [True, False]
    now += 60
    assert [admitted(number) for number in range(10, 14)] == [True, True, False, False]
    # What was decided for the start of a request holds for its end.
    before = len(listener.events)
    for number in (5, 6, 11, 12):
        wrapper.succeeded(commands.Succeeded("find", "a", number, 1))
    assert [one.request_id for one in listener.events[before:]] == [5, 11]


def test_a_rate_remembers_so_many_requests(goanna: ModuleType) -> None:
    from goanna.delivery.rate_limit import Rate

    rate = Rate(1e9, 1.0, remembered=10)
    for number in range(1000):
        assert rate.admits(number)
    assert len(rate._admitted) == 10


def test_nothing_is_built_for_nobody(goanna: ModuleType, shapes: ModuleType) -> None:
    made: list[int] = []

    def factory() -> int:
        made.append(1)
        return len(made)

    class Costly(goanna.Event):
        kind: str
        size: int = 0
        stamp: int = goanna.field(default_factory=factory)

    class Other(Costly):
        nothing: int = 0

    class Interface(goanna.Listener):
        @goanna.handles(Costly)
        def came(self, event: Any) -> None: ...

    class Keeps(Interface):
        def __init__(self) -> None:
            self.log: list[Any] = []

        def came(self, event: Any) -> None:
            self.log.append(event.kind)

    one, other = Keeps(), Keeps()
    wrappers = [
        goanna.where(one, fields={"kind": "good"}),
        goanna.where(other, fields={"kind": ["good", "fair"], "size": 0}),
        goanna.where(Keeps(), events=Other),
        goanna.where(Keeps(), fields={"nothing": 1}),
    ]
    hub = goanna.Dispatcher()
    registrations = [hub.add(wrapper) for wrapper in wrappers]
    publish = hub.publisher(Costly)
    assert publish
    for kind in ("bad", "worse", "bad"):
        publish(kind)
        publish(kind=kind)
        publish("good", 3) if kind == "none" else None
    assert made == []
    publish("fair", size=1)
    assert made == []
    publish("fair")
    assert len(made) == 1
    publish("good")
    assert len(made) == 2
    assert (one.log, other.log) == (["good"], ["fair", "good"])
    delivered = [1, 2, 0, 0]
    for wrapper, registration, count in zip(wrappers, registrations, delivered, strict=True):
        for stats in (check(wrapper.stats()), check(registration.stats())):
            assert (stats.published, stats.delivered, stats.filtered) == (9, count, 9 - count)
    with pytest.raises(TypeError):
        publish("bad", sze=3)
    with pytest.raises(TypeError):
        publish()
    # One that takes everything: now they are all built.
    hub.add(Keeps())
    publish("bad")
    assert len(made) == 3


def test_with_weak_once_and_priority(goanna: ModuleType, shapes: ModuleType) -> None:
    log: list[Any] = []
    first = goanna.where(shapes.Recorder(log, "first"), fields={"order_id": [2, 3]})
    hub = goanna.Dispatcher()
    hub.add(shapes.Recorder(log, "plain"))
    once = hub.add(first, once=True, priority=5)
    publish = hub.publisher(shapes.OrderPlaced)
    publish(1)
    assert once.active  # what it does not take does not count
    publish(2)
    publish(3)
    assert not once.active
    assert [(name, event.order_id) for name, event in log] == [("plain", 1), ("first", 2), ("plain", 2), ("plain", 3)]
    stats = check(once.stats())
    assert (stats.delivered, stats.filtered) == (1, 1)

    weak = goanna.where(shapes.Recorder(log, "weak"), fields={"order_id": 5})
    registration = hub.add(weak, weak=True)
    publish(5)
    publish(6)
    assert ("weak", 5) in [(name, event.order_id) for name, event in log]
    del weak
    import gc

    gc.collect()
    assert not registration.active
    publish(5)
    assert [name for name, event in log if event.order_id == 5] == ["plain", "weak", "plain"]


def test_what_conditions_and_listeners_raise_goes_to_the_policy(goanna: ModuleType, shapes: ModuleType) -> None:
    errors: list[Any] = []

    def predicate(event: Any) -> bool:
        return {1: True, 2: False}[event.order_id]

    wrapper = goanna.where(shapes.Failing([]), predicate)
    later = recorder(shapes)
    hub = goanna.Dispatcher(errors=lambda *args: errors.append(args))
    registration = hub.add(wrapper)
    hub.add(later)
    for number in (1, 2, 3):
        hub.publisher(shapes.OrderPlaced)(number)
    assert [type(error) for error, _, _ in errors] == [ValueError, KeyError]
    assert all(listener is wrapper for _, listener, _ in errors)
    assert later.log == [1, 2, 3]
    for stats in (wrapper.stats(), registration.stats()):
        check(stats)
        assert (stats.failed, stats.filtered, stats.delivered) == (2, 1, 0)


def test_values_without_a_hash_and_missing_fields_do_not_match(goanna: ModuleType, shapes: ModuleType) -> None:
    listener = recorder(shapes)
    hub = goanna.Dispatcher()
    hub.add(goanna.where(listener, fields={"order_id": [1, 2]}))
    publish = hub.publisher(shapes.OrderPlaced)
    publish([1])
    publish(order_id={})
    publish.publish(shapes.OrderPlaced([2]))
    publish(2)
    assert listener.log == [2]


def test_pymongos_events(goanna: ModuleType) -> None:
    from pymongo import monitoring

    got: list[Any] = []

    class Listener(monitoring.CommandListener):
        def started(self, event: Any) -> None:
            got.append(event)

        def succeeded(self, event: Any) -> None:
            got.append(event)

        def failed(self, event: Any) -> None:
            got.append(event)

    import datetime

    slow, fast = datetime.timedelta(seconds=2), datetime.timedelta(microseconds=5)
    events = [
        monitoring.CommandStartedEvent({"find": 1}, "db", 1, ADDRESS, 1),
        monitoring.CommandSucceededEvent(slow, {"ok": 1}, "find", 1, ADDRESS, 1, database_name="db"),
        monitoring.CommandStartedEvent({"insert": 1}, "db", 2, ADDRESS, 2),
        monitoring.CommandFailedEvent(fast, {"ok": 0}, "insert", 2, ADDRESS, 2, database_name="db"),
    ]
    for conditions, expected in (
        ({"commands": "find"}, [0, 1]),
        ({"databases": "db"}, [0, 1, 2, 3]),
        ({"min_duration": 1.5}, [1]),
        ({"sample": 0.0, "always": ["failed", 1.0]}, [1, 3]),
        ({"events": monitoring.CommandFailedEvent}, [3]),
    ):
        del got[:]
        wrapper = goanna.where(Listener(), **conditions)
        assert isinstance(wrapper, monitoring.CommandListener)
        for event in events:
            getattr(
                wrapper, {"Started": "started", "Succeeded": "succeeded"}.get(type(event).__name__[7:-5], "failed")
            )(event)
        assert got == [events[one] for one in expected], conditions


def test_the_counts_agree_at_any_instant(goanna: ModuleType, shapes: ModuleType) -> None:
    def maybe_fails(event: Any) -> None:
        if event.order_id % 7 == 0:
            raise ValueError(event.order_id)

    wrapper = goanna.where(
        recorder(shapes, maybe_fails), fields={"total": 1.0}, predicate=lambda event: event.order_id % 2
    )
    hub = goanna.Dispatcher(errors=lambda *args: None)
    registration = hub.add(wrapper)
    other = hub.add(recorder(shapes))
    publish = hub.publisher(shapes.OrderPlaced)

    def many() -> None:
        for number in range(3000):
            publish(number, 1.0 if number % 3 else 0.0)

    with sampled(wrapper, registration, other):
        run_all(many, many, many)
    for stats in (wrapper.stats(), registration.stats()):
        if goanna.BACKEND == "c":  # the pure core's increments without a lock are exact on CPython with its lock, too
            assert check(stats).published == 9000
        assert stats.published == 9000
    assert other.stats().delivered == 9000


# Nested in all orders.


def test_where_before_queued_and_the_reverse(goanna: ModuleType, shapes: ModuleType) -> None:
    inner = recorder(shapes)
    queue = goanna.queued(inner)
    outer = goanna.where(queue, fields={"order_id": [1, 3]})
    listener = recorder(shapes)
    reverse = goanna.queued(goanna.where(listener, fields={"order_id": [1, 3]}))
    hub = goanna.Dispatcher(shapes.OrderListener)
    hub.add(outer)
    hub.add(reverse)
    for number in range(5):
        hub.publisher(shapes.OrderPlaced)(number)
    assert outer.flush(PATIENCE) == reverse.flush(PATIENCE) == 0
    assert inner.log == listener.log == [1, 3]
    assert (check(outer.stats()).filtered, check(queue.stats()).published) == (3, 2)
    assert (check(reverse.stats()).delivered, check(reverse.listener.stats()).filtered) == (5, 3)
    assert outer.close(PATIENCE) == reverse.close(PATIENCE) == 0
    hub.publisher(shapes.OrderPlaced)(1)
    assert check(queue.stats()).dropped == {"closed": 1}
    assert outer.listener is queue


def test_on_loop_with_where_and_queued(goanna: ModuleType, shapes: ModuleType) -> None:
    async def main() -> None:
        first, second, third = recorder(shapes), recorder(shapes), recorder(shapes)
        chains = [
            goanna.where(goanna.on_loop(first), fields={"order_id": 2}),
            goanna.on_loop(goanna.where(second, fields={"order_id": 2})),
            goanna.queued(goanna.on_loop(third)),
        ]
        for number in range(4):
            for one in chains:
                assert isinstance(one, shapes.OrderListener)
                one.placed(shapes.OrderPlaced(number))
        for one in chains:
            assert await one.aflush(PATIENCE) == 0
        assert await chains[2].listener.aflush(PATIENCE) == 0
        assert (first.log, second.log, third.log) == ([2], [2], [0, 1, 2, 3])
        for one in chains:
            assert await one.aclose(PATIENCE) == 0
        nested = goanna.where(goanna.where(recorder(shapes), fields={"order_id": [1, 2]}), fields={"order_id": [2, 3]})
        for number in range(4):
            nested.placed(shapes.OrderPlaced(number))
        assert nested.listener.listener.log == [2]
        check(nested.stats())

    asyncio.run(main())


def test_where_around_coroutines(goanna: ModuleType, shapes: ModuleType) -> None:
    log: list[int] = []

    class Async(shapes.OrderListener):  # type: ignore[name-defined,misc]
        async def placed(self, event: Any) -> None:
            await asyncio.sleep(0)
            log.append(event.order_id)

    async def main() -> None:
        wrapper = goanna.where(goanna.on_loop(Async()), fields={"order_id": 1})
        wrapper.placed(shapes.OrderPlaced(0))
        wrapper.placed(shapes.OrderPlaced(1))
        assert await wrapper.aclose(PATIENCE) == 0
        with pytest.raises(TypeError, match="coroutine function"):
            goanna.where(Async(), fields={"order_id": 1})
        with pytest.raises(TypeError, match="coroutine function"):
            goanna.queued(Async())

    asyncio.run(main())
    assert log == [1]


def test_none_is_a_value_like_others(goanna: ModuleType, shapes: ModuleType) -> None:
    """Also as the very first argument that a condition looks at before the event is built."""
    got: list[Any] = []
    hub = goanna.Dispatcher(shapes.OrderListener)
    hub.add(goanna.where(shapes.Recorder(got), fields={"total": [None]}))
    publish = hub.publisher(shapes.OrderPlaced)
    publish(1, None)
    publish(2, 1.0)
    publish(3, total=None)
    assert [event.order_id for _, event in got] == [1, 3]


@pytest.mark.parametrize("times", [1, 5])
def test_rejected_again_and_again(goanna: ModuleType, times: int) -> None:
    """One condition on one listener, the case that the compiled core has a shorter way for."""

    class Sent(goanna.Event):
        command_name: str
        number: int = 0

    class Interface(goanna.Listener):
        @goanna.handles(Sent)
        def sent(self, event: Any) -> None: ...

    class Keeps(Interface):
        def __init__(self) -> None:
            self.seen: list[int] = []

        def sent(self, event: Any) -> None:
            self.seen.append(event.number)

    behind = Keeps()
    hub = goanna.Dispatcher(Interface)
    wrapper = goanna.where(behind, commands={"find"})
    registration = hub.add(wrapper)
    publish = hub.publisher(Sent)
    for number in range(times):
        publish("insert", number)
        publish("insert")
        publish("find", number)
        publish(command_name="insert", number=number)
        with pytest.raises(TypeError):
            publish("insert", number, "too many")
        with pytest.raises(TypeError):
            publish()
    assert behind.seen == list(range(times))
    for counts in (wrapper.stats(), registration.stats()):
        assert (counts.published, counts.delivered, counts.filtered) == (4 * times, times, 3 * times)
    registration.remove()
    publish("insert", 1)
    assert registration.stats().filtered == 3 * times


# Operations.


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        (
            {"fields": {"comand_name": "find"}},
            "no event of the listener has a field 'comand_name'; it gets OrderPlaced",
        ),
        ({"commands": "find"}, "no event of the listener has a field 'command_name'; it gets"),
        ({"events": int}, "events has int, and no event is one; the listener gets OrderPlaced"),
        ({"min_duration": 1}, "no event of the listener has a duration; it gets OrderPlaced"),
        ({"sample": 0.5, "by": "requst"}, "no event of the listener has a field 'requst'"),
    ],
)
def test_what_no_event_can_meet_is_refused(
    goanna: ModuleType, shapes: ModuleType, conditions: dict[str, Any], text: str
) -> None:
    with pytest.raises(TypeError, match=text):
        goanna.where(shapes.Recorder([]), **conditions)
    with pytest.raises(TypeError, match="no event of the listener has a field 'command_name'"):
        goanna.where(Mock(spec=monitoring.ServerHeartbeatListener), commands="hello")


@pytest.fixture
def old(goanna: ModuleType) -> Any:
    """Events like those of PyMongo up to 4.5, whose ends don't name a database, and a listener of them."""

    class Started(goanna.Event):
        command_name: str
        database_name: str
        request_id: int

    class Ended(goanna.Event):
        command_name: str
        request_id: int
        duration_micros: int

    class Failed(Ended):
        failure: str = "broken"

    class Interface(goanna.Listener):
        @goanna.handles(Started)
        def started(self, event: Any) -> None: ...
        @goanna.handles(Ended)
        def succeeded(self, event: Any) -> None: ...
        @goanna.handles(Failed)
        def failed(self, event: Any) -> None: ...

    class Ends(Interface):
        def __init__(self) -> None:
            self.log: list[Any] = []

        def succeeded(self, event: Any) -> None:
            self.log.append(("end", event.request_id))

        def command(self, operation: Any) -> None:
            self.log.append((operation.start.request_id, operation.end.request_id, operation.carried))

    class Both(Ends):
        def started(self, event: Any) -> Any:
            self.log.append(("start", event.request_id))
            return "carried"

    return SimpleNamespace(Started=Started, Ended=Ended, Interface=Interface, Ends=Ends, Both=Both)


def play_old(hub: Any, old: Any) -> None:
    rows = [("find", "a", 1, 10), ("find", "b", 2, 2_000_000), ("drop", "a", 3, 5_000_000)]
    for command, database, number, _ in rows:
        hub.publisher(old.Started)(command, database, number)
    for command, _, number, micros in reversed(rows):
        hub.publisher(old.Ended)(command, number, micros)
    hub.publisher(old.Ended)("find", 99, 2_000_000)  # its start was before the listener


@pytest.mark.parametrize(
    ("conditions", "expected", "ends"),
    [
        ({"databases": "a"}, [1, 3], [3, 1]),
        ({"databases": "b", "commands": "find"}, [2], [2]),
        ({"databases": "a", "min_duration": 1.0}, [], [3]),
        ({"fields": {"database_name": ["a"]}, "predicate": lambda event: event.request_id != 3}, [1], [1]),
    ],
)
def test_an_end_that_does_not_tell_goes_with_its_start(
    goanna: ModuleType, old: Any, conditions: dict[str, Any], expected: list[int], ends: list[int]
) -> None:
    both, only = old.Both(), old.Ends()
    hub = goanna.Dispatcher(old.Interface, errors="raise")
    wrappers = [goanna.where(both, **conditions), goanna.where(only, **conditions)]
    for one in wrappers:
        hub.add(one)
    play_old(hub, old)
    assert both.log == [*[("start", one) for one in expected], *[("end", one) for one in ends]]
    assert only.log == [("end", one) for one in ends]
    assert [check(one.stats()).published for one in wrappers] == [7, 4]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"min_duration": 1.0}, [3, 2]),
        ({"min_duration": 1.0, "databases": "a"}, [3]),
        ({"databases": "a"}, [3, 1]),
        ({"sample": 0.0, "always": 3.0}, [3]),
        ({"rate": "1/h", "always": 3.0}, [3, 1]),
        ({"predicate": lambda event: event.database_name == "b"}, [2]),
        ({"fields": {"duration_micros": 10}}, [1]),
    ],
)
@pytest.mark.parametrize("behind", ["paired", "queued"])
def test_in_front_of_paired_conditions_are_about_operations(
    goanna: ModuleType, old: Any, behind: str, conditions: dict[str, Any], expected: list[int]
) -> None:
    both = old.Both()
    pairs = goanna.paired(both)
    inner = goanna.queued(pairs) if behind == "queued" else pairs
    hub = goanna.Dispatcher(old.Interface, errors="raise")
    hub.add(goanna.where(inner, **conditions))
    play_old(hub, old)
    assert inner.close(PATIENCE) == 0
    assert [one for one in both.log if len(one) == 3] == [(one, one, "carried") for one in expected]
    stats = pairs.stats()
    assert (stats.published, stats.delivered, stats.dropped) == (len(expected), len(expected), {})


def test_so_many_starts_are_remembered(goanna: ModuleType, old: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["goanna.delivery.where"], "_REMEMBERED", 10)
    both = old.Both()
    wrapper = goanna.where(goanna.paired(both), min_duration=0.0)
    events = [old.Started("find", "a", number) for number in range(100)]
    for event in events:
        wrapper.started(event)
    for number in range(100):
        wrapper.succeeded(old.Ended("find", number, 1))
    assert [one[0] for one in both.log if len(one) == 3] == list(range(90, 100))
    assert both.log[0] == ("start", 90)
