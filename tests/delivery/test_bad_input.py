"""Wrong arguments get a clear answer when a wrapper is made, the same on both cores."""

from __future__ import annotations

import asyncio
import copy
import pickle
from types import ModuleType
from typing import Any

import pytest

from support.recorders import recorder

NAN = float("nan")

COMMON: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"maxsize": 0}, ValueError, "maxsize is 0; it must be at least 1"),
    ({"maxsize": 1.5}, TypeError, "maxsize must be an int, not float"),
    ({"maxsize": True}, TypeError, "maxsize must be an int, not bool"),
    ({"maxsize": 1 << 70}, ValueError, "maxsize is 1180591620717411303424; it must be at most"),
    ({"overflow": "explode"}, ValueError, "overflow is 'explode'; it must be one of drop_oldest, drop_newest"),
    ({"errors": "raise"}, ValueError, 'errors is "raise"; behind a queue or on a loop'),
    ({"errors": "shout"}, ValueError, "errors is 'shout'"),
    ({"errors": 3}, TypeError, "errors must be"),
    ({"documents": "deep"}, ValueError, "documents is 'deep'"),
    ({"documents": 3}, TypeError, "documents must be"),
    ({"context": "copy"}, ValueError, "context is 'copy'"),
    ({"quarantine": 0}, ValueError, "quarantine is 0; it must be at least 1"),
    ({"quarantine": "3"}, TypeError, "quarantine must be an int or None, not str"),
    ({"max_bytes": 0}, ValueError, "max_bytes is 0; it must be at least 1"),
    ({"max_bytes": "1M"}, TypeError, "max_bytes must be an int, not str"),
    ({"reentrant": True}, ValueError, 'reentrant is True; it must be "drop" or "deliver"'),
    ({"slow": 0}, ValueError, "slow is 0; it must be more than 0 seconds"),
    ({"slow": NAN}, ValueError, "slow is nan"),
    ({"slow": "1"}, TypeError, "slow must be a number of seconds or None, not str"),
]
QUEUED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"timeout": -1}, ValueError, "timeout is -1; it must be 0 seconds or more"),
    ({"timeout": "1"}, TypeError, "timeout must be a number of seconds, not str"),
    ({"batch": 500, "maxsize": 10}, ValueError, "batch is 500, but no more than maxsize=10 events wait"),
    ({"batch": 1.0}, TypeError, "batch must be an int, not float"),
    ({"name": 3}, TypeError, "name must be a string or None, not int"),
    ({"batch": 0}, ValueError, "batch is 0; it must be at least 1"),
    ({"delay": NAN}, ValueError, "delay is nan"),
    ({"delay": None}, TypeError, "delay must be a number of seconds, not NoneType"),
    ({"exit_timeout": -0.5}, ValueError, "exit_timeout is -0.5"),
]
ON_LOOP: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"overflow": "block"}, ValueError, "overflow is 'block'"),
    ({"concurrency": 0}, ValueError, "concurrency is 0; it must be at least 1"),
    ({"concurrency": 1.0}, TypeError, "concurrency must be an int, not float"),
    ({"loop": 3}, TypeError, "loop must be an asyncio loop, a Tornado IOLoop, a goanna.delivery.Loop or None, not int"),
]
WHERE: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({}, ValueError, "where.. needs at least one condition"),
    ({"predicate": 3}, TypeError, "predicate must be callable, not int"),
    ({"events": 3}, TypeError, "events must be event classes, not 3"),
    ({"events": [3]}, TypeError, "events must be event classes, not 3"),
    ({"events": []}, ValueError, "events is empty"),
    ({"commands": 3}, TypeError, "commands must be strings, not 3"),
    ({"commands": [3]}, TypeError, "commands must be strings, not 3"),
    ({"commands": [["find"]]}, TypeError, r"commands must be strings, not \['find'\]"),
    ({"commands": []}, ValueError, "commands is empty"),
    ({"databases": b"x"}, TypeError, "databases must be strings, not 120"),
    ({"fields": 3}, TypeError, "fields must map names of fields to values, not 3"),
    ({"fields": {3: 4}}, TypeError, "fields must map"),
    ({"fields": {"a": []}}, ValueError, "the values of field 'a' are empty"),
    ({"fields": {"a": {}}}, TypeError, "the values of field 'a' must have hashes"),
    ({"min_duration": -1}, ValueError, "min_duration is -1"),
    ({"min_duration": "1"}, TypeError, "min_duration must be a number of seconds, not str"),
    ({"sample": 2}, ValueError, "sample is 2; it must be from 0.0 to 1.0"),
    ({"sample": NAN}, ValueError, "sample is nan"),
    ({"sample": "1"}, TypeError, "sample must be a number from 0.0 to 1.0, not str"),
    ({"rate": 3}, TypeError, 'rate must be a string like "100/s", not int'),
    ({"rate": "3"}, ValueError, "rate is '3'"),
    ({"rate": "0/s"}, ValueError, "rate is '0/s'"),
    ({"rate": "-1/s"}, ValueError, "rate is '-1/s'"),
    ({"rate": "1/day"}, ValueError, "rate is '1/day'"),
    ({"sample": 0.5, "by": 3}, TypeError, "by must be the name of a field, not int"),
    ({"sample": 0.5, "always": "slow"}, ValueError, "always is 'slow'"),
    ({"sample": 0.5, "always": -1}, ValueError, "always is -1"),
    ({"commands": "find", "always": "failed"}, ValueError, "always exempts from sample and rate, and neither is given"),
]


