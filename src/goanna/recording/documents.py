"""What a recording holds of the program's documents: nothing, their shape, or all."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["MODES", "copied", "preparation", "redacted"]

MODES: Final = ("omitted", "redacted", "full")

_ZEROES: Final[dict[type, Any]] = {
    str: "",
    int: 0,
    float: 0.0,
    bool: False,
    type(None): None,
    bytes: b"",
    datetime.datetime: datetime.datetime.fromtimestamp(0, datetime.UTC),
}


def preparation(documents: str) -> Callable[[Any], Any] | None:
    """Return what makes of a document what is recorded of it; None where that is nothing.

    Raises:
        ValueError: another name.
    """
    if documents not in MODES:
        raise ValueError(f"documents is {documents!r}; it must be one of {', '.join(MODES)}")
    return {"omitted": None, "redacted": redacted, "full": copied}[documents]


def copied(value: Any) -> Any:
    """Return a copy that later changes of the document don't reach; what is no container can't change."""
    if isinstance(value, Mapping):
        return {str(name): copied(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [copied(one) for one in value]
    return value


def redacted(value: Any) -> Any:
    """Return a document with the same keys and, for every value, the empty one or the zero of its type.

    Types that have no such value are named: ``{"$type": "Decimal128"}``.
    """
    if isinstance(value, Mapping):
        return {str(name): redacted(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(one) for one in value]
    for kind in type(value).__mro__:
        if kind in _ZEROES:
            return _ZEROES[kind]
    if type(value).__name__ == "ObjectId":
        return type(value)(bytes(12))
    return {"$type": type(value).__name__}
