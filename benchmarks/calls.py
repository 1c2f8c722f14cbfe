"""A whole boto3 call whose answer is at hand: what being attached to adds to it.

botocore builds, signs and parses as ever; only the sending is left out, by a handler that answers in its place. So
the share that is shown is the largest that there can be: a real call waits for its answer besides.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from goanna.bench import cores
from goanna.bench.figures import FLOOR
from goanna.bench.jobs import Job, Work
from goanna.bench.loops import loop

JOB = "describe_volumes of boto3"
NOBODY_TOO = "nothing attached, a second client"
"""Others are compared to both that have nothing attached; how much these two differ is how wrong that may be."""

CALLS = 20
_EVENTS = ("before-parameter-build", "request-created", "response-received", "after-call", "after-call-error")
_BODY = (
    b'<?xml version="1.0" encoding="UTF-8"?><DescribeVolumesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
    b"<requestId>12345</requestId><volumeSet/></DescribeVolumesResponse>"
)

Heard = tuple[Callable[[], int], Callable[[], object]]
"""What says how many calls were heard of, and what waits until all of them are written."""
Attach = Callable[[Any, contextlib.ExitStack], Heard | None]


def describe() -> Job:
    """Call a client with somebody attached; the floor is a call of one with nobody attached."""
    attached: dict[str, Attach] = {FLOOR: _nobody, NOBODY_TOO: _nobody, "five botocore handlers": _idle}
    for backend, name in cores.NAMES.items():
        if name not in cores.copies():
            continue
        with cores.active(backend):
            module = importlib.import_module("goanna.requestlog")
        if backend == "c":
            attached["goanna listener"] = partial(_listener, cores.copies()[name], module)
            attached["goanna RequestLogger"] = partial(_logger, module, {})
            attached["goanna RequestLogger with attempts, CSV"] = partial(_logger, module, {"format": "csv"})
            attached["goanna, a hook made for boto 2"] = partial(_hook, module)
        else:
            attached["goanna RequestLogger, pure"] = partial(_logger, module, {})
    return Job(JOB, {name: partial(_work, attach) for name, attach in attached.items()})


def notes(costs: Mapping[str, Mapping[str, Sequence[float]]]) -> Iterator[str]:
    """Yield what being attached to adds: the median of the differences to the mean of the two bare calls of a round."""
    if JOB not in costs:
        return
    turns = costs[JOB]
    bare = [sum(both) / 2 for both in zip(turns[FLOOR], turns[NOBODY_TOO], strict=True)]
    for name, times in turns.items():
        added = statistics.median([took - without for took, without in zip(times, bare, strict=True)])
        share = added / statistics.median(turns[FLOOR])
        yield f"{JOB}, {name}: adds {added / 1000:.1f} µs, {share:.1%} of the call"


def _work(attach: Attach) -> Work:
    client, stack = _client(), contextlib.ExitStack()
    heard, flush = attach(client, stack) or (None, int)
    run = loop("client.describe_volumes()", {"client": client})

    def check() -> None:
        flush()
        before = heard() if heard else 0
        run(2)
        flush()
        assert heard is None or heard() == before + 2

    return Work(run, check, settle=flush, close=stack.close, calls=CALLS, clock=time.thread_time_ns)


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


def _nobody(client: Any, stack: contextlib.ExitStack) -> None: ...


def _idle(client: Any, stack: contextlib.ExitStack) -> None:
    for event in _EVENTS:
        client.meta.events.register_last(event, lambda **_: None)


def _listener(goanna: Any, module: Any, client: Any, stack: contextlib.ExitStack) -> Heard:
    class Last(module.RequestListener):  # type: ignore[misc]
        def completed(self, event: Any) -> None:
            self.last = event

    hub = goanna.Dispatcher(module.RequestListener)
    registration = hub.add(Last())
    stack.enter_context(module.attach(client, hub))
    return lambda: int(registration.stats().delivered), int


def _logger(module: Any, options: dict[str, str], client: Any, stack: contextlib.ExitStack) -> Heard:
    """Attach a logger; one that writes CSV writes every attempt, too."""
    path = Path(stack.enter_context(tempfile.TemporaryDirectory()), "log")
    logger = stack.enter_context(module.RequestLogger(path, **options))
    stack.enter_context(module.attach(client, logger, attempts=bool(options)))
    word = "attempt" if options else "Describe"
    return lambda: path.read_text().count(word), logger.flush


def _hook(module: Any, client: Any, stack: contextlib.ExitStack) -> Heard:
    class Count:
        calls = 0

        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            self.calls += 1

    hook = Count()
    stack.enter_context(module.attach(client, hook))
    return lambda: hook.calls, int
