"""The listeners of one client, and the publishing of its events to them.

Nothing is kept from one publish to the next: the event classes, the handler of errors and the methods of the listeners
are looked up each time, the methods where an error in looking up is still the listener's own. An event is built even
if nobody listens; the driver asks ``enabled_for_...`` first. An Exception of a listener is printed and the others still
get the event; a BaseException that is none ends the publish.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from goanna.monitoring._standalone.kinds import Address, Description, Document, Id
from goanna.monitoring._standalone.listeners import _EventListener
from goanna.monitoring._standalone.namespace import names

__all__ = ["_EventListeners"]


class _EventListeners:
    """The listeners of one client: those registered for all, as they are now, and then its own.

    Args:
        listeners: the client's own, or None. What implements none of the interfaces is passed over.
    """

    def __init__(self, listeners: Sequence[_EventListener] | None) -> None:
        everybody = names._LISTENERS
        self.__command_listeners: list[Any] = everybody.command_listeners[:]
        self.__server_listeners: list[Any] = everybody.server_listeners[:]
        self.__server_heartbeat_listeners: list[Any] = everybody.server_heartbeat_listeners[:]
        self.__topology_listeners: list[Any] = everybody.topology_listeners[:]
        self.__cmap_listeners: list[Any] = everybody.cmap_listeners[:]
        if listeners is not None:
            for listener in listeners:
                if isinstance(listener, names.CommandListener):
                    self.__command_listeners.append(listener)
                if isinstance(listener, names.ServerListener):
                    self.__server_listeners.append(listener)
                if isinstance(listener, names.ServerHeartbeatListener):
                    self.__server_heartbeat_listeners.append(listener)
                if isinstance(listener, names.TopologyListener):
                    self.__topology_listeners.append(listener)
                if isinstance(listener, names.ConnectionPoolListener):
                    self.__cmap_listeners.append(listener)
        self.__enabled_for_commands = bool(self.__command_listeners)
        self.__enabled_for_server = bool(self.__server_listeners)
        self.__enabled_for_server_heartbeat = bool(self.__server_heartbeat_listeners)
        self.__enabled_for_topology = bool(self.__topology_listeners)
        self.__enabled_for_cmap = bool(self.__cmap_listeners)

    @property
    def enabled_for_commands(self) -> bool:
        """Whether there were listeners for commands from the start."""
        return self.__enabled_for_commands

    @property
    def enabled_for_server(self) -> bool:
        """Whether there were listeners for servers from the start."""
        return self.__enabled_for_server

    @property
    def enabled_for_server_heartbeat(self) -> bool:
        """Whether there were listeners for heartbeats from the start."""
        return self.__enabled_for_server_heartbeat

    @property
    def enabled_for_topology(self) -> bool:
        """Whether there were listeners for topologies from the start."""
        return self.__enabled_for_topology

    @property
    def enabled_for_cmap(self) -> bool:
        """Whether there were listeners for connection pools from the start."""
        return self.__enabled_for_cmap

    def event_listeners(self) -> list[Any]:
        """Return all listeners; one that implements several interfaces comes once for each."""
        return (
            self.__command_listeners
            + self.__server_heartbeat_listeners
            + self.__server_listeners
            + self.__topology_listeners
            + self.__cmap_listeners
        )

    def publish_command_start(
        self,
        command: Document,
        database_name: str,
        request_id: int,
        connection_id: Address,
        server_connection_id: int | None,
        op_id: int | None = None,
        service_id: Id | None = None,
    ) -> None:
        """Publish that a command is about to be sent; without an ``op_id`` the operation is called like the request."""
        if op_id is None:
            op_id = request_id
        event = names.CommandStartedEvent(
            command,
            database_name,
            request_id,
            connection_id,
            op_id,
            service_id=service_id,
            server_connection_id=server_connection_id,
        )
        for subscriber in self.__command_listeners:
            try:
                subscriber.started(event)
            except Exception:
                names._handle_exception()

    def publish_command_success(
        self,
        duration: datetime.timedelta,
        reply: Document,
        command_name: str,
        request_id: int,
        connection_id: Address,
        server_connection_id: int | None,
        op_id: int | None = None,
        service_id: Id | None = None,
        speculative_hello: bool = False,
        database_name: str = "",
    ) -> None:
        """Publish that a command was answered; ``speculative_hello`` says that there are credentials in the reply."""
        if op_id is None:
            op_id = request_id
        if speculative_hello:
            reply = {}
        event = names.CommandSucceededEvent(
            duration,
            reply,
            command_name,
            request_id,
            connection_id,
            op_id,
            service_id,
            database_name=database_name,
            server_connection_id=server_connection_id,
        )
        for subscriber in self.__command_listeners:
            try:
                subscriber.succeeded(event)
            except Exception:
                names._handle_exception()

    def publish_command_failure(
        self,
        duration: datetime.timedelta,
        failure: Document,
        command_name: str,
        request_id: int,
        connection_id: Address,
        server_connection_id: int | None,
        op_id: int | None = None,
        service_id: Id | None = None,
        database_name: str = "",
    ) -> None:
        """Publish that a command failed."""
        if op_id is None:
            op_id = request_id
        event = names.CommandFailedEvent(
            duration,
            failure,
            command_name,
            request_id,
            connection_id,
            op_id,
            service_id=service_id,
            database_name=database_name,
            server_connection_id=server_connection_id,
        )
        for subscriber in self.__command_listeners:
            try:
                subscriber.failed(event)
            except Exception:
                names._handle_exception()

    def publish_server_heartbeat_started(self, connection_id: Address, awaited: bool) -> None:
        """Publish that a heartbeat is about to be sent."""
        event = names.ServerHeartbeatStartedEvent(connection_id, awaited)
        for subscriber in self.__server_heartbeat_listeners:
            try:
                subscriber.started(event)
            except Exception:
                names._handle_exception()

    def publish_server_heartbeat_succeeded(
        self, connection_id: Address, duration: float, reply: Any, awaited: bool
    ) -> None:
        """Publish that a heartbeat was answered, ``duration`` seconds later."""
        event = names.ServerHeartbeatSucceededEvent(duration, reply, connection_id, awaited)
        for subscriber in self.__server_heartbeat_listeners:
            try:
                subscriber.succeeded(event)
            except Exception:
                names._handle_exception()

    def publish_server_heartbeat_failed(
        self, connection_id: Address, duration: float, reply: Exception, awaited: bool
    ) -> None:
        """Publish that a heartbeat failed, ``duration`` seconds later."""
        event = names.ServerHeartbeatFailedEvent(duration, reply, connection_id, awaited)
        for subscriber in self.__server_heartbeat_listeners:
            try:
                subscriber.failed(event)
            except Exception:
                names._handle_exception()

    def publish_server_opened(self, server_address: Address, topology_id: Id) -> None:
        """Publish that the driver begins to watch a server."""
        event = names.ServerOpeningEvent(server_address, topology_id)
        for subscriber in self.__server_listeners:
            try:
                subscriber.opened(event)
            except Exception:
                names._handle_exception()

    def publish_server_closed(self, server_address: Address, topology_id: Id) -> None:
        """Publish that the driver no longer watches a server."""
        event = names.ServerClosedEvent(server_address, topology_id)
        for subscriber in self.__server_listeners:
            try:
                subscriber.closed(event)
            except Exception:
                names._handle_exception()

    def publish_server_description_changed(
        self, previous_description: Description, new_description: Description, server_address: Address, topology_id: Id
    ) -> None:
        """Publish that what the driver knows of a server changed."""
        event = names.ServerDescriptionChangedEvent(previous_description, new_description, server_address, topology_id)
        for subscriber in self.__server_listeners:
            try:
                subscriber.description_changed(event)
            except Exception:
                names._handle_exception()

    def publish_topology_opened(self, topology_id: Id) -> None:
        """Publish that the driver begins to watch a topology."""
        event = names.TopologyOpenedEvent(topology_id)
        for subscriber in self.__topology_listeners:
            try:
                subscriber.opened(event)
            except Exception:
                names._handle_exception()

    def publish_topology_closed(self, topology_id: Id) -> None:
        """Publish that the driver no longer watches a topology."""
        event = names.TopologyClosedEvent(topology_id)
        for subscriber in self.__topology_listeners:
            try:
                subscriber.closed(event)
            except Exception:
                names._handle_exception()

    def publish_topology_description_changed(
        self, previous_description: Description, new_description: Description, topology_id: Id
    ) -> None:
        """Publish that what the driver knows of a topology changed."""
        event = names.TopologyDescriptionChangedEvent(previous_description, new_description, topology_id)
        for subscriber in self.__topology_listeners:
            try:
                subscriber.description_changed(event)
            except Exception:
                names._handle_exception()

    def publish_pool_created(self, address: Address, options: dict[str, Any]) -> None:
        """Publish that a pool was created."""
        event = names.PoolCreatedEvent(address, options)
        for subscriber in self.__cmap_listeners:
            try:
                subscriber.pool_created(event)
            except Exception:
                names._handle_exception()

    def publish_pool_ready(self, address: Address) -> None:
        """Publish that a pool lets connections out from now on."""
        event = names.PoolReadyEvent(address)
        for subscriber in self.__cmap_listeners:
            try:
                subscriber.pool_ready(event)
            except Exception:
                names._handle_exception()

    def publish_pool_cleared(
        self, address: Address, service_id: Id | None, interrupt_connections: bool = False
    ) -> None:
        """Publish that a pool gave up its connections."""
        event = names.PoolClearedEvent(address, service_id, interrupt_connections)
        for subscriber in self.__cmap_listeners:
            try:
                subscriber.pool_cleared(event)
            except Exception:
                names._handle_exception()

    def publish_pool_closed(self, address: Address) -> None:
        """Publish that a pool was closed."""
        event = names.PoolClosedEvent(address)
        for subscriber in self.__cmap_listeners:
            try:
                subscriber.pool_closed(event)
            except Exception:
                names._handle_exception()

    def publish_connection_created(self, address: Address, connection_id: int) -> None:
        """Publish that a pool made room for a connection."""
        event = names.ConnectionCreatedEvent(address, connection_id)
        for subscriber in self.__cmap_listeners:
            try:
                subscriber.connection_created(event)
            except Exception:
                names._handle_exception()

    def publish_connection_ready(self, address: Address, connection_id: int, duration: float) -> None:
        """Publish that a connection is set up, which took ``duration`` seconds."""
        event = names.ConnectionReadyEvent(address, connection_id, duration)
        for subscriber in self.__cmap_listeners:
            try:
                subscriber.connection_ready(event)
            except Exception:
                names._handle_exception()

    def publish_connection_closed(self, address: Address, connection_id: int, reason: str) -> None:
        """Publish that a connection was closed."""
        event = names.ConnectionClosedEvent(address, connection_id, reason)
        for subscriber in self.__cmap_listeners:
            try:
                subscriber.connection_closed(event)
            except Exception:
                names._handle_exception()

    def publish_connection_check_out_started(self, address: Address) -> None:
        """Publish that the driver asks a pool for a connection."""
        event = names.ConnectionCheckOutStartedEvent(address)
        for subscriber in self.__cmap_listeners:
            try:
                subscriber.connection_check_out_started(event)
            except Exception:
                names._handle_exception()

    def publish_connection_check_out_failed(self, address: Address, reason: str, duration: float) -> None:
        """Publish that the driver got no connection in ``duration`` seconds."""
        event = names.ConnectionCheckOutFailedEvent(address, reason, duration)
        for subscriber in self.__cmap_listeners:
            try:
                subscriber.connection_check_out_failed(event)
            except Exception:
                names._handle_exception()

    def publish_connection_checked_out(self, address: Address, connection_id: int, duration: float) -> None:
        """Publish that the driver got a connection after ``duration`` seconds."""
        event = names.ConnectionCheckedOutEvent(address, connection_id, duration)
        for subscriber in self.__cmap_listeners:
            try:
                subscriber.connection_checked_out(event)
            except Exception:
                names._handle_exception()

    def publish_connection_checked_in(self, address: Address, connection_id: int) -> None:
        """Publish that the driver gave a connection back."""
        event = names.ConnectionCheckedInEvent(address, connection_id)
        for subscriber in self.__cmap_listeners:
            try:
                subscriber.connection_checked_in(event)
            except Exception:
                names._handle_exception()
