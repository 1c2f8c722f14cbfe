"""The names: db-ally's own where it is installed, look-alikes of them where it is not."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

from audit.recorder import child_environment
from support.cores import Copy

EVENTS = ("Event", "LLMEvent", "SimilarityEvent", "FallbackEvent", "RequestStart", "RequestEnd")

SAMPLES: dict[str, dict[str, Any]] = {
    "LLMEvent": {"prompt": [{"role": "user", "content": "hm"}], "type": "T", "response": "r", "total_tokens": 3},
    "SimilarityEvent": {"store": "s", "fetcher": "f", "input_value": "i", "output_value": "o"},
    "FallbackEvent": {
        "triggering_collection_name": "c",
        "triggering_view_name": "v",
        "fallback_collection_name": "d",
        "error_description": "e",
    },
    "RequestStart": {"collection_name": "c", "question": "q"},
    "RequestEnd": {"result": None},
}


def stock_of(stock: ModuleType, name: str) -> Any:
    if name == "ExecutionResult":
        return stock.events.ExecutionResult
    return getattr(stock, name, None) or getattr(stock.events, name)


def parameters(value: Any) -> list[tuple[str, Any, Any]]:
    return [(one.name, one.kind, one.default) for one in inspect.signature(value).parameters.values()]


def test_with_dbally_the_names_are_its_own(audit: ModuleType, stock: ModuleType) -> None:
    for name in (*EVENTS, "EventHandler", "EventSpan", "ExecutionResult"):
        assert getattr(audit, name) is stock_of(stock, name), name
    assert issubclass(audit.EventTracker, stock.EventTracker)
    assert issubclass(audit.StrictEventTracker, audit.EventTracker)
    assert stock.EventTracker.__module__ == "dbally.audit.event_tracker"


def test_every_name_is_there_and_says_where_it_is_from(audit: ModuleType) -> None:
    assert sorted(audit.__all__) == audit.__all__
    for name in audit.__all__:
        value = getattr(audit, name)
        assert inspect.getdoc(value), name
        assert "_standalone" not in value.__module__
    for name in ("EventTracker", "StrictEventTracker", "Request", "OpenSpan", "Report"):
        assert getattr(audit, name).__module__ == "goanna.audit"


@pytest.mark.parametrize("name", [*EVENTS, "ExecutionResult"])
def test_events_look_the_same_without_dbally(own: ModuleType, stock: ModuleType, name: str) -> None:
    ours, theirs = getattr(own, name), stock_of(stock, name)
    assert ours is not theirs
    assert ours.__name__ == theirs.__name__
    assert ours.__module__ == "goanna.audit"
    assert [base.__name__ for base in ours.__mro__] == [base.__name__ for base in theirs.__mro__]
    assert parameters(ours) == parameters(theirs)
    shown = [[(one.name, one.default, one.init, one.repr, one.compare) for one in dataclasses.fields(cls)]
             for cls in (ours, theirs)]  # fmt: skip
    assert shown[0] == shown[1]
    assert ours.__dataclass_params__.__repr__() == theirs.__dataclass_params__.__repr__()
    assert ours.__match_args__ == theirs.__match_args__
    assert (ours.__hash__, theirs.__hash__) == (None, None)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_events_behave_the_same_without_dbally(own: ModuleType, stock: ModuleType, name: str) -> None:
    for cls in (getattr(own, name), stock_of(stock, name)):
        event = cls(**SAMPLES[name])
        assert event == cls(*SAMPLES[name].values()) or name == "LLMEvent"
        assert event != cls(**{**SAMPLES[name], next(iter(SAMPLES[name])): "other"})
        assert copy.deepcopy(event) == event
        with pytest.raises(TypeError, match="unhashable type"):
            hash(event)
    assert repr(getattr(own, name)(**SAMPLES[name])) == repr(stock_of(stock, name)(**SAMPLES[name]))
    texts = []
    for cls in (getattr(own, name), stock_of(stock, name)):
        with pytest.raises(TypeError) as caught:
            cls(wrong=1)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]
    event = getattr(own, name)(**SAMPLES[name])
    assert pickle.loads(pickle.dumps(event)) == event


def test_handlers_and_spans_look_the_same_without_dbally(own: ModuleType, stock: ModuleType) -> None:
    for name in ("EventHandler", "EventSpan"):
        ours, theirs = getattr(own, name), getattr(stock, name)
        assert [base.__name__ for base in ours.__mro__] == [base.__name__ for base in theirs.__mro__]
        members = [key for key in vars(theirs) if not key.startswith("_") or key in ("__call__", "__init__")]
        for key in members:
            mine, other = vars(ours).get(key, ours), vars(theirs)[key]
            if inspect.isfunction(other):
                assert parameters(mine) == parameters(other), key
                assert inspect.iscoroutinefunction(mine) == inspect.iscoroutinefunction(other)
    assert own.EventHandler.__abstractmethods__ == stock.EventHandler.__abstractmethods__
    assert len(own.EventHandler.__parameters__) == len(stock.EventHandler.__parameters__) == 2
    assert own.EventHandler[int, str] is not None
    texts = []
    for module in (own, stock):

        class Incomplete(module.EventHandler):  # type: ignore[name-defined,misc]
            async def request_start(self, user_request: Any) -> None: ...

        with pytest.raises(TypeError) as caught:
            Incomplete()
        texts.append(str(caught.value))
        span = module.EventSpan()
        assert vars(span) == {"data": None}
        assert span("data") is None
        assert vars(span) == {"data": "data"}
    assert texts[0] == texts[1]


def test_the_tracker_looks_the_same_without_dbally(own: ModuleType, audit: ModuleType, stock: ModuleType) -> None:
    assert [base.__name__ for base in own.EventTracker.__mro__] == ["EventTracker", "StockTracker", "object"]
    base = own.EventTracker.__mro__[1]
    for name, theirs in vars(stock.EventTracker).items():
        if name != "track_event" and inspect.isroutine(getattr(stock.EventTracker, name)) and "__" not in name[1:]:
            function = getattr(theirs, "__func__", theirs)
            mine = getattr(vars(base)[name], "__func__", vars(base)[name])
            assert parameters(mine) == parameters(function)
            assert inspect.iscoroutinefunction(mine) == inspect.iscoroutinefunction(function)
    assert parameters(own.StrictEventTracker) == parameters(stock.EventTracker) == []


CHILD = """
import asyncio, sys
sys.modules["dbally"] = None
from goanna import audit
import goanna
assert "opentelemetry" not in sys.modules and "rich" not in sys.modules

