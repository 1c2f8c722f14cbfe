"""The jobs of the audit benchmarks: ``async with tracker.track_event(event)`` with so many handlers."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

from dbally.audit.events import LLMEvent, RequestStart

from goanna.bench import tracked
from goanna.bench.figures import FLOOR
from goanna.bench.jobs import Job, Work
from goanna.bench.loops import Run

HANDLERS = (0, 1, 5, 10)

SPAN = """\
async with tracker.track_event(event) as span:
    pass
"""
CALLED = SPAN.replace("pass", "span(event)")
COROUTINES = """\
for start in starts:
    await start(event, request_context=None)
for end in ends:
    await end(event, request_context=None, event_context=None)
"""


def name(count: int) -> str:
    """Return the name of a job."""
    return f"track_event, {count} handler{'' if count == 1 else 's'}"


def every() -> Iterator[Job]:
    """Yield all jobs."""
    yield from (track(count) for count in HANDLERS)


def track(count: int) -> Job:
    """Enter and leave a span.

    The floor is the coroutines alone: making and awaiting those of the starts and the ends, by bound methods that were
    looked up before.
    """
    works: dict[str, Callable[[], Work]] = {FLOOR: partial(_coroutines, count)}
    for rival, make in tracked.rivals().items():
        works[rival] = partial(_track, make, count)
    return Job(name(count), works)


def loop(statement: str, names: dict[str, Any]) -> Run:
    """Return a function that runs an asynchronous statement as often as told; nothing in it may wait."""
    lines = [
        f"async def run(times, {', '.join(f'{name}={name}' for name in names)}):",
        "    for _ in repeat(None, times):",
        textwrap.indent(statement, " " * 8),
    ]
    scope: dict[str, Any] = {**names}
    exec("from itertools import repeat\n" + "\n".join(lines), scope)

    def run(times: int) -> None:
        finish(scope["run"](times))

    return run


def finish(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine that doesn't wait, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waited")


def _track(make: Callable[[], Any], count: int) -> Work:
    event = LLMEvent("prompt", "type")

    def started(stores: bool) -> tuple[Any, list[Any]]:
        tracker = make()
        handlers = [tracked.handler(stores) for _ in range(count)]
        for one in handlers:
            tracker.subscribe(one)
        finish(tracker.request_start(RequestStart("collection", "question")))
        return tracker, handlers

    def check() -> None:
        tracker, handlers = started(stores=True)
        loop(CALLED, {"tracker": tracker, "event": event})(1)
        for one in handlers:
            assert one.ended == (event, one, event)

    return Work(loop(SPAN, {"tracker": started(stores=False)[0], "event": event}), check)


def _coroutines(count: int) -> Work:
    handlers = [tracked.handler() for _ in range(count)]
    names = {
        "event": LLMEvent("prompt", "type"),
        "starts": tuple([one.event_start for one in handlers]),
        "ends": tuple([one.event_end for one in handlers]),
    }
    return Work(loop(COROUTINES, names))
