"""About how much memory an event holds while it waits."""

from __future__ import annotations

import sys
from typing import Any, Final

from goanna.core.base import MISSING
from goanna.delivery.documents import layout_of, read

__all__ = ["size_of"]

_SAMPLE: Final = 100
"""Of a longer list or mapping so many items stand for all."""

_DEPTH: Final = 20
"""How deep containers are looked into, which ends cycles, too."""

_PLAIN: Final = frozenset([str, bytes, bytearray, int, float, bool, type(None)])


def size_of(event: Any) -> int:
    """Return about how many bytes an event holds: itself, its fields, and what is in their containers.

    What two fields or two events share is counted for each; inside an object of another class than dict, list, tuple,
    set, frozenset and events nothing is looked at, so that a field of such a class counts what ``sys.getsizeof()`` says
    of it.
    """
    layout = layout_of(type(event))
    size = _own(event)
    for slot in layout.slots:
        value = read(slot, event)
        if value is not MISSING:
            size += _size(value, _DEPTH)
    if layout.has_dict:
        size += _size(event.__dict__, _DEPTH)
    return size


def _size(value: Any, depth: int) -> int:
    kind = type(value)
    size = _own(value)
    if kind in _PLAIN or not depth:
        return size
    if isinstance(value, dict):
        items = _sample(value.items())
        inside = sum(_size(key, depth - 1) + _size(one, depth - 1) for key, one in items)
    elif isinstance(value, list | tuple | set | frozenset):
        items = _sample(value)
        inside = sum(_size(one, depth - 1) for one in items)
    else:
        return size
    return size + (inside * len(value) // len(items) if items else 0)


def _sample(values: Any) -> list[Any]:
    """Return the first items; of a container that another thread changes at this moment, none."""
    found: list[Any] = []
    try:
        for one in values:
            found.append(one)
            if len(found) == _SAMPLE:
                break
    except RuntimeError:
        return []
    return found


def _own(value: Any) -> int:
    try:
        return sys.getsizeof(value)
    except Exception:  # of somebody else's __sizeof__
        return int(type(value).__basicsize__)
