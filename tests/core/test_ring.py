"""The ring of both cores: one script of operations, and all that can be seen must come out the same."""

from __future__ import annotations

import contextvars
import gc
import importlib
import inspect
import sys
import threading
from collections import deque
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from support.cores import Copy
from support.garbage import CPYTHON
from support.threads import meanwhile

FOREVER = 1 << 60

variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)

reasons = st.sampled_from(
    ["overflow", "timeout", "closed", "exit", "loop_closed", "quarantined", "fork_inherited", "reentrant", "because"]
)
# What happens when a handler gets an event, or an event with such a finalizer goes away.
manners = st.sampled_from(["fine", "fine", "raises", "exits", "pushes", "drops", "looks", "discards", "drains"])
events = st.tuples(st.sampled_from(["plain", "plain", "unprepared", "dying", "pushing"]), manners)
operations = st.one_of(
    st.tuples(st.just("push"), events),
    st.tuples(st.just("call"), events),
    st.tuples(st.just("call"), events),
    st.tuples(st.just("offer"), events, st.booleans()),
    st.tuples(st.just("drop"), reasons),
    st.tuples(st.just("pop")),
    st.tuples(st.just("take"), st.integers(0, 5)),
    st.tuples(st.just("done"), st.integers(0, 2), st.integers(0, 2), st.sampled_from([0, 1, 7, 1 << 50])),
    st.tuples(st.just("drain"), st.integers(0, 5)),
    st.tuples(st.just("arm"), st.integers(0, 4)),
    st.tuples(st.just("disarm")),
    st.tuples(st.just("wake_now")),
    st.tuples(st.just("trailing")),
    st.tuples(st.just("left"), st.integers(0, 20)),
    st.tuples(st.just("shut"), reasons),
    st.tuples(st.just("discard"), reasons),
    st.tuples(st.just("report"), events),
    st.tuples(st.just("check_fork")),
)
shapes_of_ring = st.fixed_dictionaries(
    {
        "maxsize": st.integers(1, 5),
        "newest": st.booleans(),
        "full": st.sampled_from([None, "drops", "discards", "ignores"]),
        "prepare": st.booleans(),
        "capture": st.booleans(),
        "slow": st.sampled_from([0, 0, 1, FOREVER]),
        "gap": st.booleans(),
        "sized": st.booleans(),
        "wakes": st.sampled_from(["logs", "arms", "pushes"]),
    }
)


