"""Instrumentation that registers listeners with PyMongo records the same over stock and over our publish methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
import sentry_sdk
from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pymongo import MongoClient, monitoring
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations.pymongo import PyMongoIntegration
from sentry_sdk.transport import Transport

from differential.wire import commands, serving
from goanna.cli.demo.wire_server import Server

COMMANDS = ["ping", "insert", "insert", "find", "fails", "saslStart"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as one:
        yield one


@pytest.fixture(scope="module", autouse=True)
def _unregistered() -> Iterator[None]:
    """Take back what the integrations register for all clients: PyMongo itself has no way to."""
    before = [len(one) for one in monitoring._LISTENERS]
    yield
    for listeners, count in zip(monitoring._LISTENERS, before, strict=True):
        del listeners[count:]


def talk(server: Server) -> None:
    client: Any = MongoClient(server.uri, heartbeatFrequencyMS=3_600_000, retryWrites=False)
    try:
        commands(client)
    finally:
        client.close()


def both(goanna: ModuleType, record: Callable[[], list[Any]]) -> list[Any]:
    stock = record()
    report = goanna.install()
    try:
        assert {"publish_command_start", "publish_command_success", "publish_command_failure"} <= set(report.fast)
        installed = record()
    finally:
        goanna.uninstall()
    assert installed == stock
    return stock


class Hooks:
    """The three hooks that OpenTelemetry offers get the event itself."""

    seen: list[Any] = []

    @classmethod
    def hook(cls, span: Any, event: Any) -> None:
        stock = type(event) is getattr(monitoring, type(event).__name__)
        cls.seen.append((span.name, type(event).__name__, stock, event.command_name, repr(event.database_name)))


@pytest.fixture(scope="module")
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = PymongoInstrumentor()
    instrumentor.instrument(
        tracer_provider=provider,
        capture_statement=True,
        request_hook=Hooks.hook,
        response_hook=Hooks.hook,
        failed_hook=Hooks.hook,
    )
    yield exporter
    instrumentor.uninstrument()
    provider.shutdown()


def test_opentelemetry_makes_the_same_spans(goanna: ModuleType, server: Server, spans: InMemorySpanExporter) -> None:
    def record() -> list[Any]:
        spans.clear()
        Hooks.seen.clear()
        talk(server)
        made = [
            (one.name, one.kind, one.status.status_code, one.status.description, sorted((one.attributes or {}).items()))
            for one in spans.get_finished_spans()
        ]
        return [made, [*Hooks.seen]]

    made, hooks = both(goanna, record)
    assert [one[0].rpartition(".")[2] for one in made] and len(made) == len(COMMANDS)
    assert [one[3] for one in hooks] == [name for name in COMMANDS for _ in range(2)]
    assert all(one[2] for one in hooks)
    assert [one[2].name for one in made].count("ERROR") == 1


class Capture(Transport):
    """Keeps what would be sent."""

    items: list[Any] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.items += [item.payload.json for item in envelope.items if item.payload.json is not None]


@pytest.fixture
def captured() -> Iterator[list[Any]]:
    sentry_sdk.init(
        dsn="http://key@127.0.0.1:9/1",
        transport=Capture,
        release="1",  # else it asks git
        integrations=[PyMongoIntegration()],
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        enable_backpressure_handling=False,
        traces_sample_rate=1.0,
    )
    Capture.items.clear()
    sentry_sdk.get_isolation_scope().clear_breadcrumbs()
    yield Capture.items
    sentry_sdk.get_global_scope().set_client(None)


def test_sentry_leaves_the_same_breadcrumbs_and_spans(goanna: ModuleType, server: Server, captured: list[Any]) -> None:
    def record() -> list[Any]:
        captured.clear()
        with sentry_sdk.isolation_scope(), sentry_sdk.start_transaction(name="work"):
            talk(server)
            sentry_sdk.capture_message("done")
        [message] = [one for one in captured if one.get("message") == "done"]
        [work] = [one for one in captured if one.get("type") == "transaction"]
        crumbs = [
            {key: one.get(key) for key in ("type", "category", "message", "data", "level")}
            for one in message["breadcrumbs"]["values"]
            if one["category"] == "query"
        ]
        made = [
            {key: one.get(key) for key in ("op", "description", "origin", "status", "tags")}
            | {"data": {key: value for key, value in one["data"].items() if not key.startswith("thread.")}}
            for one in work["spans"]
            if one["op"] == "db"
        ]
        # Requests have random numbers.
        return [_without_ids(crumbs), _without_ids(made)]

    crumbs, made = both(goanna, record)
    assert [one["data"]["db.operation"] for one in made] == COMMANDS
    assert len(crumbs) == len(COMMANDS)
    assert [one["status"] for one in made].count("internal_error") == 1


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: "id" if key.endswith(("n_id", "t_id", "_ids")) else _without_ids(one) for key, one in value.items()
        }
    return [_without_ids(one) for one in value] if isinstance(value, list) else value
