"""The format: which events there are, and how a field's value is written."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from goanna.texts import without_secrets

__all__ = ["DOCUMENTS", "MARK", "VERSION", "encoded", "fields_of", "line", "publisher", "unwritten"]

MARK: Final = "goanna_recording"
VERSION: Final = 1

_IRREGULAR: Final[Mapping[str, str]] = {
    "CommandStartedEvent": "publish_command_start",
    "CommandSucceededEvent": "publish_command_success",
    "CommandFailedEvent": "publish_command_failure",
    "ServerOpeningEvent": "publish_server_opened",
}

DOCUMENTS: Final = frozenset(["command", "failure", "options", "reply"])
"""The fields that hold documents of the program, its data among them."""

_SERVER: Final = (
    "address", "server_type", "server_type_name", "replica_set_name", "primary", "round_trip_time",
    "min_round_trip_time", "is_writable", "is_readable", "min_wire_version", "max_wire_version", "max_bson_size",
    "max_message_size", "max_write_batch_size", "set_version", "election_id", "me", "tags", "last_write_date",
    "logical_session_timeout_minutes", "topology_version", "error",
)  # fmt: skip
_TOPOLOGY: Final = (
    "topology_type", "topology_type_name", "replica_set_name", "logical_session_timeout_minutes", "max_set_version",
    "max_election_id", "heartbeat_frequency",
)  # fmt: skip


def publisher(event: str) -> str:
    """Return the name of the method of ``_EventListeners`` that publishes a class of events, if PyMongo has one."""
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", event.removesuffix("Event")).lower()
    return _IRREGULAR.get(event, f"publish_{words}" if event.endswith("Event") else "")


def fields_of(cls: type) -> tuple[str, ...]:
    """Return the names of the public fields of an event class."""
    return tuple([name for name in dir(cls) if not name.startswith("_") and not callable(getattr(cls, name))])


def line(content: Mapping[str, Any]) -> bytes:
    """Return one line of a recording; a value that can't be written costs its own place, and nothing else."""
    try:
        text = json.dumps(content, default=encoded, separators=(",", ":"))
    except Exception:
        text = json.dumps(_each(content), separators=(",", ":"))
    return text.encode() + b"\n"


def unwritten(value: Any, error: Exception) -> dict[str, str]:
    """Return what stands in the place of a value that can't be written."""
    return {"$repr": f"<{type(value).__qualname__}: {type(error).__name__}>"}


_DEPTH: Final = 200
"""How deep values are written one by one; MongoDB's own bound is half of that."""


def _each(value: Any, depth: int = 0) -> Any:
    """Return a value in a form that json has, made value by value."""
    try:
        if depth > _DEPTH:
            raise RecursionError
        if isinstance(value, Mapping):
            return {_each_name(name): _each(one, depth + 1) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [_each(one, depth + 1) for one in value]
        if value is None or isinstance(value, str | int | float):
            json.dumps(value)  # an int may have more digits than can be written
            return value
        return _each(encoded(value), depth + 1)
    except Exception as error:
        return unwritten(value, error)


def _each_name(name: Any) -> str:
    try:
        return str(name)
    except Exception as error:
        return unwritten(name, error)["$repr"]


def encoded(value: Any) -> Any:
    """Return what json can write in place of a value that it can't; for documents that is MongoDB's Extended JSON."""
    if isinstance(value, Mapping):
        return {str(name): one for name, one in value.items()}
    if isinstance(value, set | frozenset):
        return list(value)
    if isinstance(value, Exception):
        return {"$error": type(value).__name__, "text": without_secrets(str(value))}
    if isinstance(value, uuid.UUID):  # bson wants to be told how, and there is one way only
        return {"$uuid": str(value)}
    if hasattr(value, "server_type_name"):
        known = {name: getattr(value, name, None) for name in _SERVER}
        return {**known, "all_hosts": sorted(getattr(value, "all_hosts", ()), key=str)}
    if hasattr(value, "topology_type_name"):
        return {
            **{name: getattr(value, name, None) for name in _TOPOLOGY},
            "has_writable_server": value.has_writable_server(),
            "has_readable_server": value.has_readable_server(),
            "servers": list(value.server_descriptions().values()),
        }
    try:
        from bson import json_util

        return json_util.default(value)
    except Exception:  # no type of BSON, or none that it can write: it can be told, not brought back
        return {"$repr": without_secrets(repr(value))}