class Machine:
    """One ring, and everything that could be seen of it."""

    def __init__(self, core: ModuleType, shape: dict[str, Any]) -> None:
        self.core = core
        self.seen: list[Any] = []
        self.depth = 0
        self.wakes = shape["wakes"]
        self.full_mode = shape["full"]
        self.number = 0
        self.ring = core.Ring(
            shape["maxsize"],
            self.wake,
            self.failed,
            newest=shape["newest"],
            full=None if shape["full"] is None else self.full,
            prepare=self.prepare if shape["prepare"] else None,
            capture=shape["capture"],
            slow=shape["slow"],
            slowed=self.slowed,
            gap=self.gap if shape["gap"] else None,
            forked=lambda: self.seen.append("forked"),
            max_bytes=25,
            sized=(lambda event: 10 if event.kind == "plain" else 6) if shape["sized"] else None,
        )
        self.inlet = self.ring.inlet(self.handle)

    def event(self, kind: str, manner: str) -> Any:
        self.number += 1
        return (Finalized if kind in ("dying", "pushing") else Plain)(self, self.number, kind, manner)

    def handle(self, event: Any) -> None:
        self.seen.append(("handled", event.number, variable.get()))
        self.behave(event.manner)

    def behave(self, manner: str) -> None:
        self.depth += 1
        try:
            if manner == "raises":
                raise ValueError("raised")
            if manner == "exits":
                raise SystemExit("left")
            if self.depth > 3:
                return
            if manner == "pushes":
                self.inlet(self.event("plain", "fine"))
            elif manner == "drops":
                self.ring.drop("timeout")
            elif manner == "looks":
                self.look()
            elif manner == "discards":
                self.seen.append(("discarded", self.ring.discard("overflow")))
            elif manner == "drains":
                self.seen.append(("drained", self.ring.drain(2, FOREVER)))
        finally:
            self.depth -= 1

    def wake(self) -> None:
        self.seen.append(("wake", len(self.ring)))
        if self.depth > 3:
            return
        self.depth += 1
        if self.wakes == "arms":
            self.seen.append(self.ring.arm(2))
        elif self.wakes == "pushes":
            self.inlet(self.event("plain", "fine"))
        self.depth -= 1

    def failed(self, error: BaseException, handler: Any, event: Any) -> None:
        self.seen.append(("failed", type(error).__name__, str(error), handler == self.handle, event.number))
        self.look()

    def full(self, handler: Any, event: Any, context: Any) -> None:
        self.seen.append(("full", handler == self.handle, event.number, context is None))
        if self.full_mode == "discards":
            self.ring.discard("overflow")
            self.seen.append(self.ring.offer(handler, event, context))
        elif self.full_mode == "drops":
            self.ring.drop("timeout")

    def prepare(self, event: Any) -> Any:
        if event.kind == "unprepared":
            raise LookupError("can't be prepared")
        return event

    def slowed(self, handler: Any, event: Any, nanoseconds: int) -> None:
        self.seen.append(("slowed", event.number, type(nanoseconds)))

    def gap(self, count: int) -> None:
        self.seen.append(("gap", count))

    def look(self) -> None:
        published, delivered, failed, dropped, pending, high_water, oldest, _, _, histogram = self.ring.counts()
        assert published == delivered + failed + sum(dropped) + pending
        assert oldest >= 0
        assert len(histogram) == self.core.BUCKETS
        self.seen.append(
            (published, delivered, failed, dropped, pending, high_water, sum(histogram), len(self.ring),
             self.ring.accepted, self.ring.removed, self.ring.in_flight, self.ring.streak, self.ring.shut_for,
             repr(self.ring), bool(self.ring))
        )  # fmt: skip

    def do(self, name: str, *values: Any) -> None:
        ring = self.ring
        token = variable.set(variable.get() + 1)
        try:
            if name == "push":
                self.seen.append(ring.push(self.handle, self.event(*values[0])))
            elif name == "call":
                self.seen.append(self.inlet(self.event(*values[0])))
            elif name == "offer":
                context = contextvars.copy_context() if values[1] else None
                self.seen.append(ring.offer(self.handle, self.event(*values[0]), context))
            elif name == "pop":
                taken = ring.pop()
                if taken is not None:
                    number, handler, event, context, pushed, lost = taken
                    assert isinstance(pushed, int)
                    assert pushed > 0
                    taken = (number, handler == self.handle, event.number, context is None, lost)
                    del event
                self.seen.append(taken)
            elif name == "take":
                found, lost = ring.take(values[0])
                self.seen.append(([one.number for one in found], lost))
            elif name == "drain":
                self.seen.append(ring.drain(values[0], FOREVER))
            elif name == "report":
                self.seen.append((self.core.in_report(), self.core.enter_report(), self.core.enter_report()))
                self.inlet(self.event(*values[0]))
                self.seen.append((self.core.in_report(), self.core.leave_report(), self.core.in_report()))
            else:
                self.seen.append((name, getattr(ring, name)(*values)))
        except BaseException as error:
            self.seen.append((name, type(error).__name__, str(error)))
        finally:
            variable.reset(token)
        self.look()


class Plain:
    def __init__(self, machine: Machine, number: int, kind: str, manner: str) -> None:
        self.machine = machine
        self.number = number
        self.kind = kind
        self.manner = manner


