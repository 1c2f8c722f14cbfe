"""The jobs of the delivery benchmarks that one thread can do: publishing to queues and filters, options, stats."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any

from benchmarks import _cores, listeners, monitored
from benchmarks.delivery_rivals import COMPILED, Way, backends, make, queued, ways
from benchmarks.driver_calls import CALLS, Call
from benchmarks.jobs import FLOOR, Job, Work
from benchmarks.loops import loop
from benchmarks.orders import FIELDS, KEYWORD, POSITIONAL, goanna_sent, same

COMMANDS = ("command_start", "command_success")
PYTHON_NOTHING = "python no-op"
NO_LISTENER = "nobody listens"
STOCK_TEST = "stock, Python test"
INSTALLED_TEST = "installed, Python test"
OTHER_COMMANDS = frozenset({"insert", "update", "delete"})
"""What the filters let through; the command that is published is another one."""


def every() -> Iterator[Job]:
    """Yield all jobs."""
    yield from (queue_command(call) for call in COMMANDS)
    yield queue_event()
    yield from (filter_out(way) for way in ARGUMENTS)
    yield let_through()
    yield from (filter_out_command(call) for call in COMMANDS)
    yield documents()
    yield context()
    yield stats()


# Queue


def queue_job(call: str) -> str:
    return f"queue {call}"


def queue_command(call: str) -> Job:
    """Publish as PyMongo's driver does, to listeners that hand the event on; nobody takes it out meanwhile.

    The floor is publishing to a listener that does nothing, with goanna installed.
    """
    return Job(
        queue_job(call), {name: partial(_publish_command, CALLS[call], way) for name, way in ways(FLOOR).items()}
    )


def _publish_command(call: Call, way: Way, kept: Mapping[str, Any] | None = None) -> Work:
    new_module, new_hand = way
    module = new_module()
    hand = new_hand((getattr(module, call.interface),), call.method)
    run = loop(call.statement, {**call.names, "listeners": module._EventListeners([hand.listener])})

    def check() -> None:
        hand.settle()
        run(1)
        for event in hand.received():
            assert type(event) is getattr(module, call.event)
            for field, value in {**call.fields, **(kept or {})}.items():
                assert getattr(event, field) == value, field

    return Work(run, check, settle=hand.settle)


QUEUE_EVENT = "queue an event of one's own"


def queue_event() -> Job:
    """Publish an event of eight fields by a Dispatcher; the floor is publishing to a listener that stores it."""
    works: dict[str, Callable[[], Work]] = {}
    for name, backend in backends().items():
        if name == COMPILED or FLOOR not in works:
            works[FLOOR] = partial(_publish_event, backend, False)
        works[name] = partial(_publish_event, backend, True)
    return Job(QUEUE_EVENT, works)


def _publish_event(backend: str, through_queue: bool, arguments: str = POSITIONAL) -> Work:
    bases, hub, publish = _dispatcher(backend)
    hand = queued(backend, bases, "sent") if through_queue else None
    listener = listeners.listener(listeners.stores, bases)
    hub.add(hand.listener if hand else listener)
    run = loop(f"publish({arguments})", {**FIELDS, "publish": publish})

    def settle() -> None:
        if hand:
            hand.settle()

    def check() -> None:
        settle()
        run(1)
        (event,) = hand.received() if hand else [listener.last]
        assert same(event)

    return Work(run, check, settle=settle)


def _dispatcher(backend: str) -> tuple[tuple[type, ...], Any, Any]:
    goanna = _cores.load(backend)
    event_type = goanna_sent(goanna)

    class Interface(goanna.Listener):  # type: ignore[misc, name-defined]
        @goanna.handles(event_type)  # type: ignore[untyped-decorator]
        def sent(self, event: Any) -> None: ...

    hub = goanna.Dispatcher(Interface)
    return (Interface,), hub, hub.publisher(event_type)


# Filter


ARGUMENTS = {"positional": POSITIONAL, "keyword": KEYWORD}


def filter_job(way: str) -> str:
    return f"filtered out, {way}"


def nothing_at_all(
    command_name: Any,
    command: Any,
    database_name: Any,
    request_id: Any,
    address: Any,
    service_id: Any,
    operation_id: Any,
    server_connection_id: Any,
) -> None:
    pass


def _does_nothing_with(one: Any) -> Callable[[], None]:
    def check() -> None:
        assert one(**FIELDS) is None

    return check


def filter_out(way: str) -> Job:
    """Publish by a Dispatcher what its only listener does not want.

    The floor is a call with the same arguments that does nothing: ``sys.audit``, which looks at none of them, and takes
    no keywords; for these it is a Python function.
    """
    python = partial(_call, nothing_at_all, ARGUMENTS[way])
    works: dict[str, Callable[[], Work]] = {FLOOR: python}
    if way == "positional":
        works = {FLOOR: partial(_call, sys.audit, ARGUMENTS[way]), PYTHON_NOTHING: python}
    for name, backend in backends().items():
        works[name] = partial(_filter_out, backend, ARGUMENTS[way])
        works[f"{NO_LISTENER}, {backend}"] = partial(_publish_to_nobody, backend, ARGUMENTS[way])
    return Job(filter_job(way), works)


def _call(function: Any, arguments: str) -> Work:
    return Work(loop(f"nothing({arguments})", {**FIELDS, "nothing": function}))


def _publish_to_nobody(backend: str, arguments: str) -> Work:
    _, hub, publish = _dispatcher(backend)
    # What is not kept alive is not there, and a publisher lives by itself.
    return Work(loop(f"publish({arguments})", {**FIELDS, "publish": publish, "hub": hub}))


def _filter_out(backend: str, arguments: str) -> Work:
    bases, hub, publish = _dispatcher(backend)
    listener = listeners.listener(listeners.stores, bases)
    registration = hub.add(make(backend, "where", listener, commands=OTHER_COMMANDS))
    run = loop(f"publish({arguments})", {**FIELDS, "publish": publish})

    def check() -> None:
        before = registration.stats().filtered
        run(3)
        assert registration.stats().filtered == before + 3
        assert listener.last is None

    return Work(run, check)


LET_THROUGH = "let through"


def let_through() -> Job:
    """Publish by a Dispatcher what passes the filter; the floor has none."""
    works: dict[str, Callable[[], Work]] = {}
    for name, backend in backends().items():
        if name == COMPILED or FLOOR not in works:
            works[FLOOR] = partial(_publish_event, backend, False)
        works[name] = partial(_let_through, backend)
    return Job(LET_THROUGH, works)


def _let_through(backend: str) -> Work:
    bases, hub, publish = _dispatcher(backend)
    listener = listeners.listener(listeners.stores, bases)
    hub.add(make(backend, "where", listener, commands=OTHER_COMMANDS | {FIELDS["command_name"]}))
    run = loop(f"publish({POSITIONAL})", {**FIELDS, "publish": publish})

    def check() -> None:
        listener.last = None
        run(1)
        assert same(listener.last)

    return Work(run, check)


def filter_command_job(call: str) -> str:
    return f"filtered out, {call}"


def tests(self: Any, event: Any) -> None:
    if event.command_name not in self.wanted:
        return
    self.last = event


def filter_out_command(call: str) -> Job:
    """Publish as PyMongo's driver does what the listener does not want.

    The floor is a call with the same arguments that does nothing, the stock rival a listener that tests the name of the
    command and returns.
    """
    one = CALLS[call]
    works: dict[str, Callable[[], Work]] = {FLOOR: partial(_call_nothing, one)}
    for name, backend in backends().items():
        works[name] = partial(_filter_out_command, one, partial(monitored.installed, backend), backend)
    if "c" in backends().values():
        works[INSTALLED_TEST] = partial(_filter_out_command, one, partial(monitored.installed, "c"), None)
    works[STOCK_TEST] = partial(_filter_out_command, one, monitored.stock, None)
    return Job(filter_command_job(call), works)


def _call_nothing(call: Call) -> Work:
    class Listeners:
        def __init__(self) -> None:
            scope: dict[str, Any] = {}
            exec(f"def nothing({', '.join(call.names)}): pass", scope)
            setattr(self, f"publish_{call.publish}", scope["nothing"])

    return Work(loop(call.statement, {**call.names, "listeners": Listeners()}))


def _filter_out_command(call: Call, new_module: Callable[[], ModuleType], backend: str | None) -> Work:
    module = new_module()
    bases = (getattr(module, call.interface),)
    listener = listeners.listener(tests if backend is None else listeners.stores, bases, (call.method,))
    listener.wanted = OTHER_COMMANDS
    published = listener if backend is None else make(backend, "where", listener, commands=OTHER_COMMANDS)
    run = loop(call.statement, {**call.names, "listeners": module._EventListeners([published])})

    def check() -> None:
        before = 0 if backend is None else published.stats().filtered
        run(3)
        assert listener.last is None
        assert backend is None or published.stats().filtered == before + 3

    return Work(run, check)


# What options cost


DOCUMENTS = "documents="
CONTEXT = "context="
STATS = "stats()"


def documents() -> Job:
    """Queue the start of a command, which holds a document of three items, with each way of keeping it."""
    return _options(DOCUMENTS, {one: {"documents": one} for one in ("reference", "shallow", "omit")})


def context() -> Job:
    """Queue the start of a command with and without the publisher's context variables."""
    return _options(CONTEXT, {one: {"context": one} for one in ("none", "capture")})


