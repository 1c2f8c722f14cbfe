"""What a request log costs the thread of a boto 2 request: ``handle_request_data`` of boto's own logger and of ours.

boto's logger makes the caller wait when 100 lines do, and writes them one by one on a thread that competes with the
caller for the interpreter. So there are two measurements: bursts that fit into that queue, which is empty before, as
it is in a program that does other things, too; and floods, up to the moment when every line has been written.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import io
import queue
import statistics
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from benchmarks import _cores
from benchmarks.loops import Run, loop
from benchmarks.measure import Time

NOTHING, ORIGINAL = "do-nothing hook", "boto's logger"
COMPILED, PURE = _cores.NAMES["c"], _cores.NAMES["py"]
EVENTS, PURE_EVENTS = "RequestHooks, 1 listener", "RequestHooks, 1 listener, pure"

BURST = 80
"""Calls in a burst; boto's queue holds 100."""
FLOOD = 20_000
"""Calls in a flood; more than either queue holds."""

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 183\r\nServer: AmazonEC2\r\nDate: x\r\n\r\n"
    + bytes(183)
)


@dataclass
class Rival:
    """A hook.

    Args:
        hook: has ``handle_request_data``.
        drain: waits until everything is written.
        count: returns how many lines, or events, have arrived.
        close: ends it.
        bursts: nanoseconds per call, burst by burst.
        floods: likewise, flood by flood.
    """

    hook: Any
    drain: Callable[[], object]
    count: Callable[[], int]
    close: Callable[[], object]
    bursts: list[float] = field(default_factory=list)
    floods: list[float] = field(default_factory=list)

    def loop(self, request: Any, response: Any) -> Run:
        """Return what calls the hook as often as told, as boto does."""
        names = {"hook": self.hook, "request": request, "response": response}
        return loop("hook.handle_request_data(request, response)", names)


class Nothing:
    def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
        pass


def boto() -> ModuleType | None:
    """Return boto with its request logger, which needs a module by its name in Python 2; None where it can't be had."""
    if sys.version_info >= (3, 12):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sys.modules.setdefault("Queue", queue)
        importlib.import_module("boto.requestlog")
        importlib.import_module("boto.connection")
    # From now on every import asks boto's copy of six, in a way of which Python warns; later releases of six answer so.
    for finder in sys.meta_path:
        kind: Any = type(finder)
        if kind.__name__ == "_SixMetaPathImporter" and not hasattr(kind, "find_spec"):
            kind.find_spec = _find_spec
            kind.create_module = lambda self, spec: self.load_module(spec.name)
            kind.exec_module = lambda self, module: None
    return sys.modules["boto"]


def _find_spec(self: Any, name: str, path: Any = None, target: Any = None) -> Any:
    return importlib.util.spec_from_loader(name, self) if name in self.known_modules else None


def exchange() -> tuple[Any, Any]:
    """Return a request and its response: boto's own objects, or their like where there is no boto."""
    request: Any
    response: Any
    package = boto()
    parameters = {"Action": "DescribeVolumes", "Version": "2014-10-01"}
    if package is None:
        request, response = SimpleNamespace(), SimpleNamespace()
        request.params, request.service_name, request.host = parameters, "ec2", "ec2.us-west-2.amazonaws.com"
        response.status, response.headers = 200, {"content-length": "183"}
    else:
        connection = package.connection
        request = connection.HTTPRequest(
            "POST", "https", "ec2.us-west-2.amazonaws.com", 443, "/", "/", parameters, {"Host": "x"}, ""
        )
        request.service_name, request.region_name = "ec2", "us-west-2"  # as signing leaves it
        response = connection.HTTPResponse(_Socket())
        response.begin()
    request.start_time = datetime.now()
    return request, response


class _Socket:
    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(ANSWER)


def rivals(folder: str) -> dict[str, Rival]:
    """Return the hooks that this interpreter has."""
    found = {NOTHING: Rival(Nothing(), int, int, int)}
    package = boto()
    if package is not None:
        found[ORIGINAL] = _original(package, Path(folder, "original"))
    for backend, name, events in (("c", COMPILED, EVENTS), ("py", PURE, PURE_EVENTS)):
        if name in _cores.copies():
            with _cores.active(backend):
                module = importlib.import_module("goanna.requestlog")
            found[name] = _ours(module, Path(folder, backend))
            found[events] = _events(_cores.copies()[name], module)
    return found


def _original(package: ModuleType, path: Path) -> Rival:
    module: Any = package.requestlog
    module.Thread = lambda target: threading.Thread(target=target, daemon=True)  # or nothing would ever exit
    logger = module.RequestLogger(str(path))

    def close() -> None:
        logger.request_log_queue.join()
        logger.request_log_file.close()

    return Rival(logger, logger.request_log_queue.join, lambda: len(path.read_bytes().splitlines()), close)


def _ours(module: Any, path: Path) -> Rival:
    logger = module.RequestLogger(path, overflow="block", timeout=None)
    return Rival(logger, logger.flush, lambda: len(path.read_bytes().splitlines()), logger.close)


def _events(goanna: Any, module: Any) -> Rival:
    class Last(module.RequestListener):  # type: ignore[misc]
        def completed(self, event: Any) -> None:
            self.last = event

    hub = goanna.Dispatcher(module.RequestListener)
    registration = hub.add(Last())
    return Rival(module.RequestHooks(hub), int, lambda: int(registration.stats().delivered), int)


@dataclass(frozen=True)
class Cost:
    """What a call costs in nanoseconds, in bursts and in floods."""

    burst: Time
    flood: Time


def measure_hooks(rounds: int, floods: int) -> dict[str, Cost]:
    """Return the costs; each rival has a turn in each round."""
    with tempfile.TemporaryDirectory() as folder:
        there = rivals(folder)
        request, response = exchange()
        loops = {name: one.loop(request, response) for name, one in there.items()}
        expected = dict.fromkeys(there, 0)
        gc.collect()
        gc.disable()
        try:
            for number in range(rounds):
                for name in _turned(list(there), number):
                    request.start_time = datetime.now()
                    there[name].drain()
                    there[name].bursts.append(_time(loops[name], BURST))
                    expected[name] += BURST
                gc.collect()
            for number in range(floods):
                for name in _turned(list(there), number):
                    there[name].drain()
                    there[name].floods.append(_time(_drained(loops[name], there[name].drain), FLOOD))
                    expected[name] += FLOOD
        finally:
            gc.enable()
        for name, one in there.items():
            one.close()
            assert name == NOTHING or one.count() == expected[name], (name, one.count(), expected[name])
    return {name: Cost(_result(one.bursts), _result(one.floods)) for name, one in there.items()}


def _turned(names: list[str], number: int) -> list[str]:
    first = number % len(names)
    return names[first:] + names[:first]


def _drained(run: Run, drain: Callable[[], object]) -> Run:
    def both(calls: int) -> None:
        run(calls)
        drain()

    return both


def _time(run: Run, calls: int) -> float:
    start = time.perf_counter_ns()
    run(calls)
    return (time.perf_counter_ns() - start) / calls


def _result(times: list[float]) -> Time:
    return Time(min(times), statistics.median(times))
