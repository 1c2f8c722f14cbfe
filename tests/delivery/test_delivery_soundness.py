"""Nothing leaks on the paths of delivery, and finalizers that publish do no harm. See tests/core/test_soundness.py."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from support.garbage import IMMORTAL_CLASSES, catch_up, collect
from support.leaks import assert_no_leak

FOREVER = 1 << 60


def swallow(action: Callable[[], object]) -> Callable[[], None]:
    def attempt() -> None:
        try:
            action()
        except (TypeError, ValueError, SystemExit):  # the paths under test are those that raise
            pass

    return attempt


def paths(shapes: ModuleType) -> dict[str, Callable[[], object]]:
    """One repeatable action for every path through the ring and the filter; each leaves things as they were."""
    from goanna import core

    event = shapes.OrderPlaced(1)

    def fails(event: Any) -> None:
        raise ValueError(event)

    def exits(event: Any) -> None:
        raise SystemExit(3)

    def ring_of(handler: Any, **options: Any) -> tuple[Any, Any]:
        ring = core.Ring(4, lambda: None, lambda *args: None, **options)
        return ring, ring.inlet(handler)

    def nothing(event: Any) -> None: ...

    def path(handler: Any, *calls: str, **options: Any) -> Callable[[], None]:
        ring, inlet = ring_of(handler, **options)

        def run() -> None:
            inlet(event)
            inlet(shapes.OrderPlaced(2))
            for one in calls:
                if one == "pop":
                    ring.pop()
                    ring.done(1, 0, 1)
                elif one == "take":
                    ring.take(10)
                    ring.done(2, 0, 1)
                elif one == "drain":
                    ring.drain(10, FOREVER)
                elif one == "discard":
                    ring.discard("closed")
                elif one == "drop":
                    ring.drop("timeout")
                    ring.trailing()
                elif one == "counts":
                    ring.counts()
                elif one == "fill":
                    for _ in range(6):
                        inlet(event)
                elif one == "arm":
                    ring.arm(1)
                    ring.wake_now()
                    ring.arm(7)

        return run

    shut, shut_inlet = ring_of(nothing)
    shut.shut("closed")

    def new_ring() -> None:
        ring, inlet = ring_of(nothing)
        inlet(event)
        ring.push(nothing, event)

    class Holds:
        inlet: Any

        def handle(self, event: Any) -> None: ...

    def cycle() -> None:
        ring, inlet = ring_of(nothing)
        holds = Holds()
        holds.inlet = ring.inlet(holds.handle)
        inlet(event)
        del ring, inlet, holds
        gc.collect()  # each time, for the set of all rings, which keeps the size it once had, to stay small

    def filter_of(target: Any, **options: Any) -> Any:
        return core.Filter(target, core.Account(), **options)

    members = (("order_id", frozenset([1])),)
    through = filter_of(nothing, types=(shapes.OrderPlaced,), members=members, least=(("total", 0.0),),
                       sample=("order_id", (1 << 64) - 1), rest=lambda event: True)  # fmt: skip
    outside = filter_of(nothing, members=(("order_id", frozenset([7])),))
    account = core.Account()
    maker = shapes.OrderPlaced.__event_maker__
    channel = core.Channel(
        maker, core.Table([core.Call(one, account, None) for one in (outside, outside)], maker), None
    )
    mixed = core.Channel(
        maker, core.Table([core.Call(one, account, None) for one in (outside, through, nothing)], maker), None
    )
    return {
        "push and drain": path(nothing, "drain"),
        "push and fail": path(fails, "drain"),
        "push and exit": path(exits, "drain"),
        "push and pop": path(nothing, "pop", "pop"),
        "push and take": path(nothing, "take"),
        "push and discard": path(nothing, "discard", "counts"),
        "push out": path(nothing, "fill", "drain", "drop"),
        "push out with gaps": path(nothing, "fill", "drain", "drop", gap=lambda count: None),
        "drop the newest": path(nothing, "fill", "discard", newest=True),
        "full": path(nothing, "fill", "discard", full=lambda handler, event, context: None),
        "capture": path(nothing, "fill", "drain", "fill", "discard", capture=True),
        "capture and take": path(nothing, "take", capture=True),
        "prepare": path(nothing, "drain", prepare=lambda event: event),
        "prepare and fail": path(nothing, "drain", prepare=fails),
        "slow": path(nothing, "drain", slow=FOREVER, slowed=lambda *args: None),
        "wake": path(nothing, "arm", "drain"),
        "push into a shut ring": lambda: shut_inlet(event),
        "push by keyword": lambda: shut_inlet(event=event),
        "push wrongly": swallow(lambda: shut_inlet()),
        "wrong reason": swallow(lambda: shut.drop("because")),
        "a ring that goes with its events": new_ring,
        "a ring in a cycle": cycle,
        "filter lets through": lambda: through(event),
        "filter keeps out": lambda: outside(event),
        "filter whose target raises": swallow(lambda filter_=filter_of(fails): filter_(event)),
        "filter whose rest raises": swallow(lambda filter_=filter_of(nothing, rest=fails): filter_(event)),
        "filter without the attribute": lambda filter_=filter_of(nothing, members=(("nothing", frozenset()),)): filter_(
            event
        ),
        "filter without a hash": lambda value=shapes.OrderPlaced([]): outside(value),
        "filter before another": lambda: through.before(nothing),
        "rejected early": lambda: channel(3),
        "rejected early by keyword": lambda: channel(order_id=3),
        "rejected late": lambda: channel.publish(event),
        "some rejected": lambda: mixed(1),
        "sampled": lambda: (core.sampled(3, 1), core.sampled("text", 1), core.sampled(1 << 90, 1)),
    }


SLOW = {"a ring in a cycle": 200, "push wrongly": 50}
NAMES = [
    "push and drain", "push and fail", "push and exit", "push and pop", "push and take", "push and discard", "push out",
    "push out with gaps", "drop the newest", "full", "capture", "capture and take", "prepare", "prepare and fail",
    "slow", "wake", "push into a shut ring", "push by keyword", "push wrongly", "wrong reason",
    "a ring that goes with its events", "a ring in a cycle", "filter lets through", "filter keeps out",
    "filter whose target raises", "filter whose rest raises", "filter without the attribute", "filter without a hash",
    "filter before another", "rejected early", "rejected early by keyword", "rejected late", "some rejected", "sampled",
]  # fmt: skip


def test_every_path_is_named(goanna: ModuleType, shapes: ModuleType) -> None:
    assert sorted(paths(shapes)) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_path_leaks(goanna: ModuleType, shapes: ModuleType, name: str, repetitions: int) -> None:
    count = repetitions // SLOW.get(name, 10)
    watched = [None, shapes.OrderPlaced, 1, "order_id", goanna.MISSING]
    assert_no_leak(paths(shapes)[name], count, watched, references=max(count // 10, 40))


@pytest.mark.parametrize("way", ["push out", "drop the newest", "discard", "drain", "take", "ring goes"])
def test_a_finalizer_that_publishes_into_the_same_ring(goanna: ModuleType, way: str) -> None:
    from goanna import core

    ring = core.Ring(3, lambda: None, lambda *args: None, newest=way == "drop the newest")
    inlet = ring.inlet(lambda event: None)
    ended: list[int] = []

    class Publishes:
        def __init__(self, number: int) -> None:
            self.number = number

        def __del__(self) -> None:
            ended.append(self.number)
            counts = ring.counts() if ring is not None else None
            if counts is not None:
                assert counts[0] == counts[1] + counts[2] + sum(counts[3]) + counts[4]
                if self.number < 100:
                    inlet(Publishes(self.number + 100))
                    ring.drain(1, FOREVER)

    for number in range(20):
        inlet(Publishes(number))
        if way == "discard":
            ring.discard("closed")
        elif way == "drain":
            ring.drain(2, FOREVER)
        elif way == "take":
            taken, _ = ring.take(2)
            ring.done(len(taken), 0, 1)
            del taken
    if way == "ring goes":
        ring = inlet = None
        gc.collect()
        assert set(range(20)) <= set(ended)
        return
    catch_up()
    while ring.discard("closed") or ring.drain(10, FOREVER):
        catch_up()
    published, delivered, failed, dropped, pending = ring.counts()[:5]
    assert published == delivered + failed + sum(dropped) + pending == 40
    assert pending == 0
    assert sorted(ended) == [*range(20), *range(100, 120)]


@pytest.mark.skipif(IMMORTAL_CLASSES, reason="classes are immortal there")
@pytest.mark.parametrize("wraps", ["where", "queued", "on_loop"])
def test_wrappers_that_are_garbage_are_collected(goanna: ModuleType, shapes: ModuleType, wraps: str) -> None:
    import asyncio

    loop = asyncio.new_event_loop()
    make = {
        "where": lambda listener: goanna.where(listener, lambda event: True),
        "queued": goanna.queued,
        "on_loop": lambda listener: goanna.on_loop(listener, loop),
    }[wraps]
    gone = []
    for cycle in (False, True):
        listener = shapes.Recorder()
        wrapper = make(listener)
        if cycle:
            listener.wrapper = wrapper
        gone += [weakref.ref(listener), weakref.ref(wrapper), weakref.ref(type(wrapper))]
        del listener, wrapper
    collect()
    assert [one() for one in gone] == [None] * 6
    loop.close()
