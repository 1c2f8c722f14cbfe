"""Drop-in for ``pymongo.event_loggers``: listeners that write each event to the root logger.

::

    from goanna.monitoring.loggers import CommandLogger, ConnectionPoolLogger

    client = MongoClient(event_listeners=[CommandLogger(), ConnectionPoolLogger()])

What went well is logged at level INFO, what did not at WARNING, but for failed commands and check-outs, which are INFO
too: the program learns of those by other ways. The messages are those of PyMongo, to the letter.
"""

from __future__ import annotations

import logging

from goanna import monitoring

__all__ = ["CommandLogger", "ConnectionPoolLogger", "HeartbeatLogger", "ServerLogger", "TopologyLogger"]


class CommandLogger(monitoring.CommandListener):
    """Logs the commands of a client and how long they took."""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Log that a command is about to be sent."""
        logging.info(
            f"Command {event.command_name} with request id {event.request_id} started on server {event.connection_id}"
        )

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Log that a command was answered."""
        logging.info(
            f"Command {event.command_name} with request id {event.request_id} on server {event.connection_id} "
            f"succeeded in {event.duration_micros} microseconds"
        )

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Log that a command failed."""
        logging.info(
            f"Command {event.command_name} with request id {event.request_id} on server {event.connection_id} "
            f"failed in {event.duration_micros} microseconds"
        )


class ServerLogger(monitoring.ServerListener):
    """Logs which servers a client watches and what they turn out to be."""

    def opened(self, event: monitoring.ServerOpeningEvent) -> None:
        """Log that the driver begins to watch a server."""
        logging.info(f"Server {event.server_address} added to topology {event.topology_id}")

    def description_changed(self, event: monitoring.ServerDescriptionChangedEvent) -> None:
        """Log that what the driver knows of a server changed; logged if it is the type."""
        before = event.previous_description.server_type
        if event.new_description.server_type != before:
            logging.info(
                f"Server {event.server_address} changed type from {event.previous_description.server_type_name} "
                f"to {event.new_description.server_type_name}"
            )

    def closed(self, event: monitoring.ServerClosedEvent) -> None:
        """Log that the driver no longer watches a server."""
        logging.warning(f"Server {event.server_address} removed from topology {event.topology_id}")


class HeartbeatLogger(monitoring.ServerHeartbeatListener):
    """Logs the heartbeats by which a client watches servers."""

    def started(self, event: monitoring.ServerHeartbeatStartedEvent) -> None:
        """Log that a heartbeat is about to be sent."""
        logging.info(f"Heartbeat sent to server {event.connection_id}")

    def succeeded(self, event: monitoring.ServerHeartbeatSucceededEvent) -> None:
        """Log that a heartbeat was answered."""
        logging.info(f"Heartbeat to server {event.connection_id} succeeded with reply {event.reply.document}")

    def failed(self, event: monitoring.ServerHeartbeatFailedEvent) -> None:
        """Log that a heartbeat failed."""
        logging.warning(f"Heartbeat to server {event.connection_id} failed with error {event.reply}")


class TopologyLogger(monitoring.TopologyListener):
    """Logs what a client finds out about its deployment, and when nothing there can be written to or read from."""

    def opened(self, event: monitoring.TopologyOpenedEvent) -> None:
        """Log that the driver begins to watch a topology."""
        logging.info(f"Topology with id {event.topology_id} opened")

    def description_changed(self, event: monitoring.TopologyDescriptionChangedEvent) -> None:
        """Log that what the driver knows of a topology changed."""
        logging.info(f"Topology description updated for topology id {event.topology_id}")
        before = event.previous_description.topology_type
        if event.new_description.topology_type != before:
            logging.info(
                f"Topology {event.topology_id} changed type from {event.previous_description.topology_type_name} "
                f"to {event.new_description.topology_type_name}"
            )
        if not event.new_description.has_writable_server():
            logging.warning("No writable servers available.")
        if not event.new_description.has_readable_server():
            logging.warning("No readable servers available.")

    def closed(self, event: monitoring.TopologyClosedEvent) -> None:
        """Log that the driver no longer watches a topology."""
        logging.info(f"Topology with id {event.topology_id} closed")


class ConnectionPoolLogger(monitoring.ConnectionPoolListener):
    """Logs the life of connection pools and of the connections in them."""

    def pool_created(self, event: monitoring.PoolCreatedEvent) -> None:
        """Log that a pool was created."""
        logging.info(f"[pool {event.address}] pool created")

    def pool_ready(self, event: monitoring.PoolReadyEvent) -> None:
        """Log that a pool lets connections out from now on."""
        logging.info(f"[pool {event.address}] pool ready")

    def pool_cleared(self, event: monitoring.PoolClearedEvent) -> None:
        """Log that a pool gave up its connections."""
        logging.info(f"[pool {event.address}] pool cleared")

    def pool_closed(self, event: monitoring.PoolClosedEvent) -> None:
        """Log that a pool was closed."""
        logging.info(f"[pool {event.address}] pool closed")

    def connection_created(self, event: monitoring.ConnectionCreatedEvent) -> None:
        """Log that a pool made room for a connection."""
        logging.info(f"[pool {event.address}][conn #{event.connection_id}] connection created")

    def connection_ready(self, event: monitoring.ConnectionReadyEvent) -> None:
        """Log that a connection is open and set up."""
        logging.info(f"[pool {event.address}][conn #{event.connection_id}] connection setup succeeded")

    def connection_closed(self, event: monitoring.ConnectionClosedEvent) -> None:
        """Log that a connection was closed."""
        logging.info(f'[pool {event.address}][conn #{event.connection_id}] connection closed, reason: "{event.reason}"')

    def connection_check_out_started(self, event: monitoring.ConnectionCheckOutStartedEvent) -> None:
        """Log that the driver asks a pool for a connection."""
        logging.info(f"[pool {event.address}] connection check out started")

    def connection_check_out_failed(self, event: monitoring.ConnectionCheckOutFailedEvent) -> None:
        """Log that the driver got none."""
        logging.info(f"[pool {event.address}] connection check out failed, reason: {event.reason}")

    def connection_checked_out(self, event: monitoring.ConnectionCheckedOutEvent) -> None:
        """Log that the driver got one."""
        logging.info(f"[pool {event.address}][conn #{event.connection_id}] connection checked out of pool")

    def connection_checked_in(self, event: monitoring.ConnectionCheckedInEvent) -> None:
        """Log that the driver gave one back."""
        logging.info(f"[pool {event.address}][conn #{event.connection_id}] connection checked into pool")
