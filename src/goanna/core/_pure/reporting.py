"""The threads that write a report of goanna's own, for the pure ring: what they publish meanwhile is dropped."""

from __future__ import annotations

import threading

__all__ = ["enter_report", "in_report", "leave_report", "reporting"]

reporting: set[int] = set()
"""The threads that write a report of goanna's own at this moment."""


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


for _public in (enter_report, in_report, leave_report):
    _public.__module__ = "goanna.core"
