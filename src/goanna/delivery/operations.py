"""Which events belong to one operation, where nobody has said it with ``key=``."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import Any

from goanna.delivery.interfaces import Interfaces

__all__ = ["are_told_apart", "are_told_by_thread", "operation_key"]


def operation_key(event: Any) -> Any:
    """Return what the events of one operation have in common.

    Commands have the number of a request and the address of a server; topologies a number that is nobody else's;
    connections a number within the pool of an address. Of heartbeats only the address is known, and several clients may
    watch it, each in a thread or a task of its own.

    Raises:
        TypeError: the event has none of these.
    """
    request = getattr(event, "request_id", None)
    connection = getattr(event, "connection_id", None)
    if request is not None:
        return request, connection
    topology = getattr(event, "topology_id", None)
    if topology is not None:
        return topology, getattr(event, "server_address", None)
    if connection is None:
        raise TypeError(
            f"{type(event).__name__} has neither request_id nor connection_id; say with key= what belongs together"
        )
    if isinstance(connection, tuple):
        return connection, threading.get_ident(), _task()
    return getattr(event, "address", None), connection


def _task() -> int | None:
    try:
        return id(asyncio.current_task())
    except RuntimeError:  # no loop runs in this thread
        return None


def are_told_apart(interfaces: Interfaces, start: str, ends: Iterable[str]) -> bool | None:
    """Return whether the events of a start and its ends have the same field to tell by; None if that is not known."""
    names = (start, *ends)
    if not all(name in interfaces.events for name in names):
        return None
    first, *others = [{_telling(one) for one in interfaces.events[name]} for name in names]
    return None not in first and all(one == first for one in others)


def are_told_by_thread(interfaces: Interfaces, start: str) -> bool:
    """Return whether only the thread tells the operations of several clients apart."""
    return any(one.__name__.startswith("ServerHeartbeat") for one in interfaces.events.get(start, ()))


def _telling(event: type) -> str | None:
    return next((name for name in ("request_id", "topology_id", "connection_id") if hasattr(event, name)), None)
