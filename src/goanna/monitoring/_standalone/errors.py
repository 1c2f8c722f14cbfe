"""What happens when a listener raises."""

from __future__ import annotations

import sys

from goanna.core.base import EXHAUSTED

__all__ = ["_handle_exception"]


def _handle_exception() -> None:
    """Print the exception that is being handled to ``sys.stderr``, with its traceback.

    Nothing is printed where there is no ``sys.stderr``, as under pythonw. An OSError of the stream is let be; any other
    error in printing reaches the caller, hence whoever published the event. So does a RecursionError or MemoryError of
    the listener, unlike in PyMongo: the listeners that come after it would meet the next.
    """
    if isinstance(sys.exc_info()[1], EXHAUSTED):
        raise
    if not sys.stderr:
        return
    import traceback  # not paid for by programs in which nothing fails

    kind, error, where = sys.exc_info()
    try:
        traceback.print_exception(kind, error, where, file=sys.stderr)
    except OSError:
        pass
    finally:
        del error, where  # a frame that holds its own traceback is a cycle
