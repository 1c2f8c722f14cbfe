"""Strict mode is db-ally's own tracker to the letter: the same scripts on both, everything observable compared."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from audit.player import Player, shown
from audit.recorder import recorder

SEEDS = 1000


def names_of(stock: ModuleType) -> Any:
    return type("names", (), {**vars(stock.events), "EventHandler": stock.EventHandler})


def first_difference(ours: list[Any], theirs: list[Any]) -> str:
    for number, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        if one != other:
            return f"step {number}: {one} instead of {other}, after {theirs[max(0, number - 5) : number]}"
    return f"{len(ours)} steps instead of {len(theirs)}: {ours[len(theirs) :] or theirs[len(ours) :]}"


@pytest.mark.parametrize("part", range(4))
def test_random_scripts(audit: ModuleType, stock: ModuleType, part: int) -> None:
    names = names_of(stock)
    for seed in range(part * SEEDS, part * SEEDS + SEEDS):
        theirs = Player(names, stock.EventTracker, seed).play()
        ours = Player(names, audit.StrictEventTracker, seed).play()
        assert ours == theirs, f"seed {seed}: {first_difference(ours, theirs)}"


def test_random_scripts_without_dbally(own: ModuleType, stock: ModuleType) -> None:
    names = names_of(stock)
    for seed in range(10_000, 10_000 + SEEDS):
        theirs = Player(names, stock.EventTracker, seed).play()
        ours = Player(own, own.StrictEventTracker, seed).play()
        assert ours == theirs, f"seed {seed}: {first_difference(ours, theirs)}"


def test_the_scripts_reach_what_they_are_for(stock: ModuleType) -> None:
    names = names_of(stock)
    seen: dict[Any, int] = {}
    for seed in range(SEEDS):
        for entry in Player(names, stock.EventTracker, seed).play():
            if isinstance(entry, tuple):
                what = entry[1:3] if entry[1] in ("event_start", "event_end") and entry[2] == "thrown" else entry[1]
                if entry[1] in ("raised", "caught"):
                    what = (entry[1], entry[2][0])
                seen[what] = seen.get(what, 0) + 1
    for what in (
        "event_start", "event_end", "closed", "decorated", ("event_start", "thrown"), ("event_end", "thrown"),
        *[("raised", one) for one in ("KeyError", "TypeError", "AttributeError", "CancelledError", "GeneratorExit")],
        ("caught", "RuntimeError"),
    ):  # fmt: skip
        assert seen[what] >= 5, what


def outcome(action: Callable[[Any, ModuleType, list[Any]], Any], tracker: Any, names: ModuleType) -> Any:
    """What an action on a tracker comes to: the log that it keeps, and its result or what it raises."""
    log: list[Any] = []
    try:
        result = asyncio.run(action(tracker, names, log))
    except BaseException as error:
        return log, "raised", shown(error)
    return log, "returned", shown(result)


def both_ways(action: Callable[[Any, ModuleType, list[Any]], Any], audit: ModuleType, stock: ModuleType) -> Any:
    """Return the outcome, after making sure that it is the same for db-ally's tracker and ours."""
    theirs = outcome(action, stock.EventTracker(), audit)
    ours = outcome(action, audit.EventTracker(strict=True), audit)
    assert ours == theirs
    return theirs


def handler(names: ModuleType, log: list[Any], name: str) -> Any:
    return recorder(names, name, log)


async def started(tracker: Any, names: ModuleType, *handlers: Any) -> None:
    for one in handlers:
        tracker.subscribe(one)
    await tracker.request_start(names.RequestStart("c", "q"))


