"""JSONLinesHandler: requests and events as one JSON object per line."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import math
import os
import time
from types import TracebackType
from typing import IO, Any, TypeVar

from goanna.audit._names import Event, EventHandler, RequestEnd, RequestStart
from goanna.audit.handlers import _describe
from goanna.core.forks import ForkLock
from goanna.line_file import PRIVATE, LineFile, LineStream, checked_mode
from goanna.texts import without_secrets

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

    A line is with the operating system when it is written, whole, and so are those of forked children, which write to
    the same file.

    Every line is one JSON object in printable ASCII with ``what`` ("request_start", "event_start", "event_end" or
    "request_end"), ``time`` (seconds since 1970), ``process`` (its number) and ``request`` (a number within the
    process; null outside of a request). Those of events have ``event`` (such a number) and ``kind`` ("llm",
    "similarity", "fallback" or the name of the class; null if the span was not called). Ends have ``duration`` in
    seconds and ``error``: null, or an object with ``type`` and ``message``. ``data`` has the fields of what the handler
    was given. What JSON has no form for is written as its repr. URLs, wherever they are, are written without user,
    password and query, where signatures and tokens are.

    Args:
        target: a path, to which it appends, or a text stream, which it flushes after each line.
        mode: of a file that is made here: who may do what with it, as far as the umask allows. By default nobody but
            its owner may read it, since it holds questions and answers.

    Raises:
        TypeError: ``target`` is neither.
        ValueError: ``mode`` is none, the stream is closed or open for reading only.
        PermissionError: in a folder where everybody may write, the file or a folder on the way to it is a symbolic
            link, or the file belongs to somebody else.
        OSError: the file can't be opened.
    """

    def __init__(self, target: str | os.PathLike[str] | IO[str], *, mode: int = PRIVATE) -> None:
        checked_mode(mode)
        self._target: LineFile | LineStream
        if isinstance(target, (str, os.PathLike)):
            self._target = LineFile(target, mode=mode)
        elif callable(getattr(target, "write", None)) and not isinstance(target, (io.RawIOBase, io.BufferedIOBase)):
            self._target = LineStream(target)
        else:
            raise TypeError(f"JSONLinesHandler() takes a path or a text stream, not {type(target).__name__}")
        self._requests = itertools.count(1)
        self._events = itertools.count(1)
        self._closed = False
        self._lock = ForkLock()

    def _write(self, what: str, request: _Begun | None, **more: Any) -> None:
        line = {
            "what": what,
            "time": time.time(),
            "process": os.getpid(),
            "request": None if request is None else request.number,
            **more,
        }
        text = json.dumps(plain(line), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        with self._lock.now:
            if self._closed:
                raise ValueError(f"JSONLinesHandler is closed; {what} came after close()")
            _, error = self._target.write([text.replace("\x7f", "\\u007f") + "\n"])
        if error is not None:
            raise error

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
        """Write what the request has come to."""
        duration = time.perf_counter() - request_context.began
        self._write(
            "request_end", request_context, duration=duration, error=_error(error), data=_describe.fields(output)
        )

    def flush(self) -> None:
        """Do nothing: what has been written is with the operating system, or was flushed by its stream."""

    def close(self) -> None:
        """Write no more, and close the file if it was opened here."""
        with self._lock.now:
            if not self._closed:
                self._closed = True
                self._target.close()

    def __enter__(self: _T) -> _T:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _error(error: BaseException | None) -> dict[str, str] | None:
    return None if error is None else {"type": type(error).__name__, "message": _message(error)}


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # somebody else's text must not cost a line
        return f"<whose text raised {type(second).__name__}>"


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value in a form that JSON has, with URLs that hold no secrets."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return without_secrets(str(value))
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if depth < _DEPTH:
        if isinstance(value, dict):
            return {
                without_secrets(key if isinstance(key, str) else repr(key)): plain(one, depth + 1)
                for key, one in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [plain(one, depth + 1) for one in value]
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return plain(_describe.fields(value), depth)
    try:
        return without_secrets(repr(value))
    except Exception as error:  # somebody else's repr must not cost a line
        return f"<{type(value).__qualname__} whose repr raised {type(error).__name__}>"
