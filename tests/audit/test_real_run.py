"""db-ally itself with a handler: a question to a real collection, by its own tracker and by ours."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import io
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from audit.recorder import calls, child_environment, raising, recorder

EXAMPLE = Path(__file__).parents[2] / "examples" / "dbally_audit.py"


@pytest.fixture
def example(audit: ModuleType, stock: ModuleType) -> ModuleType:
    """The example as a module over the core under test."""
    spec = importlib.util.spec_from_file_location("dbally_audit_example", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[spec.name]
    return module


def plain(value: Any) -> Any:
    """Without what differs from run to run: the times in an ExecutionResult."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
        return type(value), {name: one for name, one in fields.items() if not name.startswith("execution_time")}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items() if key != "filter_mask"}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


def both_ways(audit: ModuleType, action: Any) -> tuple[Any, Any]:
    """Return what an action gives with db-ally's tracker and with ours."""
    theirs = action()
    report = audit.install()
    try:
        assert "dbally.collection.collection" in report.fast
        return theirs, action()
    finally:
        assert audit.uninstall() == {}


def test_the_events_of_a_question_are_equal(audit: ModuleType, example: ModuleType) -> None:
    def action() -> Any:
        log: list[Any] = []
        handlers = [recorder(audit, "A", log), recorder(audit, "B", log)]
        result = asyncio.run(example.ask(*handlers))
        return plain(log), plain(result)

    theirs, ours = both_ways(audit, action)
    assert ours == theirs
    log, _ = ours
    one = [entry for entry in log if entry[0] == "A"]
    assert [entry[1] for entry in one] == [
        "request_start", "event_start", "event_end", "event_start", "event_end", "event_start", "event_end",
        "event_start", "event_end", "request_end",
    ]  # fmt: skip
    kinds = [entry[2][0].__name__ for entry in one]
    assert kinds[1::2] == ["LLMEvent", "LLMEvent", "SimilarityEvent", "LLMEvent", "RequestEnd"]
    assert {entry[-1]["request_context"] for entry in one[1:]} == {"A0"}
    assert [entry[-1]["event_context"] for entry in one if entry[1] == "event_end"] == ["A1", "A3", "A5", "A7"]


def test_a_question_that_fails_is_equal(
    audit: ModuleType, example: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def call(self: Any, conversation: Any, options: Any, event: Any, json_mode: bool = False) -> str:
        await asyncio.sleep(0)
        raise ConnectionError("no model")

    monkeypatch.setattr(example.FakeClient, "call", call)

    def action() -> Any:
        log: list[Any] = []
        with pytest.raises(Exception) as caught:
            asyncio.run(example.ask(recorder(audit, "A", log)))
        return plain(log), type(caught.value), str(caught.value)

    theirs, ours = both_ways(audit, action)
    assert ours == theirs
    stages = [entry[1] for entry in ours[0]]
    assert stages[0] == "request_start"
    assert set(stages[1:]) == {"event_start"}


def test_a_handler_that_fails_is_equal(audit: ModuleType, example: ModuleType) -> None:
    for stage in ("request_start", "event_start", "event_end", "request_end"):

        def action(stage: str = stage) -> Any:
            log: list[Any] = []
            with pytest.raises(Exception) as caught:
                bad = recorder(audit, "Bad", log, **{stage: raising(LookupError("bad"))})
                asyncio.run(example.ask(bad, recorder(audit, "B", log)))
            return plain(log), type(caught.value), str(caught.value)

        theirs, ours = both_ways(audit, action)
        assert ours == theirs


def test_a_question_within_a_request_of_ours_fails_with_all_ends(audit: ModuleType, example: ModuleType) -> None:
    log: list[Any] = []
    tracker = audit.EventTracker.initialize_with_handlers([recorder(audit, "A", log)])

    async def main(answer: bool) -> Any:
        dbally = sys.modules["dbally"]
        collection = dbally.create_collection("people", llm=example.FakeLLM("fake"))
        collection.add(example.People, lambda: example.People(example.PEOPLE))
        async with tracker.request(audit.RequestStart("people", "?")) as request:
            result = await collection.ask("Who?", event_tracker=request)
            request.finish(result)
            if not answer:
                raise ConnectionError("gone")
            return result

    result = asyncio.run(main(True))
    assert log[-1][2].result is result
    with pytest.raises(ConnectionError):
        asyncio.run(main(False))
    assert repr(log[-1][3]["error"]) == "ConnectionError('gone')"
    stages = [stage for _, stage in calls(log)]
    assert stages.count("event_start") == stages.count("event_end") == 6


def test_the_example_prints_the_same(stock: ModuleType, backend: str) -> None:
    outputs = []
    for arguments in ([], ["--stock"]):
        done = subprocess.run(
            [sys.executable, str(EXAMPLE), *arguments],
            capture_output=True,
            text=True,
            env=child_environment(GOANNA_BACKEND=backend),
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout.splitlines())
    assert outputs[0][0].startswith("db-ally 0.8.0, ")
    assert outputs[1][0] == "db-ally's own tracker"
    assert outputs[0][1:] == outputs[1][1:]
    assert len(outputs[0]) == 11
    assert outputs[0][-1] == "request_end ['Ada', 'Cyd'] Ada and Cyd are from Poland. R"


# db-ally's own handlers


def test_dballys_console_handler(audit: ModuleType, stock: ModuleType, example: ModuleType) -> None:
    import rich.console

    def action() -> str:
        handler = stock.CLIEventHandler()
        handler._console = rich.console.Console(file=io.StringIO(), width=100)
        asyncio.run(example.ask(handler))
        return str(handler._console.file.getvalue())

    theirs, ours = both_ways(audit, action)
    assert ours == theirs
    assert "Number of rows: 2" in ours


def test_dballys_buffer_handler(audit: ModuleType, stock: ModuleType, example: ModuleType) -> None:
    from dbally.audit.event_handlers.buffer_event_handler import BufferEventHandler

    def action() -> str:
        handler = BufferEventHandler()
        asyncio.run(example.ask(handler))
        return str(handler.buffer.getvalue())

    theirs, ours = both_ways(audit, action)
    assert ours == theirs
    assert "from_country" in ours


def test_dballys_opentelemetry_handler(audit: ModuleType, stock: ModuleType, example: ModuleType) -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    def action() -> Any:
        exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        asyncio.run(example.ask(stock.OtelEventHandler(provider)))
        spans = exporter.get_finished_spans()
        names = {one.context.span_id: one.name for one in spans}
        return [
            (
                one.name,
                one.parent and names[one.parent.span_id],
                one.status.status_code,
                {key: value for key, value in one.attributes.items() if "time" not in key},
            )
            for one in spans
        ]

    theirs, ours = both_ways(audit, action)
    assert ours == theirs
    assert [one[0] for one in ours] == ["llm", "llm", "similarity", "llm", "request"]
