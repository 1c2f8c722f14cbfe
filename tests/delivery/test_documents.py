"""documents=: what a queued event of PyMongo's holds when the driver has gone on."""

from __future__ import annotations

import datetime
from types import ModuleType
from typing import Any

import pytest
from pymongo import monitoring

from support.recorders import check, recorder
from support.threads import PATIENCE

ADDRESS = ("h", 27017)


class Keeps(monitoring.CommandListener):
    def __init__(self) -> None:
        self.log: list[Any] = []

    def started(self, event: Any) -> None:
        self.log.append(event)

    def succeeded(self, event: Any) -> None:
        self.log.append(event)

    def failed(self, event: Any) -> None:
        self.log.append(event)


@pytest.mark.parametrize(
    ("documents", "command", "reply"),
    [
        ("reference", {"find": "things", "filter": {"a": 2}, "new": 1}, {"ok": 1, "nested": {"n": 2}, "new": 1}),
        ("shallow", {"find": "things", "filter": {"a": 2}}, {"ok": 1, "nested": {"n": 2}}),
        ("omit", {}, {}),
        (sorted, ["filter", "find"], ["nested", "ok"]),
    ],
)
def test_what_is_kept(goanna: ModuleType, documents: Any, command: Any, reply: Any) -> None:
    listener = Keeps()
    wrapper = goanna.queued(listener, documents=documents, delay=600.0, batch=1000)
    wrapper.started(monitoring.CommandStartedEvent({"ping": 1}, "db", 0, ADDRESS, 0))
    assert wrapper.flush(PATIENCE) == 0
    del listener.log[:]
    sent, answer = {"find": "things", "filter": {"a": 1}}, {"ok": 1, "nested": {"n": 1}}
    started = monitoring.CommandStartedEvent(sent, "db", 1, ADDRESS, 1)
    took = datetime.timedelta(microseconds=7)
    succeeded = monitoring.CommandSucceededEvent(took, answer, "find", 1, ADDRESS, 1, database_name="db")
    failed = monitoring.CommandFailedEvent(took, answer, "find", 1, ADDRESS, 1, database_name="db")
    wrapper.started(started)
    wrapper.succeeded(succeeded)
    wrapper.failed(failed)
    # The driver goes on with its documents.
    sent["filter"]["a"] = 2
    sent["new"] = 1
    answer["nested"]["n"] = 2
    answer["new"] = 1
    assert wrapper.close(PATIENCE) == 0
    one, two, three = listener.log
    assert (one.command, two.reply, three.failure) == (command, reply, reply)
    assert [type(event) for event in listener.log] == [type(started), type(succeeded), type(failed)]
    assert (one.command_name, one.database_name, one.request_id, one.connection_id) == ("find", "db", 1, ADDRESS)
    assert (two.duration_micros, three.duration_micros, two.database_name) == (7, 7, "db")
    assert [mine is theirs for mine, theirs in zip(listener.log, (started, succeeded, failed), strict=True)] == [
        documents == "reference"
    ] * 3
    assert sent["new"] == 1  # and the driver's own events are as they were
    assert started.command is sent


def test_an_event_without_documents_is_not_copied(goanna: ModuleType, shapes: ModuleType) -> None:
    log: list[Any] = []
    listener = shapes.Recorder(log)
    wrapper = goanna.queued(listener, documents="omit")
    event, mapped = shapes.OrderPlaced(1), shapes.OrderPlaced({"a": 1}, total=[2])
    wrapper.placed(event)
    wrapper.placed(mapped)
    assert wrapper.close(PATIENCE) == 0
    assert log[0][1] is event
    assert (log[1][1].order_id, log[1][1].total, mapped.order_id) == ({}, [2], {"a": 1})


