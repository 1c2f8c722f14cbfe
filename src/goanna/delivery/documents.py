"""What a queued event holds of the documents of its driver.

The documents in PyMongo's events are not copies: the driver and the application may change them while an event waits.
"""

from __future__ import annotations

import copy
import copyreg
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MemberDescriptorType
from typing import Any, Final, Literal

from goanna.core.base import MISSING
from goanna.core.deferred import check_runs, ran
from goanna.events import Event

__all__ = ["Documents", "layout_of", "preparation", "read", "redacted"]

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
    check_runs(documents, "documents")
    return _Preparation(lambda document: ran(documents(document)))


def redacted(*keys: str, mask: Any = "***") -> Callable[[Any], Any]:
    """Return a callable for ``documents=`` that copies a document without what nobody is to see.

    Args:
        keys: whose values are masked, at any depth, in documents in lists, too; without any, all values are, and only
            keys are left.
        mask: what stands in place of a value.

    Raises:
        TypeError: a key is no string.
    """
    for one in keys:
        if not isinstance(one, str):
            raise TypeError(f"redacted() takes names of keys, not {one!r}")
    hidden = frozenset(keys)

    def redact(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: mask if key in hidden else redact(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [redact(inner) for inner in value]
        return value if hidden else mask

    return redact


def _omitted(document: Any) -> dict[str, Any]:
    return {}


class _Preparation:
    """Makes of an event a copy in which every document is replaced; of one without documents nothing.

    Args:
        replace: called with each document: each mapping in a field of the event, of an event in a field of it, or in a
            list or tuple there.
    """

    def __init__(self, replace: Callable[[Any], Any]) -> None:
        self._replace = replace

    def __call__(self, event: Any) -> Any:
        cls = type(event)
        layout = layout_of(cls)
        values = [(slot, value) for slot in layout.slots if (value := read(slot, event)) is not MISSING]
        found = [(slot, made) for slot, value in values if (made := self._of(value)) is not value]
        inside: dict[str, Any] = {}
        if layout.has_dict:
            inside = {name: made for name, value in event.__dict__.items() if (made := self._of(value)) is not value}
        if not found and not inside:
            return event
        if layout.plain:
            copied = object.__new__(cls)
            for slot, value in values:
                slot.__set__(copied, value)
        else:
            copied = copy.copy(event)
        for slot, value in found:
            slot.__set__(copied, value)
        copied_dict = copied.__dict__ if inside else {}
        copied_dict.update(inside)
        return copied

    def _of(self, value: Any) -> Any:
        """Return a value without the documents in it; the very same if there are none."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is dict:
            return self._replace(value)
        if kind is list or kind is tuple:
            made = [self._of(one) for one in value]
            return value if all(one is other for one, other in zip(made, value, strict=True)) else kind(made)
        if isinstance(value, Mapping):
            return self._replace(value)
        return self(value) if layout_of(kind).is_event else value


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the instances of a class keep what they hold.

    Args:
        slots: all of them, those of the bases included.
        has_dict: whether they have a ``__dict__`` besides.
        plain: whether copying the slots is what ``copy.copy`` would do, with fewer steps.
        is_event: whether they are events, goanna's or a driver's.
    """

    slots: list[MemberDescriptorType]
    has_dict: bool
    plain: bool
    is_event: bool


def layout_of(cls: type) -> _Layout:
    """Return where the instances of a class keep what they hold."""
    if cls in _layouts:
        return _layouts[cls]
    # By name: on the compiled core a read-only field is a member descriptor too, over the same slot.
    slots = [
        value
        for base in reversed(cls.__mro__)
        for name in _slot_names(base)
        if isinstance(value := vars(base).get(name), MemberDescriptorType)
    ]
    # PyPy has no such number; there it shows in the class that adds the dict.
    has_dict = bool(getattr(cls, "__dictoffset__", any("__dict__" in vars(base) for base in cls.__mro__)))
    ordinary = Event if issubclass(cls, Event) else object
    plain = (
        not has_dict
        and cls not in copyreg.dispatch_table
        and all(getattr(cls, name, None) is getattr(ordinary, name, None) for name in _HOOKS)
    )
    if len(_layouts) > 1000:
        _layouts.clear()
    is_event = issubclass(cls, Event) or any(one.__name__.endswith("Event") and slots for one in cls.__mro__)
    layout = _layouts[cls] = _Layout(slots, has_dict, plain, is_event)
    return layout


_layouts: dict[type, _Layout] = {}

_HOOKS: Final = (
    "__new__",
    "__copy__",
    "__reduce_ex__",
    "__reduce__",
    "__getstate__",
    "__setstate__",
    "__getnewargs__",
    "__getnewargs_ex__",
)
"""What changes how the instances of a class are copied."""

_PLAIN: Final = frozenset([str, int, float, bool, type(None), bytes])
"""What most fields hold; asking the abstract class about each would take longer than the rest."""


def read(slot: MemberDescriptorType, event: Any) -> Any:
    """Return what a slot holds, MISSING where it holds nothing."""
    try:
        return slot.__get__(event, None)
    except AttributeError:
        return MISSING


def _slot_names(cls: type) -> list[str]:
    """Return the names of the slots that a class adds, as they are in its namespace."""
    declared = vars(cls).get("__slots__", ())
    prefix = f"_{cls.__name__.lstrip('_')}"
    return [
        f"{prefix}{name}" if name.startswith("__") and not name.endswith("__") else name
        for name in ([declared] if isinstance(declared, str) else declared)
    ]