class Finalized(Plain):
    """An event whose end is seen, and does something to the ring."""

    def __del__(self) -> None:
        machine = self.machine
        machine.seen.append(("gone", self.number))
        if machine.depth < 2:
            machine.depth += 1
            machine.look()
            if self.kind == "pushing":
                machine.inlet(machine.event("plain", "fine"))
            machine.depth -= 1


# Armed for more than there is room for: no push may wake anybody.
ARMED_TOO_HIGH: dict[str, Any] = {
    "maxsize": 1, "newest": False, "full": None, "prepare": False, "capture": False, "slow": 0, "gap": False,
    "wakes": "arms", "sized": False,
}  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shape=shapes_of_ring, script=st.lists(operations, max_size=40))
@example(shape=ARMED_TOO_HIGH, script=[("arm", 1), ("push", ("plain", "fine")), ("push", ("plain", "fine"))])
def test_a_script_comes_out_the_same(both: dict[str, Copy], shape: dict[str, Any], script: list[Any]) -> None:
    seen = {}
    for name, copy in both.items():
        with copy.active():
            from goanna import core

            machine = Machine(core, shape)
            for number, operation in enumerate(script):
                machine.seen.append((number, operation[0]))
                machine.do(*operation)
            while machine.ring.discard("closed"):
                machine.look()
            machine.look()
            seen[name] = machine.seen
    assert seen["c"] == seen["py"]


def ring_of(goanna: ModuleType, maxsize: int = 4, **options: Any) -> tuple[Any, list[Any], list[Any]]:
    """A ring, what woke its consumer and what failed."""
    from goanna import core

    woken: list[Any] = []
    failed: list[Any] = []
    ring = core.Ring(maxsize, lambda: woken.append(len(ring)), lambda *args: failed.append(args), **options)
    return ring, woken, failed


def test_the_consumer_is_woken_once_when_enough_wait(goanna: ModuleType) -> None:
    ring, woken, _ = ring_of(goanna, 100)
    inlet = ring.inlet(print)
    assert ring.arm(3)
    for number in range(50):
        inlet(number)
    assert woken == [3]
    assert not ring.arm(50)
    assert ring.arm(51)
    ring.wake_now()
    ring.wake_now()
    assert woken == [3, 50]
    assert ring.disarm() is False


def test_each_event_runs_in_the_context_of_its_push(goanna: ModuleType) -> None:
    got: list[Any] = []
    ring, _, _ = ring_of(goanna, capture=True)
    inlet = ring.inlet(lambda event: got.append((event, variable.get())))
    for number in range(3):
        contextvars.copy_context().run(lambda number=number: (variable.set(number), inlet(number)))
    assert ring.drain(10, FOREVER) == 3
    assert got == [(0, 0), (1, 1), (2, 2)]


def test_drain_stops_when_the_time_is_up_but_handles_one(goanna: ModuleType) -> None:
    ring, _, _ = ring_of(goanna)
    got: list[Any] = []
    inlet = ring.inlet(got.append)
    for number in range(3):
        inlet(number)
    assert ring.drain(10, 0) == 1
    assert got == [0]


def test_gaps_are_told_where_they_are(goanna: ModuleType) -> None:
    got: list[Any] = []
    ring, _, _ = ring_of(goanna, 2, gap=lambda count: got.append(("lost", count)))
    inlet = ring.inlet(got.append)
    for number in range(7):  # 0 to 4 are pushed out
        inlet(number)
    ring.drain(10, FOREVER)
    ring.drop("overflow")
    ring.drain(10, FOREVER)
    inlet(7)
    ring.drop("closed")  # the consumer is told of none but those that found no room
    ring.drain(10, FOREVER)
    assert got == [("lost", 5), 5, 6, ("lost", 1), 7]


