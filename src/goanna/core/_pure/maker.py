"""Makers and readers of the pure core: what is done with the slots of an event class."""

from __future__ import annotations

import operator
import types
from collections.abc import Iterable

from goanna.core.base import TYPE_CHECKING, final, nothing
from goanna.core.fields import Field, check_slotted

if TYPE_CHECKING:
    from typing import Any

__all__ = ["Maker", "member", "reader"]


def member(cls: type, slot: str) -> Any:
    """Return the descriptor of a slot of ``cls``, or raise TypeError when it has no such slot."""
    for base in cls.__mro__:
        if slot in base.__dict__:
            if isinstance(base.__dict__[slot], types.MemberDescriptorType):
                return base.__dict__[slot]
            break
    raise TypeError(f"{cls.__qualname__} has no slot {slot!r}")


@final
class Maker:
    """Builds instances of a slotted class from the arguments of its constructor.

    The compiled core writes the slots without running ``cls.__init__``, which must do nothing else than store the
    fields. Where the arguments don't fit, the class itself is called, so that the TypeError is the interpreter's own.

    Args:
        cls: the class.
        fields: its Field records, in the order of definition.

    Raises:
        TypeError: ``cls`` is not a class, or builds on one that is not defined in Python, or a field's slot is not
            a slot of it.
    """

    __slots__ = ("_channel_type", "event_type", "fields")

    event_type: Any
    fields: tuple[Field, ...]

    def __init__(self, cls: type, fields: Iterable[Field]) -> None:
        check_slotted(cls)
        self.fields = tuple(fields)
        for one in self.fields:
            member(cls, one.slot)
        self.event_type = cls
        self._channel_type: type | None = None  # what Channel makes for this class, once

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return a new instance; the arguments are those of the class."""
        return type.__call__(self.event_type, *args, **kwargs)  # whatever its metaclass does

    def take_over(self) -> None:
        """Let a direct call of the class build its instances the same way, where this core has a faster one."""

    def __reduce__(self) -> Any:
        """Be None in a pickle of the class by value, which makes its own."""
        return nothing, ()

    def __repr__(self) -> str:
        return f"<Maker of {self.event_type.__qualname__}>"


def reader(cls: type, slot: str, name: str, doc: str | None = None) -> Any:
    """Return a descriptor that reads a slot of ``cls`` as the read-only attribute ``name``.

    The compiled core's reads at the speed of the slot itself. Setting or deleting it raises AttributeError
    ("readonly attribute"). Its docstring is ``doc``.

    Raises:
        TypeError: ``cls`` has no such slot.
    """
    member(cls, slot)
    made = property(operator.attrgetter(slot), _refuse_set, _refuse_delete)
    made.__doc__ = doc  # instead of that of attrgetter
    return made


def _refuse_set(event: object, value: object) -> None:
    raise AttributeError("readonly attribute")


def _refuse_delete(event: object) -> None:
    raise AttributeError("readonly attribute")


for _public in (Maker, reader):
    _public.__module__ = "goanna.core"
