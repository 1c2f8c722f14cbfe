"""The hooks of request logs, as boto 2 calls them: boto's own logger, and goanna's on both cores."""

from __future__ import annotations

import importlib
import importlib.util
import io
import queue
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from goanna.bench import cores
from goanna.bench.loops import Run, loop

NOTHING, ORIGINAL = "do-nothing hook", "boto's logger"
COMPILED, PURE = cores.NAMES["c"], cores.NAMES["py"]
EVENTS, PURE_EVENTS = "goanna RequestHooks, compiled", "goanna RequestHooks, pure"
"""With one listener."""

BURST = 80
"""Calls in a burst. boto's queue holds 100 lines, and makes the caller wait where there are more."""

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 183\r\nServer: AmazonEC2\r\nDate: x\r\n\r\n"
    + bytes(183)
)


@dataclass(frozen=True)
class Hook:
    """A hook, and what belongs to it.

    Args:
        hook: has ``handle_request_data``.
        drain: waits until everything is written.
        count: returns how many lines, or events, have arrived.
        close: ends it.
    """

    hook: Any
    drain: Callable[[], object]
    count: Callable[[], int]
    close: Callable[[], object]

    def loop(self, request: Any, response: Any) -> Run:
        """Return what calls the hook as often as told, as boto does."""
        names = {"hook": self.hook, "request": request, "response": response}
        return loop("hook.handle_request_data(request, response)", names)


class Nothing:
    def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
        pass


def boto() -> ModuleType | None:
    """Return boto with its request logger, which needs a module by its name in Python 2; None where it can't be had."""
    if sys.version_info >= (3, 12) or importlib.util.find_spec("boto") is None:
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


def makers() -> dict[str, Callable[[Path], Hook]]:
    """Return what makes the hooks that this interpreter has; each is given the file to write to."""
    found: dict[str, Callable[[Path], Hook]] = {NOTHING: lambda path: Hook(Nothing(), int, int, int)}
    package = boto()
    if package is not None:
        found[ORIGINAL] = lambda path: _original(package, path)
    for backend, name, events in (("c", COMPILED, EVENTS), ("py", PURE, PURE_EVENTS)):
        if name in cores.copies():
            found[name] = _logger(backend)
            found[events] = _events(backend, cores.copies()[name])
    return found


def _module(backend: str) -> Any:
    with cores.active(backend):
        return importlib.import_module("goanna.requestlog")


def _original(package: ModuleType, path: Path) -> Hook:
    module: Any = package.requestlog
    module.Thread = lambda target: threading.Thread(target=target, daemon=True)  # or nothing would ever exit
    logger = module.RequestLogger(str(path))

    def close() -> None:
        logger.request_log_queue.join()
        logger.request_log_file.close()

    return Hook(logger, logger.request_log_queue.join, lambda: len(path.read_bytes().splitlines()), close)


def _logger(backend: str) -> Callable[[Path], Hook]:
    def make(path: Path) -> Hook:
        logger = _module(backend).RequestLogger(path, overflow="block", timeout=None)
        return Hook(logger, logger.flush, lambda: len(path.read_bytes().splitlines()), logger.close)

    return make


def _events(backend: str, goanna: Any) -> Callable[[Path], Hook]:
    def make(path: Path) -> Hook:
        module: Any = _module(backend)

        class Last(module.RequestListener):  # type: ignore[misc]
            def completed(self, event: Any) -> None:
                self.last = event

        hub = goanna.Dispatcher(module.RequestListener)
        registration = hub.add(Last())
        return Hook(module.RequestHooks(hub), int, lambda: int(registration.stats().delivered), int)

    return make
