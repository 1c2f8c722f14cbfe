"""The way of one method's events into a pure ring."""

from __future__ import annotations

from collections.abc import Callable

from goanna.core._pure.fork_page import page
from goanna.core._pure.reporting import reporting
from goanna.core._pure.ring_push import RingPush
from goanna.core._pure.ring_slot import now
from goanna.core.base import TYPE_CHECKING, final, uncopied

if TYPE_CHECKING:
    from typing import Any

__all__ = ["Inlet"]


@final
class Inlet:
    """The way of one method's events into a ring: called with an event it pushes it.

    Args:
        ring: where it goes.
        handler: the method that the consumer will call.

    Raises:
        TypeError: ``ring`` is no Ring.
    """

    __slots__ = ("handler", "ring")

    def __init__(self, ring: RingPush, handler: Callable[[Any], object]) -> None:
        if not isinstance(ring, RingPush):
            raise TypeError(f"an Inlet takes a Ring, not {type(ring).__name__}")
        self.ring = ring
        self.handler = handler

    def __call__(self, event: Any) -> None:
        """Push the event; nothing is raised, whatever becomes of it."""
        ring = self.ring
        # What follows is push() for the ordinary case, written out and without a lock, which the append can do without.
        slots = ring._slots
        if (
            not page[0]
            or reporting
            or ring._special
            or len(slots) >= ring._maxsize
            or (ring._consumer and ring._is_own())
        ):
            ring.push(self.handler, event)
            return
        slot = [self.handler, event, None, now(), 0, 0]
        slots.append(slot)
        waiting = len(slots)
        if waiting >= ring._wake_at or ring._special or waiting > ring._maxsize:
            ring._look_after(slot)

    def __reduce__(self) -> str:
        return uncopied(self)

    def __repr__(self) -> str:
        return f"<Inlet of {self.handler!r}>"


Inlet.__module__ = "goanna.core"
