"""The jobs of delivery that one thread can do: publishing to queues and filters, options, stats."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

from goanna.bench import cores, deliveries, listeners, monitored
from goanna.bench.deliveries import ASLEEP
from goanna.bench.driver_calls import CALLS, Call
from goanna.bench.figures import FLOOR
from goanna.bench.jobs import Job, Work, call_nothing
from goanna.bench.loops import loop
from goanna.bench.orders import FIELDS, KEYWORD, POSITIONAL
from goanna.bench.rivals import Goanna
from goanna.bench.suites import Group

COMMANDS = ("command_start", "command_success")
QUEUE, SIMPLE_QUEUE = "stock, Queue.put_nowait", "stock, SimpleQueue.put"
PYTHON_NOTHING, STOCK_TEST = "python no-op", "stock, Python test"
ARGUMENTS = {"positional": POSITIONAL, "keyword": KEYWORD}
OTHER_COMMANDS = frozenset({"insert", "update", "delete"})
"""What the filters let through; the command that is published is another one."""
OPTIONS: dict[str, tuple[str, ...]] = {"documents": ("reference", "shallow", "omit"), "context": ("none", "capture")}
"""Options of a queue; the first is the default."""


def groups() -> Iterator[Group]:
    """Yield all groups."""
    yield Group(
        "Queue an event, whose worker sleeps",
        "a listener that does nothing, with goanna installed; for an event of one's own one that stores it",
        (*[queue_command(call) for call in COMMANDS], queue_event()),
    )
    yield Group(
        "Publish what a filter keeps out",
        "a call with the same arguments that does nothing, in C if it can take them",
        (*[filter_out(way) for way in ARGUMENTS], *[filter_out_command(call) for call in COMMANDS]),
    )
    yield Group("Publish what a filter lets through", "no filter", (let_through(),))
    yield Group("Queue a command's start with options", "the default", tuple([options(one) for one in OPTIONS]))
    yield Group("Take a queue's counts", "building as large an event by itself", (stats(),))


def best() -> str:
    """Return the best core that this interpreter has."""
    return "c" if "c" in cores.backends().values() else "py"


# The ways of handing an event on from the publishing thread, goanna's and those that one writes by hand


class Hand(NamedTuple):
    """A listener on the publishing thread, and what is behind it.

    Args:
        listener: to be published to.
        received: returns the last event, if one has come out behind it; waits for it if need be.
    """

    listener: Any
    received: Callable[[], list[Any]]


Take = Callable[[tuple[type, ...], str], Hand]
"""Makes a hand with a method of that name."""


def on_the_spot(kind: listeners.Method, bases: tuple[type, ...], method: str) -> Hand:
    """Return a listener that is called on the publishing thread."""
    listener = listeners.listener(kind, bases, (method,))
    return Hand(listener, lambda: [] if listener.last is None else [listener.last])


def wrapped(backend: str, name: str, options: dict[str, Any], bases: tuple[type, ...], method: str) -> Hand:
    """Return a queued listener whose worker sleeps, or a filtered one."""
    behind = listeners.listener(listeners.stores, bases, (method,))
    wrapper = cores.make(backend, name, behind, **options)

    def received() -> list[Any]:
        assert wrapper.flush(60.0) == 0
        counts = wrapper.stats()
        assert counts.delivered + counts.filtered == counts.published, counts
        return [] if behind.last is None else [behind.last]

    return Hand(wrapper, received)


def queued(backend: str, **options: Any) -> Take:
    return partial(wrapped, backend, "queued", {**ASLEEP, **options})


def put_nowait(self: Any, event: Any) -> None:
    self.queue.put_nowait(event)


def put(self: Any, event: Any) -> None:
    self.queue.put(event)


def through_a_queue(kind: listeners.Method, new: Callable[[], Any], bases: tuple[type, ...], method: str) -> Hand:
    """Return a listener as one writes it by hand, that puts its events into a queue."""
    listener = listeners.listener(kind, bases, (method,))
    listener.queue = new()

    def received() -> list[Any]:
        found = []
        while not listener.queue.empty():
            found.append(listener.queue.get_nowait())
        return found[-1:]

    return Hand(listener, received)


def _command(
    call: Call,
    new_module: Callable[[], ModuleType],
    take: Take,
    kept: Mapping[str, Any] | None = None,
    passes: bool = True,
) -> Work:
    """Publish as PyMongo's driver does to a listener that hands the event on; nobody takes it out meanwhile."""
    module = new_module()
    hand = take((getattr(module, call.interface),), call.method)
    run = loop(call.statement, {**call.names, "listeners": module._EventListeners([hand.listener])})

    def check() -> None:
        hand.received()
        run(1)
        found = hand.received()
        assert passes or not found
        for event in found:
            assert type(event) is getattr(module, call.event)
            for field, value in {**call.fields, **(kept or {})}.items():
                assert getattr(event, field) == value, field

    return Work(run, check, settle=hand.received)


# Queue


def queue_job(call: str) -> str:
    return f"queue {call}"


