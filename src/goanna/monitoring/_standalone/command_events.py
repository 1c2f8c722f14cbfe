"""The events of a command: started, then succeeded or failed."""

from __future__ import annotations

import datetime

from goanna.monitoring._standalone.kinds import Address, Document, Id
from goanna.monitoring._standalone.namespace import names

__all__ = ["CommandFailedEvent", "CommandStartedEvent", "CommandSucceededEvent", "_CommandEvent", "_to_micros"]


def _to_micros(dur: datetime.timedelta) -> int:
    """Return a duration in whole microseconds, computed in floating point and cut off towards zero.

    Some come out one too small for it, as they do in PyMongo: ``timedelta(microseconds=249)`` gives 248.
    """
    return int(dur.total_seconds() * 1e6)


class _CommandEvent:
    """What the three events of a command have in common."""

    __slots__ = ("__cmd_name", "__conn_id", "__db", "__op_id", "__rqst_id", "__server_conn_id", "__service_id")

    def __init__(
        self,
        command_name: str,
        request_id: int,
        connection_id: Address,
        operation_id: int | None,
        service_id: Id | None = None,
        database_name: str = "",
        server_connection_id: int | None = None,
    ) -> None:
        self.__cmd_name = command_name
        self.__rqst_id = request_id
        self.__conn_id = connection_id
        self.__op_id = operation_id
        self.__service_id = service_id
        self.__db = database_name
        self.__server_conn_id = server_connection_id

    @property
    def command_name(self) -> str:
        """The name of the command, in the case in which it was sent."""
        return self.__cmd_name

    @property
    def request_id(self) -> int:
        """The number of the request; the events of one command share it."""
        return self.__rqst_id

    @property
    def connection_id(self) -> Address:
        """Host and port of the server."""
        return self.__conn_id

    @property
    def service_id(self) -> Id | None:
        """The backend behind a load balancer, or None."""
        return self.__service_id

    @property
    def operation_id(self) -> int | None:
        """A number that the commands of one operation share, such as the batches of a bulk write."""
        return self.__op_id

    @property
    def database_name(self) -> str:
        """The database that the command is run against."""
        return self.__db

    @property
    def server_connection_id(self) -> int | None:
        """The server's own number for the connection, or None where the server tells none."""
        return self.__server_conn_id


class CommandStartedEvent(_CommandEvent):
    """A command is about to be sent.

    Args:
        command: the command document; its first key is the name of the command.
        database_name: the database that the command is run against.
        request_id: the number of the request.
        connection_id: host and port of the server.
        operation_id: what the commands of one operation share.
        service_id: the backend behind a load balancer.
        server_connection_id: the server's own number for the connection.

    Raises:
        ValueError: the document is empty.
    """

    __slots__ = ("__cmd",)

    def __init__(
        self,
        command: Document,
        database_name: str,
        request_id: int,
        connection_id: Address,
        operation_id: int | None,
        service_id: Id | None = None,
        server_connection_id: int | None = None,
    ) -> None:
        if not command:
            raise ValueError(f"{command!r} is not a valid command")
        command_name = next(iter(command))
        super().__init__(
            command_name,
            request_id,
            connection_id,
            operation_id,
            service_id=service_id,
            database_name=database_name,
            server_connection_id=server_connection_id,
        )
        name = command_name.lower()
        secret = name in names._SENSITIVE_COMMANDS or names._is_speculative_authenticate(name, command)
        self.__cmd: Document = {} if secret else command

    @property
    def command(self) -> Document:
        """The very document that is sent; an empty dict in place of one that holds credentials."""
        return self.__cmd

    @property
    def database_name(self) -> str:
        """The database that the command is run against."""
        return super().database_name

    def __repr__(self) -> str:
        return (
            f"<{self.__class__.__name__} {self.connection_id} db: {self.database_name!r}, "
            f"command: {self.command_name!r}, operation_id: {self.operation_id}, service_id: {self.service_id}, "
            f"server_connection_id: {self.server_connection_id}>"
        )


class CommandSucceededEvent(_CommandEvent):
    """A command was answered.

    Args:
        duration: the time from sending to the reply.
        reply: the server's reply.
        command_name: the name of the command.
        request_id: the number of the request.
        connection_id: host and port of the server.
        operation_id: what the commands of one operation share.
        service_id: the backend behind a load balancer.
        database_name: the database that the command was run against.
        server_connection_id: the server's own number for the connection.
    """

    __slots__ = ("__duration_micros", "__reply")

    def __init__(
        self,
        duration: datetime.timedelta,
        reply: Document,
        command_name: str,
        request_id: int,
        connection_id: Address,
        operation_id: int | None,
        service_id: Id | None = None,
        database_name: str = "",
        server_connection_id: int | None = None,
    ) -> None:
        super().__init__(
            command_name,
            request_id,
            connection_id,
            operation_id,
            service_id=service_id,
            database_name=database_name,
            server_connection_id=server_connection_id,
        )
        self.__duration_micros: int = names._to_micros(duration)
        name = command_name.lower()
        secret = name in names._SENSITIVE_COMMANDS or names._is_speculative_authenticate(name, reply)
        self.__reply: Document = {} if secret else reply

    @property
    def duration_micros(self) -> int:
        """The duration in microseconds."""
        return self.__duration_micros

    @property
    def reply(self) -> Document:
        """The very document that the server sent; an empty dict in place of one that holds credentials."""
        return self.__reply

    def __repr__(self) -> str:
        return (
            f"<{self.__class__.__name__} {self.connection_id} db: {self.database_name!r}, "
            f"command: {self.command_name!r}, operation_id: {self.operation_id}, "
            f"duration_micros: {self.duration_micros}, service_id: {self.service_id}, "
            f"server_connection_id: {self.server_connection_id}>"
        )


class CommandFailedEvent(_CommandEvent):
    """A command failed: the server refused it, or there was no answer.

    Args:
        duration: the time from sending to the failure.
        failure: the server's reply, or a document made of the network error.
        command_name: the name of the command.
        request_id: the number of the request.
        connection_id: host and port of the server.
        operation_id: what the commands of one operation share.
        service_id: the backend behind a load balancer.
        database_name: the database that the command was run against.
        server_connection_id: the server's own number for the connection.
    """

    __slots__ = ("__duration_micros", "__failure")

    def __init__(
        self,
        duration: datetime.timedelta,
        failure: Document,
        command_name: str,
        request_id: int,
        connection_id: Address,
        operation_id: int | None,
        service_id: Id | None = None,
        database_name: str = "",
        server_connection_id: int | None = None,
    ) -> None:
        super().__init__(
            command_name,
            request_id,
            connection_id,
            operation_id,
            service_id=service_id,
            database_name=database_name,
            server_connection_id=server_connection_id,
        )
        self.__duration_micros: int = names._to_micros(duration)
        self.__failure = failure

    @property
    def duration_micros(self) -> int:
        """The duration in microseconds."""
        return self.__duration_micros

    @property
    def failure(self) -> Document:
        """What went wrong. It is shown as it is, whatever the command."""
        return self.__failure

    def __repr__(self) -> str:
        return (
            f"<{self.__class__.__name__} {self.connection_id} db: {self.database_name!r}, "
            f"command: {self.command_name!r}, operation_id: {self.operation_id}, "
            f"duration_micros: {self.duration_micros}, failure: {self.failure!r}, service_id: {self.service_id}, "
            f"server_connection_id: {self.server_connection_id}>"
        )
