"""What a queued event holds of documents, for events whose fields are readers over slots."""

from __future__ import annotations

import copy
import importlib
import importlib.util

import pytest


def command_events(how):
    """Return event classes like PyMongo's: its own with goanna installed, or goanna's."""
    if how == "own":
        return importlib.import_module("goanna.monitoring._standalone")
    path = importlib.import_module("pymongo.monitoring").__file__
    spec = importlib.util.spec_from_file_location(f"pymongo_monitoring_of_documents_{how}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if how == "installed":
        importlib.import_module("goanna.monitoring._install").install(module)
    return module


@pytest.fixture(params=["stock", "installed", "own"])
def monitoring(request, goanna):
    return command_events(request.param)


@pytest.mark.parametrize("documents", ["shallow", "omit", "callable"])
def test_documents_of_command_events(goanna, monitoring, documents):
    class Keeps(monitoring.CommandListener):
        def started(self, event):
            self.event = event

        def succeeded(self, event): ...
        def failed(self, event): ...

    inner = {"b": 1}
    document = {"find": "lizards", "filter": inner}
    behind = Keeps()
    kept = {"shallow": document, "omit": {}, "callable": {"kept": "find"}}[documents]
    option = documents if documents != "callable" else lambda one: {"kept": next(iter(one))}
    listener = goanna.queued(behind, documents=option)
    try:
        monitoring._EventListeners([listener]).publish_command_start(
            document, "outback", 1, ("localhost", 27017), 3, 2, service_id=None
        )
        before = copy.copy(kept)
        document["added"] = 1
        assert listener.flush(60) == 0
        assert listener.stats().failed == 0
        assert type(behind.event) is monitoring.CommandStartedEvent
        assert behind.event.command == before
        assert behind.event.command is not document
        if documents == "shallow":
            assert behind.event.command["filter"] is inner
        assert (behind.event.command_name, behind.event.database_name, behind.event.request_id) == (
            "find",
            "outback",
            1,
        )
    finally:
        listener.close(60)


def test_documents_of_events_of_ones_own(goanna):
    class Stored(goanna.Event):
        name: str
        document: dict

    class Later(Stored):
        more: dict

    class Interface(goanna.Listener):
        @goanna.handles(Stored)
        def stored(self, event): ...

    class Keeps(Interface):
        def stored(self, event):
            self.event = event

    behind = Keeps()
    with goanna.queued(behind, documents="shallow") as listener:
        first, second = {"a": 1}, {"b": 2}
        event = Later("x", first, second)
        listener.stored(event)
        assert listener.flush(60) == 0
        assert (behind.event.name, behind.event.document, behind.event.more) == ("x", first, second)
        assert behind.event.document is not first
        assert behind.event.more is not second
        assert event.document is first


@pytest.mark.parametrize("kind", ["unset", "copies itself", "dict"])
def test_events_that_are_not_plain(goanna, monitoring, kind):
    class Slotted:
        __slots__ = ("document", "nothing")

    class Copied(Slotted):
        __slots__ = ("copied",)

        def __copy__(self):
            made = type(self)()
            made.document, made.copied = self.document, True
            return made

    class Loose(Slotted):
        pass

    class Keeps(monitoring.CommandListener):
        def started(self, event):
            self.event = event

        def succeeded(self, event): ...
        def failed(self, event): ...

    behind = Keeps()
    event = {"unset": Slotted, "copies itself": Copied, "dict": Loose}[kind]()
    event.document = document = {"a": 1}
    if kind == "dict":
        event.more = more = {"b": 2}
    with goanna.queued(behind, documents="shallow") as listener:
        listener.started(event)
        assert listener.flush(60) == 0
        assert listener.stats().delivered == 1
    assert type(behind.event) is type(event)
    assert behind.event is not event
    assert behind.event.document == document
    assert behind.event.document is not document
    assert not hasattr(behind.event, "nothing")
    if kind == "copies itself":
        assert behind.event.copied
    if kind == "dict":
        assert behind.event.more == more
        assert behind.event.more is not more
        assert event.more is more
