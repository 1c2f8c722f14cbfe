"""JSONLinesHandler: requests and events as one JSON object per line."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import math
import os
import threading
import time
from types import TracebackType
from typing import IO, Any, TypeVar

from goanna.audit._names import Event, EventHandler, RequestEnd, RequestStart
from goanna.audit.handlers import _describe

__all__ = ["JSONLinesHandler"]

_T = TypeVar("_T", bound="JSONLinesHandler")

_DEPTH = 20
"""How deep values are written as JSON; below, and in cycles, their repr is."""


class _Begun:
    __slots__ = ("began", "number")

    def __init__(self, number: int) -> None:
        self.number: int = number
        self.began: float = time.perf_counter()


class JSONLinesHandler(EventHandler[Any, Any]):
    r"""Writes a line for each start and each end.

    Every line is one JSON object in ASCII with ``what`` ("request_start", "event_start", "event_end" or "request_end"),
    ``time`` (seconds since 1970) and ``request`` (a number; null outside of a request). Those of events have ``event``
    (a number) and ``kind`` ("llm", "similarity", "fallback" or the name of the class; null if the span was not called).
    Ends have ``duration`` in seconds and ``error``: null, or an object with ``type`` and ``message``. ``data`` has the
    fields of what the handler was given. What JSON has no form for is written as its repr.

    Args:
        target: a path, to which it appends, or a text stream.

    Raises:
        TypeError: ``target`` is neither.
        OSError: the file can't be opened.
    """

    def __init__(self, target: str | os.PathLike[str] | IO[str]) -> None:
        self._owned = isinstance(target, (str, os.PathLike))
        self._stream: Any
        if isinstance(target, (str, os.PathLike)):
            self._stream = open(target, "a", encoding="ascii", newline="\n")  # noqa: SIM115 - close() closes it
        elif callable(getattr(target, "write", None)) and not isinstance(target, (io.RawIOBase, io.BufferedIOBase)):
            self._stream = target
        else:
            raise TypeError(f"JSONLinesHandler() takes a path or a text stream, not {type(target).__name__}")
        self._lock = threading.Lock()
        self._requests = itertools.count(1)
        self._events = itertools.count(1)
        self._closed = False

    def _write(self, what: str, request: _Begun | None, **more: Any) -> None:
        line = {"what": what, "time": time.time(), "request": None if request is None else request.number, **more}
        text = json.dumps(plain(line), ensure_ascii=True, allow_nan=False, separators=(",", ":")) + "\n"
        with self._lock:
            if self._closed:
                raise ValueError(f"JSONLinesHandler is closed; {what} came after close()")
            self._stream.write(text)

    async def request_start(self, user_request: RequestStart) -> _Begun:
        """Write what the request is about."""
        begun = _Begun(next(self._requests))
        self._write("request_start", begun, data=_describe.fields(user_request))
        return begun

    async def event_start(self, event: Event, request_context: _Begun | None) -> _Begun:
        """Write what is known of the event."""
        begun = _Begun(next(self._events))
        self._write(
            "event_start",
            request_context,
            event=begun.number,
            kind=_describe.name(event),
            data=_describe.fields(event),
        )
        return begun

    async def event_end(
        self,
        event: Event | None,
        request_context: _Begun | None,
        event_context: _Begun,
        error: BaseException | None = None,
    ) -> None:
        """Write what has come out of the event."""
        duration = time.perf_counter() - event_context.began
        self._write(
            "event_end",
            request_context,
            event=event_context.number,
            kind=None if event is None else _describe.name(event),
            duration=duration,
            error=_error(error),
            data=None if event is None else _describe.fields(event),
        )

    async def request_end(
        self, output: RequestEnd, request_context: _Begun, error: BaseException | None = None
    ) -> None:
        """Write what the request has come to, and have it all on its way to the file."""
        duration = time.perf_counter() - request_context.began
        self._write(
            "request_end", request_context, duration=duration, error=_error(error), data=_describe.fields(output)
        )
        self.flush()

    def flush(self) -> None:
        """Hand what has been written to the operating system; each end of a request does that, too."""
        with self._lock:
            if not self._closed and hasattr(self._stream, "flush"):
                self._stream.flush()

    def close(self) -> None:
        """Write no more, and close the file if it was opened here; a stream is only flushed."""
        self.flush()
        with self._lock:
            if not self._closed:
                self._closed = True
                if self._owned:
                    self._stream.close()

    def __enter__(self: _T) -> _T:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _error(error: BaseException | None) -> dict[str, str] | None:
    return None if error is None else {"type": type(error).__name__, "message": str(error)}


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value in a form that JSON has."""
    if value is None or isinstance(value, (bool, str)):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if depth < _DEPTH:
        if isinstance(value, dict):
            return {key if isinstance(key, str) else repr(key): plain(one, depth + 1) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(one, depth + 1) for one in value]
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return plain(_describe.fields(value), depth)
    try:
        return repr(value)
    except Exception as error:  # somebody else's repr must not cost a line
        return f"<{type(value).__qualname__} whose repr raised {type(error).__name__}>"
