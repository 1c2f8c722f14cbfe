"""What handlers say about an event: its name, what goes in and what comes out."""

from __future__ import annotations

import dataclasses
from typing import Any

from goanna.audit._names import FallbackEvent, LLMEvent, SimilarityEvent

__all__ = ["fields", "inputs", "name", "outputs"]

_KNOWN: dict[type, tuple[str, tuple[str, ...]]] = {
    LLMEvent: ("llm", ("response", "completion_tokens", "prompt_tokens", "total_tokens")),
    SimilarityEvent: ("similarity", ("output_value",)),
    FallbackEvent: ("fallback", ()),
}
"""By class: a short name, and the fields that are filled in while the event lasts."""


def _known(event: Any) -> tuple[str, tuple[str, ...]]:
    for cls in type(event).__mro__:
        if cls in _KNOWN:
            return _KNOWN[cls]
    return type(event).__name__, ()


def name(event: Any) -> str:
    """Return a short name for the kind of an event."""
    return _known(event)[0]


def fields(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass, or the attributes of any other object, by name."""
    if dataclasses.is_dataclass(value):
        return {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
    return dict(getattr(value, "__dict__", {}))


def inputs(event: Any) -> dict[str, Any]:
    """Return what is known of an event when it starts."""
    later = _known(event)[1]
    return {key: value for key, value in fields(event).items() if key not in later}


def outputs(event: Any) -> dict[str, Any]:
    """Return what has come out of an event, without what is not known."""
    later = _known(event)[1]
    return {key: value for key, value in fields(event).items() if key in later and value is not None}
