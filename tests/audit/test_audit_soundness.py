"""Nothing leaks on any path through a span, and spans in cycles are collected."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import types
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from support.garbage import collect
from support.leaks import assert_no_leak


@types.coroutine
def pause() -> Any:
    return (yield)


def drive(coroutine: Any, error: BaseException | None = None, close: bool = False) -> None:
    """Run a coroutine to its end; where it pauses first, throw or close if told to."""
    try:
        coroutine.send(None)
        if close:
            coroutine.close()
            return
        if error is not None:
            coroutine.throw(error)
        while True:
            coroutine.send(None)
    except StopIteration:
        pass
    except (ValueError, KeyError, asyncio.CancelledError, RuntimeError, KeyboardInterrupt, TypeError, ExceptionGroup):
        pass


def paths(audit: ModuleType) -> dict[str, Callable[[], object]]:
    """One repeatable action for every path through a span."""
    watched = WATCHED

    def handler(**methods: Any) -> Any:
        class Handler:
            async def request_start(self, user_request: Any) -> Any:
                return watched[0]

            async def event_start(self, event: Any, request_context: Any) -> Any:
                return watched[1]

            async def event_end(self, event: Any, request_context: Any, event_context: Any) -> None: ...

            async def request_end(self, output: Any, request_context: Any) -> None: ...

        for name, method in methods.items():
            setattr(Handler, name, method)
        return Handler()

    async def suspends(self: Any, *args: Any, **kwargs: Any) -> Any:
        await pause()
        return watched[2]

    async def raises(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise ValueError(watched[2])

    async def stops(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    def plain(self: Any, *args: Any, **kwargs: Any) -> Any:
        return watched[2]

    def future(self: Any, *args: Any, **kwargs: Any) -> Any:
        return Once()

    class Once:
        def __await__(self) -> Any:
            yield
            return watched[1]

    class Equal:
        def __eq__(self, other: object) -> bool:
            return isinstance(other, Equal)

        def __hash__(self) -> int:
            return 1

    def tracker(*handlers: Any, **options: Any) -> Any:
        made = audit.EventTracker(errors=lambda *args: None) if not options else audit.EventTracker(**options)
        for one in handlers:
            made.subscribe(one)
        drive(made.request_start(watched[3]))
        return made

    def span(made: Any, error: BaseException | None = None, late: Any = None) -> Callable[[], Any]:
        async def main() -> None:
            async with made.track_event(watched[4]) as bound:
                bound(watched[4])
                if error is not None:
                    raise type(error)
                if late is not None:
                    made._handlers.append(late)

        return main

    ordinary = handler(), handler(), handler()
    waiting = handler(), handler(event_start=suspends, event_end=suspends), handler()
    equal = type("EqualHandler", (Equal, type(handler())), {})
    strict, own = {"strict": True}, {}
    found: dict[str, Callable[[], object]] = {}
    for name, options in (("strict", strict), ("own", own)):
        usual, nobody = span(tracker(*ordinary, **options)), span(tracker(**options))
        found[f"{name}"] = lambda usual=usual: drive(usual())
        found[f"{name}, nobody"] = lambda nobody=nobody: drive(nobody())
        wait = span(tracker(*waiting, **options))
        found[f"{name}, suspends"] = lambda wait=wait: drive(wait())
        found[f"{name}, thrown"] = lambda wait=wait: drive(wait(), ValueError())
        found[f"{name}, cancelled"] = lambda wait=wait: drive(wait(), asyncio.CancelledError())
        found[f"{name}, closed"] = lambda wait=wait: drive(wait(), close=True)
        body = span(tracker(*ordinary, **options), ValueError())
        found[f"{name}, body raises"] = lambda body=body: drive(body())
        for stage in ("event_start", "event_end"):
            bad = span(tracker(handler(), handler(**{stage: raises}), handler(), **options))
            found[f"{name}, {stage} raises"] = lambda bad=bad: drive(bad())
            stop = span(tracker(handler(), handler(**{stage: stops}), handler(), **options))
            found[f"{name}, {stage} stops"] = lambda stop=stop: drive(stop())
        awaits = span(tracker(handler(event_start=future, event_end=future), **options))
        found[f"{name}, awaitable"] = lambda awaits=awaits: drive(awaits())
        made = tracker(*ordinary, **options)
        found[f"{name}, never entered"] = lambda made=made: made.track_event(watched[4])
        found[f"{name}, entered only"] = lambda made=made: leave(made)
    twice = span(tracker(ordinary[0], ordinary[0], **strict))
    found["strict, twice"] = lambda: drive(twice())
    same = span(tracker(equal(), equal(), handler(), **strict))
    found["strict, equal"] = lambda: drive(same())
    sync = span(tracker(handler(event_start=plain), **strict))
    found["strict, not awaitable"] = lambda: drive(sync())
    functions = span(tracker(handler(event_start=plain, event_end=plain)))
    found["own, plain functions"] = lambda: drive(functions())
    group = span(tracker(handler(event_start=raises), handler(), errors="raise"))
    found["own, errors raised"] = lambda: drive(group())
    changing = tracker(*ordinary, **strict)
    late = span(changing, late=ordinary[0])

    def grows() -> None:
        drive(late())
        changing._handlers.pop()

    found["strict, list grows"] = grows
    whole = tracker(*ordinary)

    async def request() -> None:
        async with whole.request(watched[3]) as one:
            async with one.track_event(watched[4]):
                pass
            one.finish(watched[5])

    found["request"] = lambda: drive(request())
    return found


def leave(tracker: Any) -> None:
    """Enter a span and forget it."""
    span = tracker.track_event(WATCHED[4])
    awaitable = span.__aenter__()
    awaitable.close()


WATCHED = [object() for _ in range(6)]

SLOW = ("thrown", "cancelled", "closed", "raises", "raised", "stops", "request", "not awaitable", "grows")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "path" in metafunc.fixturenames:
        metafunc.parametrize("path", NAMES)


NAMES = [
    "request",
    *["strict, " + one for one in ("twice", "equal", "not awaitable", "list grows")],
    *["own, " + one for one in ("plain functions", "errors raised")],
    *[
        mode + one
        for mode in ("strict", "own")
        for one in (
            "", ", nobody", ", suspends", ", thrown", ", cancelled", ", closed", ", body raises",
            ", event_start raises", ", event_start stops",
            ", event_end raises", ", event_end stops", ", awaitable", ", never entered",
            ", entered only",
        )
    ],
]  # fmt: skip


def test_every_path_is_named(audit: ModuleType) -> None:
    assert sorted(paths(audit)) == sorted(NAMES)


def test_no_path_leaks(audit: ModuleType, path: str, repetitions: int) -> None:
    count = repetitions // (40 if any(one in path for one in SLOW) else 10)
    assert_no_leak(paths(audit)[path], count, [*WATCHED, None, False, audit.EventSpan])


@pytest.mark.parametrize("options", [{}, {"strict": True}])
def test_a_tracker_in_a_cycle_with_its_handlers_and_spans_is_collected(
    audit: ModuleType, options: dict[str, Any]
) -> None:
    class Handler:
        async def request_start(self, user_request: Any) -> Any:
            return self

        async def event_start(self, event: Any, request_context: Any) -> Any:
            await pause()
            return self

        async def event_end(self, event: Any, request_context: Any, event_context: Any) -> None: ...

        async def request_end(self, output: Any, request_context: Any) -> None: ...

    tracker = audit.EventTracker(**options)
    handler: Any = Handler()
    tracker.subscribe(handler)
    drive(tracker.request_start(None))
    handler.tracker = tracker
    handler.span = tracker.track_event(handler)
    handler.awaitable = handler.span.__aenter__()
    next(handler.awaitable) if hasattr(handler.awaitable, "__next__") else handler.awaitable.send(None)
    gone = [weakref.ref(handler), weakref.ref(handler.span)]
    del tracker, handler
    collect()
    assert [one() for one in gone] == [None, None]


def test_a_handler_that_awaits_the_span_that_awaits_it(audit: ModuleType) -> None:
    held: list[Any] = []

    class Handler:
        async def request_start(self, user_request: Any) -> Any: ...

        async def event_start(self, event: Any, request_context: Any) -> Any:
            if hasattr(held[1], "__next__"):
                with pytest.raises(ValueError, match="already executing"):
                    next(held[1])
                with pytest.raises(ValueError, match="already executing"):
                    held[1].throw(KeyError)
            with pytest.raises(RuntimeError):
                await held[0].__aenter__()
            with pytest.raises(RuntimeError):
                await held[0].__aexit__(None, None, None)

        async def event_end(self, event: Any, request_context: Any, event_context: Any) -> None: ...

        async def request_end(self, output: Any, request_context: Any) -> None: ...

    for options in ({}, {"strict": True}):
        tracker = audit.EventTracker(**options)
        tracker.subscribe(Handler())
        drive(tracker.request_start(None))
        span = tracker.track_event(None)
        held[:] = [span, span.__aenter__()]
        with pytest.raises(StopIteration) as caught:
            held[1].send(None)
        assert type(caught.value.value) is audit.EventSpan
        drive(span.__aexit__(None, None, None))


def test_awaiting_by_hand(audit: ModuleType) -> None:
    tracker = audit.EventTracker()
    span = tracker.track_event(None)
    awaitable = span.__aenter__()
    with pytest.raises(KeyError):
        awaitable.throw(KeyError("before it has begun"))
    assert tracker.open_count == 0
    with pytest.raises(RuntimeError):
        awaitable.send(None)
    awaitable.close()


def test_under_a_tracer(audit: ModuleType) -> None:
    """With a tracer the interpreter steps awaitables in another way."""

    class Handler:
        async def request_start(self, user_request: Any) -> Any: ...

        async def event_start(self, event: Any, request_context: Any) -> Any:
            await pause()
            return 1

        async def event_end(self, event: Any, request_context: Any, event_context: Any) -> None:
            got.append(event_context)

        async def request_end(self, output: Any, request_context: Any) -> None: ...

    got: list[Any] = []

    async def main(tracker: Any) -> Any:
        async with tracker.track_event(None) as span:
            return type(span)

    before = sys.gettrace()
    for options in ({}, {"strict": True}):
        tracker = audit.EventTracker(**options)
        tracker.subscribe(Handler())
        drive(tracker.request_start(None))
        coroutine = main(tracker)
        sys.settrace(lambda *args: None)
        try:
            coroutine.send(None)
            with pytest.raises(StopIteration) as caught:
                coroutine.send(None)
        finally:
            sys.settrace(before)
        assert caught.value.value is audit.EventSpan
    assert got == [1, 1]


def test_the_spans_data_is_looked_up_for_each_handler(audit: ModuleType) -> None:
    """As in db-ally, where a handler that has got hold of the span may change it for the next one."""

    class Handler:
        async def request_start(self, user_request: Any) -> Any: ...

        async def event_start(self, event: Any, request_context: Any) -> Any: ...

        async def event_end(self, event: Any, request_context: Any, event_context: Any) -> None:
            got.append(event)
            spans[0](len(got))

        async def request_end(self, output: Any, request_context: Any) -> None: ...

    got: list[Any] = []
    spans: list[Any] = []

    async def main() -> None:
        async with tracker.track_event(None) as span:
            spans.append(span)

    tracker = audit.EventTracker(strict=True)
    for _ in range(3):
        tracker.subscribe(Handler())
    drive(tracker.request_start(None))
    drive(main())
    assert got == [None, 1, 2]


@pytest.mark.parametrize("strict", [False, True])
def test_who_walks_over_all_objects_while_a_span_waits_meets_no_unset_memory(audit: ModuleType, strict: bool) -> None:
    class Handler:
        async def request_start(self, user_request: Any) -> Any: ...

        async def event_start(self, event: Any, request_context: Any) -> Any:
            await pause()
            return [self]

        async def event_end(self, event: Any, request_context: Any, event_context: Any) -> None:
            got.append(event_context == [self])

        async def request_end(self, output: Any, request_context: Any) -> None: ...

    async def main() -> None:
        async with tracker.track_event(None):
            pass

    got: list[bool] = []
    tracker = audit.EventTracker(strict=strict)
    for _ in range(2):
        tracker.subscribe(Handler())
    drive(tracker.request_start(None))
    coroutine = main()
    for _ in range(2):
        coroutine.send(None)
        for one in gc.get_objects():
            if type(one) is tuple:
                for item in one:
                    type(item)
        gc.collect()
    drive(coroutine)
    assert got == [True, True]


def test_a_handler_that_compares_takes_the_contexts_away(audit: ModuleType) -> None:
    """In strict mode, which looks contexts up in the tracker's own dictionary."""

    class Handler:
        def __hash__(self) -> int:
            return 1

        def __eq__(self, other: object) -> bool:
            if armed:
                tracker._request_contexts = spare.pop()
                collect()
            return self is other

        async def request_start(self, user_request: Any) -> Any: ...

        async def event_start(self, event: Any, request_context: Any) -> Any: ...

        async def event_end(self, event: Any, request_context: Any, event_context: Any) -> None:
            ended.append(self)

        async def request_end(self, output: Any, request_context: Any) -> None: ...

    async def main() -> None:
        async with tracker.track_event(None):
            pass

    ended: list[Any] = []
    armed: list[bool] = []
    tracker = audit.EventTracker(strict=True)
    handlers = [Handler() for _ in range(4)]
    for one in handlers:
        tracker.subscribe(one)
    drive(tracker.request_start(None))
    spare = [dict.fromkeys(handlers) for _ in range(100)]
    armed.append(True)
    drive(main())
    armed.clear()
    assert len(spare) < 100
    assert [id(one) for one in ended] == [id(one) for one in handlers]


