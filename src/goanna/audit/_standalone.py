"""goanna's own ``dbally.audit``, for programs without db-ally: the same classes, fields, signatures and texts.

Everything here is once per request or less; the spans, which are not, are in the tracker cores.
"""

from __future__ import annotations

import abc
from abc import ABC
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

__all__ = [
    "Event",
    "EventHandler",
    "EventSpan",
    "ExecutionResult",
    "FallbackEvent",
    "LLMEvent",
    "RequestEnd",
    "RequestStart",
    "SimilarityEvent",
    "StockTracker",
]

RequestCtx = TypeVar("RequestCtx")
EventCtx = TypeVar("EventCtx")


@dataclass
class ExecutionResult:
    """What a request has come to.

    Args:
        results: the rows, each a dictionary by column.
        context: what else there is to say about how they were found.
        execution_time: of the whole request, in seconds.
        execution_time_view: of the part that found the rows, in seconds.
        view_name: what found them.
        textual_response: the answer in words, if one was asked for.
    """

    results: list[dict[str, Any]]
    context: dict[str, Any]
    execution_time: float
    execution_time_view: float
    view_name: str
    textual_response: str | None = None


@dataclass
class Event(ABC):  # noqa: B024 - nothing is abstract in the original either
    """The base of the events that spans are about."""


@dataclass
class LLMEvent(Event):
    """A call of a language model.

    Args:
        prompt: a text, or a list of messages with ``role`` and ``content``.
        type: what kind of prompt it is.
        response: the answer, once there is one.
        completion_tokens: tokens in the answer.
        prompt_tokens: tokens in the prompt.
        total_tokens: both.
    """

    prompt: str | list[dict[str, str]]
    type: str
    response: str | None = None

    completion_tokens: int | None = None
    prompt_tokens: int | None = None
    total_tokens: int | None = None


@dataclass
class SimilarityEvent(Event):
    """A look-up in a similarity index.

    Args:
        store: where it looks, as text.
        fetcher: what fills the store, as text.
        input_value: what is looked up.
        output_value: what was found.
    """

    store: str
    fetcher: str

    input_value: str
    output_value: str | None = None


@dataclass
class FallbackEvent(Event):
    """A request that failed and is handed to another collection.

    Args:
        triggering_collection_name: the collection that failed.
        triggering_view_name: the view of it that failed.
        fallback_collection_name: the collection that is asked instead.
        error_description: what went wrong.
    """

    triggering_collection_name: str
    triggering_view_name: str
    fallback_collection_name: str
    error_description: str


@dataclass
class RequestStart:
    """What a request is about.

    Args:
        collection_name: whom it is put to.
        question: what is asked.
    """

    collection_name: str
    question: str


@dataclass
class RequestEnd:
    """What a request has come to.

    Args:
        result: that; in guaranteed mode None for a request that failed or was not finished.
    """

    result: ExecutionResult


class EventSpan:
    """What ``async with tracker.track_event(event) as span`` binds: call it with the event as it is at the end.

    Attributes:
        data: what it was called with last; None if it was not.
    """

    def __init__(self) -> None:
        self.data: Event | None = None

    def __call__(self, data: Event) -> None:
        """Remember the event that goes to ``event_end``."""
        self.data = data


class EventHandler(Generic[RequestCtx, EventCtx], ABC):
    """The base of handlers: four coroutines, of which each start returns a context that its end is given."""

    @abc.abstractmethod
    async def request_start(self, user_request: RequestStart) -> RequestCtx:
        """Take note that a request begins.

        Args:
            user_request: what it is about.

        Returns:
            Whatever the handler wants to have in the calls for the rest of this request.
        """

    @abc.abstractmethod
    async def event_start(self, event: Event, request_context: RequestCtx) -> EventCtx:
        """Take note that an event begins.

        Args:
            event: the event, the very object that ``event_end`` may be given.
            request_context: what ``request_start`` returned.

        Returns:
            Whatever the handler wants to have in ``event_end``.
        """

    @abc.abstractmethod
    async def event_end(self, event: Event | None, request_context: RequestCtx, event_context: EventCtx) -> None:
        """Take note that an event has ended.

        Args:
            event: what the span was called with last, None if it was not called.
            request_context: what ``request_start`` returned.
            event_context: what ``event_start`` returned.
        """

    @abc.abstractmethod
    async def request_end(self, output: RequestEnd, request_context: RequestCtx) -> None:
        """Take note that a request has ended.

        Args:
            output: what it has come to.
            request_context: what ``request_start`` returned.
        """


class StockTracker:
    """The tracker of one request as db-ally's own behaves, but for ``track_event``."""

    _handlers: list[Any]
    _request_contexts: dict[Any, Any]

    def __init__(self) -> None:
        self._handlers = []
        self._request_contexts = {}

    @classmethod
    def initialize_with_handlers(cls, event_handlers: list[Any]) -> StockTracker:
        """Return a tracker with these handlers.

        Raises:
            ValueError: one of them is no EventHandler.
        """
        instance = cls()
        for handler in event_handlers:
            if not isinstance(handler, EventHandler):
                # "EvenHandler" is what programs have met.
                raise ValueError(f"Could not register {handler}. Handler must be instance of EvenHandler type")
            instance.subscribe(handler)
        return instance

    async def request_start(self, request_start: RequestStart) -> None:
        """Tell the handlers, one after the other, that the request begins."""
        for handler in self._handlers:
            self._request_contexts[handler] = await handler.request_start(request_start)

    async def request_end(self, request_end: RequestEnd) -> None:
        """Tell the handlers, one after the other, that the request has ended."""
        for handler in self._handlers:
            await handler.request_end(request_end, request_context=self._request_contexts[handler])

    def subscribe(self, event_handler: Any) -> None:
        """Add a handler."""
        self._handlers.append(event_handler)


for _one in __all__:
    globals()[_one].__module__ = "goanna.audit"  # where programs import it from, and where pickles find it
