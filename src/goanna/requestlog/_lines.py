"""What one event is in a log: boto's line, a row of CSV, an object of JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from goanna.requestlog.events import RequestAttempt, RequestEvent, RequestFailed

__all__ = ["COLUMNS", "FORMATS", "Format", "header", "line_format"]

Format = Literal["boto", "csv", "json"]

COLUMNS = (
    "time", "event", "service", "operation", "status", "duration", "bytes", "attempts", "request_id", "code", "error",
)  # fmt: skip
"""The columns of a CSV log, and the keys of an object in a JSON log."""


def line_format(name: Any) -> Callable[[RequestEvent], str]:
    """Return what makes a line, newline included, of an event.

    Raises:
        ValueError: there is no such format.
    """
    try:
        return FORMATS[name]
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
    moment = datetime.fromtimestamp(event.time).strftime("%Y-%m-%d %H:%M:%S")
    operation = event.operation
    if operation is None:
        operation = ""
    elif not operation.isidentifier():  # nothing to escape in a name
        operation = _escaped(operation)
    status = "" if event.status is None else event.status
    size = "" if event.bytes is None else event.bytes
    return f"'{moment}', '{status}', '{_seconds(event.duration)}', '{size}', '{operation}'\n"


def _seconds(duration: float | None, missing: str = "") -> str:
    """Return a duration as boto writes it, to the microsecond, but never with an exponent."""
    if duration is None:
        return missing
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
    """Return a row of the :data:`COLUMNS`; what is missing is empty, quoting is that of RFC 4180."""
    values = _values(event)
    values["duration"] = _seconds(event.duration)
    text = io.StringIO()
    csv.writer(text).writerow(values.values())  # it quotes what its own terminator consists of, and no other
    return text.getvalue().removesuffix("\r\n") + "\n"


def json_object(event: RequestEvent) -> str:
    """Return an object with the keys of :data:`COLUMNS`, in ASCII; what is missing is null."""
    values = {name: json.dumps(value) for name, value in _values(event).items()}
    values["duration"] = _seconds(event.duration, "null")
    return "{" + ", ".join([f'"{name}": {text}' for name, text in values.items()]) + "}\n"


def _values(event: RequestEvent) -> dict[str, Any]:
    return {
        "time": datetime.fromtimestamp(event.time, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "event": _kind(event),
        "service": event.service,
        "operation": event.operation,
        "status": event.status,
        "duration": event.duration,
        "bytes": event.bytes,
        "attempts": event.attempts,
        "request_id": event.request_id,
        "code": event.code,
        "error": None if event.error is None else _shown(event.error),
    }


def _kind(event: RequestEvent) -> str:
    if isinstance(event, RequestAttempt):
        return "attempt"
    return "failed" if isinstance(event, RequestFailed) else "completed"


def _shown(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception as second:
        return f"{type(error).__name__}, whose text raised {type(second).__name__}"


FORMATS: dict[Any, Callable[[RequestEvent], str]] = {"boto": boto_line, "csv": csv_row, "json": json_object}