def test_take_stops_before_a_gap(goanna: ModuleType) -> None:
    ring, _, _ = ring_of(goanna, 5, newest=True)
    inlet = ring.inlet(print)
    for number in range(7):
        inlet(number)
    assert ring.take(2) == ([0, 1], 0)
    inlet(7)
    assert ring.take(100) == ([2, 3, 4], 0)
    assert ring.take(100) == ([7], 2)
    assert ring.take(100) == ([], 0)


def test_wrong_uses_get_the_same_answer(both: dict[str, Copy]) -> None:
    answers: dict[str, list[Any]] = {}
    for name, copy in both.items():
        with copy.active():
            from goanna import core

            ring = core.Ring(3, print, print)
            inlet = ring.inlet(print)
            answers[name] = []
            for mistake in [
                lambda core=core: core.Ring(0, print, print),
                lambda core=core: core.Ring(-3, print, print),
                lambda core=core: core.Inlet(3, print),
                lambda core=core: core.Inlet(None, print),
                lambda ring=ring: ring.drop("because"),
                lambda ring=ring: ring.shut("because"),
                lambda ring=ring: ring.discard("because"),
                lambda ring=ring: ring.drop(3),
            ]:
                with pytest.raises((TypeError, ValueError)) as caught:
                    mistake()
                answers[name].append((type(caught.value), str(caught.value)))
            for mistake in [
                lambda inlet=inlet: inlet(),
                lambda inlet=inlet: inlet(1, 2),
                lambda inlet=inlet: inlet(evnt=1),
                lambda ring=ring: ring.push(1),
                lambda ring=ring: ring.nothing,
                lambda ring=ring: setattr(ring, "accepted", 3),
            ]:  # the interpreter's own words differ
                with pytest.raises((TypeError, AttributeError)) as caught:
                    mistake()
                answers[name].append(type(caught.value))
            inlet(event=1)
            answers[name] += [repr(ring), repr(inlet), inlet.handler is print, inlet.ring is ring, core.REASONS]
    assert answers["c"] == answers["py"]


def test_the_names_of_the_ring_look_the_same(both: dict[str, Copy]) -> None:
    shown: dict[str, dict[str, Any]] = {}
    for name, copy in both.items():
        with copy.active():
            from goanna import core

            half = core.half_of("goanna.core")
            assert half.__name__ == ("goanna.core._compiled" if name == "c" else "goanna.core._pure")
            shown[name] = {"": sorted(half.__all__), "core": sorted(core.__all__)}
            for public in core.__all__:
                value = getattr(core, public)
                if public in ("BUCKETS", "REASONS"):
                    shown[name][public] = value
                    continue
                shown[name][public] = (value.__module__, value.__name__, inspect.getdoc(value), signature(value))
                for member in ("inlet", "push", "offer", "drop", "pop", "take", "done", "left", "trailing", "drain",
                               "arm", "disarm", "wake_now", "shut", "discard", "check_fork", "counts", "accepted",
                               "shut_for", "admits", "pass_on", "before", "early", "add", "read", "settle",
                               "__call__"):  # fmt: skip
                    found = inspect.getattr_static(value, member, None)
                    if isinstance(value, type) and any(member in vars(base) for base in value.__mro__[:-1]):
                        shown[name][f"{public}.{member}"] = (
                            inspect.getdoc(found),
                            signature(found) if inspect.isroutine(found) and member != "__call__" else None,
                        )
    for one, value in shown["c"].items():
        assert value == shown["py"][one], one
    assert sorted(shown["c"]) == sorted(shown["py"])
    assert len(shown["c"]) > 35


def signature(value: Any) -> str:
    parameters = inspect.signature(value).parameters.values()
    return str(inspect.Signature([one.replace(annotation=inspect.Parameter.empty) for one in parameters]))


# Moments between two steps of the pure ring, whose pushes take no lock: each is brought about by a buffer that lets
# something happen in the middle. The compiled ring has no such moments.


