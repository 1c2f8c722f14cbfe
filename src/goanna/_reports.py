"""What goanna itself has to say, through the logger ``goanna``: without ever coming back to a listener.

A handler of that logger may well be a client whose commands are events. What a thread publishes while it writes a
report is therefore not delivered by queues and loops but counted as dropped, "reentrant", and a report within a report
is not written.
"""

from __future__ import annotations

from collections.abc import Callable

from goanna.core import enter_report, leave_report

__all__ = ["reported", "warn"]


def reported(write: Callable[[], object]) -> None:
    """Call ``write`` unless this thread writes a report already."""
    if enter_report():
        try:
            write()
        finally:
            leave_report()


def warn(text: str, *values: object) -> None:
    """Log a warning."""
    import logging  # not paid for by programs that have nothing to report

    reported(lambda: logging.getLogger("goanna").warning(text, *values))


def name(listener: object) -> str:
    """Return what to call a listener in a report: its repr if it has a sound one."""
    if listener is None:
        return "a listener that is gone"
    try:
        return repr(listener)
    except Exception as error:
        return f"<{type(listener).__qualname__} whose repr raised {type(error).__name__}>"
