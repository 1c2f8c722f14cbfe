"""What a slot of the pure ring holds, and why an event may be dropped instead of coming into one."""

from __future__ import annotations

import time

from goanna.core.base import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Final

__all__ = ["BUCKETS", "BYTES", "CONTEXT", "EVENT", "HANDLER", "LOST", "NEVER", "REASONS", "TIME", "check_reason", "now"]

REASONS: Final = (
    "overflow",
    "timeout",
    "closed",
    "exit",
    "loop_closed",
    "quarantined",
    "fork_inherited",
    "reentrant",
)
"""Why an event may be dropped."""

BUCKETS: Final = 41
"""The size of the histogram of times: bucket ``n`` counts the calls whose nanoseconds have ``n`` binary digits."""

NEVER: Final = 1 << 62

now = time.monotonic_ns

HANDLER, EVENT, CONTEXT, TIME, LOST, BYTES = range(6)
"""What is where in a slot, which is a list, because nothing else is made as fast and can be changed."""


def check_reason(reason: str) -> None:
    """Raise ValueError unless an event may be dropped for this reason."""
    if reason not in REASONS:
        raise ValueError(f"reason is {reason!r}; it must be one of {', '.join(REASONS)}")
