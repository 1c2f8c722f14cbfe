"""The rivals of the audit benchmarks: trackers, and handlers that hand on a context and do nothing else."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

from dbally.audit.event_tracker import EventTracker as StockTracker
from dbally.audit.spans import EventSpan

from goanna.bench import cores
from goanna.bench.loops import own_code

STOCK, BY_HAND = "stock", "by hand"
STRICT = {"py": "strict, pure", "c": "strict, compiled"}
GUARANTEED = {"py": "guaranteed, pure", "c": "guaranteed, compiled"}


class Handler:
    """The four coroutines of a handler; each test object gets a class of its own, see ``handler()``."""

    ended: Any

    async def request_start(self, user_request: Any) -> Any:
        return self

    async def event_start(self, event: Any, request_context: Any) -> Any:
        return event

    async def event_end(self, event: Any, request_context: Any, event_context: Any) -> None:
        pass

    async def event_end_stores(self, event: Any, request_context: Any, event_context: Any) -> None:
        self.ended = event, request_context, event_context

    async def request_end(self, output: Any, request_context: Any) -> None:
        pass


def handler(stores: bool = False) -> Any:
    """Return a handler of a class of its own, with code of its own.

    Args:
        stores: whether its ``event_end`` keeps what it was given, for the checks.
    """
    methods = {name: own_code(getattr(Handler, name)) for name in ("request_start", "event_start", "request_end")}
    end = own_code(Handler.event_end_stores if stores else Handler.event_end)
    return type("Handler", (Handler,), {**methods, "event_end": end})()


class ByHand(StockTracker):
    """What a Python programmer would write who wants it faster: a class instead of the generator."""

    def track_event(self, event: Any) -> Any:
        return _ByHand(self, event)


class _ByHand:
    __slots__ = ("contexts", "event", "span", "tracker")

    def __init__(self, tracker: Any, event: Any) -> None:
        self.tracker = tracker
        self.event = event

    async def __aenter__(self) -> Any:
        tracker, event = self.tracker, self.event
        contexts: dict[Any, Any] = {}
        self.contexts = contexts
        for one in tracker._handlers:
            contexts[one] = await one.event_start(event, request_context=tracker._request_contexts[one])
        self.span = EventSpan()
        return self.span

    async def __aexit__(self, error_type: Any, error: Any, traceback: Any) -> None:
        if error_type is None:
            tracker, contexts, data = self.tracker, self.contexts, self.span.data
            for one in tracker._handlers:
                await one.event_end(data, event_context=contexts[one], request_context=tracker._request_contexts[one])


def ours(backend: str, strict: bool) -> Any:
    """Return a tracker of ours over a core."""
    with cores.active(backend):
        audit = importlib.import_module("goanna.audit")
    return audit.EventTracker(strict=strict)


def rivals() -> dict[str, Callable[[], Any]]:
    """Return the makers of trackers by rival, those that this interpreter has."""
    found: dict[str, Callable[[], Any]] = {STOCK: StockTracker, BY_HAND: ByHand}
    for backend, name in cores.NAMES.items():
        if name in cores.copies():
            found[STRICT[backend]] = partial(ours, backend, True)
            found[GUARANTEED[backend]] = partial(ours, backend, False)
    return found