def test_spans_made_by_hand_check_what_they_are_made_of(audit: ModuleType) -> None:
    from goanna.core import half_of

    half = half_of("goanna.audit")
    participants, open_spans = half.Participants((), ()), half.OpenSpans(None, 10, None)
    with pytest.raises(TypeError, match=r"^a Span takes Participants, not NoneType$"):
        half.Span(None, open_spans, None, audit.EventSpan)
    with pytest.raises(TypeError, match=r"^a Span takes OpenSpans, not int$"):
        half.Span(participants, 3, None, audit.EventSpan)

    async def enter(span: Any) -> None:
        async with span:
            pass

    for cls in (half.Span, half.StrictSpan):
        unmade = cls.__new__(cls)
        with pytest.raises(AttributeError):
            enter(unmade).send(None)
    for wrong in (None, 3, object()):
        with pytest.raises((TypeError, AttributeError)):
            enter(half.StrictSpan(wrong, None, audit.EventSpan)).send(None)
    drive(enter(half.Span(participants, open_spans, None, audit.EventSpan)))
    assert open_spans.count == 0


def test_a_span_that_hashes_by_leaving(audit: ModuleType) -> None:
    """Nothing but spans is entered; what is entered is held all the same while it is put among the others."""
    from goanna.core import half_of

    open_spans = half_of("goanna.audit").OpenSpans(None, 2, None)

    class Leaves:
        def __hash__(self) -> int:
            open_spans.leave(self)
            collect()
            return id(type(self))

    for _ in range(50):
        with contextlib.suppress(RecursionError):
            open_spans.enter(Leaves())
    assert isinstance(open_spans.visible(), tuple)
