"""goanna.audit.handlers: what each of them writes, prints or exports."""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import math
import os
import signal
import stat
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode


@pytest.fixture
def handlers(audit: ModuleType) -> ModuleType:
    return importlib.import_module("goanna.audit.handlers")


def result(audit: ModuleType, text: str = "Two.") -> Any:
    return audit.ExecutionResult([{"n": 1}, {"n": 2}], {"sql": "SELECT 1"}, 0.5, 0.25, "View", text)


def llm(audit: ModuleType, **more: Any) -> Any:
    return audit.LLMEvent([{"role": "user", "content": "How [bold]many[/bold]?"}], "Prompt", **more)


async def pipeline(audit: ModuleType, tracker: Any, fail: BaseException | None = None) -> None:
    """One request with one event of each kind, the fallback around the others."""
    async with tracker.request(audit.RequestStart("orders", "How many?")) as request:
        fallback = audit.FallbackEvent("orders", "View", "archive", "no answer")
        async with request.track_event(fallback) as outer:
            event = llm(audit)
            async with request.track_event(event) as span:
                await asyncio.sleep(0)
                event.response, event.completion_tokens = "Two.", 2
                span(event)
            async with request.track_event(audit.SimilarityEvent("store", "fetcher", "in")) as span:
                if fail is not None:
                    raise fail
                span(audit.SimilarityEvent("store", "fetcher", "in", "out"))
            outer(fallback)
        request.finish(result(audit))


def run(audit: ModuleType, handler: Any, fail: BaseException | None = None, **options: Any) -> None:
    failures: list[Exception] = []
    options = {"errors": lambda error, handler, event: failures.append(error), **options}
    tracker = audit.EventTracker.initialize_with_handlers([handler], **options)
    if fail is None:
        asyncio.run(pipeline(audit, tracker))
    else:
        with pytest.raises(type(fail)):
            asyncio.run(pipeline(audit, tracker, fail))
    assert failures == []


# Console and buffer


def test_the_buffer_has_what_happened(audit: ModuleType, handlers: ModuleType) -> None:
    handler = handlers.BufferHandler()
    run(audit, handler)
    lines = handler.text.splitlines()
    heads = [line.split(" after ")[0] for line in lines if not line.startswith(" ")]
    assert heads == [
        "request 1", "fallback 1.1", "llm 1.2", "llm 1.2 ended", "similarity 1.3", "similarity 1.3 ended",
        "fallback 1.1 ended", "request 1 ended",
    ]  # fmt: skip
    assert "    user: How [bold]many[/bold]?" in lines  # it is text, no markup
    for line in ("  question: How many?", "  response: Two.", "  output_value: out", "  rows: 2", "  sql: SELECT 1"):
        assert line in lines
    assert "\x1b" not in handler.text
    handler.clear()
    assert handler.text == handler.buffer.getvalue() == ""


def test_the_buffer_has_what_went_wrong(audit: ModuleType, handlers: ModuleType) -> None:
    handler = handlers.BufferHandler()
    run(audit, handler, ValueError("no [red]such[/red] thing"))
    heads = [line.split(" after ")[0] for line in handler.text.splitlines() if not line.startswith(" ")]
    assert heads[-3:] == ["event 1.3 failed", "event 1.1 failed", "request 1 failed"]
    assert handler.text.count("error: ValueError: no [red]such[/red] thing") == 3


def test_the_console_is_the_one_that_it_is_given(audit: ModuleType, handlers: ModuleType) -> None:
    from rich.console import Console

    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    handler = handlers.ConsoleHandler(console)
    assert handler.console is console
    run(audit, handler)
    assert "\x1b[1mrequest 1" in console.file.getvalue()  # type: ignore[attr-defined]


