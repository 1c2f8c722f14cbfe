"""OpenTelemetryHandler: requests and events as spans of OpenTelemetry."""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING, Any

from goanna.audit._names import Event, EventHandler, RequestEnd, RequestStart
from goanna.audit.handlers import _describe
from goanna.audit.handlers.jsonlines import plain
from goanna.texts import described, without_secrets

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, TracerProvider

__all__ = ["OpenTelemetryHandler"]

_PREFIX = "db-ally"


class _Spanned:
    """The context of a request or an event.

    Args:
        span: its span.
        before: the context of OpenTelemetry in which it began.
    """

    __slots__ = ("before", "open", "span")

    def __init__(self, span: Span, before: Context) -> None:
        self.span: Any = span
        self.before: Any = before
        self.open: dict[_Spanned, None] = {}


class OpenTelemetryHandler(EventHandler[Any, Any]):
    """Makes a span for each request and each event, over the OpenTelemetry API.

    The span of a request is a child of the span that is current where the request starts. The span of an event is a
    child of the one that is current where it starts, if that belongs to the same request (an event around it, or a span
    that the pipeline itself has opened), and else of the request's. Events that overlap in tasks of their own are
    siblings.

    Attributes and errors are told without the user, password and query of URLs, where signatures and tokens are.

    A span ends when its event does. If that has failed, its status is ERROR and the exception is recorded. Trackers in
    strict mode, as db-ally's own, don't tell handlers about failed events: their spans are ended with status ERROR when
    the request ends. When the request fails as well, they never are.

    Args:
        provider: a TracerProvider; the global one if left out.
        record_inputs: whether prompts, questions and the like become attributes.
        record_outputs: whether responses, results and the like do.
        nested: whether the span of an event is made current while it lasts. Turn it off where requests are tracked in
            strict mode and fail often: after an event of whose end nobody tells, its span would stay current in its
            task. All events are children of their request then.

    Raises:
        ModuleNotFoundError: the API is not installed (``pip install goanna[otel]``).
    """

    def __init__(
        self,
        provider: TracerProvider | None = None,
        *,
        record_inputs: bool = True,
        record_outputs: bool = True,
        nested: bool = True,
    ) -> None:
        from opentelemetry import context, trace

        self._trace = trace
        self._context = context
        self._key = context.create_key("goanna.audit.request")
        self._tracer = trace.get_tracer("goanna.audit", tracer_provider=provider)
        self._record_inputs = record_inputs
        self._record_outputs = record_outputs
        self._nested = nested

    async def request_start(self, user_request: RequestStart) -> _Spanned:
        """Start the span of the request."""
        before = self._context.get_current()
        span = self._tracer.start_span("request", context=before, kind=self._trace.SpanKind.SERVER)
        request = _Spanned(span, before)
        self._set(span, f"{_PREFIX}.request", _describe.fields(user_request), self._record_inputs)
        self._enter(request, request)
        return request

    async def event_start(self, event: Event, request_context: _Spanned | None) -> _Spanned:
        """Start the span of the event."""
        before = self._context.get_current()
        parent = before
        if request_context is not None and self._context.get_value(self._key) is not request_context:
            parent = self._trace.set_span_in_context(request_context.span, before)
        name = _describe.name(event)
        span = self._tracer.start_span(name, context=parent, kind=self._trace.SpanKind.CLIENT)
        spanned = _Spanned(span, before)
        self._set(span, f"{_PREFIX}.{name}", _describe.inputs(event), self._record_inputs)
        if request_context is not None:
            request_context.open[spanned] = None
        self._enter(spanned, request_context)
        return spanned

    async def event_end(
        self,
        event: Event | None,
        request_context: _Spanned | None,
        event_context: _Spanned,
        error: BaseException | None = None,
    ) -> None:
        """End the span of the event."""
        if request_context is not None:
            request_context.open.pop(event_context, None)
        if event is not None:
            prefix = f"{_PREFIX}.{_describe.name(event)}"
            self._set(event_context.span, prefix, _describe.outputs(event), self._record_outputs)
        self._leave(event_context, error)

    async def request_end(
        self, output: RequestEnd, request_context: _Spanned, error: BaseException | None = None
    ) -> None:
        """End the span of the request, and those of its events that are open still."""
        for spanned in list(request_context.open):
            spanned.span.set_status(self._trace.StatusCode.ERROR, "nobody told of its end")
            spanned.span.end()
        request_context.open.clear()
        result = output.result
        if result is not None:
            shown: dict[str, Any] = _describe.fields(result) if hasattr(result, "results") else {"value": result}
            shown.pop("results", None)  # the rows themselves are no business of a trace
            for key, value in (shown.pop("context", None) or {}).items():
                shown[f"context.{key}"] = value
            self._set(request_context.span, f"{_PREFIX}.result", shown, self._record_outputs)
        self._leave(request_context, error)

    def _set(self, span: Span, prefix: str, values: dict[str, Any], wanted: bool) -> None:
        for key, value in values.items():
            if wanted and value is not None:
                simple = isinstance(value, (bool, int, float))
                shown = without_secrets(str(value)) if isinstance(value, str) else json.dumps(plain(value))
                span.set_attribute(f"{prefix}.{key}", value if simple else shown)

    def _enter(self, spanned: _Spanned, request: _Spanned | None) -> None:
        """Make a span the current one.

        No token is kept for the way back: where the handlers of a stage run together, the end runs in another context,
        in which it would mean nothing.
        """
        if self._nested:
            here = self._trace.set_span_in_context(spanned.span, spanned.before)
            self._context.attach(self._context.set_value(self._key, request, here))

    def _leave(self, spanned: _Spanned, error: BaseException | None) -> None:
        """End a span, and make the one before it current if this one is."""
        span = spanned.span
        if error is None:
            span.set_status(self._trace.StatusCode.OK)
        else:
            said = described(error)
            told = {
                "exception.message": said.partition(": ")[2],
                "exception.stacktrace": without_secrets("".join(traceback.format_exception(error))),
            }
            span.record_exception(error, attributes=told)  # these replace what it would take of the error itself
            span.set_status(self._trace.StatusCode.ERROR, said)
        span.end()
        if self._nested and self._trace.get_current_span() is span:
            self._context.attach(spanned.before)
