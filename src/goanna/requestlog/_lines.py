"""What one event is in a log: boto's line, a row of CSV, an object of JSON."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from goanna.requestlog.events import RequestAttempt, RequestEvent, RequestFailed
from goanna.texts import described, escaped, guarded

__all__ = ["COLUMNS", "FORMATS", "Format", "header", "line_format"]

Format = Literal["boto", "csv", "json"]

COLUMNS = (
    "time", "event", "service", "operation", "status", "duration", "bytes", "attempts", "request_id", "code", "error",
)  # fmt: skip
"""The columns of a CSV log, and the keys of an object in a JSON log."""


def line_format(name: Any, guard_formulas: bool = True) -> Callable[[RequestEvent], str]:
    """Return what makes a line, newline included, of an event.

    Args:
        name: of the format.
        guard_formulas: whether a cell of a CSV that a spreadsheet would take for a formula begins with a quote.

    Raises:
        ValueError: there is no such format.
    """
    try:
        return FORMATS[name] if guard_formulas or name != "csv" else csv_row_unguarded
    except (KeyError, TypeError):
        raise ValueError(f'format is {name!r}; it must be "boto", "csv" or "json"') from None


def header(name: Format) -> str:
    """Return what a new file begins with."""
    return ",".join(COLUMNS) + "\n" if name == "csv" else ""


# boto


def boto_line(event: RequestEvent) -> str:
    r"""Return boto's five fields, single-quoted: local time, status, seconds, Content-Length, operation.

    What is missing is empty. In a field, a quote, a backslash and what can't be printed are escaped as in a Python
    string, so that ``ast.literal_eval`` reads the line as a tuple.
    """
    operation = event.operation
    if operation is None:
        operation = ""
    elif not operation.isidentifier():  # nothing to escape in a name
        operation = _escaped(operation)
    status = "" if event.status is None else event.status
    size = "" if event.bytes is None else event.bytes
    return f"'{_local(int(round(event.time, 6)))}', '{status}', '{_seconds(event.duration)}', '{size}', '{operation}'\n"


# Requests come many to the second.


@functools.lru_cache(4)
def _local(second: int) -> str:
    return datetime.fromtimestamp(second).strftime("%Y-%m-%d %H:%M:%S")


@functools.lru_cache(4)
def _utc(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _seconds(duration: float | None) -> str:
    """Return a duration as boto writes it, to the microsecond, but never with an exponent."""
    if duration is None:
        return ""
    text = repr(round(duration, 6))
    return f"{duration:.6f}" if "e" in text else text


def _escaped(text: str) -> str:
    if text.isprintable() and "'" not in text and "\\" not in text:
        return text
    return "".join([one if one.isprintable() and one not in "'\\" else _escape(one) for one in text])


def _escape(character: str) -> str:
    if character in "'\\":
        return "\\" + character
    return character.encode("unicode_escape").decode("ascii")


# CSV and JSON


def csv_row(event: RequestEvent) -> str:
    """Return a row of the :data:`COLUMNS`, one line; what is missing is empty, quoting is that of RFC 4180.

    Control characters are escaped as in a Python string, and what looks like a formula begins with a quote.
    """
    return csv_row_unguarded(event, guarded)


def csv_row_unguarded(event: RequestEvent, guard: Callable[[str], str] = str) -> str:
    """Return the same with formulas as they are."""
    cells = [
        "" if value is None else _quoted(value, guard) if isinstance(value, str) else str(value)
        for value in _values(event)
    ]
    return ",".join(cells) + "\n"


def _quoted(text: str, guard: Callable[[str], str]) -> str:
    if text.isidentifier():
        return text
    text = guard(escaped(text))
    if not _SPECIAL.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'


_SPECIAL = re.compile(r'[,"]|^\s|\s$')


def json_object(event: RequestEvent) -> str:
    """Return an object with the keys of :data:`COLUMNS`, in ASCII; what is missing is null."""
    texts = [
        "null" if value is None else json_string(value) if isinstance(value, str) else str(value)
        for value in _values(event)
    ]
    return _OBJECT % tuple(texts)


def json_string(text: str) -> str:
    """Return a text as JSON has it, in printable ASCII."""
    return json.encoder.encode_basestring_ascii(text).replace("\x7f", "\\u007f")


_OBJECT = "{" + ", ".join([f'"{name}": %s' for name in COLUMNS]) + "}\n"


class _Plain(float):
    """A float whose text has no exponent."""

    __slots__ = ()

    def __str__(self) -> str:
        return _seconds(self)


def _values(event: RequestEvent) -> tuple[str | int | float | None, ...]:
    """Return what stands in the columns."""
    second, fraction = divmod(round(event.time * 1e6), 1_000_000)
    return (
        f"{_utc(second)}.{fraction:06}Z",
        _kind(event),
        event.service,
        event.operation,
        event.status,
        None if event.duration is None else _Plain(event.duration),
        event.bytes,
        event.attempts,
        event.request_id,
        event.code,
        None if event.error is None else described(event.error),
    )


def _kind(event: RequestEvent) -> str:
    if isinstance(event, RequestAttempt):
        return "attempt"
    return "failed" if isinstance(event, RequestFailed) else "completed"


FORMATS: dict[Any, Callable[[RequestEvent], str]] = {"boto": boto_line, "csv": csv_row, "json": json_object}
