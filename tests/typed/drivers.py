"""What type checkers make of code over the drop-ins and delivery; there is nothing wrong in it, see test_typing.py."""

import asyncio
from typing import Any, assert_type

import goanna
import goanna.delivery
from goanna import audit, monitoring
from goanna.audit import handlers
from goanna.requestlog import (
    Attachment,
    RequestCompleted,
    RequestFailed,
    RequestHook,
    RequestHooks,
    RequestListener,
    RequestLogger,
    attach,
)


class Log(monitoring.CommandListener):
    def started(self, event: monitoring.CommandStartedEvent) -> None:
        assert_type(event.command_name, str)
        assert_type(event.request_id, int)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        assert_type(event.duration_micros, int)

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


listener: goanna.delivery.Queued = goanna.queued(Log(), maxsize=10, overflow="drop_newest")
assert_type(listener.flush(1.0), int)
assert_type(listener.stats().pending, int)
monitoring.register(goanna.on_loop(Log(), asyncio.new_event_loop()))
monitoring.register(goanna.where(Log(), commands={"insert"}, sample=0.01))
assert_type(goanna.install().stock, dict[str, str])


class Requests(RequestListener):
    def completed(self, event: RequestCompleted) -> None:
        assert_type(event.status, int | None)

    def failed(self, event: RequestFailed) -> None:
        assert_type(event.operation, str | None)


class Hook(RequestHook):
    def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None: ...


with RequestLogger("requests.csv", format="csv") as logger:
    assert_type(logger, RequestLogger)
    assert_type(logger.flush(1.0), int)
    assert_type(attach(object(), logger), Attachment)
    hub = goanna.Dispatcher(RequestListener)
    hub.add(Requests())
    RequestHooks(hub, [Hook(), logger])


class Timings(audit.EventHandler[float, float]):
    async def request_start(self, user_request: audit.RequestStart) -> float:
        return 0.0

    async def event_start(self, event: audit.Event, request_context: float) -> float:
        return 0.0

    async def event_end(self, event: audit.Event | None, request_context: float, event_context: float) -> None: ...

    async def request_end(self, output: audit.RequestEnd, request_context: float) -> None: ...


async def pipeline(question: str) -> None:
    tracker = audit.EventTracker()
    tracker.subscribe(Timings())
    tracker.subscribe(handlers.BufferHandler())
    async with tracker.request(audit.RequestStart("orders", question)) as request:
        event = audit.LLMEvent(prompt=question, type="answer")
        async with request.track_event(event) as span:
            span(event)
        request.finish(None)
