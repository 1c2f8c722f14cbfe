"""The calls that publish recorded events again, as the driver made them."""

from __future__ import annotations

import inspect
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

from goanna.recording import descriptions
from goanna.recording.form import publisher
from goanna.recording.reader import Recorded, Recording, RecordingError

__all__ = ["Call", "RecordedError", "calls"]

_ADDRESSES = ("connection_id", "address", "server_address", "primary", "me")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method of ``_EventListeners``.

    Args:
        at: nanoseconds since recording began.
        event: the name of the class of the event that it publishes.
        method: its name.
        arguments: by position.
        line: the number of the event's line in the file.
    """

    at: int
    event: str
    method: str
    arguments: tuple[Any, ...]
    line: int = 0


class RecordedError(Exception):
    """Stands for an error that a recorded event told of, if its class is not one of PyMongo's."""


def calls(recording: Recording, module: ModuleType) -> tuple[list[Call], Counter[str]]:
    """Return the calls of a recording, and how many events of what class can't be published by this module.

    Where documents were omitted, commands hold their name and nothing else, other documents nothing.

    Args:
        recording: what was read.
        module: ``pymongo.monitoring`` or one like it, whose ``_EventListeners`` are to be called.

    Raises:
        RecordingError: the fields of an event make no sense.
    """
    made: list[Call] = []
    unknown: Counter[str] = Counter()
    parameters: dict[str, list[inspect.Parameter]] = {}
    restored = _restorer()
    for one in recording.events:
        name = publisher(one.event)
        method = getattr(module._EventListeners, name, None)
        if method is None:
            unknown[one.event] += 1
            continue
        if name not in parameters:
            parameters[name] = list(inspect.signature(method).parameters.values())[1:]
        try:
            fields = {field: restored(field, value) for field, value in one.fields.items()}
            arguments = tuple([_argument(parameter, one, fields) for parameter in parameters[name]])
        except Exception as error:  # whatever the constructors of the driver's classes raise
            why = f"{type(error).__name__}: {error}"
            raise RecordingError(f"{recording.path}, line {one.line}: {one.event} makes no sense: {why}") from error
        made.append(Call(one.at, one.event, name, arguments, one.line))
    return made, unknown


def _argument(parameter: inspect.Parameter, one: Recorded, fields: Mapping[str, Any]) -> Any:
    name = parameter.name
    if name == "duration" and "duration_micros" in fields:
        return timedelta(microseconds=fields["duration_micros"])
    if name == "op_id":
        name = "operation_id"
    if name == "command":
        return fields.get(name) or {fields["command_name"]: None}
    if name == "reply" and one.event.startswith("ServerHeartbeat"):
        return _heartbeat_reply(fields.get(name))
    if name in ("reply", "failure", "options"):
        return fields.get(name) or {}
    if name in fields:
        return fields[name]
    return None if parameter.default is parameter.empty else parameter.default


def _restorer() -> Callable[[str, Any], Any]:
    """Return what makes of a value in json what the event held."""
    try:
        from bson import json_util
    except ModuleNotFoundError:
        extended = None
    else:
        options = json_util.JSONOptions(json_mode=json_util.JSONMode.RELAXED, tz_aware=True)

        def extended(value: dict[str, Any]) -> Any:
            return json_util.object_hook(value, options)

    def restored(name: str, value: Any) -> Any:
        if isinstance(value, list):
            if name in _ADDRESSES:
                return tuple(value)
            if name == "all_hosts":
                return {tuple(one) for one in value}
            return [restored("", one) for one in value]
        if not isinstance(value, dict):
            return value
        if "$error" in value:
            return _error(value["$error"], value.get("text", ""))
        if value.keys() == {"$uuid"}:
            return uuid.UUID(value["$uuid"])
        inner = {key: restored(key, one) for key, one in value.items()}
        if "server_type_name" in inner:
            return descriptions.server(inner)
        if "topology_type_name" in inner:
            return descriptions.topology(inner)
        return inner if extended is None else extended(inner)

    return restored


def _error(name: str, text: str) -> Exception:
    try:
        from pymongo import errors
    except ModuleNotFoundError:
        return RecordedError(f"{name}: {text}")
    cls = getattr(errors, name, None)
    if isinstance(cls, type) and issubclass(cls, errors.PyMongoError):
        try:
            made: Exception = cls(text)
            return made
        except Exception:  # it is made of more than a text
            pass
    return RecordedError(f"{name}: {text}")


def _heartbeat_reply(reply: Any) -> Any:
    if isinstance(reply, Exception):
        return reply
    document = reply or {}
    try:
        from pymongo.hello import Hello
    except ModuleNotFoundError:
        return SimpleNamespace(document=document)
    return Hello(document)