class Notes(audit.EventHandler):
    def __init__(self): self.notes = []
    async def request_start(self, user_request): self.notes.append(user_request.question); return "R"
    async def event_start(self, event, request_context): self.notes.append(request_context); return "E"
    async def event_end(self, event, request_context, event_context): self.notes.append((event, event_context))
    async def request_end(self, output, request_context): self.notes.append(output)

notes = Notes()
audit.use_event_handler(notes)
audit.use_event_handler(notes)
audit.event_handlers().pop()

async def main():
    tracker = audit.EventTracker.initialize_with_handlers(audit.event_handlers())
    async with tracker.request(audit.RequestStart("c", "q")) as request:
        async with request.track_event(audit.LLMEvent("p", "t")) as span:
            span(audit.LLMEvent("p", "t", "r"))
        request.finish(7)

asyncio.run(main())
print(goanna.BACKEND, notes.notes)
print(audit.install(), audit.uninstall())
from goanna.audit import handlers
assert "rich" not in sys.modules
"""


def test_a_program_without_dbally(backend: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD],
        capture_output=True,
        text=True,
        env=child_environment(GOANNA_BACKEND=backend),
        timeout=120,
    )
    assert done.stderr == ""
    event = (
        "LLMEvent(prompt='p', type='t', response='r', completion_tokens=None, prompt_tokens=None, total_tokens=None)"
    )
    assert done.stdout.splitlines() == [
        f"{backend} ['q', 'R', ({event}, 'E'), RequestEnd(result=7)]",
        "db-ally is not installed; goanna.audit is goanna's own {}",
    ]


def test_what_dbally_itself_lacks_is_not_hidden(audit: ModuleType, stock: ModuleType) -> None:
    code = "import sys; sys.modules['sqlalchemy'] = None; import goanna.audit"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=child_environment(),
        timeout=120,
    )
    assert "sqlalchemy" in done.stderr.splitlines()[-1]


# use_event_handler


class Handler:
    """Makes a handler over a module's base."""

    def __new__(cls, module: ModuleType) -> Any:
        from audit.recorder import recorder

        return recorder(module, "A", [])


