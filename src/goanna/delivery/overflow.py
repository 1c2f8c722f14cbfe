"""What happens to an event that finds no room: each policy is spelled once, here, for types, checks and texts."""

from __future__ import annotations

from typing import Any, Literal, get_args

__all__ = ["LogOverflow", "LoopOverflow", "Overflow", "checked_overflow"]

LoopOverflow = Literal["drop_oldest", "drop_newest"]
"""Where the publisher can't wait, because it may be what it would wait for: on a loop."""

LogOverflow = Literal[LoopOverflow, "block"]
"""Where nothing may be raised: into a request that is logged."""

Overflow = Literal[LogOverflow, "raise"]
"""All of them; see :func:`goanna.queued`."""


def checked_overflow(overflow: Any, kind: Any) -> str:
    """Return a policy if it is one of this kind (one of the types above), or raise ValueError."""
    if overflow not in get_args(kind):
        raise ValueError(f"overflow is {overflow!r}; it must be one of {', '.join(get_args(kind))}")
    return str(overflow)