def test_a_callable_that_raises(goanna: ModuleType, shapes: ModuleType) -> None:
    errors: list[Any] = []

    def refuses(document: Any) -> Any:
        raise LookupError(document["a"])

    wrapper = goanna.queued(recorder(shapes), documents=refuses, errors=lambda *args: errors.append(args))
    event = shapes.OrderPlaced({"a": 1})
    wrapper.placed(event)
    wrapper.placed(shapes.OrderPlaced(2))
    assert wrapper.close(PATIENCE) == 0
    ((error, listener, about),) = errors
    assert (type(error), listener, about) == (LookupError, wrapper.listener, event)
    assert wrapper.listener.log == [2]
    stats = check(wrapper.stats())
    assert (stats.delivered, stats.failed) == (1, 1)


def test_goannas_own_events_for_pymongo(goanna: ModuleType) -> None:
    """Those that a client publishes when goanna is installed."""
    import goanna.monitoring._standalone as own

    sent = {"find": "things"}
    event = own.CommandStartedEvent(sent, "db", 1, ADDRESS, 1)
    listener = Keeps()
    for documents, expected in (("omit", {}), ("shallow", sent), (lambda document: len(document), 1)):
        del listener.log[:]
        wrapper = goanna.queued(listener, documents=documents)
        wrapper.started(event)
        assert wrapper.close(PATIENCE) == 0
        (kept,) = listener.log
        assert kept.command == expected
        assert kept.command is not sent
        assert (kept.command_name, kept.database_name, type(kept)) == ("find", "db", type(event))
    assert event.command is sent


def test_values_are_masked(goanna: ModuleType) -> None:
    document = {"find": "users", "filter": {"name": "Ada", "tags": [{"name": 1}, 2]}, "n": None}
    redacted = goanna.delivery.redacted
    assert redacted("name", "n")(document) == {
        "find": "users",
        "filter": {"name": "***", "tags": [{"name": "***"}, 2]},
        "n": "***",
    }
    assert redacted(mask=0)(document) == {"find": 0, "filter": {"name": 0, "tags": [{"name": 0}, 0]}, "n": 0}
    with pytest.raises(TypeError, match="names of keys, not 3"):
        redacted("name", 3)
    listener = Keeps()
    with goanna.queued(listener, documents=redacted("filter")) as wrapper:
        wrapper.started(monitoring.CommandStartedEvent(document, "db", 1, ADDRESS, 1))
    assert listener.log[0].command == {"find": "users", "filter": "***", "n": None}
    assert document["filter"] != "***"


def test_documents_of_events_in_events_and_in_lists(goanna: ModuleType) -> None:
    class Batch(goanna.Event):
        rows: list[Any]
        parts: tuple[Any, ...] = ()
        inner: Any = None

    class Interface(goanna.Listener):
        @goanna.handles(goanna.Operation, Batch)
        def came(self, event: Any) -> None: ...

    class Log(Interface):
        def __init__(self) -> None:
            self.log: list[Any] = []

        def came(self, event: Any) -> None:
            self.log.append(event)

    listener = Log()
    wrapper = goanna.queued(listener, documents="omit")
    start = monitoring.CommandStartedEvent({"find": "secret"}, "db", 1, ADDRESS, 1)
    took = datetime.timedelta(0)
    end = monitoring.CommandSucceededEvent(took, {"secret": 1}, "find", 1, ADDRESS, 1, database_name="db")
    wrapper.came(goanna.Operation(start, end, 0.5, {"secret": 2}))
    batch = Batch([{"secret": 3}, 4, [{"secret": 5}]], (6, {"secret": 7}), Batch([{"secret": 8}]))
    wrapper.came(batch)
    plain = Batch([1, 2], (3,), Batch([4]))
    wrapper.came(plain)
    assert wrapper.close(PATIENCE) == 0
    operation, omitted, same = listener.log
    assert (operation.start.command, operation.end.reply, operation.carried) == ({}, {}, {})
    assert (operation.start.command_name, operation.end.request_id, operation.duration) == ("find", 1, 0.5)
    assert (omitted.rows, omitted.parts, omitted.inner.rows) == ([{}, 4, [{}]], (6, {}), [{}])
    assert same is plain
    assert (start.command, batch.inner.rows) == ({"find": "secret"}, [{"secret": 8}])  # those of the publisher stay