def queue_command(call: str) -> Job:
    """Publish to listeners that hand the event on."""
    goannas = {name: (partial(monitored.installed, one), queued(one)) for name, one in cores.backends().items()}
    fast, idle = partial(monitored.installed, best()), partial(on_the_spot, listeners.empty)
    ways: dict[str, tuple[Callable[[], ModuleType], Take]] = {
        FLOOR: (fast, idle),
        "installed, stores it": (fast, partial(on_the_spot, listeners.stores)),
        **goannas,
        "stock, no-op": (monitored.stock, idle),
        QUEUE: (monitored.stock, partial(through_a_queue, put_nowait, queue.Queue)),
        SIMPLE_QUEUE: (monitored.stock, partial(through_a_queue, put, queue.SimpleQueue)),
    }
    return Job(queue_job(call), {name: partial(_command, CALLS[call], *way) for name, way in ways.items()})


def queue_event() -> Job:
    """Publish an event of eight fields by a Dispatcher to a queue."""

    def work(backend: str) -> Work:
        return deliveries.published(backend, partial(cores.make, backend, "queued", **ASLEEP), settles=True)

    return Job("queue an event of one's own", {FLOOR: _unwrapped, **deliveries.ours(work)})


def _unwrapped() -> Work:
    return deliveries.published(best(), lambda listener: listener)


# Filter


def filter_job(way: str) -> str:
    return f"filtered out, {way}"


def _nothing(parameters: Iterable[str]) -> Any:
    """Return a function in Python that does nothing with its arguments."""
    scope: dict[str, Any] = {}
    exec(f"def nothing({', '.join(parameters)}): pass", scope)
    return scope["nothing"]


def filter_out(way: str) -> Job:
    """Publish by a Dispatcher what its only listener does not want; ``sys.audit``, the floor, takes no keywords."""
    python = partial(call_nothing, _nothing(FIELDS), ARGUMENTS[way])
    works: dict[str, Callable[[], Work]] = {FLOOR: python}
    if way == "positional":
        works = {FLOOR: call_nothing, PYTHON_NOTHING: python}
    for name, backend in cores.backends().items():
        works[name] = partial(deliveries.unbuilt, backend, ARGUMENTS[way])
        works[f"nobody listens, {backend}"] = partial(_publish_to_nobody, backend, ARGUMENTS[way])
    return Job(filter_job(way), works)


def _publish_to_nobody(backend: str, arguments: str) -> Work:
    return Work(loop(f"publish({arguments})", {**FIELDS, **Goanna(cores.load(backend)).names}))


def let_through() -> Job:
    """Publish by a Dispatcher what passes the filter."""

    def work(backend: str) -> Work:
        commands = OTHER_COMMANDS | {FIELDS["command_name"]}
        return deliveries.published(backend, partial(cores.make, backend, "where", commands=commands))

    return Job("let through", {FLOOR: _unwrapped, **deliveries.ours(work)})


def tests(self: Any, event: Any) -> None:
    if event.command_name not in OTHER_COMMANDS:
        return
    self.last = event


def filter_out_command(call: str) -> Job:
    """Publish as PyMongo's driver does what the listener does not want; stock one tests the name of the command."""
    by_test = partial(on_the_spot, tests)
    ways: dict[str, tuple[Callable[[], ModuleType], Take]] = {
        name: (partial(monitored.installed, one), partial(wrapped, one, "where", {"commands": OTHER_COMMANDS}))
        for name, one in cores.backends().items()
    }
    if best() == "c":
        ways["installed, Python test"] = partial(monitored.installed, "c"), by_test
    ways[STOCK_TEST] = monitored.stock, by_test
    works = {name: partial(_command, CALLS[call], *way, passes=False) for name, way in ways.items()}
    return Job(filter_job(call), {FLOOR: partial(_call_nothing, CALLS[call]), **works})


def _call_nothing(call: Call) -> Work:
    there = type("Listeners", (), {})()
    setattr(there, f"publish_{call.publish}", _nothing(call.names))
    return Work(loop(call.statement, {**call.names, "listeners": there}))


# What options cost


def options(option: str) -> Job:
    """Queue the start of a command, which holds a document of three items, with each value of an option."""
    works: dict[str, Callable[[], Work]] = {}
    for backend in cores.backends().values():
        for value in OPTIONS[option]:
            way = partial(monitored.installed, backend), queued(backend, **{option: value})
            kept: dict[str, Any] = {"command": {}} if value == "omit" else {}
            works[f"{value}, {backend}"] = partial(_command, CALLS["command_start"], *way, kept)
    return Job(f"{option}=", {FLOOR: next(iter(works.values())), **works})


def stats() -> Job:
    """Take a snapshot of a queue that has handled events."""

    def of(backend: str) -> Work:
        rival = Goanna(cores.load(backend))
        wrapper = cores.make(backend, "queued", rival.listener(), **ASLEEP)
        rival.hub.add(wrapper)

        def check() -> None:
            before = wrapper.stats().published
            rival.publish(**FIELDS)
            assert wrapper.stats().published == before + 1
            assert wrapper.flush(60.0) == 0

        return Work(loop("stats()", {"stats": wrapper.stats}), check)

    def built() -> Work:
        goanna = cores.load(best())
        names = {"Stats": goanna.Stats, "time": goanna.Time(0, 0, ()), "dropped": {}}
        return Work(loop("Stats(1, 1, 0, 0, dropped, 0, 1, 0.0, time)", names))

    return Job("stats()", {FLOOR: built, **deliveries.ours(of)})