def _options(job: str, options: dict[str, dict[str, Any]]) -> Job:
    """Return a job whose floor is the default, which is the first of the options, on the best core."""
    call = CALLS["command_start"]
    works: dict[str, Callable[[], Work]] = {}
    for backend in backends().values():
        for option, given in options.items():
            way: Way = (partial(monitored.installed, backend), partial(queued, backend, **given))
            kept: dict[str, Any] = {"command": {}} if option == "omit" else {}
            works[f"{option}, {backend}"] = work = partial(_publish_command, call, way, kept)
            works.setdefault(FLOOR, work)
    return Job(job, {FLOOR: works.pop(FLOOR), **works})


def stats() -> Job:
    """Take a snapshot of a queue that has handled events; the floor is building as large an event by itself."""

    def of(backend: str) -> Work:
        bases, hub, publish = _dispatcher(backend)
        wrapper = queued(backend, bases, "sent").listener
        hub.add(wrapper)

        def check() -> None:
            before = wrapper.stats().published
            publish(**FIELDS)
            assert wrapper.stats().published == before + 1
            assert wrapper.flush(60.0) == 0

        return Work(loop("stats()", {"stats": wrapper.stats}), check)

    def built(backend: str) -> Work:
        goanna = _cores.load(backend)
        time = goanna.Time(0, 0, ())
        names = {"Stats": goanna.Stats, "time": time, "dropped": {}}
        return Work(loop("Stats(1, 1, 0, 0, dropped, 0, 1, 0.0, time)", names))

    cores = backends()
    floor = partial(built, "c" if "c" in cores.values() else "py")
    return Job(STATS, {FLOOR: floor, **{name: partial(of, backend) for name, backend in cores.items()}})
