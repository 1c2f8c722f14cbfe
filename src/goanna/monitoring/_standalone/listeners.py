"""The interfaces that listeners implement. Not abstract classes: what is left out raises when it is called."""

from __future__ import annotations

from goanna.monitoring._standalone.command_events import CommandFailedEvent, CommandStartedEvent, CommandSucceededEvent
from goanna.monitoring._standalone.pool_events import (
    ConnectionCheckedInEvent,
    ConnectionCheckedOutEvent,
    ConnectionCheckOutFailedEvent,
    ConnectionCheckOutStartedEvent,
    ConnectionClosedEvent,
    ConnectionCreatedEvent,
    ConnectionReadyEvent,
    PoolClearedEvent,
    PoolClosedEvent,
    PoolCreatedEvent,
    PoolReadyEvent,
)
from goanna.monitoring._standalone.server_events import (
    ServerClosedEvent,
    ServerDescriptionChangedEvent,
    ServerHeartbeatFailedEvent,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
    ServerOpeningEvent,
    TopologyClosedEvent,
    TopologyDescriptionChangedEvent,
    TopologyOpenedEvent,
)

__all__ = [
    "CommandListener",
    "ConnectionPoolListener",
    "ServerHeartbeatListener",
    "ServerListener",
    "TopologyListener",
    "_EventListener",
]


class _EventListener:
    """The base of all interfaces."""


class CommandListener(_EventListener):
    """Takes the events of commands.

    ``started`` is called in the thread that runs the command, before it is sent, and the other two after it: the
    command takes as much longer as they do.
    """

    def started(self, event: CommandStartedEvent) -> None:
        """Learn that a command is about to be sent."""
        raise NotImplementedError

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Learn that a command was answered."""
        raise NotImplementedError

    def failed(self, event: CommandFailedEvent) -> None:
        """Learn that a command failed."""
        raise NotImplementedError


class ConnectionPoolListener(_EventListener):
    """Takes the events of connection pools and of the connections in them."""

    def pool_created(self, event: PoolCreatedEvent) -> None:
        """Learn that a pool was created."""
        raise NotImplementedError

    def pool_ready(self, event: PoolReadyEvent) -> None:
        """Learn that a pool lets connections out from now on."""
        raise NotImplementedError

    def pool_cleared(self, event: PoolClearedEvent) -> None:
        """Learn that a pool gave up its connections."""
        raise NotImplementedError

    def pool_closed(self, event: PoolClosedEvent) -> None:
        """Learn that a pool was closed."""
        raise NotImplementedError

    def connection_created(self, event: ConnectionCreatedEvent) -> None:
        """Learn that a pool made room for a connection."""
        raise NotImplementedError

    def connection_ready(self, event: ConnectionReadyEvent) -> None:
        """Learn that a connection is open and set up."""
        raise NotImplementedError

    def connection_closed(self, event: ConnectionClosedEvent) -> None:
        """Learn that a connection was closed."""
        raise NotImplementedError

    def connection_check_out_started(self, event: ConnectionCheckOutStartedEvent) -> None:
        """Learn that the driver asks a pool for a connection."""
        raise NotImplementedError

    def connection_check_out_failed(self, event: ConnectionCheckOutFailedEvent) -> None:
        """Learn that the driver got none."""
        raise NotImplementedError

    def connection_checked_out(self, event: ConnectionCheckedOutEvent) -> None:
        """Learn that the driver got one."""
        raise NotImplementedError

    def connection_checked_in(self, event: ConnectionCheckedInEvent) -> None:
        """Learn that the driver gave one back."""
        raise NotImplementedError


class ServerHeartbeatListener(_EventListener):
    """Takes the events of the heartbeats by which the driver watches servers, in the threads that do so."""

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        """Learn that a heartbeat is about to be sent."""
        raise NotImplementedError

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        """Learn that a heartbeat was answered."""
        raise NotImplementedError

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        """Learn that a heartbeat failed."""
        raise NotImplementedError


class TopologyListener(_EventListener):
    """Takes the events of topologies."""

    def opened(self, event: TopologyOpenedEvent) -> None:
        """Learn that the driver begins to watch a topology."""
        raise NotImplementedError

    def description_changed(self, event: TopologyDescriptionChangedEvent) -> None:
        """Learn that what the driver knows of a topology changed."""
        raise NotImplementedError

    def closed(self, event: TopologyClosedEvent) -> None:
        """Learn that the driver no longer watches a topology."""
        raise NotImplementedError


class ServerListener(_EventListener):
    """Takes the events of servers."""

    def opened(self, event: ServerOpeningEvent) -> None:
        """Learn that the driver begins to watch a server."""
        raise NotImplementedError

    def description_changed(self, event: ServerDescriptionChangedEvent) -> None:
        """Learn that what the driver knows of a server changed."""
        raise NotImplementedError

    def closed(self, event: ServerClosedEvent) -> None:
        """Learn that the driver no longer watches a server."""
        raise NotImplementedError