def test_order_contexts_and_keywords(audit: ModuleType, stock: ModuleType) -> None:
    async def action(tracker: Any, names: ModuleType, log: list[Any]) -> Any:
        await started(tracker, names, handler(names, log, "A"), handler(names, log, "B"))
        event = names.LLMEvent("p", "t")
        async with tracker.track_event(event) as span:
            span(event)
        await tracker.request_end(names.RequestEnd(None))

    log, *_ = both_ways(action, audit, stock)
    event = audit.LLMEvent("p", "t")
    assert log == [
        ("A", "request_start", audit.RequestStart("c", "q"), {}),
        ("B", "request_start", audit.RequestStart("c", "q"), {}),
        ("A", "event_start", event, {"request_context": "A0"}),
        ("B", "event_start", event, {"request_context": "B0"}),
        ("A", "event_end", event, {"event_context": "A1", "request_context": "A0"}),
        ("B", "event_end", event, {"event_context": "B1", "request_context": "B0"}),
        ("A", "request_end", audit.RequestEnd(None), {"request_context": "A0"}),
        ("B", "request_end", audit.RequestEnd(None), {"request_context": "B0"}),
    ]
    assert list(log[4][3]) == ["event_context", "request_context"]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_last_call_of_the_span_wins_and_none_is_none(audit: ModuleType, stock: ModuleType, count: int) -> None:
    async def action(tracker: Any, names: ModuleType, log: list[Any]) -> Any:
        await started(tracker, names, handler(names, log, "A"))
        async with tracker.track_event(names.LLMEvent("p", "t")) as span:
            for number in range(count):
                span(names.LLMEvent("p", str(number)))
        return type(span).__name__, span.data

    log, _, result = both_ways(action, audit, stock)
    assert log[-1][2] == (audit.LLMEvent("p", str(count - 1)) if count else None)
    assert "EventSpan" in result


def test_a_handler_that_is_there_twice_gets_its_second_context(audit: ModuleType, stock: ModuleType) -> None:
    async def action(tracker: Any, names: ModuleType, log: list[Any]) -> Any:
        one = handler(names, log, "A")
        await started(tracker, names, one, handler(names, log, "B"), one)
        async with tracker.track_event(names.LLMEvent("p", "t")):
            pass

    log, *_ = both_ways(action, audit, stock)
    assert [entry[3]["event_context"] for entry in log if entry[1] == "event_end"] == ["A3", "B1", "A3"]


def test_many_handlers_and_one_of_them_twice(audit: ModuleType, stock: ModuleType) -> None:
    async def action(tracker: Any, names: ModuleType, log: list[Any]) -> Any:
        handlers = [handler(names, log, f"H{number}") for number in range(40)]
        await started(tracker, names, *handlers, handlers[3])
        async with tracker.track_event(names.LLMEvent("p", "t")):
            pass

    log, *_ = both_ways(action, audit, stock)
    assert len(log) == 3 * 41


def test_a_body_that_raises_has_no_end(audit: ModuleType, stock: ModuleType) -> None:
    async def action(tracker: Any, names: ModuleType, log: list[Any]) -> Any:
        await started(tracker, names, handler(names, log, "A"))
        async with tracker.track_event(names.LLMEvent("p", "t")):
            raise LookupError("body")

    log, kind, error = both_ways(action, audit, stock)
    assert [entry[1] for entry in log] == ["request_start", "event_start"]
    assert (kind, error[:2]) == ("raised", ("LookupError", "body"))


def test_before_the_request_and_after_it(audit: ModuleType, stock: ModuleType) -> None:
    async def before(tracker: Any, names: ModuleType, log: list[Any]) -> Any:
        tracker.subscribe(handler(names, log, "A"))
        async with tracker.track_event(names.LLMEvent("p", "t")):
            log.append("body")

    async def late(tracker: Any, names: ModuleType, log: list[Any]) -> Any:
        await started(tracker, names, handler(names, log, "A"))
        async with tracker.track_event(names.LLMEvent("p", "t")):
            tracker.subscribe(handler(names, log, "late"))

    async def nobody(tracker: Any, names: ModuleType, log: list[Any]) -> Any:
        async with tracker.track_event(names.LLMEvent("p", "t")) as span:
            log.append(span.data)

    assert both_ways(before, audit, stock) == ([], "raised", ("KeyError", "<A>", None))
    assert both_ways(late, audit, stock)[1:] == ("raised", ("KeyError", "<late>", None))
    assert both_ways(nobody, audit, stock) == ([None], "returned", "None")


