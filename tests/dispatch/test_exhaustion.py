"""What ends a fan-out although it is an Exception: a RecursionError, a MemoryError; and recursion without end."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

LIMIT = 250
MOST = 10 * LIMIT
POLICIES = ["log", "print", "raise", lambda error, listener, event: None]


class TooManyError(BaseException):
    """There have been more calls than the stack can have frames."""


@pytest.fixture
def shallow() -> Iterator[None]:
    """Let recursion end after few frames."""
    before = sys.getrecursionlimit()
    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back  # type: ignore[assignment]
    sys.setrecursionlimit(depth + LIMIT)
    yield
    sys.setrecursionlimit(before)


def echo(shapes: ModuleType, target: Callable[[Any], object], log: list[Any]) -> Any:
    """Return a listener that hands what it gets to ``target``."""

    class Echo(shapes.Recorder):  # type: ignore[name-defined,misc]
        def placed(self, event: Any) -> None:
            log.append(event)
            if len(log) > MOST:
                raise TooManyError
            target(event)

    return Echo()


@pytest.mark.parametrize("errors", POLICIES)
@pytest.mark.parametrize("kind", [RecursionError, MemoryError])
@pytest.mark.parametrize("first", [False, True], ids=["first error", "second error"])
def test_it_propagates_and_the_counts_are_exact(
    goanna: ModuleType, shapes: ModuleType, errors: Any, kind: type[Exception], first: bool
) -> None:
    class Stops(shapes.Recorder):  # type: ignore[name-defined,misc]
        def placed(self, event: Any) -> None:
            raise kind("the end")

    hub = goanna.Dispatcher(errors=errors)
    log: list[Any] = []
    for listener in ((shapes.Failing if first else shapes.Recorder)(log, "a"), Stops(log, "b"), shapes.Recorder(log)):
        hub.add(listener)
    publish = hub.publisher(shapes.OrderPlaced)
    for one in (lambda: publish(1), lambda: hub.publish(shapes.OrderPlaced(1))):
        with pytest.raises(kind, match="the end") as caught:
            one()
        assert len(getattr(caught.value.__context__, "exceptions", ())) == (first and errors == "raise")
    assert len(log) == 2
    assert [one.stats() for one in hub.registrations] == [
        goanna.Stats(2, 0, 2) if first else goanna.Stats(2, 2, 0),
        goanna.Stats(2, 0, 2),
        goanna.Stats(0, 0, 0),
    ]


@pytest.mark.parametrize("errors", POLICIES)
@pytest.mark.parametrize("wrapped", ["plain", "where", "watched", "built", "failing"])
def test_listeners_that_publish_what_they_get(
    goanna: ModuleType, shapes: ModuleType, errors: Any, wrapped: str, shallow: None
) -> None:
    hub = goanna.Dispatcher(errors=errors)
    log: list[Any] = []
    publish = hub.publisher(shapes.OrderPlaced)
    if wrapped == "failing":
        hub.add(shapes.Failing([]))
    for _ in range(2):
        one = echo(shapes, hub.publish if wrapped == "built" else lambda event: publish(1), log)
        if wrapped == "where":
            one = goanna.where(one, events=shapes.OrderPlaced)
        hub.add(one, timed=wrapped == "watched")
    with pytest.raises(RecursionError):
        publish(1)
    sys.setrecursionlimit(10 * LIMIT + sys.getrecursionlimit())
    assert len(log) <= LIMIT
    first, second = [one.stats() for one in hub.registrations][-2:]
    assert second.published == 0
    assert first.delivered == 0
    assert first.published == first.failed
    assert 0 <= first.failed - len(log) <= 1  # the call for which there was no room has failed, too


def test_a_policy_that_publishes_what_fails_again(goanna: ModuleType, shapes: ModuleType, shallow: None) -> None:
    log: list[Any] = []

    def again(error: Exception, listener: Any, event: Any) -> None:
        log.append(error)
        if len(log) > MOST:
            raise TooManyError
        hub.publish(event)

    hub = goanna.Dispatcher(errors=again)
    hub.add(shapes.Failing([]))
    hub.add(shapes.Failing([]))
    with pytest.raises(RecursionError):
        hub.publish(shapes.OrderPlaced(1))
    assert len(log) <= LIMIT


@pytest.mark.parametrize(
    "behind",
    [
        lambda goanna, publish: publish.publish,
        lambda goanna, publish: functools.partial(publish.publish),
    ],
    ids=["publish", "partial"],
)
@pytest.mark.parametrize("conditions", ["none", "before the listener", "as a condition"])
def test_recursion_without_a_frame(
    goanna: ModuleType, shapes: ModuleType, behind: Callable[[Any, Any], Any], conditions: str
) -> None:
    class To(shapes.Recorder):  # type: ignore[name-defined,misc]
        def __init__(self, target: Any) -> None:
            super().__init__([])
            self.placed = target

    hubs = goanna.Dispatcher(errors=lambda *_: None), goanna.Dispatcher(errors="raise")
    for one, other in zip(hubs, reversed(hubs), strict=True):
        target = behind(goanna, other.publisher(shapes.OrderPlaced))
        if conditions == "as a condition":
            one.add(goanna.where(shapes.Recorder([]), target))
        else:
            listener = To(target)
            one.add(goanna.where(listener, events=shapes.OrderPlaced) if conditions != "none" else listener)
    with pytest.raises(RecursionError):
        hubs[0].publish(shapes.OrderPlaced(1))
    for hub in hubs:
        [registration] = hub.registrations
        stats = registration.stats()
        assert stats.delivered == 0
        assert stats.failed == stats.published > 10


def test_own_monitoring(goanna: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    names = importlib.import_module("goanna.monitoring._standalone")

    class Stops(names.TopologyListener):  # type: ignore[name-defined,misc]
        def __init__(self, kind: type[Exception]) -> None:
            self.kind = kind

        def opened(self, event: Any) -> None:
            log.append(event)
            raise self.kind

    log: list[Any] = []
    monkeypatch.setattr(sys, "stderr", None)
    for kind, calls in ((RecursionError, 1), (MemoryError, 1), (ValueError, 2)):
        log.clear()
        listeners = names._EventListeners([Stops(kind), Stops(kind)])
        if calls == 1:
            with pytest.raises(kind):
                listeners.publish_topology_opened(1)
        else:
            listeners.publish_topology_opened(1)
        assert len(log) == calls
