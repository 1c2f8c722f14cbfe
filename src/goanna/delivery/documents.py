"""What a queued event holds of the documents of its driver.

The documents in PyMongo's events are not copies: the driver and the application may change them while an event waits.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from types import MemberDescriptorType
from typing import Any, Literal

__all__ = ["Documents", "preparation"]

Documents = Literal["reference", "shallow", "omit"] | Callable[[Any], Any]
"""See :func:`goanna.queued`."""


def preparation(documents: Any) -> Callable[[Any], Any] | None:
    """Return what to do with each event before it is queued, None for nothing.

    Raises:
        ValueError: an unknown name.
        TypeError: neither a name nor callable.
    """
    if isinstance(documents, str):
        if documents == "reference":
            return None
        if documents == "shallow":
            return _Preparation(copy.copy)
        if documents == "omit":
            return _Preparation(_omitted)
        raise ValueError(f'documents is {documents!r}; it must be "reference", "shallow", "omit" or callable')
    if not callable(documents):
        raise TypeError(f'documents must be "reference", "shallow", "omit" or callable, not {type(documents).__name__}')
    return _Preparation(documents)


def _omitted(document: Any) -> dict[str, Any]:
    return {}


class _Preparation:
    """Makes of an event a copy in which every document is replaced; of one without documents nothing.

    Args:
        replace: called with each document, that is, each mapping in a field of the event.
    """

    def __init__(self, replace: Callable[[Any], Any]) -> None:
        self._replace = replace

    def __call__(self, event: Any) -> Any:
        slots = _slots(type(event))
        found = [(slot, value) for slot in slots if isinstance(value := slot.__get__(event, None), Mapping)]
        inside = {name: value for name, value in getattr(event, "__dict__", {}).items() if isinstance(value, Mapping)}
        if not found and not inside:
            return event
        made = copy.copy(event)
        for slot, value in found:
            slot.__set__(made, self._replace(value))
        for name, value in inside.items():
            made.__dict__[name] = self._replace(value)
        return made


def _slots(cls: type) -> list[MemberDescriptorType]:
    """Return the slots of a class that have a value in its ordinary instances."""
    known = _known.get(cls)
    if known is None:
        known = [
            value
            for base in reversed(cls.__mro__)
            for name, value in vars(base).items()
            if isinstance(value, MemberDescriptorType) and value.__objclass__ is base and name in _names(base)
        ]
        if len(_known) > 1000:
            _known.clear()
        _known[cls] = known
    return known


def _names(base: type) -> set[str]:
    """Return the names of the slots of one class, as they are in its namespace.

    The compiled core has other descriptors of the same type, which only read.
    """
    slots = vars(base).get("__slots__", ())
    prefix = "_" + base.__name__.lstrip("_")
    return {
        prefix + one if one.startswith("__") and not one.endswith("__") else one
        for one in ((slots,) if isinstance(slots, str) else slots)
    }


_known: dict[type, list[MemberDescriptorType]] = {}