def test_overlapping_spans_of_one_request(audit: ModuleType, stock: ModuleType) -> None:
    async def action(tracker: Any, names: ModuleType, log: list[Any]) -> Any:
        await started(tracker, names, handler(names, log, "A"), handler(names, log, "B"))
        gates = [asyncio.Event() for _ in range(4)]
        gates[3].set()

        async def one(number: int) -> None:
            async with tracker.track_event(names.LLMEvent("p", str(number))) as span:
                await gates[number + 1].wait()
                span(names.LLMEvent("p", f"end {number}"))
            gates[number].set()

        await asyncio.gather(*(one(number) for number in range(3)))

    log, *_ = both_ways(action, audit, stock)
    assert [entry[2].type for entry in log if entry[1] == "event_end"] == [f"end {n}" for n in (2, 2, 1, 1, 0, 0)]


def test_cancellation_of_a_handler(audit: ModuleType, stock: ModuleType) -> None:
    async def action(tracker: Any, names: ModuleType, log: list[Any]) -> Any:
        inside, forever = asyncio.Event(), asyncio.Event()

        async def waits(*args: Any, **kwargs: Any) -> None:
            inside.set()
            await forever.wait()

        await started(tracker, names, recorder(names, "A", log, event_end=waits), handler(names, log, "B"))

        async def pipeline() -> None:
            async with tracker.track_event(names.LLMEvent("p", "t")):
                pass

        task = asyncio.create_task(pipeline())
        await inside.wait()
        task.cancel("enough")
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return task.cancelled()

    log, _, result = both_ways(action, audit, stock)
    assert (result, log[-1][:2]) == ("True", ("A", "event_end"))


def test_the_classmethod_and_its_error(audit: ModuleType, stock: ModuleType) -> None:
    for cls in (stock.EventTracker, audit.EventTracker, audit.StrictEventTracker):
        with pytest.raises(ValueError) as caught:
            cls.initialize_with_handlers([3])
        assert str(caught.value) == "Could not register 3. Handler must be instance of EvenHandler type"
        one = handler(audit, [], "A")
        assert cls.initialize_with_handlers([one])._handlers == [one]
        assert type(cls.initialize_with_handlers([])) is cls


def test_it_is_a_tracker_of_dballys_and_always_true(audit: ModuleType, stock: ModuleType) -> None:
    for tracker in (audit.EventTracker(), audit.EventTracker(strict=True), audit.StrictEventTracker()):
        assert isinstance(tracker, stock.EventTracker)
        assert tracker
        assert isinstance(tracker.track_event(None), contextlib.AbstractAsyncContextManager)
    assert not audit.EventTracker().strict
    assert audit.EventTracker(strict=True).strict
    assert audit.StrictEventTracker().strict
    for name in ("request_start", "request_end", "subscribe", "track_event"):
        ours = inspect.signature(getattr(audit.StrictEventTracker, name))
        assert list(ours.parameters) == list(inspect.signature(getattr(stock.EventTracker, name)).parameters)


def test_a_span_is_entered_and_left_once(audit: ModuleType) -> None:
    async def main(tracker: Any) -> None:
        span = tracker.track_event(audit.LLMEvent("p", "t"))
        with pytest.raises(RuntimeError, match="it was not entered"):
            await span.__aexit__(None, None, None)
        async with span:
            with pytest.raises(RuntimeError, match="can be entered once"):
                await span.__aenter__()
        with pytest.raises(RuntimeError, match="can be entered once"):
            await span.__aenter__()
        with pytest.raises(RuntimeError, match="left before"):
            await span.__aexit__(None, None, None)
        with pytest.raises(TypeError, match="can't be (used in 'await' expression|awaited)"):
            await span

    for options in ({"strict": True}, {}, {"concurrent": True}):
        asyncio.run(main(audit.EventTracker(**options)))


def test_what_leaving_returns(audit: ModuleType, stock: ModuleType) -> None:
    async def action(tracker: Any, names: ModuleType, log: list[Any]) -> Any:
        await started(tracker, names, handler(names, log, "A"))
        span = tracker.track_event(names.LLMEvent("p", "t"))
        bound = await span.__aenter__()
        results = [bound.data, await span.__aexit__(None, None, None)]
        span = tracker.track_event(names.LLMEvent("p", "t"))
        await span.__aenter__()
        error = ValueError("body")
        return [*results, await span.__aexit__(ValueError, error, None)]

    assert both_ways(action, audit, stock)[1:] == ("returned", "[None, False, False]")
