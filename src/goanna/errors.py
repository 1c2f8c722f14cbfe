"""What happens when a listener raises, and what goanna itself has to say, through the logger ``goanna``.

A report never comes back to a listener. A handler of that logger may well be a client whose commands are events: what a
thread publishes while it writes a report is therefore not delivered by queues and loops but counted as dropped,
"reentrant", and a report within a report is not written.
"""

from __future__ import annotations

import sys

from goanna.core import enter_report, leave_report
from goanna.core.base import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal

    from goanna.core.base import ErrorHandler

    Errors = Literal["log", "print", "raise"] | ErrorHandler

__all__ = ["log_error", "name", "policy", "print_error", "reported", "warn"]


def policy(errors: Errors) -> ErrorHandler | None:
    """Return what a channel is to do with an error; None collects and raises.

    Args:
        errors: "log" writes to the logger ``goanna``; "print" writes the traceback to ``sys.stderr``, as PyMongo does;
            "raise" runs all listeners and raises an ExceptionGroup from publish; anything callable is called with the
            error, the listener and the event, and what it raises itself is logged together with the error.

    Raises:
        ValueError: an unknown name.
        TypeError: neither a name nor callable.
    """
    if isinstance(errors, str):
        if errors == "log":
            return log_error
        if errors == "print":
            return print_error
        if errors == "raise":
            return None
        raise ValueError(f'errors is {errors!r}; it must be "log", "print", "raise" or callable')
    if not callable(errors):
        raise TypeError(f'errors must be "log", "print", "raise" or callable, not {type(errors).__name__}')
    return _guarded(errors)


def log_error(error: Exception, listener: Any, event: Any) -> None:
    """Log the error with its traceback to the logger ``goanna``, unless it is raised by what writes such a report."""
    import logging  # not paid for by programs in which nothing fails

    def write() -> None:
        logging.getLogger("goanna").error("%s failed on %s", name(listener), type(event).__name__, exc_info=error)

    reported(write)


def print_error(error: Exception, listener: Any, event: Any) -> None:
    """Print the traceback to ``sys.stderr`` if there is one; a stream that can't be written to is let be.

    The behaviour, that exception included, is that of ``pymongo.monitoring``.
    """
    if sys.stderr:
        import contextlib
        import traceback

        with contextlib.suppress(OSError):
            traceback.print_exception(error, file=sys.stderr)


def _guarded(handler: ErrorHandler) -> ErrorHandler:
    """Return ``handler`` so that an Exception of its own reaches the log instead of the publisher."""

    def guarded(error: Exception, listener: Any, event: Any) -> None:
        try:
            handler(error, listener, event)
        except Exception as second:
            log_error(error, listener, event)
            log_error(second, handler, event)

    return guarded


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
