"""The jobs: for each one its floor and its rivals, as works that can be timed and checked."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any

from goanna.bench import cores, listeners
from goanna.bench.figures import FLOOR
from goanna.bench.loops import UNROLL, Run, loop
from goanna.bench.orders import (
    FIELDS,
    KEYWORD,
    POSITIONAL,
    FrozenSent,
    PropertySent,
    Sent,
    SlottedSent,
    StructSent,
    goanna_sent,
    same,
)
from goanna.bench.rivals import PLAIN, RIVALS, Rival, plain_loop

LISTENERS = (0, 1, 3, 10, 30)
OTHERS_THERE = (0, 10)


def nothing() -> None:
    """Check nothing."""


@dataclass(frozen=True)
class Work:
    """What one rival has to do in one job.

    Args:
        run: does it as often as told.
        check: raises AssertionError unless ``run`` has done what it should.
        scaffold: takes the time that ``run`` takes for other things; to be subtracted.
        settle: called after every turn and not timed; makes everything as it was before.
        close: called when it is not needed any more.
        calls: how often a turn does it; 0 where a turn may be as long as it should.
        clock: what it is timed by, in nanoseconds.
    """

    run: Run
    check: Callable[[], None] = nothing
    scaffold: Run | None = None
    settle: Callable[[], object] = nothing
    close: Callable[[], object] = nothing
    calls: int = 0
    clock: Callable[[], int] = time.perf_counter_ns


@dataclass(frozen=True)
class Job:
    """One job and who does it: the makers of works by rival, the floor among them."""

    name: str
    works: Mapping[str, Callable[[], Work]]


# Construct


CONSTRUCTIONS = {"positional": POSITIONAL, "keyword": KEYWORD}


def construct(way: str) -> Job:
    """Build an event of eight fields. The floor is msgspec.Struct, the fastest constructor on the package index."""

    def work(event_type: Any) -> Work:
        def check() -> None:
            assert same(event_type(**FIELDS))
            assert same(event_type(*FIELDS.values()))

        return Work(loop(f"Event({CONSTRUCTIONS[way]})", {**FIELDS, "Event": event_type}), check)

    types = {
        FLOOR: StructSent,
        **{name: goanna_sent(package) for name, package in cores.copies().items()},
        "dataclass": Sent,
        "frozen dataclass": FrozenSent,
    }
    return Job(f"construct, {way}", {name: partial(work, one) for name, one in types.items()})


# Read


def read() -> Job:
    """Read a field. The floor is a slot of an ordinary class, which a dataclass with slots is too."""

    def work(event_type: Any) -> Work:
        event = event_type(**FIELDS)

        def check() -> None:
            assert event.request_id == FIELDS["request_id"]

        return Work(loop("event.request_id", {"event": event}, UNROLL), check)

    types = {
        FLOOR: SlottedSent,
        **{name: goanna_sent(package) for name, package in cores.copies().items()},
        **({"msgspec": StructSent} if StructSent is not Sent else {}),
        "property": PropertySent,
    }
    return Job("read a field", {name: partial(work, one) for name, one in types.items()})


# Publish


def publish(count: int) -> Job:
    """Publish an event of eight fields to as many listeners of as many classes.

    The floor is what a dispatcher in C can hardly save: one construction, by msgspec.Struct, and the calls of the
    methods from C. Where there are no listeners it is a call that does nothing.
    """
    works: dict[str, Callable[[], Work]] = {FLOOR: partial(_construct_and_call, count) if count else call_nothing}
    for name, rival in RIVALS.items():
        works[name] = partial(_publish, rival, count)
    return Job(f"publish to {count}", works)


def publish_to_empty() -> Job:
    """Publish to ten listeners whose methods have an empty body; the floor is a call that does nothing."""
    works: dict[str, Callable[[], Work]] = {FLOOR: call_nothing}
    for name, rival in RIVALS.items():
        works[name] = partial(_publish, rival, 10, idle=True)
    return Job("publish to 10 empty", works)


def _publish(make: Callable[[], Rival], count: int, idle: bool = False) -> Work:
    rival = make()
    there = [rival.listener(idle) for _ in range(count)]
    for one in there:
        rival.add(one)
    run = loop(rival.publishes, {**FIELDS, **rival.names})

    def check() -> None:
        before = [one.last for one in there]
        run(1)
        if idle:
            assert before == [one.last for one in there] == [None] * count
            return
        for one, last in zip(there, before, strict=True):
            assert same(one.last)
            assert one.last is there[0].last, "all get the same event"
            assert one.last is not last, "each publish has its own event"

    return Work(run, check)


def call_nothing(function: Callable[..., object] = sys.audit, arguments: str = POSITIONAL) -> Work:
    """Return calls with the arguments of a publish of something that does nothing with them.

    ``sys.audit`` returns None as soon as it has seen that the process has no audit hooks. It is written in C and
    takes its arguments by vectorcall without looking at them, so it is a little faster than a function that has to
    parse them: a Cython function with eight parameters and no body costs about 29 ns on the machine of the
    published figures, and a Python function without a body about 27, loop included.
    """

    return Work(loop(f"nothing({arguments})", {**FIELDS, "nothing": function}))


def _construct_and_call(count: int) -> Work:
    """Return one construction from a loop, and the calls of ``count`` methods in turn from a loop in C.

    Each ``map`` calls one method, as a function with its instance, because a bound method would cost some
    nanoseconds more. ``zip`` takes one call of each in turn, as a fan-out does, so that no method is called more often
    in a row than there. What it takes to feed them is the scaffold.
    """
    there = [listeners.listener(listeners.stores) for _ in range(count)]
    event = StructSent(**FIELDS)
    functions = [type(one).sent for one in there]
    build = loop(f"Event({POSITIONAL})", {**FIELDS, "Event": StructSent})

    def run(times: int) -> None:
        build(times)
        calls = [map(*each, repeat(event, times)) for each in zip(functions, map(repeat, there), strict=True)]
        deque(zip(*calls, strict=False), maxlen=0)

    def scaffold(times: int) -> None:
        deque(zip(*[repeat(event, times) for _ in range(2 * count)], strict=False), maxlen=0)

    def check() -> None:
        run(1)
        for one in there:
            assert one.last is event

    return Work(run, check, scaffold)


# Register


def register(others: int) -> Job:
    """Add a listener and remove it, beside as many others. The floor is a list's append and remove."""
    works: dict[str, Callable[[], Work]] = {FLOOR: partial(_register, plain_loop, others)}
    for name, rival in RIVALS.items():
        if name not in (PLAIN, "psygnal emit_fast"):  # the floor is the one; the other differs in publishing only
            works[name] = partial(_register, rival, others)
    return Job(f"add and remove beside {others}", works)


def _register(make: Callable[[], Rival], others: int) -> Work:
    rival = make()
    there = [rival.listener() for _ in range(others)]
    for one in there:
        rival.add(one)
    listener = rival.listener()
    run = loop(rival.registers, {**rival.names, "listener": listener})

    def check() -> None:
        run(1)
        loop(rival.publishes, {**FIELDS, **rival.names})(1)
        assert listener.last is None, "it has been removed"
        assert all(same(one.last) for one in there)

    # That adding works is checked where events are published. `check` holds `there`, to which some rivals refer weakly.
    return Work(run, check)
