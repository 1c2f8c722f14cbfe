"""Queued, on-loop and filtered listeners on real clients: every event once, in order, on the thread that is theirs."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from pymongo import MongoClient, monitoring
from pymongo.errors import OperationFailure

from mongo.drivers import DRIVERS, do, run_in_tornado
from mongo.recorder import INTERFACES
from support.cores import backends, copy_of

OPTIONS: dict[str, Any] = {"serverSelectionTimeoutMS": 10_000, "heartbeatFrequencyMS": 600_000}
LONG = 60


class Arrivals:
    """Notes events in the order of their arrival, with the thread; and may be told which must not come."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.threads: set[int] = set()

    def take(self, event: Any) -> None:
        self.events.append(event)
        self.threads.add(threading.get_ident())


def everything(cls: type = Arrivals, *, awaiting: bool = False) -> Any:
    """Return a listener of all five interfaces; with coroutine functions if it is to be awaited."""

    def plain(self: Any, event: Any) -> None:
        self.take(event)

    async def coroutine(self: Any, event: Any) -> None:
        await asyncio.sleep(0)
        self.take(event)

    names = {name for one in INTERFACES for name in vars(one) if not name.startswith("_")}
    return type("Everything", (cls, *INTERFACES), dict.fromkeys(names, coroutine if awaiting else plain))()


class Published(Arrivals):
    """What was published, noted where that happens, with the order of each thread."""

    def __init__(self) -> None:
        super().__init__()
        self.by_thread: defaultdict[int, list[int]] = defaultdict(list)

    def take(self, event: Any) -> None:
        super().take(event)
        self.by_thread[threading.get_ident()].append(id(event))


def check(published: Published, arrived: Arrivals) -> None:
    """Every event arrived, the very object, once, and those of each thread in their order."""
    assert Counter(map(id, arrived.events)) == Counter(map(id, published.events))
    place = {id(event): index for index, event in enumerate(arrived.events)}
    for order in published.by_thread.values():
        places = [place[one] for one in order]
        assert places == sorted(places)
    names = {type(event).__name__ for event in arrived.events}
    assert {"CommandSucceededEvent", "CommandFailedEvent", "ConnectionCheckedInEvent", "TopologyClosedEvent"} <= names


def check_stats(*stats: Any, count: int) -> None:
    for one in stats:
        assert one.published == one.delivered == count, one
        assert (one.failed, one.filtered, one.dropped, one.pending) == (0, 0, {}, 0), one


