"""A whole command on a real client, against a server in a process of its own: what monitoring costs there.

Here ``pymongo.monitoring`` itself is installed into and out of between turns, because the driver knows no other. The
time of a command is mostly sending, waiting and the driver's own work. So it is taken twice: by the clock, and as the
processor time of the calling thread, which the other processes of a shared machine disturb less.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import MongoClient, monitoring

from goanna.bench import cores
from goanna.bench.document import Section
from goanna.bench.figures import FLOOR
from goanna.bench.monitored import COMPILED, STOCK, installer

NOBODY, IDLE, SPANS = "no listener", "no-op listener", "listener like OpenTelemetry's"
MODES = (STOCK, COMPILED)
CLOCKS = {"clock": time.perf_counter_ns, "processor": time.thread_time_ns}
COMMANDS = 50
_RESAMPLES = 1000
_WARMUP = 70
"""Commands before each turn: so many times the interpreter has to find its caches wrong before it makes them anew."""


class Idle(monitoring.CommandListener):
    def started(self, event: Any) -> None:
        pass

    def succeeded(self, event: Any) -> None:
        pass

    def failed(self, event: Any) -> None:
        raise AssertionError(event)


class Spans(monitoring.CommandListener):
    """Keeps what belongs to a command between its two events, and reads thirteen fields for that."""

    def __init__(self) -> None:
        self.open: dict[Any, dict[str, Any]] = {}
        self.finished: Counter[str] = Counter()

    def started(self, event: Any) -> None:
        host, port = event.connection_id
        self.open[event.request_id, event.connection_id] = {
            "name": f"{event.database_name}.{event.command_name}",
            "statement": event.command.get(event.command_name),
            "host": host,
            "port": port,
            "operation": event.operation_id,
            "connection": event.server_connection_id,
            "service": event.service_id,
        }

    def succeeded(self, event: Any) -> None:
        span = self.open.pop((event.request_id, event.connection_id))
        span["micros"] = event.duration_micros
        self.finished[span["name"]] += 1

    def failed(self, event: Any) -> None:
        raise AssertionError(event)


@dataclass(frozen=True)
class Share:
    """What remains of the cost of monitoring: installed minus no listener over stock minus no listener.

    Args:
        ratio: of the medians over all rounds.
        low, high: the middle 80 % of what rounds drawn anew from these give.
    """

    ratio: float
    low: float
    high: float


def job(clock: str, kind: str) -> str:
    return f"ping by {clock}, {kind}"


def ping(rounds: int, calls: int = COMMANDS) -> Iterator[Section]:
    """Yield the times of ``ping`` if there is a compiled core; in each round each client has a turn in each mode."""
    if cores.NAMES["c"] not in cores.copies():
        return
    with cores.active("py"):  # nothing of the server depends on the core
        server = importlib.import_module("goanna.cli.demo.wire_server").WireServer()
    spans = Spans()
    turns: dict[str, dict[str, dict[str, list[float]]]] = {
        clock: {one: {mode: [] for mode in MODES} for one in (NOBODY, IDLE, SPANS)} for clock in CLOCKS
    }
    with server, contextlib.ExitStack() as stack:
        clients = {}
        for kind, listeners in ((NOBODY, []), (IDLE, [Idle()]), (SPANS, [spans])):
            clients[kind] = _client(server.uri, listeners)
            stack.callback(clients[kind].close)
            clients[kind].admin.command("ping")  # connected, and the handshakes are over
        before = spans.finished["admin.ping"]
        stack.enter_context(_uncollected())
        for number in range(rounds):
            for mode in MODES if number % 2 else reversed(MODES):
                with _mode(mode):
                    kinds = list(clients)
                    first = number // 2 % len(kinds)
                    for kind in kinds[first:] + kinds[:first]:
                        for clock, took in _turn(clients[kind], calls).items():
                            turns[clock][kind][mode].append(took)
            gc.collect()
        assert not spans.open
        assert spans.finished["admin.ping"] - before == rounds * len(MODES) * (calls + _WARMUP)
    costs = {
        job(clock, kind): {FLOOR: turns[clock][NOBODY][STOCK], **turns[clock][kind]}
        for clock in CLOCKS
        for kind in clients
    }
    yield Section("A ping on a client", "the same with no listener, and PyMongo as it is", costs)


def notes(costs: Mapping[str, Mapping[str, Sequence[float]]]) -> Iterator[str]:
    """Yield what installing leaves of the cost of a listener."""
    for clock in CLOCKS:
        for kind in (IDLE, SPANS):
            if job(clock, kind) in costs:
                left = share(costs[job(clock, kind)], costs[job(clock, NOBODY)])
                yield (
                    f"{job(clock, kind)}: installing leaves {left.ratio:.2f} of what monitoring costs "
                    f"({left.low:.2f} to {left.high:.2f}: the middle 80 % of what rounds drawn anew from these give)"
                )


def share(times: Mapping[str, Sequence[float]], bare: Mapping[str, Sequence[float]]) -> Share:
    """Return what installing leaves of the cost of a listener."""
    stock, installed = (
        [with_it - without for with_it, without in zip(times[mode], bare[mode], strict=True)] for mode in MODES
    )
    chance = random.Random(1)
    drawn = []
    for _ in range(_RESAMPLES):
        rounds = chance.choices(range(len(stock)), k=len(stock))
        drawn.append(_ratio([installed[one] for one in rounds], [stock[one] for one in rounds]))
    tenths = statistics.quantiles(drawn, n=10)
    return Share(_ratio(installed, stock), tenths[0], tenths[-1])


def _ratio(installed: list[float], stock: list[float]) -> float:
    below = statistics.median(stock)
    return statistics.median(installed) / below if below else float("inf")


def _client(uri: str, listeners: list[Any]) -> MongoClient[dict[str, Any]]:
    return MongoClient(
        uri, event_listeners=listeners, heartbeatFrequencyMS=600_000, serverSelectionTimeoutMS=5_000, maxPoolSize=1
    )


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextlib.contextmanager
def _mode(mode: str) -> Iterator[None]:
    if mode == STOCK:
        yield
        return
    goanna = installer("c")
    with cores.active("c"):
        goanna.install(monitoring)
    try:
        yield
    finally:
        assert not goanna.uninstall(monitoring)


def _turn(client: MongoClient[dict[str, Any]], calls: int) -> dict[str, float]:
    database = client.admin
    for _ in range(_WARMUP):
        database.command("ping")
    before = {clock: now() for clock, now in CLOCKS.items()}
    for _ in range(calls):
        database.command("ping")
    return {clock: (now() - before[clock]) / calls for clock, now in CLOCKS.items()}
