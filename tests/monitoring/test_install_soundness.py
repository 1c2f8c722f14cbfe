"""Installed publishers neither leak nor hold on to anything, on any of their paths."""

from __future__ import annotations

import contextlib
import datetime
import gc
import itertools
import weakref
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pymongo.monitoring as stock
import pytest

from support.garbage import IMMORTAL_NAMES
from support.leaks import assert_no_leak

ADDRESS = ("h", 27017)
DURATION = datetime.timedelta(microseconds=251)
PERIOD = 1001
"""After so many new names of commands the compiled publishers begin to note them anew."""

numbers = itertools.count()


class Keeps(stock.CommandListener, stock.ConnectionPoolListener):
    def started(self, event: Any) -> None:
        self.last = event

    succeeded = failed = pool_ready = pool_cleared = connection_checked_out = started


class Raises(Keeps):
    def started(self, event: Any) -> None:
        raise ValueError(event)

    succeeded = failed = pool_ready = started


class Empty(stock.CommandListener):
    def started(self, event: Any) -> None: ...

    succeeded = failed = started


def swallow(action: Callable[[], object]) -> Callable[[], None]:
    def attempt() -> None:
        try:
            action()
        except Exception:  # the paths under test are those that raise
            pass

    return attempt


def paths() -> dict[str, Callable[[], object]]:
    many = stock._EventListeners([Keeps(), Keeps()])
    failing = stock._EventListeners([Raises(), Keeps()])
    empty = stock._EventListeners([Empty()])
    odd: Any = stock._EventListeners([])
    odd._EventListeners__command_listeners = (Keeps(), Keeps())

    def start(listeners: Any, command: Any) -> None:
        listeners.publish_command_start(command, "db", 1, ADDRESS, 7, None, service_id=None)

    return {
        "started": lambda: start(many, {"find": 1}),
        "started, to nobody": lambda: start(stock._EventListeners(None), {"find": 1}),
        "started, empty": lambda: start(empty, {"find": 1}),
        "started, a tuple of listeners": lambda: start(odd, {"find": 1}),
        "started, sensitive": lambda: start(many, {"saslStart": 1}),
        "started, no command": swallow(lambda: start(many, {})),
        "started, new names": lambda: [start(many, {f"find{next(numbers)}": 1}) for _ in range(PERIOD)],
        "succeeded": lambda: many.publish_command_success(DURATION, {}, "find", 1, ADDRESS, 7, database_name="db"),
        "succeeded, speculative": lambda: many.publish_command_success(
            DURATION, {}, "find", 1, ADDRESS, 7, speculative_hello=True
        ),
        "succeeded, no duration": swallow(lambda: many.publish_command_success(None, {}, "find", 1, ADDRESS, 7)),
        "failed": lambda: many.publish_command_failure(DURATION, {}, "find", 1, ADDRESS, 7),
        "pool": lambda: many.publish_pool_ready(ADDRESS),
        "pool, defaults": lambda: many.publish_pool_cleared(ADDRESS, None),
        "checked out": lambda: many.publish_connection_checked_out(ADDRESS, 1, 0.5),
        "raising": lambda: start(failing, {"find": 1}),
        "wrong arguments": swallow(lambda: many.publish_pool_ready()),
        "an unknown keyword": swallow(lambda: many.publish_pool_ready(ADDRESS, wrong=1)),
    }


NAMES = sorted(paths())


@pytest.fixture(params=["publish", "registration"])
def installed(goanna: ModuleType, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(stock, "_handle_exception", lambda: None)
    goanna.install(resolve=request.param)
    yield
    goanna.uninstall()


@pytest.mark.parametrize("name", NAMES)
def test_no_path_leaks(installed: None, name: str, repetitions: int) -> None:
    if name == "started, new names" and IMMORTAL_NAMES:
        pytest.skip("strings that have been interned are immortal there")
    count = repetitions // (400 if name == "started, new names" else 20)
    watched = [None, ADDRESS, DURATION, stock.CommandStartedEvent, stock.PoolReadyEvent, "find", True]
    assert_no_leak(paths()[name], count, watched, references=max(count // 10, 20))


def test_clients_and_documents_go_away(installed: None) -> None:
    class Document(dict[str, Any]):
        pass

    listeners = stock._EventListeners([Keeps()])
    reply = Document(ok=1)
    gone = [weakref.ref(listeners), weakref.ref(reply)]
    listeners.publish_command_success(DURATION, reply, "find", 1, ADDRESS, 7)
    listeners.publish_pool_ready(ADDRESS)
    del listeners, reply
    gc.collect()
    # At registration the methods resolved last stay until other ones are; the client and its documents don't, except
    # what a listener keeps itself.
    stock._EventListeners([Keeps()]).publish_command_success(DURATION, {}, "find", 1, ADDRESS, 7)
    gc.collect()
    assert [one() for one in gone] == [None, None]


def test_a_listener_that_empties_the_list_and_runs_the_collector(installed: None) -> None:
    log: list[str] = []

    class Drops(Keeps):
        def started(self, event: Any) -> None:
            held[0]._EventListeners__command_listeners.clear()
            gc.collect()
            log.append("drops")

        def __del__(self) -> None:
            log.append("gone")

    held: list[Any] = [stock._EventListeners([Drops(), Keeps()])]
    held[0].publish_command_start({"find": 1}, "db", 1, ADDRESS, 7)
    held[0].publish_command_start({"find": 1}, "db", 1, ADDRESS, 7)
    held.clear()
    gc.collect()
    assert log[0] == "drops"
    assert log.count("drops") == 1


def test_a_collector_that_empties_the_command(installed: None, goanna: ModuleType) -> None:
    """It may run between the look at the first key and the reference to it."""
    keeps: Any = Keeps()
    listeners = stock._EventListeners([keeps])
    command: dict[str, int] = {}
    junk: list[str] = []
    ticks = itertools.count()

    def empties(phase: str, info: dict[str, int]) -> None:
        if next(ticks) % 3 == 0:
            command.clear()
        junk[:] = ["junk" + str(number) for number in range(50)]

    before = gc.get_threshold()
    gc.callbacks.append(empties)
    gc.set_threshold(1, 1000, 1000)
    try:
        for number in range(300):
            command["".join(["interrupted", str(number)])] = 1
            if command:
                with contextlib.suppress(StopIteration, ValueError):  # an empty command is none
                    listeners.publish_command_start(command, "db", 1, ADDRESS, 7)
                    assert keeps.last.command_name == f"interrupted{number}"
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(empties)
    assert keeps.last.command_name.startswith("interrupted")


@pytest.mark.skipif(IMMORTAL_NAMES, reason="strings that have been interned are immortal there")
def test_long_names_of_commands_are_not_kept(installed: None) -> None:
    import tracemalloc

    listeners = stock._EventListeners([Keeps()])

    def publish(number: int) -> None:
        listeners.publish_command_start({f"{number:0100000d}": 1}, "db", 1, ADDRESS, 7)
        listeners.publish_command_success(DURATION, {}, f"{number:0100000d}", 1, ADDRESS, 7)

    tracemalloc.start()
    try:
        publish(0)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(1, 50):
            publish(number)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 500_000
    finally:
        tracemalloc.stop()
