"""The listeners of all clients that are yet to be made, and what may be one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from goanna.monitoring._standalone.listeners import (
    CommandListener,
    ConnectionPoolListener,
    ServerHeartbeatListener,
    ServerListener,
    TopologyListener,
    _EventListener,
)
from goanna.monitoring._standalone.namespace import names

__all__ = ["_LISTENERS", "_Listeners", "_validate_event_listeners", "register"]


class _Listeners(NamedTuple):
    """Listeners by what they implement; one that implements several interfaces is in several lists."""

    command_listeners: list[CommandListener]
    server_listeners: list[ServerListener]
    server_heartbeat_listeners: list[ServerHeartbeatListener]
    topology_listeners: list[TopologyListener]
    cmap_listeners: list[ConnectionPoolListener]


_LISTENERS = _Listeners([], [], [], [], [])
"""What :func:`register` adds to."""


def register(listener: _EventListener) -> None:
    """Add a listener for all clients that are made from now on.

    Args:
        listener: gets the events of every interface that it implements, after the listeners that were there before it
            and before the client's own. One that is registered twice gets them twice.

    Raises:
        TypeError: it implements none of the interfaces.
    """
    if not isinstance(listener, names._EventListener):
        raise TypeError(_not_a_listener(listener, listener))
    if isinstance(listener, names.CommandListener):
        names._LISTENERS.command_listeners.append(listener)
    if isinstance(listener, names.ServerHeartbeatListener):
        names._LISTENERS.server_heartbeat_listeners.append(listener)
    if isinstance(listener, names.ServerListener):
        names._LISTENERS.server_listeners.append(listener)
    if isinstance(listener, names.TopologyListener):
        names._LISTENERS.topology_listeners.append(listener)
    if isinstance(listener, names.ConnectionPoolListener):
        names._LISTENERS.cmap_listeners.append(listener)


def _validate_event_listeners(option: str, listeners: Sequence[_EventListener]) -> Sequence[_EventListener]:
    """Return ``listeners`` if it is a sequence of listeners.

    Args:
        option: the name of the client's option, for the error.
        listeners: the value of the option.

    Raises:
        TypeError: it is no sequence, or something in it implements none of the interfaces.
    """
    if not isinstance(listeners, Sequence):
        raise TypeError(f"{option} must be a list or tuple, not {type(listeners)}")
    for listener in listeners:
        if not isinstance(listener, names._EventListener):
            raise TypeError(_not_a_listener(option, listener))
    return listeners


def _not_a_listener(what: object, listener: Any) -> str:
    # There is no space before "not" in the text that programs have met.
    return (
        f"Listeners for {what} must be either a CommandListener, ServerHeartbeatListener, ServerListener, "
        f"TopologyListener, or ConnectionPoolListener,not {type(listener)}"
    )