def test_use_event_handler_with_the_list(audit: ModuleType, stock: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    dbally = sys.modules["dbally"]
    monkeypatch.setattr(dbally, "event_handlers", [])
    handler = Handler(audit)
    audit.use_event_handler(handler)
    assert dbally.event_handlers == [handler]
    assert audit.event_handlers() is dbally.event_handlers
    monkeypatch.setattr(dbally, "event_handlers", [])  # as its documentation has programs do
    audit.use_event_handler(handler)
    assert dbally.event_handlers == [handler]


def test_use_event_handler_with_the_first_release(
    audit: ModuleType, stock: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    dbally = sys.modules["dbally"]
    monkeypatch.delattr(dbally, "event_handlers")
    main = sys.modules["dbally._main"]
    handlers: list[Any] = []
    monkeypatch.setattr(main, "default_event_handlers", handlers, raising=False)
    handler = Handler(audit)
    audit.use_event_handler(handler)
    assert handlers == [handler]
    monkeypatch.delattr(main, "default_event_handlers")
    with pytest.raises(RuntimeError, match="has no list of handlers for all collections; 0.0.1 and releases from"):
        audit.use_event_handler(handler)


def test_use_event_handler_with_something_else(audit: ModuleType) -> None:
    with pytest.raises(TypeError, match="takes an instance of EventHandler, not 3"):
        audit.use_event_handler(3)
    with pytest.raises(TypeError, match="takes an instance of EventHandler, not the class EventHandler"):
        audit.use_event_handler(audit.EventHandler)


# Both cores


def described(value: Any) -> dict[str, Any]:
    shown = {"doc": inspect.getdoc(value), "name": getattr(value, "__name__", None), "module": value.__module__}
    if isinstance(value, type) or inspect.isroutine(value):
        shown["qualname"] = value.__qualname__
        shown["parameters"] = [(name, kind, str(default)) for name, kind, default in parameters(value)]
    return shown


def test_the_cores_look_the_same(both: dict[str, Copy]) -> None:
    import importlib

    found = {}
    for name, one in both.items():
        with one.active():
            found[name] = (
                importlib.import_module("goanna.audit"),
                importlib.import_module("goanna.core").half_of("goanna.audit"),
            )
    (ours, compiled), (theirs, pure) = found["c"], found["py"]
    assert compiled.__name__ == "goanna.audit._compiled"
    assert pure.__name__ == "goanna.audit._pure"
    assert compiled.__all__ == pure.__all__
    assert ours.__all__ == theirs.__all__
    walked = 0
    for name in ours.__all__:
        one, other = getattr(ours, name), getattr(theirs, name)
        assert described(one) == described(other), name
        if isinstance(one, type) and "goanna" in one.__module__:
            keys = [key for key in vars(other) if not key.startswith("_")]
            assert keys == [key for key in vars(one) if not key.startswith("_")]
            for key in keys:
                walked += 1
                mine, same = inspect.getattr_static(one, key), inspect.getattr_static(other, key)
                if inspect.isroutine(mine) and not isinstance(mine, (staticmethod, classmethod)):
                    assert described(mine) == described(same), key
                assert inspect.getdoc(mine) == inspect.getdoc(same)
    assert walked > 10
    for name in compiled.__all__:
        one, other = getattr(compiled, name), getattr(pure, name)
        assert inspect.getdoc(one) == inspect.getdoc(other), name
        assert one.__name__ == other.__name__
        if isinstance(one, type):
            members = {key for base in other.__mro__[:-1] for key in vars(base)}
            names = {key for key in members if not key.startswith("_")}
            shown = {key for key in dir(one) if not key.startswith("_")} - {"send", "throw", "close"}
            assert names == shown, name
            for key in ("__aenter__", "__aexit__", "__call__", *names):
                mine, same = getattr(one, key, None), getattr(other, key, None)
                if inspect.isroutine(same) and same is not None and key in members:
                    assert inspect.getdoc(mine) == inspect.getdoc(same), (name, key)
                    if not key.startswith("__"):
                        assert parameters(mine) == parameters(same), (name, key)
