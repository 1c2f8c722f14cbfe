"""The counts of one registration or wrapper, and the lock that guards all counts of the pure core."""

from __future__ import annotations

import threading

from goanna.core.base import TYPE_CHECKING, final, uncopied
from goanna.core.forks import after_fork

if TYPE_CHECKING:
    from typing import Final

__all__ = ["Account", "counting"]

_COUNTS = threading.RLock()
"""Guards the counts; re-entrant, because a finalizer may publish while it is held. No listener runs under it."""


class _Counts:
    def _after_fork(self) -> None:
        """Start with a lock that nobody holds in a process that was forked off."""
        global _COUNTS
        _COUNTS = threading.RLock()


_counts: Final = _Counts()
after_fork(_counts)


def counting() -> threading.RLock:
    """Return the lock that guards the counts in this process."""
    return _COUNTS


@final
class Account:
    """The counts of one registration or wrapper.

    Attributes:
        delivered: calls that returned, as far as they have been settled.
        failed: calls that raised.
        filtered: events that a condition kept out.
    """

    __slots__ = ("delivered", "failed", "filtered")

    def __init__(self) -> None:
        self.delivered = 0
        self.failed = 0
        self.filtered = 0

    def add(self, delivered: int, failed: int, filtered: int) -> None:
        """Add to the counts, all at once."""
        with _COUNTS:
            self.delivered += delivered
            self.failed += failed
            self.filtered += filtered

    def read(self) -> tuple[int, int, int]:
        """Return delivered, failed and filtered as they were at one moment."""
        with _COUNTS:
            return self.delivered, self.failed, self.filtered

    def __reduce__(self) -> str:
        return uncopied(self)

    def __repr__(self) -> str:
        return f"<Account delivered={self.delivered} failed={self.failed} filtered={self.filtered}>"


Account.__module__ = "goanna.core"