def make(goanna: ModuleType, wraps: str, listener: Any, **options: Any) -> Any:
    if wraps != "on_loop" or "loop" in options:
        return getattr(goanna, wraps)(listener, **options)
    loop = asyncio.new_event_loop()
    try:
        return goanna.on_loop(listener, loop, **options)
    finally:
        loop.close()


@pytest.mark.parametrize(
    ("wraps", "options", "error", "text"),
    [("queued", *one) for one in COMMON + QUEUED]
    + [("on_loop", *one) for one in COMMON + ON_LOOP]
    + [("where", *one) for one in WHERE],
)
def test_wrong_options(
    goanna: ModuleType, shapes: ModuleType, wraps: str, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        make(goanna, wraps, recorder(shapes), **options)


@pytest.mark.parametrize("wraps", ["queued", "on_loop", "where"])
def test_wrong_listeners(goanna: ModuleType, shapes: ModuleType, wraps: str) -> None:
    options: dict[str, Any] = {"sample": 0.5} if wraps == "where" else {}
    for listener, text in (
        (shapes.Recorder, "a listener object is needed, not the class Recorder; call it first"),
        (3, "int implements no listener interface"),
        (goanna.Dispatcher(), "Dispatcher implements no listener interface"),
        (recorder(shapes, placed=lambda self: None), "must take one positional argument, the event"),
        (recorder(shapes, placed=3), "must be a method, not int"),
    ):
        with pytest.raises(TypeError, match=text):
            make(goanna, wraps, listener, **options)
    if wraps != "where":
        with pytest.raises(TypeError, match="events_lost must be a method, not int"):
            make(goanna, wraps, recorder(shapes, events_lost=3))

    class Interface(goanna.Listener):
        @goanna.handles(shapes.OrderPlaced)
        def stats(self, event: Any) -> None:
            self.last = event

    with pytest.raises(TypeError, match="a method for events can't be called 'stats' here"):
        make(goanna, wraps, Interface(), **options)


@pytest.mark.parametrize("wraps", ["queued", "on_loop", "where"])
def test_wrong_uses(goanna: ModuleType, shapes: ModuleType, wraps: str) -> None:
    wrapper = make(goanna, wraps, recorder(shapes), **({"sample": 0.5} if wraps == "where" else {}))
    with pytest.raises(AttributeError, match="placed of a .* can't be replaced; wrap another listener instead"):
        wrapper.placed = print
    for action in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="can't be copied or pickled"):
            action(wrapper)
    with pytest.raises(TypeError):
        wrapper.placed()
    with pytest.raises(TypeError):
        wrapper.placed(1, 2)
    if wraps != "where":
        for wrong, error in ((-1, ValueError), ("1", TypeError), (NAN, ValueError)):
            for method in (wrapper.flush, wrapper.close):
                with pytest.raises(error, match="timeout"):
                    method(wrong)
        # A wrong timeout has closed nothing.
        assert wrapper.stats().dropped == {}
        wrapper.placed(shapes.OrderPlaced(1))
        assert set(wrapper.stats().dropped) <= {"loop_closed"}
        wrapper.close(30)


def test_no_loop_is_running(goanna: ModuleType, shapes: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="no asyncio loop is running here; say which is meant with loop="):
        goanna.on_loop(recorder(shapes))
    from goanna.delivery import TaskGroupLoop

    with pytest.raises(TypeError, match="a TaskGroupLoop takes a trio nursery or an anyio task group, not int"):
        TaskGroupLoop(3)


def test_a_batch_listener_has_no_context_of_one_publisher(goanna: ModuleType, shapes: ModuleType) -> None:
    listener = recorder(shapes, handle_batch=lambda self, events: None)
    with pytest.raises(ValueError, match='context="capture" is for single events'):
        goanna.queued(listener, context="capture")
    with pytest.raises(TypeError, match="handle_batch must be a method|must take one positional"):
        goanna.queued(recorder(shapes, handle_batch=lambda self: None))


@pytest.mark.parametrize("options", [{"slow": 0}, {"quarantine": 0}, {"slow": "1"}, {"quarantine": 1.5}])
def test_wrong_options_of_a_registration(goanna: ModuleType, shapes: ModuleType, options: dict[str, Any]) -> None:
    hub = goanna.Dispatcher()
    with pytest.raises((TypeError, ValueError), match=next(iter(options))):
        hub.add(recorder(shapes), **options)
    assert len(hub) == 0