def test_the_console_prints_to_standard_output(
    audit: ModuleType, handlers: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    run(audit, handlers.ConsoleHandler())
    assert "request 1 ended after" in capsys.readouterr().out


def test_a_result_of_another_kind_and_events_outside_of_a_request(audit: ModuleType, handlers: ModuleType) -> None:
    handler = handlers.BufferHandler()
    tracker = audit.EventTracker.initialize_with_handlers([handler], errors="raise")

    async def main() -> None:
        async with tracker.track_event(llm(audit)):
            pass
        async with tracker.request(audit.RequestStart("c", "q")) as request:
            request.finish(42)

    asyncio.run(main())
    lines = handler.text.splitlines()
    assert "llm -" in lines
    assert "  result: 42" in lines


@pytest.mark.parametrize(("name", "module"), [("ConsoleHandler", "rich"), ("OpenTelemetryHandler", "opentelemetry")])
def test_without_the_library_the_error_names_it(
    audit: ModuleType, handlers: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str, module: str
) -> None:
    for one in {module, *(one for one in sys.modules if one.partition(".")[0] == module)}:
        monkeypatch.setitem(sys.modules, one, None)
    with pytest.raises(ModuleNotFoundError, match=module):
        getattr(handlers, name)()


# JSON lines


def test_the_lines_are_objects(audit: ModuleType, handlers: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text('{"before": true}\n')
    with handlers.JSONLinesHandler(path) as handler:
        run(audit, handler)
        assert len(path.read_text().splitlines()) == 9  # on its way to the disk with each line
        run(audit, handler)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {"before": True}
    assert [(one["what"], one["request"], one.get("event")) for one in lines[1:9]] == [
        ("request_start", 1, None), ("event_start", 1, 1), ("event_start", 1, 2), ("event_end", 1, 2),
        ("event_start", 1, 3), ("event_end", 1, 3), ("event_end", 1, 1), ("request_end", 1, None),
    ]  # fmt: skip
    assert [one["request"] for one in lines[9:]] == [2] * 8
    assert [one["kind"] for one in lines[1:9] if "kind" in one] == [
        "fallback", "llm", "llm", "similarity", "similarity", "fallback",
    ]  # fmt: skip
    assert lines[1]["data"] == {"collection_name": "orders", "question": "How many?"}
    assert lines[4]["data"]["response"] == "Two."
    assert lines[8]["data"]["result"]["results"] == [{"n": 1}, {"n": 2}]
    ends = [one for one in lines[1:] if one["what"].endswith("_end")]
    assert all(one["error"] is None and one["duration"] >= 0 for one in ends)
    assert all(lines[n]["time"] <= lines[n + 1]["time"] for n in range(1, 8))


def test_the_lines_of_a_failure(audit: ModuleType, handlers: ModuleType) -> None:
    stream = io.StringIO()
    run(audit, handlers.JSONLinesHandler(stream), ValueError("no\nsuch thing"))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [one["error"] for one in lines[-3:]] == [{"type": "ValueError", "message": "no\nsuch thing"}] * 3
    assert (lines[-3]["kind"], lines[-3]["data"]) == (None, None)
    assert lines[-1]["data"] == {"result": None}


def test_whatever_is_in_an_event_stays_on_one_line(audit: ModuleType, handlers: ModuleType) -> None:
    cycle: list[Any] = []
    cycle.append(cycle)

    class Odd:
        def __repr__(self) -> str:
            raise LookupError

    @dataclass
    class Strange(audit.Event):  # type: ignore[name-defined,misc]
        text: str
        number: float
        table: dict[Any, Any]
        cycle: Any
        odd: Any
        kind: type

    stream = io.StringIO()
    handler = handlers.JSONLinesHandler(stream)
    text = 'line\nbreak\r\u2028 "quoted" \\ \x00 \ud800 \U0001f98e ä'
    tracker = audit.EventTracker.initialize_with_handlers([handler], errors="raise")

    async def main() -> None:
        event = Strange(text, math.nan, {1: (math.inf, 10**30, None, True), "b": b"bytes"}, cycle, Odd(), int)
        async with tracker.track_event(event):
            pass

    asyncio.run(main())
    written = stream.getvalue()
    assert written.isascii()
    assert written.count("\n") == 2
    line = json.loads(written.splitlines()[0], parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert line["request"] is None
    assert line["kind"] == "Strange"
    data = line["data"]
    assert (data["text"], data["number"]) == (text, "nan")
    assert data["table"] == {"1": ["inf", 10**30, None, True], "b": "b'bytes'"}
    assert "[[...]]" in json.dumps(data["cycle"])
    assert data["odd"].endswith("Odd whose repr raised LookupError>")
    assert data["kind"] == "<class 'int'>"


def test_after_close_a_line_is_an_error(audit: ModuleType, handlers: ModuleType, tmp_path: Path) -> None:
    stream = io.StringIO()
    handler = handlers.JSONLinesHandler(stream)
    handler.close()
    handler.close()
    handler.flush()
    assert not stream.closed
    with pytest.raises(ValueError, match="JSONLinesHandler is closed; request_start came after close"):
        asyncio.run(handler.request_start(audit.RequestStart("c", "q")))
    with pytest.raises(TypeError, match="takes a path or a text stream, not int"):
        handlers.JSONLinesHandler(3)
    with pytest.raises(TypeError, match="takes a path or a text stream, not BytesIO"):
        handlers.JSONLinesHandler(io.BytesIO())
    with pytest.raises(OSError):
        handlers.JSONLinesHandler(tmp_path / "missing" / "audit.jsonl")


def test_a_file_of_lines_is_nobody_elses_unless_told(
    audit: ModuleType, handlers: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for options, mode in (({}, 0o600), ({"mode": 0o640}, 0o640)):
        path = tmp_path / f"{mode:o}.jsonl"
        with handlers.JSONLinesHandler(path, **options):
            assert stat.S_IMODE(path.stat().st_mode) == mode
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "link.jsonl").symlink_to(tmp_path / "victim")
    with pytest.raises(PermissionError, match="is a symbolic link in a folder where everybody may write"):
        handlers.JSONLinesHandler(shared / "link.jsonl")
    assert not (tmp_path / "victim").exists()
    with pytest.raises(TypeError, match="mode must be a number"):
        handlers.JSONLinesHandler(tmp_path / "log", mode="w")
    assert not (tmp_path / "log").exists()


def test_a_line_is_on_disk_when_it_is_written(audit: ModuleType, handlers: ModuleType, tmp_path: Path) -> None:
    """A question that never ends is in the file, too, and a forked child has nothing to write twice."""
    path = tmp_path / "audit.jsonl"
    with handlers.JSONLinesHandler(path) as handler:
        asyncio.run(handler.request_start(audit.RequestStart("c", "q")))
        lines = path.read_text().splitlines()
    assert [json.loads(one)["what"] for one in lines] == ["request_start"]


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


def in_child(work: Any) -> int:
    """Do something in a forked child; return its exit status, -SIGKILL if it hung."""
    child = os.fork()
    if not child:
        status = 1
        try:
            signal.alarm(20)
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@needs_fork
def test_a_child_writes_its_own_lines_and_no_others(audit: ModuleType, handlers: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with handlers.JSONLinesHandler(path) as handler:
        asyncio.run(handler.request_start(audit.RequestStart("c", "parent")))
        assert in_child(lambda: asyncio.run(handler.request_start(audit.RequestStart("c", "child")))) == 0
        asyncio.run(handler.request_start(audit.RequestStart("c", "parent")))
    lines = [json.loads(one) for one in path.read_text().splitlines()]
    assert [one["data"]["question"] for one in lines] == ["parent", "child", "parent"]
    assert [one["request"] for one in lines] == [1, 2, 2]
    assert [one["process"] == os.getpid() for one in lines] == [True, False, True]


@needs_fork
def test_a_child_does_not_wait_for_a_thread_that_it_has_not(audit: ModuleType, handlers: ModuleType) -> None:
    writing, goes_on = threading.Event(), threading.Event()

    class Slow(io.StringIO):
        def write(self, text: str) -> int:
            if threading.current_thread() is thread:
                writing.set()
                goes_on.wait(30)
            return super().write(text)

    handler = handlers.JSONLinesHandler(Slow())

    def ask() -> None:
        asyncio.run(handler.request_start(audit.RequestStart("c", "q")))

    thread = threading.Thread(target=ask)
    thread.start()
    assert writing.wait(30)
    try:
        assert in_child(ask) == 0
    finally:
        goes_on.set()
        thread.join()


@needs_fork
@pytest.mark.parametrize("place", ["audit._install", "monitoring._install"])
def test_a_child_can_install_whoever_was_installing(audit: ModuleType, place: str) -> None:
    module = importlib.import_module(f"goanna.{place}")
    held, goes_on = threading.Event(), threading.Event()

    def hold() -> None:
        with module._LOCK.now:
            held.set()
            goes_on.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    try:
        assert in_child(module.uninstall) == 0
    finally:
        goes_on.set()
        thread.join()


def test_what_cannot_be_written_is_told(audit: ModuleType, handlers: ModuleType) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        asyncio.run(handlers.JSONLinesHandler(Full()).request_start(audit.RequestStart("c", "q")))


SIGNED = "https://user:pass@host/image.png?X-Amz-Signature=secret&X-Amz-Security-Token=t0ken"
ORDERS = "\x1b]0;owned\x07\x9b2J\u202e\nrequest 7 ended after 1.0 ms"


def test_no_handler_tells_the_secrets_of_urls_or_orders_a_terminal_about(
    audit: ModuleType, handlers: ModuleType, exported: Exported
) -> None:
    stream = io.StringIO()
    buffer = handlers.BufferHandler(width=300)
    for handler in (handlers.JSONLinesHandler(stream), buffer, handlers.OpenTelemetryHandler(exported.provider)):
        tracker = audit.EventTracker.initialize_with_handlers([handler], errors="raise")

        async def main(tracker: Any = tracker) -> None:
            prompt = [{"role": "user", "content": f"see {SIGNED}{ORDERS}"}]
            async with tracker.request(audit.RequestStart("c", f"{SIGNED} {ORDERS}")) as request:
                async with request.track_event(audit.LLMEvent(prompt, "Prompt")) as span:
                    span(audit.LLMEvent(prompt, "Prompt", f"{SIGNED}{ORDERS}"))
                raise OSError(f"can't reach {SIGNED} {ORDERS}")

        with pytest.raises(OSError, match="can't reach"):
            asyncio.run(main())
    spans = str([(one.attributes, one.status.description, one.events[0].attributes if one.events else None)
                 for one in exported.spans.values()])  # fmt: skip
    for text in (stream.getvalue(), buffer.text, spans):
        assert "https://host/image.png?..." in text
        for secret in ("pass@", "secret", "t0ken", "X-Amz"):
            assert secret not in text
    assert all(line.isprintable() for line in stream.getvalue().splitlines() + buffer.text.splitlines())
    assert [one for one in buffer.text.splitlines() if one.startswith("request 7")] == []


# OpenTelemetry


class Exported:
    """A provider and what it has exported."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    @property
    def spans(self) -> dict[str, Any]:
        """The spans by name, all of them different."""
        spans = self.exporter.get_finished_spans()
        found = {one.name: one for one in spans}
        assert len(found) == len(spans)
        return found

    def parents(self) -> dict[str, str | None]:
        names = {one.context.span_id: one.name for one in self.spans.values()}
        return {
            name: None if one.parent is None else names.get(one.parent.span_id, "?") for name, one in self.spans.items()
        }


@pytest.fixture
def exported() -> Exported:
    return Exported()


def test_spans_are_nested(audit: ModuleType, handlers: ModuleType, exported: Exported) -> None:
    run(audit, handlers.OpenTelemetryHandler(exported.provider))
    assert exported.parents() == {"llm": "fallback", "similarity": "fallback", "fallback": "request", "request": None}
    spans = exported.spans
    assert {one.status.status_code for one in spans.values()} == {StatusCode.OK}
    assert dict(spans["request"].attributes) == {
        "db-ally.request.collection_name": "orders",
        "db-ally.request.question": "How many?",
        "db-ally.result.execution_time": 0.5,
        "db-ally.result.execution_time_view": 0.25,
        "db-ally.result.view_name": "View",
        "db-ally.result.textual_response": "Two.",
        "db-ally.result.context.sql": "SELECT 1",
    }
    attributes = dict(spans["llm"].attributes)
    assert json.loads(attributes.pop("db-ally.llm.prompt")) == llm(audit).prompt
    assert attributes == {
        "db-ally.llm.type": "Prompt", "db-ally.llm.response": "Two.", "db-ally.llm.completion_tokens": 2,
    }  # fmt: skip
    assert spans["similarity"].attributes["db-ally.similarity.output_value"] == "out"


@pytest.mark.parametrize("fail", [ValueError("gone"), asyncio.CancelledError("gone")])
def test_spans_of_a_failure_end_with_its_status(
    audit: ModuleType, handlers: ModuleType, exported: Exported, fail: BaseException
) -> None:
    run(audit, handlers.OpenTelemetryHandler(exported.provider), fail)
    spans = exported.spans
    assert spans["llm"].status.status_code is StatusCode.OK
    for name in ("similarity", "fallback", "request"):
        assert spans[name].status.status_code is StatusCode.ERROR
        assert spans[name].status.description == f"{type(fail).__name__}: gone"
        [recorded] = spans[name].events
        assert recorded.name == "exception"
        assert recorded.attributes["exception.message"] == "gone"
    assert exported.parents()["similarity"] == "fallback"


def test_events_that_overlap_are_siblings(audit: ModuleType, handlers: ModuleType, exported: Exported) -> None:
    handler = handlers.OpenTelemetryHandler(exported.provider)
    tracker = audit.EventTracker.initialize_with_handlers([handler], errors="raise")
    tracer = exported.provider.get_tracer("pipeline")

    async def main() -> None:
        with tracer.start_as_current_span("server"):
            async with tracker.request(audit.RequestStart("c", "q")) as request:
                barrier = asyncio.Barrier(3)

                async def one(name: str) -> None:
                    kind = type(name, (audit.Event,), {})
                    async with request.track_event(kind()):
                        await barrier.wait()
                        with tracer.start_as_current_span(f"call of {name}"):
                            await barrier.wait()
                        async with request.track_event(type(f"in{name}", (audit.Event,), {})()):
                            await barrier.wait()

                await asyncio.gather(one("A"), one("B"), one("C"))
            assert trace.get_current_span().name == "server"  # type: ignore[attr-defined]
        assert trace.get_current_span() is trace.INVALID_SPAN

    asyncio.run(asyncio.wait_for(main(), 30))
    assert exported.parents() == {
        "server": None, "request": "server",
        **dict.fromkeys("ABC", "request"),
        **{f"call of {name}": name for name in "ABC"},
        **{f"in{name}": name for name in "ABC"},
    }  # fmt: skip


def test_two_requests_under_way_keep_apart(audit: ModuleType, handlers: ModuleType, exported: Exported) -> None:
    handler = handlers.OpenTelemetryHandler(exported.provider)
    tracker = audit.EventTracker.initialize_with_handlers([handler], errors="raise")

    async def main() -> None:
        async with tracker.request(audit.RequestStart("c", "1")) as one:
            two = tracker.request(audit.RequestStart("c", "2"))
            async with two, one.track_event(llm(audit)):
                pass

    asyncio.run(main())
    spans = exported.exporter.get_finished_spans()
    question = {one.context.span_id: one.attributes.get("db-ally.request.question") for one in spans}
    [event] = [one for one in spans if one.name == "llm"]
    assert question[event.parent.span_id] == "1"


def test_handlers_together_with_it(audit: ModuleType, handlers: ModuleType, exported: Exported) -> None:
    run(audit, handlers.OpenTelemetryHandler(exported.provider), concurrent=True)
    # Tasks of their own can't make a span current for the pipeline: all events are the request's.
    assert exported.parents() == {"llm": "request", "similarity": "request", "fallback": "request", "request": None}


def test_in_strict_mode_a_failed_event_ends_with_its_request(
    audit: ModuleType, handlers: ModuleType, exported: Exported
) -> None:
    handler = handlers.OpenTelemetryHandler(exported.provider, nested=False)
    tracker = audit.EventTracker.initialize_with_handlers([handler], strict=True)

    async def main() -> None:
        await tracker.request_start(audit.RequestStart("c", "q"))
        with pytest.raises(ValueError):
            async with tracker.track_event(llm(audit)):
                raise ValueError
        async with tracker.track_event(audit.SimilarityEvent("s", "f", "i")):
            pass
        await tracker.request_end(audit.RequestEnd(result(audit)))
        assert trace.get_current_span() is trace.INVALID_SPAN

    asyncio.run(main())
    spans = exported.spans
    assert exported.parents() == {"llm": "request", "similarity": "request", "request": None}
    assert spans["llm"].status.status_code is StatusCode.ERROR
    assert spans["llm"].status.description == "nobody told of its end"
    assert spans["request"].status.status_code is StatusCode.OK


def test_inputs_and_outputs_can_be_left_out(audit: ModuleType, handlers: ModuleType, exported: Exported) -> None:
    run(audit, handlers.OpenTelemetryHandler(exported.provider, record_inputs=False, record_outputs=False))
    assert [dict(one.attributes) for one in exported.spans.values()] == [{}] * 4


def test_without_a_provider_it_does_no_harm(audit: ModuleType, handlers: ModuleType) -> None:
    run(audit, handlers.OpenTelemetryHandler())
    run(audit, handlers.OpenTelemetryHandler(), ValueError("gone"))


def test_the_handlers_say_where_they_are_from(audit: ModuleType, handlers: ModuleType) -> None:
    for name in handlers.__all__:
        cls = getattr(handlers, name)
        assert cls.__module__ == "goanna.audit.handlers"
        assert issubclass(cls, audit.EventHandler)
        assert cls.__doc__