class Meddling(deque):  # type: ignore[type-arg]
    """A buffer that calls something once, before an append or after its length was read."""

    before_append: Any = None
    after_len: Any = None

    def append(self, slot: Any) -> None:
        meddle, self.before_append = self.before_append, None
        if meddle is not None:
            meddle()
        super().append(slot)

    def __len__(self) -> int:
        found = super().__len__()
        meddle, self.after_len = self.after_len, None
        if meddle is not None:
            meddle()
        return found


def meddled(both: dict[str, Copy], **options: Any) -> tuple[Any, list[Any], list[Any]]:
    with both["py"].active():
        ring, woken, failed = ring_of(both["py"].package, **options)
    ring._slots = Meddling()
    return ring, woken, failed


lock_free = pytest.mark.skipif(
    "free-threading" in sys.version, reason="where there is no GIL each push of the pure ring takes the lock"
)


def elsewhere(call: Any) -> Any:
    """Run it on another thread, to its end."""

    def run() -> None:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    return run


def test_a_push_while_the_consumer_arms_wakes_it_or_is_seen(both: dict[str, Copy]) -> None:
    ring, woken, _ = meddled(both)
    inlet = ring.inlet(print)
    pushes = [lambda: inlet(1)]

    class Level(int):
        """A level that is looked at when the length of the buffer has been read, and in that moment comes a push."""

        def __le__(self, other: object) -> bool:
            if pushes:
                pushes.pop()()
            return int.__le__(self, other)  # type: ignore[operator]

    armed = ring.arm(Level(1))
    assert not pushes
    assert len(ring) == 1
    assert not armed or woken, "an event waits, the consumer sleeps, and nobody will wake it"


@lock_free
def test_a_ring_that_is_shut_under_a_push_keeps_what_it_had(both: dict[str, Copy]) -> None:
    got: list[Any] = []
    ring, _, _ = meddled(both)
    inlet = ring.inlet(got.append)
    inlet(1)
    inlet(2)
    ring._slots.before_append = elsewhere(lambda: ring.shut("closed"))
    inlet(3)
    target = ring.accepted
    ring.drain(10, FOREVER)
    assert got == [1, 2]
    assert ring.left(target) == 0
    published, delivered, failed, dropped, pending = ring.counts()[:5]
    assert (published, delivered, failed, sum(dropped), pending) == (3, 2, 0, 1, 0)


@lock_free
def test_a_flush_that_counted_an_event_which_came_too_late_comes_to_its_end(both: dict[str, Copy]) -> None:
    ring, _, _ = meddled(both)
    inlet = ring.inlet(print)
    targets: list[int] = []

    def shut() -> None:
        ring.shut("closed")
        deque.append(ring._slots, slot := [print, 0, None, 1, 0])
        targets.append(ring.accepted)  # this is when flush() looks
        deque.remove(ring._slots, slot)

    ring._slots.before_append = elsewhere(shut)
    inlet(1)
    assert ring.left(targets[0]) == 0


@lock_free
@pytest.mark.parametrize("mode", ["newest", "full", "oldest"])
def test_the_last_place_is_taken_under_a_push(both: dict[str, Copy], mode: str) -> None:
    full: list[Any] = []
    options: dict[str, Any] = {}
    if mode == "newest":
        options["newest"] = True
    elif mode == "full":
        options["full"] = lambda handler, event, context: (full.append(event), ring.drop("timeout"))
    ring, _, _ = meddled(both, maxsize=2, **options)
    inlet = ring.inlet(print)
    inlet(1)
    ring._slots.before_append = elsewhere(lambda: inlet(2))
    inlet(3)
    assert ring.take(10)[0] == ([2, 3] if mode == "oldest" else [1, 2])
    assert full == ([3] if mode == "full" else [])
    assert ring.counts()[3][:2] == ((0, 1) if mode == "full" else (1, 0))
    assert ring.counts()[5] == 2


