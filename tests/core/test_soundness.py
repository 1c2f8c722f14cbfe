"""Nothing leaks, cycles are collected, and listeners that pull the rug away do no harm.

These tests matter most for the compiled core; ``make sanitize`` runs them, with all others, under AddressSanitizer and
UndefinedBehaviorSanitizer.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import weakref
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from support.garbage import COUNTS_AT_ONCE, IMMORTAL_CLASSES, collect
from support.leaks import assert_no_leak


def swallow(action: Callable[[], object]) -> Callable[[], None]:
    def attempt() -> None:
        try:
            action()
        except (Exception, GeneratorExit):  # the paths under test are those that raise
            pass

    return attempt


def paths(goanna: ModuleType, shapes: ModuleType) -> dict[str, Callable[[], object]]:
    """One repeatable action for every path through the core."""

    class Plain(shapes.Recorder):  # type: ignore[name-defined,misc]
        def placed(self, event: Any) -> None:
            self.last = event

        shipped = placed

    class Raises(Plain):
        def placed(self, event: Any) -> None:
            raise ValueError(event)

    class Stops(Plain):
        def placed(self, event: Any) -> None:
            raise GeneratorExit

    class Callable_:
        def __call__(self, event: Any) -> None:
            self.last = event

    def hub_of(*listeners: Any, errors: Any = lambda *args: None) -> Any:
        hub = goanna.Dispatcher(errors=errors)
        for one in listeners:
            hub.add(one)
        return hub.publisher(shapes.OrderPlaced)

    odd = Plain()
    odd.placed = Callable_()
    plain, empty, odd_call = hub_of(Plain(), Plain(), Plain()), hub_of(), hub_of(odd)
    failing, stopping = hub_of(Raises(), Plain(), Raises()), hub_of(Plain(), Stops(), Plain())
    raising = hub_of(Raises(), Plain(), errors="raise")
    prepared = shapes.OrderPlaced(1)

    rounds = itertools.count(1)

    def hub_cycle() -> None:
        hub = goanna.Dispatcher(shapes.OrderListener, errors=lambda *args: None)
        listener = Plain()
        listener.hub = hub
        with hub.add(listener), hub.add(Raises(), once=True), hub.add(Plain(), weak=True):
            hub.publisher(shapes.OrderPlaced)(1)
        if not next(rounds) % 20:
            # As many as there are when the collector runs of itself would decide how large sets of weak references are.
            gc.collect()

    churn = goanna.Dispatcher()
    churn_publish = churn.publisher(shapes.OrderPlaced)

    def add_and_remove() -> None:
        registration = churn.add(Plain())
        churn_publish(1)
        registration.refresh()
        registration.remove()
        registration.stats()

    return {
        "publish": lambda: plain(1, total=2.0),
        "publish built": lambda: plain.publish(prepared),
        "publish to nobody": lambda: empty(1, total=3.0),
        "publish to a callable": lambda: odd_call(1),
        "publish by keyword": lambda: plain(total=1.0, order_id=2),
        "wrong arguments": swallow(lambda: plain(1, totl=3)),
        "too many arguments": swallow(lambda: plain(1, 2, 3)),
        "an argument twice": swallow(lambda: plain(1, order_id=3)),
        "wrong arguments to nobody": swallow(lambda: empty()),
        "wrong event": swallow(lambda: plain.publish(3)),
        "errors": lambda: failing(1),
        "errors raised": swallow(lambda: raising(1)),
        "base exception": swallow(lambda: stopping(1)),
        "construct": lambda: shapes.OrderPlaced(1),
        "construct by keyword": lambda: shapes.Mixed(first=1, third=3, secret="s"),
        "construct wrongly": swallow(lambda: shapes.Mixed(first=1, fourth=3)),
        "dispatcher in a cycle": hub_cycle,
        "add and remove": add_and_remove,
    }


SLOW = {"errors", "errors raised", "base exception", "dispatcher in a cycle", "add and remove"}
NAMES = list(SLOW) + [
    "publish", "publish built", "publish to nobody", "publish to a callable", "publish by keyword", "wrong arguments",
    "too many arguments", "an argument twice", "wrong arguments to nobody", "wrong event", "construct",
    "construct by keyword", "construct wrongly",
]  # fmt: skip


def test_every_path_is_named(goanna: ModuleType, shapes: ModuleType) -> None:
    assert sorted(paths(goanna, shapes)) == sorted(NAMES)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_no_path_leaks(goanna: ModuleType, shapes: ModuleType, name: str, repetitions: int) -> None:
    count = repetitions // 20 if name in SLOW else repetitions
    watched = [None, shapes.OrderPlaced, shapes.Mixed, 1, "order_id", goanna.MISSING]
    assert_no_leak(paths(goanna, shapes)[name], count, watched)


@pytest.mark.skipif(IMMORTAL_CLASSES, reason="classes are immortal there")
def test_defining_events_again_and_again_takes_no_more_memory(goanna: ModuleType) -> None:
    def define() -> None:
        class Local(goanna.Event):
            x: int
            y: list[int] = goanna.field(default_factory=list)

        hub = goanna.Dispatcher()
        hub.publisher(Local)(1)

    for _ in range(20):
        define()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(200):
        define()
    gc.collect()
    assert len(gc.get_objects()) - before < 100


def test_events_in_cycles_are_collected(goanna: ModuleType, shapes: ModuleType) -> None:
    class Marker:
        pass

    class Keeps(shapes.Recorder):  # type: ignore[name-defined,misc]
        def placed(self, event: Any) -> None:
            event.order_id.event = event

    hub = goanna.Dispatcher()
    hub.add(Keeps())
    publish = hub.publisher(shapes.OrderPlaced)
    gone = []
    for build in (publish, shapes.OrderPlaced, lambda marker: publish(order_id=marker, total=1)):
        marker = Marker()
        marker.event = build(marker)
        gone.append(weakref.ref(marker))
    del marker
    collect()
    assert [one() for one in gone] == [None, None, None]


def test_a_dispatcher_in_a_cycle_with_its_listener_is_collected(goanna: ModuleType, shapes: ModuleType) -> None:
    hub = goanna.Dispatcher()
    listener = shapes.Recorder()
    listener.hub, listener.publish = hub, hub.publisher(shapes.OrderPlaced)
    listener.registration = hub.add(listener)
    listener.publish(1)
    gone = [weakref.ref(hub), weakref.ref(listener), weakref.ref(listener.publish)]
    del hub, listener
    collect()
    assert [one() for one in gone] == [None, None, None]


def test_a_channel_that_is_its_own_listener_is_collected(goanna: ModuleType, shapes: ModuleType) -> None:
    from goanna import core

    channel = core.Channel(shapes.OrderPlaced.__event_maker__, core.Table([]), None)
    channel.replace_table(core.Table([core.Call(channel.publish, core.Account(), None)]))
    gone = weakref.ref(channel)
    del channel
    collect()
    assert gone() is None


def test_a_listener_drops_the_dispatcher_and_runs_the_collector(goanna: ModuleType, shapes: ModuleType) -> None:
    log: list[str] = []

    class Drops(shapes.Recorder):  # type: ignore[name-defined,misc]
        def placed(self, event: Any) -> None:
            held.clear()
            collect()
            log.append("drops")

        def __del__(self) -> None:
            log.append("gone")

    class Last(shapes.Recorder):  # type: ignore[name-defined,misc]
        def placed(self, event: Any) -> None:
            log.append(f"last {event.order_id}")

    hub = goanna.Dispatcher()
    hub.add(Drops())
    hub.add(Last())
    held = {"publish": hub.publisher(shapes.OrderPlaced), "hub": hub}
    del hub
    held["publish"](order_id=7)
    collect()
    assert log == ["drops", "last 7", "gone"]


def test_a_finalizer_that_publishes_and_registers(goanna: ModuleType, shapes: ModuleType) -> None:
    hub = goanna.Dispatcher()
    log: list[Any] = []
    recorder = hub.add(shapes.Recorder(log, "stays"))

    class Last(shapes.Recorder):  # type: ignore[name-defined,misc]
        def __del__(self) -> None:
            hub.publish(shapes.OrderPlaced("from del"))
            hub.add(shapes.Recorder(log, "added by del"))

    for _ in range(3):
        registration = hub.add(Last(log, "last"))
        registration.remove()
        del registration
    collect()
    assert recorder.stats().delivered == 3
    assert len(hub) == 4


def test_an_event_survives_its_publish(goanna: ModuleType, shapes: ModuleType) -> None:
    hub = goanna.Dispatcher()
    recorder = shapes.Recorder()
    hub.add(recorder)
    publish = hub.publisher(shapes.OrderPlaced)
    for number in range(1000):
        publish([number], total={number: number})
    assert [(event.order_id, event.total) for _, event in recorder.log] == [([n], {n: n}) for n in range(1000)]


def test_arguments_are_released(goanna: ModuleType, shapes: ModuleType) -> None:
    class Marker:
        pass

    hub = goanna.Dispatcher(errors=lambda *args: None)
    hub.add(shapes.Failing())
    hub.registrations[0].listener.log = type("Sink", (list,), {"append": lambda self, value: None})()
    publish = hub.publisher(shapes.OrderPlaced)
    for attempt in (
        lambda marker: publish(marker),
        lambda marker: publish(order_id=marker),
        lambda marker: publish(marker, 1, 2),
        lambda marker: publish(1, wrong=marker),
        lambda marker: publish.publish(shapes.OrderPlaced(marker)),
    ):
        marker = Marker()
        gone = weakref.ref(marker)
        swallow(lambda attempt=attempt, marker=marker: attempt(marker))()
        del marker
        collect()
        assert gone() is None


def test_a_factory_takes_the_maker_of_its_class_away(goanna: ModuleType) -> None:
    junk: list[bytes] = []

    def factory() -> int:
        if "__event_maker__" in vars(Local):
            del Local.__event_maker__
        collect()
        junk[:] = [bytes(size) for size in range(0, 400, 8)]
        return 5

    class Local(goanna.Event):
        first: int
        second: int = goanna.field(default_factory=factory)
        third: int = goanna.field(default_factory=lambda: 7)

    event = Local(1)
    assert (event.first, event.second, event.third) == (1, 5, 7)


def test_nobody_finds_what_is_being_made(goanna: ModuleType, shapes: ModuleType) -> None:
    """Else who asks the collector for its objects, as heap profilers do, could call what has no fields yet."""
    from goanna import core

    fields = shapes.OrderPlaced.__event_maker__.fields
    seen: list[int] = []

    class Looks:
        def __init__(self, kind: type, *values: Any) -> None:
            self.kind = kind
            self.values = values

        def __iter__(self) -> Any:
            seen.append(sum(type(one) is self.kind for one in gc.get_objects()))
            return iter(self.values)

    def before(kind: type) -> int:
        return sum(type(one) is kind for one in gc.get_objects())

    for kind, make in (
        (core.Maker, lambda: core.Maker(shapes.OrderPlaced, Looks(core.Maker, *fields))),
        (core.Table, lambda: core.Table(Looks(core.Table))),
        (core.Filter, lambda: core.Filter(print, core.Account(), members=Looks(core.Filter))),
    ):
        seen.clear()
        collect()
        there = before(kind)
        made = make()
        if goanna.BACKEND == "c":
            assert seen == [there], kind
        assert before(kind) == there + (kind.__module__ == "goanna.core" and gc.is_tracked(made)), kind


class Interferes:
    """Changes things at each collection: what listeners keep, who is registered, and what is in which name."""

    def __init__(self, *actions: Callable[[], object]) -> None:
        self.actions = itertools.cycle(actions)
        self.calls = 0
        self.busy = False

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start" and not self.busy:
            self.busy = True
            self.calls += 1
            try:
                next(self.actions)()
            finally:
                self.busy = False


@contextlib.contextmanager
def interfering(*actions: Callable[[], object]) -> Iterator[Interferes]:
    """Run the collector as often as the interpreter can, and one of the actions each time."""
    interferes = Interferes(*actions)
    before = gc.get_threshold()
    gc.callbacks.append(interferes)
    gc.set_threshold(1, 1000, 1000)
    try:
        yield interferes
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(interferes)


@pytest.mark.skipif(not COUNTS_AT_ONCE, reason="the collector runs when it likes there")
def test_a_collector_that_runs_at_each_allocation_and_changes_things(
    goanna: ModuleType, shapes: ModuleType, repetitions: int
) -> None:
    hub = goanna.Dispatcher(errors=lambda *args: None)
    publish = hub.publisher(shapes.OrderPlaced)
    queue = goanna.queued(shapes.Recorder([]), maxsize=4)
    hub.add(queue)
    hub.add(goanna.where(shapes.Recorder([]), fields={"order_id": {1, 2}}))
    registrations: list[Any] = []

    class Plain(shapes.Recorder):  # type: ignore[name-defined,misc]
        def __init__(self) -> None: ...

        def placed(self, event: Any) -> None:
            self.last = [event]
            if event.order_id == 3:
                raise ValueError

        shipped = placed

    def add() -> None:
        if len(registrations) < 20:
            registrations.append(hub.add(Plain()))

    def remove() -> None:
        if registrations:
            registrations.pop(0).remove()

    def republish() -> None:
        publish(total=1.0, order_id=7)

    actions = paths(goanna, shapes)
    with interfering(add, republish, remove, gc.get_objects, add) as tried:
        for number in range(repetitions // 5000):
            publish(number % 5)
            publish.publish(shapes.OrderPlaced(number))
            for action in actions.values():
                action()
    assert tried.calls > 10
    assert queue.close(timeout=30) == 0
    stats = queue.stats()
    assert stats.published == stats.delivered + stats.failed + sum(stats.dropped.values()) + stats.pending
    for one in registrations:
        one.remove()
        ended = one.stats()
        assert ended.published == ended.delivered + ended.failed + ended.filtered + sum(ended.dropped.values())
