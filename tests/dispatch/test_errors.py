"""What happens when a listener raises."""

from __future__ import annotations

import io
import logging
import re
import sys
from types import ModuleType
from typing import Any

import pytest


def three(goanna: ModuleType, shapes: ModuleType, errors: Any) -> tuple[Any, list[Any]]:
    hub = goanna.Dispatcher(errors=errors)
    log: list[Any] = []
    hub.add(shapes.Failing(log, "one"))
    hub.add(shapes.Recorder(log, "two"))
    hub.add(shapes.Failing(log, "three"))
    return hub, log


def test_log_is_the_default(goanna: ModuleType, shapes: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    hub = goanna.Dispatcher()
    hub.add(shapes.Failing(name="one"))
    with caplog.at_level(logging.DEBUG):
        hub.publisher(shapes.OrderPlaced)(1)
    [record] = caplog.records
    assert (record.name, record.levelname) == ("goanna", "ERROR")
    assert re.fullmatch(r"<support.shapes.Failing object at 0x\w+> failed on OrderPlaced", record.getMessage())
    assert record.exc_info is not None
    assert repr(record.exc_info[1]) == "ValueError('one failed')"


def test_the_others_still_run(goanna: ModuleType, shapes: ModuleType) -> None:
    got = []
    hub, log = three(goanna, shapes, lambda error, listener, event: got.append((str(error), listener.name, event)))
    event = shapes.OrderPlaced(1)
    hub.publish(event)
    assert [name for name, _ in log] == ["one", "two", "three"]
    assert got == [("one failed", "one", event), ("three failed", "three", event)]


def test_print_writes_the_traceback(goanna: ModuleType, shapes: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, _ = three(goanna, shapes, "print")
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    hub.publish(shapes.OrderPlaced(1))
    text = stream.getvalue()
    assert text.count("Traceback (most recent call last):") == 2
    assert text.endswith("ValueError: three failed\n")
    assert "During handling" not in text


@pytest.mark.parametrize("stream", [None, ""])
def test_print_without_a_stream(
    goanna: ModuleType, shapes: ModuleType, monkeypatch: pytest.MonkeyPatch, stream: Any
) -> None:
    hub, log = three(goanna, shapes, "print")
    monkeypatch.setattr(sys, "stderr", stream)
    hub.publish(shapes.OrderPlaced(1))
    assert len(log) == 3


def test_print_to_a_stream_that_fails(goanna: ModuleType, shapes: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError("no space left")

    hub, log = three(goanna, shapes, "print")
    monkeypatch.setattr(sys, "stderr", Full())
    hub.publish(shapes.OrderPlaced(1))
    assert len(log) == 3


def test_raise_collects_and_raises_after_all_have_run(goanna: ModuleType, shapes: ModuleType) -> None:
    hub, log = three(goanna, shapes, "raise")
    for publish in (hub.publisher(shapes.OrderPlaced), lambda order_id: hub.publish(shapes.OrderPlaced(order_id))):
        log.clear()
        with pytest.raises(ExceptionGroup) as caught:
            publish(1)
        assert len(log) == 3
        assert str(caught.value) == "2 listeners failed on OrderPlaced (2 sub-exceptions)"
        assert [str(error) for error in caught.value.exceptions] == ["one failed", "three failed"]
        assert [error.__context__ for error in caught.value.exceptions] == [None, None]
    counts = [one.stats() for one in hub.registrations]
    assert counts == [goanna.Stats(2, 0, 2), goanna.Stats(2, 2, 0), goanna.Stats(2, 0, 2)]


def test_one_error_is_a_group_too(goanna: ModuleType, shapes: ModuleType) -> None:
    hub = goanna.Dispatcher(errors="raise")
    hub.add(shapes.Failing(name="only"))
    with pytest.raises(ExceptionGroup, match="1 listener failed on OrderPlaced"):
        hub.publish(shapes.OrderPlaced(1))


@pytest.mark.parametrize("errors", ["log", "print", "raise", lambda *args: None])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_base_exception_propagates_at_once(
    goanna: ModuleType, shapes: ModuleType, errors: Any, kind: type[BaseException]
) -> None:
    class Stops(shapes.Recorder):  # type: ignore[name-defined,misc]
        def placed(self, event: Any) -> None:
            super().placed(event)
            raise kind

    hub = goanna.Dispatcher(errors=errors)
    log: list[Any] = []
    for listener in (shapes.Recorder(log, "a"), Stops(log, "b"), shapes.Recorder(log, "c")):
        hub.add(listener)
    with pytest.raises(kind):
        hub.publisher(shapes.OrderPlaced)(1)
    assert [name for name, _ in log] == ["a", "b"]
    assert [one.stats() for one in hub.registrations] == [
        goanna.Stats(1, 1, 0),
        goanna.Stats(1, 0, 1),
        goanna.Stats(0, 0, 0),
    ]


def test_errors_collected_before_a_base_exception_are_its_context(goanna: ModuleType, shapes: ModuleType) -> None:
    class Stops(shapes.Recorder):  # type: ignore[name-defined,misc]
        def placed(self, event: Any) -> None:
            raise KeyboardInterrupt

    hub = goanna.Dispatcher(errors="raise")
    hub.add(shapes.Failing(name="one"))
    hub.add(Stops())
    with pytest.raises(KeyboardInterrupt) as caught:
        hub.publish(shapes.OrderPlaced(1))
    assert isinstance(caught.value.__context__, ExceptionGroup)
    assert str(caught.value.__context__.exceptions[0]) == "one failed"


def test_the_policy_runs_while_the_error_is_handled(goanna: ModuleType, shapes: ModuleType) -> None:
    seen = []
    hub, _ = three(goanna, shapes, lambda error, listener, event: seen.append((sys.exc_info()[1], error)))
    hub.publish(shapes.OrderPlaced(1))
    assert len(seen) == 2
    assert all(current is error for current, error in seen)
    assert all(error.__context__ is None for _, error in seen)
    assert sys.exc_info() == (None, None, None)


def test_publishing_while_an_exception_is_handled(goanna: ModuleType, shapes: ModuleType) -> None:
    hub, log = three(goanna, shapes, "raise")
    outer = KeyError("outer")
    try:
        raise outer
    except KeyError:
        with pytest.raises(ExceptionGroup) as caught:
            hub.publish(shapes.OrderPlaced(1))
        assert sys.exc_info()[1] is outer
    assert len(log) == 3
    assert [error.__context__ for error in caught.value.exceptions] == [outer, outer]


def test_a_policy_that_fails_is_logged_and_harms_nobody(
    goanna: ModuleType, shapes: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(error: Exception, listener: Any, event: Any) -> None:
        raise RuntimeError("policy failed")

    hub, log = three(goanna, shapes, broken)
    hub.publish(shapes.OrderPlaced(1))
    assert len(log) == 3
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == [
        "one failed", "policy failed", "three failed", "policy failed",
    ]  # fmt: skip


def test_a_policy_may_raise_a_base_exception(goanna: ModuleType, shapes: ModuleType) -> None:
    def stop(error: Exception, listener: Any, event: Any) -> None:
        raise SystemExit(3)

    hub, log = three(goanna, shapes, stop)
    with pytest.raises(SystemExit):
        hub.publish(shapes.OrderPlaced(1))
    assert len(log) == 1
    assert [one.stats() for one in hub.registrations] == [
        goanna.Stats(1, 0, 1),
        goanna.Stats(0, 0, 0),
        goanna.Stats(0, 0, 0),
    ]


def test_a_listener_whose_repr_fails_is_logged_all_the_same(
    goanna: ModuleType, shapes: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    class Shy(shapes.Failing):  # type: ignore[name-defined,misc]
        def __repr__(self) -> str:
            raise LookupError

    hub = goanna.Dispatcher()
    hub.add(Shy())
    hub.publish(shapes.OrderPlaced(1))
    assert "whose repr raised LookupError> failed on OrderPlaced" in caplog.text


def test_unknown_policies_are_refused(goanna: ModuleType) -> None:
    with pytest.raises(ValueError, match=re.escape('errors is \'ignore\'; it must be "log", "print", "raise" or')):
        goanna.Dispatcher(errors="ignore")
    with pytest.raises(TypeError, match='errors must be "log", "print", "raise" or callable, not int'):
        goanna.Dispatcher(errors=3)
