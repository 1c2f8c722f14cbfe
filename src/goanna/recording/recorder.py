"""The listener that records: it stamps events on the thread that publishes them, and writes on another."""

from __future__ import annotations

import atexit
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from types import FunctionType, ModuleType
from typing import Any, Final, final

import goanna
from goanna.delivery import EventsLost
from goanna.errors import guarded
from goanna.recording.documents import preparation
from goanna.recording.file import RecordingFile
from goanna.recording.form import DOCUMENTS, fields_of, line, unwritten
from goanna.texts import described, escaped

__all__ = ["VARIABLE", "Recorder", "attach", "everything"]

_WAITING = 50_000
"""Events that may wait to be written; more are lost, and counted."""

_EXIT = 5.0
"""Seconds that the end of the program waits for what is not yet written."""

VARIABLE: Final = "GOANNA_RECORDING"
"""The environment variable that holds the arguments of the Recorder, as JSON."""

_recorders: list[Recorder] = []


def attach(name: str) -> None:
    """Install goanna into the driver that this process has imported, and begin to record.

    Args:
        name: what has been imported: ``pymongo``, or goanna's own monitoring module where there is no PyMongo.
    """
    if _recorders:
        return
    if name == "pymongo":
        module = importlib.import_module("pymongo.monitoring")
        importlib.import_module("goanna.monitoring._install").install(module)
    else:
        module = sys.modules[name]  # it is installed into by the module that imports it
    _recorders.append(Recorder(**json.loads(os.environ[VARIABLE])))
    _recorders[0].attach(module)


def everything(module: ModuleType, take: Callable[[Any], None]) -> Any:
    """Return a listener of all interfaces of a monitoring module, of which each method is ``take``."""
    bases = [
        value
        for name, value in vars(module).items()
        if isinstance(value, type) and name.endswith("Listener") and not name.startswith("_")
    ]
    names = {
        name
        for base in bases
        for name, value in vars(base).items()
        if isinstance(value, FunctionType) and not name.startswith("_")
    }

    def method(self: object, event: object) -> None:
        take(event)

    return type("Everything", tuple(bases), dict.fromkeys(names, method))()


def _field(event: Any, name: str) -> Any:
    try:
        return getattr(event, name)
    except Exception as error:
        return unwritten(event, error)


class _Taken(goanna.Event):
    at: int
    event: object
    documents: dict[str, Any]


class _Takers(goanna.Listener):
    @goanna.handles(_Taken)
    def taken(self, one: _Taken) -> None: ...


@final
class _Writer(_Takers):
    """Writes what it gets, on the thread of the queue."""

    def __init__(self, file: RecordingFile, finish: Callable[[], None]) -> None:
        self.file = file
        self._finish = finish
        self._finalizer: Any = None
        self._fields: dict[type, tuple[str, ...]] = {}

    def handle_batch(self, batch: list[_Taken]) -> None:
        """Write a batch."""
        self.file.in_this_process()
        self._finish_with_the_process()
        lines = []
        for one in batch:
            try:
                lines.append(self._line(one))
            except Exception as error:
                if not self.file.unencoded:
                    text = escaped(f"goanna record: {type(one.event).__name__} can't be written: {described(error)}")
                    guarded(partial(print, text, file=sys.stderr))
                self.file.unencoded += 1
        self.file.write(lines)

    def events_lost(self, marker: EventsLost) -> None:
        """Write that events are missing."""
        self.file.gap(marker.count)

    def _finish_with_the_process(self) -> None:
        """See that a process of multiprocessing ends its file; it ends without the interpreter's own hooks.

        Asked with every batch: the first may come from a fork hook, and what is set then is forgotten when
        multiprocessing begins its own work.
        """
        util, process = sys.modules.get("multiprocessing.util"), sys.modules.get("multiprocessing.process")
        if util is None or process is None or process.parent_process() is None:
            return
        if self._finalizer is None or not self._finalizer.still_active():
            self._finalizer = util.Finalize(None, self._finish, exitpriority=1000)

    def _line(self, one: _Taken) -> bytes:
        event: Any = one.event
        cls = type(event)
        names = self._fields.get(cls)
        if names is None:
            names = self._fields[cls] = tuple([name for name in fields_of(cls) if name not in DOCUMENTS])
        fields = {name: _field(event, name) for name in names}
        failed = getattr(event, "reply", None)
        if isinstance(failed, Exception):  # of a heartbeat; no document
            fields["reply"] = failed
        return line({"t": one.at, "e": cls.__name__, "f": {**fields, **one.documents}})


@final
class Recorder:
    """Records what a monitoring module publishes in this process, from :meth:`attach` to the end of the process.

    Args:
        path: of the file; another process gets a file of its own.
        documents: "omitted", "redacted" or "full".
        max_bytes: of each file.
    """

    def __init__(self, path: str, documents: str = "omitted", max_bytes: int = 64_000_000) -> None:
        self._prepare = preparation(documents)
        self.file = RecordingFile(path, documents, max_bytes)
        writer = _Writer(self.file, self.finish)
        self.queue: Any = goanna.queued(
            writer, maxsize=_WAITING, overflow="drop_newest", name="goanna-record", errors="print"
        )
        atexit.register(self.finish)

    def attach(self, module: ModuleType) -> None:
        """Register with a monitoring module, for all clients that are made from now on."""
        module.register(everything(module, self._taker()))

    def finish(self) -> None:
        """Write what waits, and end the file."""
        left = self.queue.close(_EXIT)
        dropped = self.queue.stats().dropped
        # Those inherited by a fork are the parent's to write.
        lost = sum(count for reason, count in dropped.items() if reason != "fork_inherited")
        self.file.end(lost)
        if left:
            text = f"goanna record: {left} events were not written in {_EXIT:.0f} seconds"
            guarded(partial(print, text, file=sys.stderr))

    def _taker(self) -> Any:
        """Return the function that takes an event, on the publisher's thread."""
        now, origin, put, prepare = time.perf_counter_ns, self.file.origin, self.queue.taken, self._prepare
        if prepare is None:
            nothing: dict[str, Any] = {}

            def take(event: Any) -> None:
                put(_Taken(now() - origin, event, nothing))

        else:

            def take(event: Any) -> None:
                at = now() - origin
                documents = {}
                for name in DOCUMENTS:
                    value = None
                    try:
                        value = getattr(event, name, None)
                        value = getattr(value, "document", value)  # of a heartbeat's reply
                        if value is not None and not isinstance(value, Exception):
                            documents[name] = prepare(value)
                    except Exception as error:
                        documents[name] = unwritten(value, error)
                put(_Taken(at, event, documents))

        return take
