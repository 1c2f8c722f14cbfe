"""What happens when a listener raises, and what goanna itself has to say, through the logger ``goanna``.

A report never comes back to a listener. A handler of that logger may well be a client whose commands are events: what a
thread publishes while it writes a report is therefore not delivered by queues and loops but counted as dropped,
"reentrant", and a report within a report is not written.

A report that fails itself (a stream that is closed, a log handler that raises) is nobody's business either: what it
raises goes no further than one line on ``sys.__stderr__``, where that can be written. Only a BaseException that is no
Exception gets through.
"""

from __future__ import annotations

import sys

from goanna.core import enter_report, in_report, leave_report
from goanna.core.base import EXHAUSTED, TYPE_CHECKING
from goanna.core.deferred import check_runs, ran

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal

    from goanna.core.base import ErrorHandler

    Errors = Literal["log", "print", "raise"] | ErrorHandler

__all__ = ["guarded", "log_error", "name", "policy", "print_error", "reported", "warn"]


def policy(errors: Errors) -> ErrorHandler | None:
    """Return what a channel is to do with an error; None collects and raises.

    Args:
        errors: "log" writes to the logger ``goanna``; "print" writes the traceback to ``sys.stderr``, as PyMongo does;
            "raise" runs all listeners and raises an ExceptionGroup from publish; anything callable is called with the
            error, the listener and the event, and what it raises itself is logged together with the error, but for a
            RecursionError or MemoryError, which propagates.

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
    check_runs(errors, "errors")
    return _guarded(errors)


def log_error(error: Exception, listener: Any, event: Any) -> None:
    """Log the error with its traceback to the logger ``goanna``, unless it is raised by what writes such a report."""

    def write() -> None:
        import logging  # not paid for by programs in which nothing fails

        logging.getLogger("goanna").error("%s failed on %s", name(listener), type(event).__name__, exc_info=error)

    reported(write)


def print_error(error: Exception, listener: Any, event: Any) -> None:
    """Print the traceback to ``sys.stderr`` if there is one; a stream that can't be written to is let be."""

    def write() -> None:
        if sys.stderr:
            import traceback

            traceback.print_exception(error, file=sys.stderr)

    guarded(write)


def _guarded(handler: ErrorHandler) -> ErrorHandler:
    """Return ``handler`` so that an Exception of its own reaches the log instead of the publisher."""

    def policy(error: Exception, listener: Any, event: Any) -> None:
        try:
            ran(handler(error, listener, event))
        except EXHAUSTED:  # it publishes what fails again, or the like: see the core's fan-out
            raise
        except Exception as second:
            log_error(error, listener, event)
            log_error(second, handler, event)

    return policy


def reported(write: Callable[[], object]) -> None:
    """Call ``write``, see :func:`guarded`, unless this thread writes a report already."""
    if in_report():
        return
    try:
        enter_report()
        guarded(write)
    finally:
        try:
            leave_report()
        finally:  # again, if a signal has come in between: what says it twice does no harm
            leave_report()


def guarded(write: Callable[[], object]) -> None:
    """Call what writes a report; an Exception of its own becomes a line on ``sys.__stderr__``, or nothing."""
    try:
        write()
    except Exception as error:
        try:
            if sys.__stderr__ is not None:
                sys.__stderr__.write(f"goanna: a report could not be written: {type(error).__name__}: {error}\n")
        except Exception:  # this was the last resort: nobody is left to be told
            return


def warn(text: str, *values: object) -> None:
    """Log a warning."""

    def write() -> None:
        import logging  # not paid for by programs that have nothing to report

        logging.getLogger("goanna").warning(text, *values)

    reported(write)


def name(listener: object) -> str:
    """Return what to call a listener in a report: its repr if it has a sound one."""
    if listener is None:
        return "a listener that is gone"
    try:
        return repr(listener)
    except Exception as error:
        return f"<{type(listener).__qualname__} whose repr raised {type(error).__name__}>"
