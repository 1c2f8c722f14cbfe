"""Who is not heard, for the pure half: threads that write a report of goanna's own, and muted blocks."""

from __future__ import annotations

import threading

from goanna.core.base import TYPE_CHECKING
from goanna.core.marks import Block, marks, open_blocks

if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "close_block",
    "enter_report",
    "forget_others",
    "in_block",
    "in_report",
    "leave_report",
    "open_block",
    "reporting",
]

reporting: set[Any] = set()
"""The threads that write a report of goanna's own at this moment, and the muted blocks that are open."""


def enter_report() -> bool:
    """Say that this thread writes a report of goanna's own: what it publishes until the end of it is dropped.

    Returns:
        Whether it did not do so already; then :func:`leave_report` must follow.
    """
    thread = threading.get_ident()
    if thread in reporting:
        return False
    reporting.add(thread)
    return True


def in_report() -> bool:
    """Return whether this thread writes a report of goanna's own at this moment."""
    return bool(reporting) and threading.get_ident() in reporting


def leave_report() -> None:
    """Say that the report is written."""
    reporting.discard(threading.get_ident())


def open_block(block: Block) -> None:
    """Say that a block is open, in which nothing is published."""
    reporting.add(block)


def in_block() -> bool:
    """Return whether the current context is in a block in which nothing is published."""
    return bool(reporting) and marks.get() is not None and bool(open_blocks())


def close_block(block: Block) -> None:
    """Say that a block is left."""
    block.open = False
    reporting.discard(block)


def forget_others() -> None:
    """In the child of a fork: forget reports and blocks of threads that are not in this process."""
    mine = [one for one in (threading.get_ident(), *open_blocks()) if one in reporting]
    reporting.clear()
    reporting.update(mine)


for _public in (close_block, enter_report, in_block, in_report, leave_report, open_block):
    _public.__module__ = "goanna.core"
