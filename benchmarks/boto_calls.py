"""A whole boto3 call whose answer is at hand: what being attached to adds to it.

botocore builds, signs and parses as ever; only the sending is left out, by a handler that answers in its place. So
the share that is shown is the largest that there can be: a real call waits for its answer besides.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import _cores

NOBODY, NOBODY_TOO = "nothing attached", "nothing attached, a second client"
"""Others are compared to both; how much these two differ is how wrong that may be."""
IDLE = "five botocore handlers that do nothing"
KEEPER, LOGGER, ATTEMPTS, HOOK = "listener", "RequestLogger", "RequestLogger with attempts, CSV", "hook made for boto 2"
PURE_LOGGER = "RequestLogger, pure"

CALLS = 20
_EVENTS = ("before-parameter-build", "request-created", "response-received", "after-call", "after-call-error")
_BODY = (
    b'<?xml version="1.0" encoding="UTF-8"?><DescribeVolumesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
    b"<requestId>12345</requestId><volumeSet/></DescribeVolumesResponse>"
)


@dataclass(frozen=True)
class Call:
    """What a call costs in microseconds: the median of the rounds, the best, and what is added to the bare call.

    ``added`` is the median of the differences to the mean of the two bare calls of the same round.
    """

    median: float
    best: float
    added: float


class _Raw(io.BytesIO):
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


def _client() -> Any:
    """Return a client whose requests are answered by a handler."""
    from botocore.awsrequest import AWSResponse  # type: ignore[import-untyped]
    from botocore.session import Session  # type: ignore[import-untyped]

    session = Session()
    session.set_credentials("key", "secret")
    client = session.create_client("ec2", "us-east-1")
    headers = {"Content-Length": str(len(_BODY)), "Content-Type": "text/xml"}
    client.meta.events.register("before-send", lambda **_: AWSResponse("", 200, headers, _Raw(_BODY)))
    return client


class _Attached:
    """A client for each way to listen to it, and how many calls each has heard of."""

    def __init__(self, stack: contextlib.ExitStack, folder: Path) -> None:
        self.clients: dict[str, Any] = {}
        self.heard: dict[str, Callable[[], int]] = {}
        self.flush: dict[str, Callable[[], object]] = {}
        self._stack, self._folder = stack, folder
        _client().describe_volumes()  # whatever is slower for the first of all clients
        self.clients[NOBODY] = _client()
        self.clients[NOBODY_TOO] = _client()
        self.clients[IDLE] = _client()
        for event in _EVENTS:
            self.clients[IDLE].meta.events.register_last(event, lambda **_: None)
        for backend, name in _cores.NAMES.items():
            if name in _cores.copies():
                with _cores.active(backend):
                    self._add(backend, _cores.copies()[name], importlib.import_module("goanna.requestlog"))

    def _add(self, backend: str, goanna: Any, module: Any) -> None:
        if backend == "py":
            self._logger(module, PURE_LOGGER)
            return
        self._listener(goanna, module)
        self._logger(module, LOGGER)
        self._logger(module, ATTEMPTS, format="csv")
        self._hook(module)

    def _listener(self, goanna: Any, module: Any) -> None:
        class Last(module.RequestListener):  # type: ignore[misc]
            def completed(self, event: Any) -> None:
                self.last = event

        hub = goanna.Dispatcher(module.RequestListener)
        registration = hub.add(Last())
        self.heard[KEEPER] = lambda: int(registration.stats().delivered)
        self._attach(module, KEEPER, hub)

    def _logger(self, module: Any, name: str, **options: Any) -> None:
        path = self._folder / name
        logger = self._stack.enter_context(module.RequestLogger(path, **options))
        self.flush[name] = logger.flush
        calls = "attempt" if options else "Describe"
        self.heard[name] = lambda: path.read_text().count(calls)
        self._attach(module, name, logger, attempts=bool(options))

    def _hook(self, module: Any) -> None:
        class Count:
            calls = 0

            def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
                self.calls += 1

        hook = Count()
        self.heard[HOOK] = lambda: hook.calls
        self._attach(module, HOOK, hook)

    def _attach(self, module: Any, name: str, listener: Any, **options: Any) -> None:
        self.clients[name] = _client()
        self._stack.enter_context(module.attach(self.clients[name], listener, **options))


def measure_calls(rounds: int, calls: int = CALLS) -> dict[str, Call]:
    """Return the costs by the processor time of the calling thread; each client has a turn in each round."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        there = _Attached(stack, Path(folder))
        turns: dict[str, list[float]] = {name: [] for name in there.clients}
        for client in there.clients.values():
            client.describe_volumes()
        gc.collect()
        gc.disable()
        try:
            for number in range(rounds):
                names = list(there.clients)
                first = number % len(names)
                for name in names[first:] + names[:first]:
                    turns[name].append(_turn(there.clients[name], calls))
                    there.flush.get(name, int)()
                gc.collect()
        finally:
            gc.enable()
        for name, heard in there.heard.items():
            there.flush.get(name, int)()
            extra = 1 if name == ATTEMPTS else 0
            assert heard() - extra == rounds * calls + 1, (name, heard())  # the header has the word in it, too
    bare = [sum(both) / 2 for both in zip(turns[NOBODY], turns[NOBODY_TOO], strict=True)]
    return {
        name: Call(
            statistics.median(times),
            min(times),
            statistics.median([time - without for time, without in zip(times, bare, strict=True)]),
        )
        for name, times in turns.items()
    }


def _turn(client: Any, calls: int) -> float:
    """Return the microseconds per call."""
    start = time.thread_time_ns()
    for _ in range(calls):
        client.describe_volumes()
    return (time.thread_time_ns() - start) / calls / 1000
