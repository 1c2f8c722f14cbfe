"""A tracker in guaranteed mode: ends are guaranteed, handlers don't hurt each other, spans are in view."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from types import ModuleType
from typing import Any

import pytest

from audit.player import Player
from audit.recorder import calls, raising, recorder
from support.cores import Copy
from support.garbage import CPYTHON, catch_up

MODES: tuple[dict[str, Any], ...] = ({}, {"concurrent": True})


class Stop(BaseException):
    """Not an Exception, and nothing that asyncio's loop stops for."""


def event(audit: ModuleType, number: object = 0) -> Any:
    return audit.LLMEvent("p", str(number))


async def one_span(tracker: Any, audit: ModuleType, error: BaseException | None = None) -> None:
    async with tracker.track_event(event(audit)) as span:
        span(event(audit, "end"))
        if error is not None:
            raise error


def with_error(audit: ModuleType, log: list[Any], name: str = "E") -> Any:
    """A handler whose ends take ``error``."""

    class Told(audit.EventHandler):  # type: ignore[name-defined,misc]
        async def request_start(self, user_request: Any) -> str:
            log.append((name, "request_start"))
            return "R"

        async def event_start(self, event: Any, request_context: Any) -> str:
            log.append((name, "event_start"))
            return "C"

        async def event_end(self, event: Any, request_context: Any, event_context: Any, error: Any = None) -> None:
            log.append((name, "event_end", event, request_context, event_context, error))

        async def request_end(self, output: Any, request_context: Any, *, error: Any = None) -> None:
            log.append((name, "request_end", output.result, request_context, error))

    return Told()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("error", [ValueError("body"), asyncio.CancelledError("body"), KeyboardInterrupt("body")])
def test_the_ends_are_called_after_an_error_and_told_of_it(
    audit: ModuleType, mode: dict[str, Any], error: BaseException
) -> None:
    log: list[Any] = []
    tracker = audit.EventTracker.initialize_with_handlers([with_error(audit, log), recorder(audit, "A", log)], **mode)

    async def main() -> None:
        with pytest.raises(type(error)) as caught:
            async with tracker.request(audit.RequestStart("c", "q")) as request:
                await one_span(request, audit, error)
        assert caught.value is error

    asyncio.run(main())
    assert log[4] == ("E", "event_end", event(audit, "end"), "R", "C", error)
    contexts = {"event_context": "A1", "request_context": "A0"}
    assert log[5] == ("A", "event_end", event(audit, "end"), contexts | {"error": error})
    assert log[6] == ("E", "request_end", None, "R", error)
    assert log[7] == ("A", "request_end", audit.RequestEnd(None), {"request_context": "A0", "error": error})
    assert len(log) == 8


@pytest.mark.parametrize("mode", MODES)
def test_a_request_that_is_finished(audit: ModuleType, mode: dict[str, Any]) -> None:
    log: list[Any] = []
    tracker = audit.EventTracker.initialize_with_handlers([with_error(audit, log)], **mode)

    async def main() -> None:
        async with tracker.request(audit.RequestStart("c", "q")) as request:
            await one_span(request, audit)
            request.finish("first")
            request.finish("result")
        with pytest.raises(RuntimeError, match="the request is over"):
            request.finish("late")
        with pytest.raises(RuntimeError, match="can be entered once"):
            await request.__aenter__()
        async with tracker.request(audit.RequestStart("c", "q")) as request:
            request.finish(audit.RequestEnd("an end"))

    asyncio.run(main())
    assert log[2:4] == [
        ("E", "event_end", event(audit, "end"), "R", "C", None), ("E", "request_end", "result", "R", None),
    ]  # fmt: skip
    assert log[-1] == ("E", "request_end", "an end", "R", None)


def test_a_request_that_is_overtaken_by_the_next_one_has_its_end(audit: ModuleType) -> None:
    log: list[Any] = []
    tracker = audit.EventTracker.initialize_with_handlers([with_error(audit, log)])

    async def main() -> None:
        await tracker.request_start(audit.RequestStart("c", "1"))
        await tracker.request_start(audit.RequestStart("c", "2"))
        await tracker.request_end(audit.RequestEnd("result"))

    asyncio.run(main())
    assert [stage for _, stage in calls(log)] == ["request_start", "request_end"] * 2
    assert "another request was started on the same tracker" in str(log[1][-1])
    assert log[3][2:] == ("result", "R", None)