@pytest.fixture(params=[f"{core}-{mode}" for core in backends() for mode in ("stock", "publish", "registration")])
def publishing(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """goanna over each core, while PyMongo publishes by itself or through goanna in either way."""
    core, _, mode = request.param.partition("-")
    with copy_of(core).active() as goanna:
        assert goanna is not None
        if mode == "stock":
            yield goanna
            return
        goanna.install(resolve=mode)
        try:
            yield goanna
        finally:
            goanna.uninstall()


async def use(client: Any) -> None:
    """Do a few things, one of which fails."""
    database = client["goanna_test"]
    await do(database["delivered"].insert_one({"total": 1}))
    with pytest.raises(OperationFailure):
        await do(database.command("goannaHasNoSuchCommand"))
    for _ in range(20):
        await do(client.admin.command("ping"))
    await do(database["delivered"].drop())


async def use_and_close(make: Callable[[], Any]) -> None:
    client = make()
    try:
        await use(client)
    finally:
        await do(client.close())


async def use_with(driver: Any, uri: str, listeners: list[Any], way: str) -> None:
    """Use a client of its own whose listeners are given to it or registered."""
    if way == "registered":
        for one in listeners:
            monitoring.register(one)
    await use_and_close(
        lambda: driver.client(uri, **({} if way == "registered" else {"event_listeners": listeners}), **OPTIONS)
    )


async def settled(published: Published) -> None:
    """Wait until the driver has published its last: that of a topology comes from a thread of its own at times."""
    async with asyncio.timeout(LONG):
        while "TopologyClosedEvent" not in {type(one).__name__ for one in list(published.events)}:
            await asyncio.sleep(0.001)


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> Any:
    return DRIVERS[request.param]


@pytest.mark.parametrize("way", ["given", "registered"])
def test_queued(publishing: ModuleType, registry: None, uri: str, driver: Any, way: str) -> None:
    published, arrived = everything(Published), everything()
    queue = publishing.queued(arrived, name="goanna-test")
    listeners = [published, queue]
    for one in INTERFACES:
        assert isinstance(queue, one)

    async def main() -> None:
        await use_with(driver, uri, listeners, way)
        await settled(published)

    driver.run(main())
    assert queue.close(LONG) == 0
    check(published, arrived)
    assert len(arrived.threads) == 1
    assert not arrived.threads & set(published.by_thread)
    check_stats(queue.stats(), count=len(published.events))


@pytest.mark.parametrize("awaiting", [False, True], ids=["plain", "async"])
@pytest.mark.parametrize("way", ["given", "registered"])
def test_on_loop(publishing: ModuleType, registry: None, uri: str, driver: Any, way: str, awaiting: bool) -> None:
    published, arrived = everything(Published), everything(awaiting=awaiting)

    async def main() -> None:
        wrapper = publishing.on_loop(arrived)
        for one in INTERFACES:
            assert isinstance(wrapper, one)
        listeners = [published, wrapper]
        await use_with(driver, uri, listeners, way)
        await settled(published)
        assert await wrapper.aclose(LONG) == 0
        assert arrived.threads == {threading.get_ident()}
        check_stats(wrapper.stats(), count=len(published.events))

    driver.run(main())
    check(published, arrived)


class OnTheLoop:
    """Does to the loop what is allowed on its own thread alone: asyncio's debug mode objects elsewhere."""

    def __init__(self, loop: asyncio.AbstractEventLoop, last: str) -> None:
        self.loop = loop
        self.last = last
        self.names: list[str] = []
        self.done = loop.create_future()
        self.called = 0

    def _called(self) -> None:
        self.called += 1

    def take(self, event: monitoring.CommandStartedEvent | Any) -> None:
        self.loop.call_soon(self._called)  # RuntimeError in debug mode on another thread
        self.names.append(f"{event.command_name} {type(event).__name__}")

    started = failed = take

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        self.take(event)
        if event.command_name == self.last and not self.done.done():
            self.done.set_result(None)


EXPECTED = [
    "insert CommandStartedEvent",
    "insert CommandSucceededEvent",
    "ping CommandStartedEvent",
    "ping CommandSucceededEvent",
]


async def one_call(goanna: ModuleType, uri: str, client: Callable[..., Any], loop: Any) -> None:
    """The example of Motor's documentation, made safe by one call."""
    inner = asyncio.get_running_loop()
    inner.set_debug(True)

    class CommandLogger(OnTheLoop, monitoring.CommandListener):
        pass

    raised: list[BaseException] = []
    logger = CommandLogger(inner, "ping")
    listener = goanna.on_loop(logger, loop, errors=lambda error, *_: raised.append(error))
    mine = client(uri, event_listeners=[listener], **OPTIONS)
    try:
        await do(mine.goanna_test.example.insert_one({"_id": 1}))
        await do(mine.admin.command("ping"))
        await asyncio.wait_for(logger.done, LONG)
        assert [one for one in logger.names if one.split()[0] in ("insert", "ping")] == EXPECTED
    finally:
        await do(mine.close())
        assert await listener.aclose(LONG) == 0
    await asyncio.sleep(0)
    assert raised == []
    assert logger.called == len(logger.names) == listener.stats().delivered


@pytest.mark.parametrize("name", ["AsyncMongoClient", "Motor-asyncio"])
def test_a_listener_that_touches_the_loop_with_asyncio(publishing: ModuleType, uri: str, name: str) -> None:
    async def main() -> None:
        await one_call(publishing, uri, DRIVERS[name].client, asyncio.get_running_loop())

    asyncio.run(main())


def test_a_listener_that_touches_the_loop_with_tornado(publishing: ModuleType, uri: str) -> None:
    from tornado.ioloop import IOLoop

    async def main() -> None:
        await one_call(publishing, uri, DRIVERS["Motor-Tornado"].client, IOLoop.current())

    run_in_tornado(main())


def test_without_that_call_it_is_not_safe(uri: str) -> None:
    """The test above can tell: the same listener alone is called on threads of Motor's pool, where it must not be."""

    class CommandLogger(OnTheLoop, monitoring.CommandListener):
        threads: set[int] = set()

        def take(self, event: Any) -> None:
            self.threads.add(threading.get_ident())

        started = failed = succeeded = take

    async def main() -> None:
        logger = CommandLogger(asyncio.get_running_loop(), "ping")
        client = DRIVERS["Motor-asyncio"].client(uri, event_listeners=[logger], **OPTIONS)
        await client.admin.command("ping")
        client.close()
        assert logger.threads - {threading.get_ident()}

    asyncio.run(main())


def commands_of(arrived: Arrivals) -> list[str]:
    return [f"{event.command_name} {type(event).__name__[7:-5].lower()}" for event in arrived.events]


class Commands(Arrivals, monitoring.CommandListener):
    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.take(event)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        self.take(event)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        self.take(event)


@contextlib.contextmanager
def client_of(uri: str, *listeners: Any) -> Iterator[MongoClient[Any]]:
    with MongoClient(uri, event_listeners=list(listeners), **OPTIONS) as client:
        yield client


def work(client: MongoClient[Any]) -> None:
    client.goanna_test.orders.insert_one({"_id": 1})
    client.goanna_other.orders.insert_one({"_id": 1})
    with pytest.raises(OperationFailure):
        client.goanna_test.command("goannaHasNoSuchCommand")
    client.admin.command("ping")
    client.goanna_test.orders.drop()
    client.goanna_other.orders.drop()


WHERE: dict[str, tuple[dict[str, Any], Callable[[Any], bool]]] = {
    "commands": ({"commands": ["insert", "ping"]}, lambda event: event.command_name in ("insert", "ping")),
    "databases": ({"databases": "goanna_other"}, lambda event: event.database_name == "goanna_other"),
    "both": (
        {"commands": "insert", "databases": "goanna_test"},
        lambda event: (event.command_name, event.database_name) == ("insert", "goanna_test"),
    ),
    "duration": ({"min_duration": 0.0}, lambda event: hasattr(event, "duration_micros")),
    "too long": ({"min_duration": 3600}, lambda event: False),
    "events": (
        {"events": (monitoring.CommandFailedEvent,)},
        lambda event: isinstance(event, monitoring.CommandFailedEvent),
    ),
    "predicate": ({"predicate": lambda event: event.request_id % 2}, lambda event: bool(event.request_id % 2)),
    "none of them": ({"sample": 0.0}, lambda event: False),
    "those that failed": (
        {"sample": 0.0, "always": "failed"},
        lambda event: isinstance(event, monitoring.CommandFailedEvent),
    ),
    "all of them": ({"sample": 1.0}, lambda event: True),
}


@pytest.mark.parametrize("condition", WHERE)
def test_where(publishing: ModuleType, uri: str, condition: str) -> None:
    options, admits = WHERE[condition]
    everyone, chosen = Commands(), Commands()
    wrapper = publishing.where(chosen, **options)
    assert isinstance(wrapper, monitoring.CommandListener)
    with client_of(uri, everyone, wrapper) as client:
        work(client)
    # A real server may have had the client log in, which is neither here nor there.
    assert [id(one) for one in chosen.events] == [id(one) for one in everyone.events if admits(one)]
    stats = wrapper.stats()
    assert stats.published == len(everyone.events)
    assert (stats.delivered, stats.filtered) == (len(chosen.events), len(everyone.events) - len(chosen.events))


def test_where_alone(publishing: ModuleType, uri: str) -> None:
    """With nobody else to listen, events need not be built; they are counted all the same."""
    everyone = Commands()
    with client_of(uri, everyone) as client:
        work(client)
    chosen = Commands()
    wrapper = publishing.where(chosen, commands="insert")
    with client_of(uri, wrapper) as client:
        work(client)
    assert commands_of(chosen) == ["insert started", "insert succeeded"] * 2
    stats = wrapper.stats()
    assert (stats.published, stats.delivered) == (len(everyone.events), 4)
    assert stats.filtered == stats.published - 4


def test_a_sample_keeps_start_and_end_together(publishing: ModuleType, uri: str) -> None:
    everyone, chosen = Commands(), Commands()
    with client_of(uri, everyone, publishing.where(chosen, sample=0.5)) as client:
        for _ in range(100):
            client.admin.command("ping")
    counted = Counter(event.request_id for event in chosen.events)
    assert set(counted.values()) == {2}
    assert 0 < len(counted) < len({event.request_id for event in everyone.events})


@pytest.mark.parametrize("order", ["where outside", "where inside"])
def test_nested(publishing: ModuleType, uri: str, order: str) -> None:
    everyone, chosen = Commands(), Commands()
    if order == "where outside":
        queue = publishing.queued(chosen)
        filtered = wrapper = publishing.where(queue, commands="insert")
    else:
        filtered = publishing.where(chosen, commands="insert")
        queue = wrapper = publishing.queued(filtered)
    assert isinstance(wrapper, monitoring.CommandListener)
    with client_of(uri, everyone, wrapper) as client:
        work(client)
    assert wrapper.close(LONG) == 0
    assert commands_of(chosen) == ["insert started", "insert succeeded"] * 2
    assert threading.get_ident() not in chosen.threads
    total = len(everyone.events)
    assert (filtered.stats().published, filtered.stats().filtered) == (total, total - 4)
    check_stats(queue.stats(), count=4 if order == "where outside" else total)


def test_nested_on_a_loop(publishing: ModuleType, uri: str) -> None:
    """A filter, then a loop; and a queue whose thread hands on to the loop."""
    first, second = Commands(), Commands()

    async def main() -> None:
        filtered = publishing.where(publishing.on_loop(first), commands="ping")
        relayed = publishing.on_loop(second)
        queue = publishing.queued(publishing.where(relayed, commands="ping"))

        def blocking() -> None:
            with client_of(uri, filtered, queue) as client:
                work(client)

        await asyncio.to_thread(blocking)
        assert await filtered.aclose(LONG) == 0
        assert await queue.aclose(LONG) == 0
        assert await relayed.aclose(LONG) == 0
        assert first.threads == second.threads == {threading.get_ident()}

    asyncio.run(main())
    assert commands_of(first) == commands_of(second) == ["ping started", "ping succeeded"]


def test_documents_that_the_application_changes(publishing: ModuleType, uri: str) -> None:
    """The default keeps the driver's own documents; a copy is the listener's own."""
    kept = {mode: Commands() for mode in ("reference", "shallow", "omit")}
    queues = {mode: publishing.queued(one, documents=mode, batch=1000, delay=3600) for mode, one in kept.items()}
    everyone = Commands()
    with client_of(uri, everyone, *queues.values()) as client:
        client.admin.command("ping")
    for one in queues.values():
        assert one.close(LONG) == 0
    ours = [event for event in everyone.events if event.command_name == "ping"]
    for mode, one in kept.items():
        theirs = [event for event in one.events if event.command_name == "ping"]
        assert [type(event) for event in theirs] == [type(event) for event in ours]
        documents = [(theirs[0].command, ours[0].command), (theirs[1].reply, ours[1].reply)]
        for mine, original in documents:
            assert (mine is original) is (mode == "reference")
            assert mine == ({} if mode == "omit" else original)
        assert (theirs[0].request_id, theirs[1].duration_micros) == (ours[0].request_id, ours[1].duration_micros)


def test_a_slow_listener_does_not_hold_up_commands(publishing: ModuleType, uri: str) -> None:
    """It holds on to the first event until all commands are done."""
    done = threading.Event()

    class Waiting(Commands):
        def take(self, event: Any) -> None:
            assert done.wait(LONG)
            super().take(event)

    listener = Waiting()
    queue = publishing.queued(listener, maxsize=20)
    with client_of(uri, queue) as client:
        for _ in range(50):
            client.admin.command("ping")
    done.set()
    assert queue.close(LONG) == 0
    stats = queue.stats()
    assert stats.published == stats.delivered + stats.dropped["overflow"]
    assert stats.high_water <= 21
    assert len(listener.events) == stats.delivered
    assert listener.events[-1].command_name in ("ping", "endSessions")


def test_a_field_that_is_none(publishing: ModuleType) -> None:
    """A caller other than the driver may publish without a database; the condition may ask for just those."""
    chosen = Commands()
    listeners = monitoring._EventListeners([publishing.where(chosen, fields={"database_name": [None]})])
    for number, database in enumerate((None, "orders", None)):
        listeners.publish_command_start({"ping": 1}, database, number, ("localhost", 27017), 7)  # type: ignore[arg-type]
    assert [event.request_id for event in chosen.events] == [0, 2]