@pytest.mark.skipif(not CPYTHON, reason="only CPython's collector starts after a number of objects")
@pytest.mark.parametrize("publishes", [False, True])
def test_the_counts_agree_whenever_the_collector_runs(goanna: ModuleType, publishes: bool) -> None:
    """Any object that is made may start the collector, and a finalizer may then look at the ring or publish."""
    ring, _, _ = ring_of(goanna, 8, gap=lambda count: None)
    wrong: list[Any] = []
    looks: list[int] = []

    class Event:
        """Of a kind that the collector looks after."""

    def handle(event: Any) -> None:
        if event == 3:
            raise ValueError(event)

    inlet = ring.inlet(handle)

    def look(phase: str, info: dict[str, int]) -> None:
        if publishes and phase == "start":
            inlet([])
        published, delivered, failed, dropped, pending = ring.counts()[:5]
        looks.append(published)
        if published != delivered + failed + sum(dropped) + pending:
            wrong.append((published, delivered, failed, dropped, pending))

    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.callbacks.append(look)
    kept: list[Any] = []
    steps = [
        *[lambda number=number: inlet([] if number % 2 else number) for number in range(12)],
        lambda: ring.take(3),
        lambda: ring.done(1, 1, 5),
        lambda: ring.done(1, 0, 5),
        lambda: ring.pop(),
        lambda: ring.done(1, 0, 5),
        lambda: ring.drain(3, FOREVER),
        lambda: ring.push(handle, []),
        lambda: ring.drop("timeout"),
        lambda: ring.discard("closed"),
        lambda: ring.drain(3, FOREVER),
    ]
    try:
        for distance in (0, 1, 2, 3, 5, 8):
            for step in steps:
                gc.set_threshold(0)
                gc.collect(0)
                while gc.get_count()[0] < 200:  # and none left to be used again, which would not count
                    kept.append([])
                gc.set_threshold(200 + distance)  # so many objects further on
                step()
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(look)
        gc.unfreeze()
    assert len(looks) > 30
    assert not wrong


def test_the_high_water_mark_never_sinks(backend: str) -> None:
    ring = importlib.import_module("goanna.core").Ring(2, lambda: None, lambda *_: None)
    push = ring.inlet(print)
    push(0)
    assert ring.pop() is not None  # in the consumer's hand
    push(1)
    push(2)
    assert ring.counts()[4:6] == (3, 3)
    ring.done(1, 0, 1)
    ring.discard("closed")
    push(3)
    assert ring.counts()[4:6] == (1, 3)


def test_no_snapshot_shows_more_pending_than_there_may_be(backend: str) -> None:
    ring = importlib.import_module("goanna.core").Ring(3, lambda: None, lambda *_: None)
    push = ring.inlet(print)

    def produce() -> None:
        for number in range(50):
            push(number)

    def consume() -> None:
        if ring.pop() is not None:
            ring.done(1, 0, 1)

    before = 0
    with meanwhile(produce, produce, consume):
        for _ in range(2000):
            published, delivered, failed, dropped, pending, high_water, *_ = ring.counts()
            assert published == delivered + failed + sum(dropped) + pending
            assert pending <= high_water <= 3 + 1
            assert len(ring) <= 3
            assert before <= high_water
            before = high_water


def test_a_wake_up_that_is_interrupted_is_repeated_by_the_next_push(backend: str) -> None:
    woken: list[int] = []

    def wake() -> None:
        woken.append(len(ring))
        if len(woken) % 2:
            raise KeyboardInterrupt

    ring = importlib.import_module("goanna.core").Ring(2, wake, lambda *_: None)
    ways = [lambda: ring.inlet(print)(0), lambda: ring.push(print, 0), lambda: ring.offer(print, 0), ring.wake_now]
    for way in ways:
        del woken[:]
        ring.discard("closed")
        assert ring.arm(1)
        with pytest.raises(KeyboardInterrupt):
            way()
        ring.push(print, 1)
        ring.push(print, 2)
        assert len(woken) == 2, way