def test_a_strict_request_has_no_end_after_an_error(audit: ModuleType) -> None:
    log: list[Any] = []
    tracker = audit.EventTracker.initialize_with_handlers([recorder(audit, "A", log)], strict=True)

    async def main() -> None:
        async with tracker.request(audit.RequestStart("c", "q")) as request:
            assert request.strict
            request.finish(3)
        with pytest.raises(ValueError):
            async with tracker.request(audit.RequestStart("c", "q")):
                raise ValueError

    asyncio.run(main())
    assert [stage for _, stage in calls(log)] == ["request_start", "request_end", "request_start"]


def test_requests_under_way_together_keep_their_contexts(audit: ModuleType) -> None:
    log: list[Any] = []
    tracker = audit.EventTracker.initialize_with_handlers([recorder(audit, "A", log)])

    async def main() -> None:
        async with tracker.request(audit.RequestStart("c", "1")) as one:
            async with tracker.request(audit.RequestStart("c", "2")) as two:
                await one_span(one, audit)
                await one_span(two, audit)
                await one_span(tracker, audit)

    asyncio.run(main())
    starts = [entry[3]["request_context"] for entry in log if entry[1] == "event_start"]
    assert starts == ["A0", "A1", None]
    assert [entry[3]["request_context"] for entry in log if entry[1] == "request_end"] == ["A1", "A0"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stage", ["request_start", "event_start", "event_end", "request_end"])
def test_a_handler_that_raises_stops_nobody(
    audit: ModuleType, caplog: pytest.LogCaptureFixture, stage: str, mode: dict[str, Any]
) -> None:
    log: list[Any] = []
    bad = recorder(audit, "Bad", log, **{stage: raising(LookupError("bad"))})
    tracker = audit.EventTracker.initialize_with_handlers([bad, recorder(audit, "Good", log)], **mode)

    async def main() -> None:
        await tracker.request_start(audit.RequestStart("c", "q"))
        await one_span(tracker, audit)
        await tracker.request_end(audit.RequestEnd(None))

    with caplog.at_level(logging.ERROR, "goanna"):
        asyncio.run(main())
    stages = ["request_start", "event_start", "event_end", "request_end"]
    assert [one for name, one in calls(log) if name == "Good"] == stages
    # Whose start has raised gets no end.
    expected = {"request_start": stages[:1], "event_start": ["request_start", "event_start", "request_end"]}
    assert [one for name, one in calls(log) if name == "Bad"] == expected.get(stage, stages)
    given = {"request_start": "RequestStart", "request_end": "RequestEnd"}.get(stage, "LLMEvent")
    assert [record.getMessage() for record in caplog.records] == [f"<Bad> failed on {given}"]
    assert repr(caplog.records[0].exc_info[1]) == "LookupError('bad')"  # type: ignore[index]


@pytest.mark.parametrize("mode", MODES)
def test_errors_may_be_handed_on(audit: ModuleType, mode: dict[str, Any]) -> None:
    got: list[Any] = []
    bad = recorder(audit, "Bad", [], event_start=raising(LookupError("bad")))
    tracker = audit.EventTracker.initialize_with_handlers(
        [bad], errors=lambda error, handler, event: got.append((str(error), handler, event)), **mode
    )
    asyncio.run(one_span(tracker, audit))
    assert got == [("bad", bad, event(audit))]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stage", ["request_start", "event_start", "event_end", "request_end"])
def test_errors_may_be_raised_after_all_have_run(audit: ModuleType, stage: str, mode: dict[str, Any]) -> None:
    log: list[Any] = []
    handlers = [
        recorder(audit, "One", log, **{stage: raising(LookupError("one"))}),
        recorder(audit, "Two", log),
        recorder(audit, "Three", log, **{stage: raising(LookupError("three"))}),
    ]
    tracker = audit.EventTracker.initialize_with_handlers(handlers, errors="raise", **mode)

    async def main() -> None:
        async with tracker.request(audit.RequestStart("c", "q")) as request:
            await one_span(request, audit)

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(main())
    assert [str(error) for error in caught.value.exceptions] == ["one", "three"]
    assert str(caught.value).startswith("2 handlers failed on ")
    two = [one for name, one in calls(log) if name == "Two"]
    assert two.count("event_start") == two.count("event_end")
    assert two.count("request_start") == two.count("request_end") == 1


@pytest.mark.parametrize("mode", MODES)
def test_the_error_of_the_body_is_never_replaced(
    audit: ModuleType, caplog: pytest.LogCaptureFixture, mode: dict[str, Any]
) -> None:
    bad = recorder(audit, "Bad", [], event_end=raising(LookupError("bad")), request_end=raising(LookupError("bad")))
    tracker = audit.EventTracker.initialize_with_handlers([bad], errors="raise", **mode)

    async def main() -> None:
        async with tracker.request(audit.RequestStart("c", "q")) as request:
            await one_span(request, audit, asyncio.CancelledError("body"))

    with caplog.at_level(logging.ERROR, "goanna"), pytest.raises(asyncio.CancelledError, match="body"):
        asyncio.run(main())
    assert [record.getMessage() for record in caplog.records] == [
        "<Bad> failed on LLMEvent", "<Bad> failed on RequestEnd",
    ]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stage", ["request", "event"])
def test_raise_logs_what_an_end_raises_after_a_start_has_failed(
    audit: ModuleType, caplog: pytest.LogCaptureFixture, stage: str, mode: dict[str, Any]
) -> None:
    handlers = [
        recorder(audit, "Bad", [], **{f"{stage}_end": raising(LookupError("end"))}),
        recorder(audit, "Worse", [], **{f"{stage}_start": raising(ValueError("start"))}),
    ]
    tracker = audit.EventTracker.initialize_with_handlers(handlers, errors="raise", **mode)

    async def main() -> None:
        await tracker.request_start(audit.RequestStart("c", "q"))
        await one_span(tracker, audit)

    with caplog.at_level(logging.ERROR, "goanna"), pytest.raises(ExceptionGroup) as caught:
        asyncio.run(main())
    assert [str(error) for error in caught.value.exceptions] == ["start"]
    given = {"request": "RequestEnd", "event": "LLMEvent"}[stage]
    assert [record.getMessage() for record in caplog.records] == [f"<Bad> failed on {given}"]
    assert tracker.open_count == 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stage", ["request_start", "event_start"])
def test_a_start_that_is_stopped_ends_those_before_it(audit: ModuleType, stage: str, mode: dict[str, Any]) -> None:
    log: list[Any] = []
    handlers = [
        with_error(audit, log, "One"),
        recorder(audit, "Two", log, **{stage: raising(Stop("two"))}),
        recorder(audit, "Three", log),
    ]
    tracker = audit.EventTracker.initialize_with_handlers(handlers, **mode)

    async def main() -> None:
        await tracker.request_start(audit.RequestStart("c", "q"))
        await one_span(tracker, audit)

    with pytest.raises(Stop, match="two") as caught:
        asyncio.run(main())
    end = stage.replace("start", "end")
    told = [entry for entry in log if entry[:2] == ("One", end)]
    assert [entry[-1] for entry in told] == [caught.value]
    assert ("Two", end) not in calls(log)
    assert tracker.open_count == 0


def test_an_end_that_is_stopped_does_not_keep_the_others_from_theirs(audit: ModuleType) -> None:
    log: list[Any] = []
    handlers = [
        recorder(audit, "One", log, event_end=raising(KeyboardInterrupt("one"))),
        recorder(audit, "Two", log, event_end=raising(SystemExit("two"))),
        recorder(audit, "Three", log),
    ]
    tracker = audit.EventTracker.initialize_with_handlers(handlers)
    with pytest.raises(KeyboardInterrupt, match="one"):
        asyncio.run(one_span(tracker, audit))
    assert calls(log)[3:] == [("One", "event_end"), ("Two", "event_end"), ("Three", "event_end")]


def test_a_handler_that_is_there_twice_has_two_contexts(audit: ModuleType) -> None:
    log: list[Any] = []
    one = recorder(audit, "A", log)
    tracker = audit.EventTracker.initialize_with_handlers([one, one])

    async def main() -> None:
        async with tracker.request(audit.RequestStart("c", "q")) as request:
            await one_span(request, audit)

    asyncio.run(main())
    assert [(entry[1], *entry[3].values()) for entry in log[2:]] == [
        ("event_start", "A0"), ("event_start", "A1"), ("event_end", "A2", "A0"), ("event_end", "A3", "A1"),
        ("request_end", "A0"), ("request_end", "A1"),
    ]  # fmt: skip


def test_a_late_handler_joins_with_the_next_request(audit: ModuleType) -> None:
    log: list[Any] = []
    tracker = audit.EventTracker()

    async def main() -> None:
        await tracker.request_start(audit.RequestStart("c", "q"))
        tracker.subscribe(recorder(audit, "Late", log))
        await one_span(tracker, audit)
        await tracker.request_end(audit.RequestEnd(None))
        assert log == []
        await tracker.request_start(audit.RequestStart("c", "q"))
        await one_span(tracker, audit)
        await tracker.request_end(audit.RequestEnd(None))

    asyncio.run(main())
    assert [stage for _, stage in calls(log)] == ["request_start", "event_start", "event_end", "request_end"]


@pytest.mark.parametrize("mode", MODES)
def test_plain_functions_and_anything_that_can_be_awaited(audit: ModuleType, mode: dict[str, Any]) -> None:
    log: list[Any] = []

    class Plain:
        __hash__ = None  # type: ignore[assignment]

        def request_start(self, user_request: Any) -> str:
            return "R"

        def event_start(self, event: Any, request_context: Any) -> Any:
            future = asyncio.get_running_loop().create_future()
            future.get_loop().call_soon(future.set_result, "C")
            return future

        def event_end(self, event: Any, request_context: Any, event_context: Any, **more: Any) -> None:
            log.append((request_context, event_context, more))

        @staticmethod
        def request_end(output: Any, request_context: Any) -> None:
            log.append(request_context)

    tracker = audit.EventTracker(**mode)
    tracker.subscribe(Plain())
    error = ValueError("body")

    async def main() -> None:
        async with tracker.request(audit.RequestStart("c", "q")) as request:
            await one_span(request, audit)
            with pytest.raises(ValueError):
                await one_span(request, audit, error)

    asyncio.run(main())
    assert log == [("R", "C", {}), ("R", "C", {"error": error}), "R"]


def test_what_is_no_handler(audit: ModuleType) -> None:
    tracker = audit.EventTracker()

    class Most:
        def request_start(self, user_request: Any) -> None: ...
        def event_start(self, event: Any, request_context: Any) -> None: ...
        def event_end(self, event: Any, request_context: Any, event_context: Any) -> None: ...

    class Generates(Most):
        async def request_end(self, output: Any, request_context: Any) -> Any:
            yield

    class Insists(Most):
        def request_end(self, output: Any, request_context: Any, error: Any) -> None: ...

    class Holds(Most):
        request_end = 3

    class Renames(Most):
        def request_end(self, output: Any, ctx: Any) -> None: ...

    class Fewer(Most):
        async def event_end(self, event: Any, request_context: Any) -> None: ...
        async def request_end(self, output: Any, request_context: Any) -> None: ...

    class Counts(Most):
        async def request_end(self, *_: Any, total: int) -> None: ...

    class Nothing(Most):
        def request_start(self) -> None: ...  # type: ignore[override]
        def request_end(self, output: Any, request_context: Any) -> None: ...

    for wrong, text in (
        (Most(), "Most has no method request_end; a handler has request_start, event_start, event_end, request_end"),
        (Most, "subscribe() takes an instance of a handler, not the class"),
        (Generates(), "Generates.request_end() is a generator function: calling it would run none of it"),
        (Insists(), "request_end() takes error without a default"),
        (Renames(), "Renames.request_end() will be called as request_end(..., request_context=...), and its signature"),
        (Renames(), "is (output: 'Any', ctx: 'Any') -> 'None': "),
        (Fewer(), "Fewer.event_end() will be called as event_end(..., request_context=..., event_context=...), and"),
        (Nothing(), "Nothing.request_start() will be called as request_start(...), and its signature is () -> 'None'"),
        (Counts(), "Counts.request_end() will be called as request_end(..., request_context=...), and its signature"),
        (Holds(), "Holds has int instead of a method request_end"),
        (None, "NoneType has no method request_start"),
    ):
        with pytest.raises(TypeError) as caught:
            tracker.subscribe(wrong)
        assert text in str(caught.value)
    assert tracker._handlers == []


def test_methods_that_take_any_arguments_get_theirs_by_position(audit: ModuleType) -> None:
    log: list[Any] = []

    class Anything:
        async def request_start(self, *arguments: Any) -> str:
            log.append(arguments)
            return "R"

        async def event_start(self, *arguments: Any) -> str:
            log.append(arguments)
            return "E"

        def event_end(self, *arguments: Any, **named: Any) -> None:
            log.append((*arguments, named))

        async def request_end(self, *arguments: Any) -> None:
            log.append(arguments)

    async def main() -> None:
        tracker = audit.EventTracker()
        tracker.subscribe(Anything())
        await tracker.request_start(start)
        async with tracker.track_event("event") as span:
            span("end")
        await tracker.request_end(end)

    start = audit.RequestStart(question="?", collection_name="c")
    end = audit.RequestEnd(result=None)
    asyncio.run(main())
    assert log == [(start,), ("event", "R"), ("end", {"request_context": "R", "event_context": "E"}), (end, "R")]


def test_what_a_tracker_can_not_be(audit: ModuleType) -> None:
    for options, error, text in (
        ({"errors": "ignore"}, ValueError, "errors is 'ignore'"),
        ({"errors": 3}, TypeError, "not int"),
        ({"max_open": 0}, ValueError, "max_open is 0; it must be at least 1"),
        ({"max_open": "many"}, TypeError, "max_open must be an int, not str"),
        ({"max_open": True}, TypeError, "max_open must be an int, not bool"),
        ({"strict": True, "concurrent": True}, ValueError, "strict=True is db-ally's own behaviour"),
        ({"strict": True, "errors": "raise"}, ValueError, "strict=True is db-ally's own behaviour"),
    ):
        with pytest.raises(error) as caught:
            audit.EventTracker(**options)
        assert text in str(caught.value)
    with pytest.raises(TypeError, match="made by the method request"):
        audit.Request.initialize_with_handlers([])


@pytest.mark.parametrize("mode", MODES)
def test_open_spans_are_in_view_and_bounded(audit: ModuleType, mode: dict[str, Any]) -> None:
    tracker = audit.EventTracker(max_open=3, **mode)

    async def main() -> None:
        async with tracker.request(audit.RequestStart("c", "q")) as request:
            spans = [request.track_event(event(audit, number)) for number in range(5)]
            assert tracker.open_spans == ()
            assert [span.started for span in spans] == [None] * 5
            for number, span in enumerate(spans):
                bound = await span.__aenter__()
                assert span.span is bound
                assert request.open_count == tracker.open_count == number + 1
                assert tracker.open_spans == tuple(spans[max(0, number - 2) : number + 1])
            assert [span.event.type for span in tracker.open_spans] == ["2", "3", "4"]
            assert spans[2].started <= spans[3].started <= spans[4].started
            assert repr(spans[2]) == "<span of LLMEvent>"
            for number in (3, 0, 4, 1, 2):
                await spans[number].__aexit__(None, None, None)
                assert spans[number] not in tracker.open_spans
            assert (tracker.open_count, tracker.open_spans) == (0, ())

    asyncio.run(main())


def test_a_span_in_view_has_the_event_and_its_data(audit: ModuleType) -> None:
    tracker = audit.EventTracker()

    async def main() -> None:
        async with tracker.track_event(event(audit)) as span:
            span(event(audit, "so far"))
            [shown] = tracker.open_spans
            assert shown.event == event(audit)
            assert shown.span.data == event(audit, "so far")

    asyncio.run(main())


def test_a_span_as_a_decorator(audit: ModuleType) -> None:
    log: list[Any] = []
    tracker = audit.EventTracker.initialize_with_handlers([recorder(audit, "A", log)])

    @tracker.track_event(event(audit))
    async def ask(value: int) -> int:
        return value + 1

    async def main() -> list[int]:
        return [await ask(1), await ask(2)]

    assert asyncio.run(main()) == [2, 3]
    assert ask.__name__ == "ask"
    assert [stage for _, stage in calls(log)] == ["event_start", "event_end"] * 2


# Suspension, cancellation, closing


class Gate:
    """A handler that waits where it is told to, and counts what becomes of its calls."""

    def __init__(self, audit: ModuleType, log: list[Any], *stages: str) -> None:
        self.inside, self.open = asyncio.Event(), asyncio.Event()
        self.handler = recorder(audit, "Gate", log, **dict.fromkeys(stages, self.wait))

    async def wait(self, *args: Any, **kwargs: Any) -> str:
        self.inside.set()
        await self.open.wait()
        return "through"


@pytest.mark.parametrize("stage", ["event_start", "event_end"])
def test_cancellation_where_a_handler_waits(audit: ModuleType, stage: str) -> None:
    log: list[Any] = []

    async def main() -> None:
        gate = Gate(audit, log, stage)
        tracker = audit.EventTracker.initialize_with_handlers(
            [with_error(audit, log, "One"), gate.handler, recorder(audit, "Three", log)]
        )
        task = asyncio.create_task(one_span(tracker, audit))
        await gate.inside.wait()
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert tracker.open_count == 0

    asyncio.run(main())
    if stage == "event_start":
        assert calls(log) == [("One", "event_start"), ("Gate", "event_start"), ("One", "event_end")]
        assert isinstance(log[-1][-1], asyncio.CancelledError)
    else:
        assert calls(log)[3:] == [("One", "event_end"), ("Gate", "event_end"), ("Three", "event_end")]


def test_a_handler_that_swallows_its_cancellation_goes_on(audit: ModuleType) -> None:
    log: list[Any] = []

    async def main() -> str:
        gate = asyncio.Event()

        async def stubborn(*args: Any, **kwargs: Any) -> str:
            try:
                gate.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return "swallowed"
            raise AssertionError

        tracker = audit.EventTracker.initialize_with_handlers(
            [recorder(audit, "A", log, event_start=stubborn), recorder(audit, "B", log)]
        )
        task = asyncio.create_task(one_span(tracker, audit))
        await gate.wait()
        task.cancel()
        await task
        return str(log[2][3]["event_context"])

    assert asyncio.run(main()) == "swallowed"


@pytest.mark.parametrize("mode", MODES)
def test_a_pipeline_that_is_closed_ends_its_events_without_waiting(audit: ModuleType, mode: dict[str, Any]) -> None:
    log: list[Any] = []

    async def waits(*args: Any, **kwargs: Any) -> None:
        try:
            await pause()
        except GeneratorExit:
            log.append("closed")
            raise

    import types

    @types.coroutine
    def pause() -> Any:
        yield

    handlers = [recorder(audit, "A", log, event_end=waits), with_error(audit, log, "B")]
    tracker = audit.EventTracker.initialize_with_handlers(handlers if not mode else handlers[1:], **mode)

    async def pipeline() -> None:
        async with tracker.track_event(event(audit)):
            await pause()

    if mode:  # the starts need a loop, the ends don't
        loop = asyncio.new_event_loop()
        coroutine: Any = pipeline()

        async def begin() -> None:
            task = asyncio.ensure_future(coroutine)
            while not tracker.open_spans or tracker.open_spans[0].span is None:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        loop.run_until_complete(begin())
        loop.close()
        assert ("B", "event_end") in calls(log)
        return
    coroutine = pipeline()
    coroutine.send(None)
    coroutine.close()
    assert [entry if entry == "closed" else entry[:2] for entry in log] == [
        ("A", "event_start"), ("B", "event_start"), ("A", "event_end"), "closed", ("B", "event_end"),
    ]  # fmt: skip
    assert isinstance(log[-1][-1], GeneratorExit)
    assert tracker.open_count == 0


@pytest.mark.skipif(not CPYTHON, reason="PyPy's collector does not close a coroutine that is dropped while it waits")
def test_a_span_that_is_dropped_while_a_handler_waits(audit: ModuleType) -> None:
    import types

    @types.coroutine
    def pause() -> Any:
        yield

    log: list[Any] = []
    tracker = audit.EventTracker.initialize_with_handlers(
        [with_error(audit, log, "A"), recorder(audit, "B", log, event_start=lambda *a, **k: pause_in())]
    )

    async def pause_in() -> None:
        await pause()

    coroutine = one_span(tracker, audit)
    coroutine.send(None)
    del coroutine
    gc.collect()
    assert calls(log) == [("A", "event_start"), ("B", "event_start"), ("A", "event_end")]
    assert tracker.open_count == 0


# Concurrent


def test_concurrent_handlers_of_a_stage_overlap(audit: ModuleType) -> None:
    log: list[Any] = []

    async def main() -> None:
        barrier = asyncio.Barrier(3)

        async def meet(*args: Any, **kwargs: Any) -> str:
            await barrier.wait()  # passed only by three at a time
            return "met"

        stages = dict.fromkeys(("request_start", "event_start", "event_end", "request_end"), meet)
        tracker = audit.EventTracker.initialize_with_handlers(
            [recorder(audit, name, log, **stages) for name in "ABC"], concurrent=True
        )
        async with tracker.request(audit.RequestStart("c", "q")) as request:
            await one_span(request, audit)

    asyncio.run(asyncio.wait_for(main(), 30))
    assert len(log) == 12
    assert [name for name, _ in calls(log)] == list("ABC") * 4
    assert {entry[3]["event_context"] for entry in log if entry[1] == "event_end"} == {"met"}


def test_concurrent_a_cancelled_stage_cancels_its_tasks_and_waits(audit: ModuleType) -> None:
    log: list[Any] = []

    async def main() -> None:
        inside = asyncio.Event()

        async def slow(*args: Any, **kwargs: Any) -> None:
            try:
                inside.set()
                await asyncio.Event().wait()
            finally:
                for _ in range(3):
                    await asyncio.sleep(0)
                log.append("cleaned up")

        tracker = audit.EventTracker.initialize_with_handlers(
            [recorder(audit, "A", log, event_start=slow), with_error(audit, log, "B")], concurrent=True
        )
        task = asyncio.create_task(one_span(tracker, audit))
        await inside.wait()
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert tracker.open_count == 0

    asyncio.run(main())
    assert "cleaned up" in log
    ended = log[-1]
    assert ended[:2] == ("B", "event_end")
    assert isinstance(ended[-1], asyncio.CancelledError)


def test_concurrent_a_handler_that_cancels_itself_is_an_error(audit: ModuleType) -> None:
    got: list[str] = []

    async def cancels(*args: Any, **kwargs: Any) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    tracker = audit.EventTracker.initialize_with_handlers(
        [recorder(audit, "A", [], event_start=cancels)],
        concurrent=True,
        errors=lambda error, handler, event: got.append(str(error)),
    )
    asyncio.run(one_span(tracker, audit))
    assert got == ["<A> was cancelled"]


def test_concurrent_handlers_see_the_contextvars_of_the_pipeline(audit: ModuleType) -> None:
    import contextvars

    variable = contextvars.ContextVar("variable", default="outside")
    seen: list[str] = []

    async def look(*args: Any, **kwargs: Any) -> None:
        seen.append(variable.get())
        variable.set("handler")

    for mode in MODES:
        tracker = audit.EventTracker.initialize_with_handlers([recorder(audit, "A", [], event_start=look)], **mode)

        async def main(tracker: Any = tracker) -> str:
            variable.set("pipeline")
            await one_span(tracker, audit)
            return variable.get()

        # One after the other they run in the pipeline's own context; concurrently in a copy each.
        assert asyncio.run(main()) == ("pipeline" if mode else "handler")
    assert seen == ["pipeline", "pipeline"]


def test_concurrent_needs_asyncio(audit: ModuleType) -> None:
    tracker = audit.EventTracker.initialize_with_handlers([recorder(audit, "A", [])], concurrent=True)
    coroutine = one_span(tracker, audit)
    with pytest.raises(RuntimeError, match=r"EventTracker\(concurrent=True\) runs handlers as tasks of asyncio"):
        coroutine.send(None)


# Trio


def test_under_trio(audit: ModuleType) -> None:
    import trio

    log: list[Any] = []

    async def waits(*args: Any, **kwargs: Any) -> str:
        await trio.lowlevel.checkpoint()
        return "waited"

    tracker = audit.EventTracker.initialize_with_handlers(
        [recorder(audit, "A", log, event_start=waits, event_end=waits), with_error(audit, log, "B")]
    )

    async def main() -> None:
        async with tracker.request(audit.RequestStart("c", "q")) as request:
            await one_span(request, audit)
            with trio.CancelScope() as scope:
                async with request.track_event(event(audit)):
                    scope.cancel()
                    await trio.sleep_forever()
            assert scope.cancelled_caught
            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(one_span, request, audit)

    trio.run(main)
    assert calls(log).count(("A", "event_end")) == calls(log).count(("B", "event_end")) == 5
    errors = [entry[-1] for entry in log if entry[:2] == ("B", "event_end")]
    assert [type(error).__name__ for error in errors] == ["NoneType", "Cancelled", *["NoneType"] * 3]


# Both cores


def test_the_cores_do_the_same(both: dict[str, Copy]) -> None:
    import importlib

    logs: dict[str, list[Any]] = {}
    for name, copy in both.items():
        with copy.active():
            audit = importlib.import_module("goanna.audit")
            logs[name] = []
            for seed in range(1500):
                player: Any = None
                failures: list[Any] = []

                def note(error: Any, handler: Any, event: Any, failures: list[Any] = failures) -> None:
                    failures.append((repr(error), repr(handler), type(event).__name__))

                player = Player(audit, lambda note=note: audit.EventTracker(errors=note), seed, wild=False)  # type: ignore[arg-type, misc]
                logs[name].append((player.play(), failures, player.tracker.open_count))
    for seed, (ours, theirs) in enumerate(zip(logs["c"], logs["py"], strict=True)):
        assert ours == theirs, seed
    assert {open_count for _, _, open_count in logs["c"]} == {0}
    assert sum(bool(failures) for _, failures, _ in logs["c"]) > 100


def test_nothing_refers_to_a_span_that_is_over(audit: ModuleType) -> None:
    tracker = audit.EventTracker.initialize_with_handlers([recorder(audit, "A", [])])

    async def main() -> Any:
        span = tracker.track_event(event(audit))
        async with span:
            pass
        return weakref.ref(span)

    gone = asyncio.run(main())
    catch_up()
    assert gone() is None


def test_a_handler_may_name_the_rest_as_it_likes(audit: ModuleType) -> None:
    seen = []

    class Handler:
        def request_start(self, what: Any, /) -> str:
            return "R"

        def event_start(self, it: Any, **more: Any) -> str:
            seen.append(more)
            return "E"

        def event_end(self, *it: Any, event_context: Any, request_context: Any = None) -> None:
            seen.append((event_context, request_context))

        def request_end(self, *args: Any, **more: Any) -> None:
            seen.append(more)

    tracker = audit.EventTracker(errors="raise")
    tracker.subscribe(Handler())

    async def main() -> None:
        async with tracker.request(audit.RequestStart("c", "q")) as request, request.track_event(object()):
            pass

    asyncio.run(main())
    assert seen == [{"request_context": "R"}, ("E", "R"), {"request_context": "R"}]


@pytest.mark.parametrize("strict", [False, True])
def test_a_request_is_about_something(audit: ModuleType, strict: bool) -> None:
    tracker = audit.EventTracker(strict=strict)
    for wrong, shown in (("text", "str"), (None, "NoneType"), (audit.RequestStart, "RequestStart")):
        with pytest.raises(TypeError) as caught:
            tracker.request(wrong)
        assert str(caught.value) == f"request() takes a RequestStart(collection_name, question), not {shown}"

    class Own(audit.RequestStart):  # type: ignore[name-defined,misc]
        pass

    assert tracker.request(Own("c", "q"))
