"""use_event_handler: a handler for all collections that are yet to be made."""

from __future__ import annotations

from typing import Any

from goanna.audit._names import DBALLY

__all__ = ["event_handlers", "use_event_handler"]

_own: list[Any] = []


def event_handlers() -> list[Any]:
    """Return the list of handlers that collections use which are made without handlers of their own.

    It is db-ally's own list where db-ally is installed, and may be changed: collections that were made with it see what
    is appended to it.

    Raises:
        RuntimeError: the installed db-ally has no such list (releases 0.0.2 to 0.4.0).
    """
    if not DBALLY:
        return _own
    import dbally

    found = getattr(dbally, "event_handlers", None)  # since 0.5.0; rebound by its documentation, so not kept
    if found is None:
        from dbally import _main

        found = getattr(_main, "default_event_handlers", None)  # in 0.0.1
    if not isinstance(found, list):
        version = getattr(dbally, "__version__", "as installed")
        raise RuntimeError(
            f"db-ally {version} has no list of handlers for all collections; 0.0.1 and releases from 0.5.0 on have. "
            "Pass event_handlers=[...] to create_collection() instead"
        )
    return found


def use_event_handler(event_handler: Any) -> None:
    """Have a handler called by all collections that are made without handlers of their own.

    Without db-ally the handler goes to the list that :func:`event_handlers` returns, for pipelines that ask for it::

        tracker = EventTracker.initialize_with_handlers(event_handlers())

    Args:
        event_handler: an instance of EventHandler.

    Raises:
        TypeError: it is none.
        RuntimeError: the installed db-ally has no list to put it in (releases 0.0.2 to 0.4.0).
    """
    from goanna.audit._names import EventHandler

    if not isinstance(event_handler, EventHandler):
        shown = f"the class {event_handler.__name__}" if isinstance(event_handler, type) else repr(event_handler)
        raise TypeError(f"use_event_handler() takes an instance of EventHandler, not {shown}")
    event_handlers().append(event_handler)
