"""Listeners and functions whose call runs nothing: coroutines and generators, maybe behind something else."""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
import warnings
from collections.abc import Callable, Generator
from types import ModuleType
from typing import Any
from unittest import mock

import pytest


async def real(*args: Any) -> None:
    """Never awaited."""


def generator(*args: Any) -> Generator[Any, None, None]:
    yield args


async def asynchronous_generator(*args: Any) -> Any:
    yield args


class AsyncCall:
    async def __call__(self, event: Any) -> None:
        """Never awaited."""


class PartialCall:
    __call__ = functools.partialmethod(real, 1)  # type: ignore[assignment]


class Awaitable:
    """Something that would do its work when it is awaited."""

    def __await__(self) -> Generator[Any, None, None]:
        yield


def passed_on(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


SEEN = {
    "function": real,
    "partial": functools.partial(real, 1),
    "partialmethod": functools.partialmethod(real, 1),
    "nested": functools.partial(functools.partial(real, 1), 2),
    "object": AsyncCall(),
    "object with a partial": PartialCall(),
    "mock": mock.AsyncMock(),
    "generator": functools.partial(generator, 1),
    "asynchronous generator": functools.partial(asynchronous_generator, 1),
}
if sys.version_info >= (3, 12):
    SEEN["marked"] = inspect.markcoroutinefunction(lambda *args: real())
RETURNED = {
    "decorated": passed_on(real),
    "lambda": lambda *args: real(),
    "generator": lambda *args: generator(),
    "asynchronous generator": lambda *args: asynchronous_generator(),
    "awaitable": lambda *args: Awaitable(),
}


@pytest.fixture
def named(goanna: ModuleType, shapes: ModuleType) -> Callable[[Any], Any]:
    def listener(method: Any) -> Any:
        """Return a listener with this as its method."""
        return type("Named", (shapes.Recorder,), {"placed": method})([])

    return listener


@pytest.fixture(autouse=True)
def no_warnings() -> Any:
    """Have what is never awaited closed: then the interpreter doesn't warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


@pytest.mark.parametrize("kind", SEEN)
def test_seen_when_it_is_registered(goanna: ModuleType, named: Any, kind: str) -> None:
    listener = named(SEEN[kind])
    word = "generator" if "generator" in kind else "coroutine"
    for register in (goanna.Dispatcher().add, goanna.queued, lambda one: goanna.where(one, commands="x")):
        with pytest.raises(TypeError, match=rf"Named.placed\(\) is a {word} function"):
            register(listener)


@pytest.mark.parametrize("kind", RETURNED)
@pytest.mark.parametrize("errors", ["raise", "callable"])
@pytest.mark.parametrize("way", ["publish", "build", "where", "watched", "once", "weak", "after an error"])
def test_returned_by_a_listener(
    goanna: ModuleType, shapes: ModuleType, named: Any, kind: str, errors: str, way: str
) -> None:
    got: list[Any] = []
    hub = goanna.Dispatcher(errors="raise" if errors == "raise" else lambda error, *_: got.append(error))
    if way == "after an error":
        hub.add(shapes.Failing([]))
    keep = one = named(RETURNED[kind])
    if way == "where":
        one = goanna.where(one, events=shapes.OrderPlaced)
    registration = hub.add(one, timed=way == "watched", once=way == "once", weak=way == "weak")
    publish = hub.publisher(shapes.OrderPlaced) if way == "build" else lambda n: hub.publish(shapes.OrderPlaced(n))
    if errors == "raise":
        with pytest.raises(ExceptionGroup) as caught:
            publish(1)
        got = list(caught.value.exceptions)
    else:
        publish(1)
    assert "so nothing of it has run; goanna.on_loop(...) awaits" in str(got[-1])
    stats = registration.stats()
    assert (stats.published, stats.delivered, stats.failed) == (1, 0, 1)
    assert way != "where" or one.stats() == goanna.Stats(1, 0, 1)
    del keep


@pytest.mark.parametrize("kind", RETURNED)
def test_returned_behind_a_queue(goanna: ModuleType, shapes: ModuleType, named: Any, kind: str) -> None:
    got: list[Any] = []
    with goanna.queued(named(RETURNED[kind]), errors=lambda error, *_: got.append(error)) as one:
        one.placed(shapes.OrderPlaced(1))
        assert one.flush(30) == 0
    assert (one.stats().delivered, one.stats().failed) == (0, 1)
    assert isinstance(got[0], TypeError)


@pytest.mark.parametrize("name", ["handle_batch", "events_lost"])
def test_other_methods_behind_a_queue(goanna: ModuleType, shapes: ModuleType, name: str) -> None:
    got: list[Any] = []
    methods = {"placed": lambda self, event: str(event), name: lambda self, events: real()}
    listener = type("Named", (shapes.Recorder,), methods)([])
    with goanna.queued(listener, errors=lambda error, *_: got.append(error), maxsize=1) as one:
        for number in range(1000):
            one.placed(shapes.OrderPlaced(number))
        assert one.flush(30) == 0
    assert got
    assert {type(error) for error in got} == {TypeError}
    with pytest.raises(TypeError, match=rf"Named.{name}\(\) is a coroutine function"):
        goanna.queued(type("Named", (shapes.Recorder,), {**methods, name: real})([]))


def test_a_loop_awaits_them(goanna: ModuleType, shapes: ModuleType, named: Any) -> None:
    got: list[Any] = []

    async def main() -> list[int]:
        counts = []
        for method in (functools.partial(real, 1), AsyncCall(), passed_on(real), lambda *args: generator()):
            one = goanna.on_loop(named(method), errors=lambda error, *_: got.append(error))
            one.placed(shapes.OrderPlaced(1))
            assert await one.aflush(30) == 0
            counts.append(one.stats().delivered)
        return counts

    assert asyncio.run(main())[:2] == [1, 1]
    assert {type(error) for error in got} <= {TypeError}
    loop = asyncio.new_event_loop()
    with pytest.raises(TypeError, match="is a generator function"):
        goanna.on_loop(named(functools.partial(generator, 1)), loop)
    loop.close()


def test_what_runs_by_itself_is_fine(goanna: ModuleType, shapes: ModuleType, named: Any) -> None:
    ran: list[Any] = []

    async def work(self: Any, event: Any) -> None:
        ran.append(event)

    @functools.wraps(work)
    def here(*args: Any) -> None:
        asyncio.run(work(*args))

    @functools.wraps(work)
    def task(*args: Any) -> Any:
        return asyncio.ensure_future(work(*args))

    async def main() -> None:
        hub.publish(shapes.OrderPlaced(2))
        await asyncio.sleep(0)

    hub = goanna.Dispatcher(errors="raise")
    with hub.add(named(here)):
        hub.publish(shapes.OrderPlaced(1))
    for value in (True, 0, "text", [], iter([]), object()):
        with hub.add(named(lambda self, event, value=value: value)) as registration:
            hub.publish(shapes.OrderPlaced(1))
        assert registration.stats().delivered == 1
    hub.add(named(task))
    asyncio.run(main())
    assert len(ran) == 2


@pytest.mark.parametrize("kind", ["function", "partial", "object", "generator"])
def test_options_that_are_functions(goanna: ModuleType, shapes: ModuleType, kind: str) -> None:
    from goanna.delivery import paired

    listener = shapes.Recorder([])
    function = SEEN[kind]
    word = "generator" if kind == "generator" else "coroutine"
    for option, make in {
        "predicate": lambda: goanna.where(listener, function),
        "a predicate in always": lambda: goanna.where(listener, sample=0.5, always=[function]),
        "errors": lambda: goanna.queued(listener, errors=function),
        "documents": lambda: goanna.queued(listener, documents=function),
        "key": lambda: paired(listener, start="placed", ends="shipped", method="placed", key=function),
    }.items():
        with pytest.raises(TypeError, match=f"{option} must be an ordinary function, not a {word} function"):
            make()
    with pytest.raises(TypeError, match=f"errors must be an ordinary function, not a {word} function"):
        goanna.Dispatcher(errors=function)


@pytest.mark.parametrize("kind", RETURNED)
def test_returned_by_a_predicate(goanna: ModuleType, shapes: ModuleType, kind: str) -> None:
    got: list[Any] = []
    hub = goanna.Dispatcher(errors=lambda error, *_: got.append(error))
    log: list[Any] = []
    one = goanna.where(shapes.Recorder(log), RETURNED[kind])
    hub.add(one)
    hub.publish(shapes.OrderPlaced(1))
    assert log == []
    assert one.stats() == goanna.Stats(1, 0, 1)
    assert isinstance(got[0], TypeError)


def test_returned_by_a_policy(goanna: ModuleType, shapes: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    hub = goanna.Dispatcher(errors=lambda *args: real())
    hub.add(shapes.Failing([]))
    hub.publish(shapes.OrderPlaced(1))
    assert [type(one.exc_info[1]) for one in caplog.records if one.exc_info] == [ValueError, TypeError]
