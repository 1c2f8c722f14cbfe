"""The events of a connection pool and of the connections in it."""

from __future__ import annotations

from typing import Any

from goanna.monitoring._standalone.kinds import Address, Id

__all__ = [
    "ConnectionCheckOutFailedEvent",
    "ConnectionCheckOutFailedReason",
    "ConnectionCheckOutStartedEvent",
    "ConnectionCheckedInEvent",
    "ConnectionCheckedOutEvent",
    "ConnectionClosedEvent",
    "ConnectionClosedReason",
    "ConnectionCreatedEvent",
    "ConnectionReadyEvent",
    "PoolClearedEvent",
    "PoolClosedEvent",
    "PoolCreatedEvent",
    "PoolReadyEvent",
    "_ConnectionDurationEvent",
    "_ConnectionEvent",
    "_ConnectionIdEvent",
    "_PoolEvent",
]


class _PoolEvent:
    """What the events of a pool have in common."""

    __slots__ = ("__address",)

    def __init__(self, address: Address) -> None:
        self.__address = address

    @property
    def address(self) -> Address:
        """Host and port of the server that the pool connects to."""
        return self.__address

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.__address!r})"


class PoolCreatedEvent(_PoolEvent):
    """A pool was created.

    Args:
        address: host and port of the server.
        options: the options of the pool that differ from the defaults.
    """

    __slots__ = ("__options",)

    def __init__(self, address: Address, options: dict[str, Any]) -> None:
        super().__init__(address)
        self.__options = options

    @property
    def options(self) -> dict[str, Any]:
        """The options of the pool that differ from the defaults."""
        return self.__options

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.address!r}, {self.__options!r})"


class PoolReadyEvent(_PoolEvent):
    """A pool lets connections out from now on."""

    __slots__ = ()


class PoolClearedEvent(_PoolEvent):
    """A pool gave up its connections, for one of them failed.

    Args:
        address: host and port of the server.
        service_id: the backend behind a load balancer whose connections are given up, or None for all.
        interrupt_connections: whether connections in use are interrupted too.
    """

    __slots__ = ("__interrupt_connections", "__service_id")

    def __init__(self, address: Address, service_id: Id | None = None, interrupt_connections: bool = False) -> None:
        super().__init__(address)
        self.__service_id = service_id
        self.__interrupt_connections = interrupt_connections

    @property
    def service_id(self) -> Id | None:
        """The backend behind a load balancer whose connections are given up, or None for all."""
        return self.__service_id

    @property
    def interrupt_connections(self) -> bool:
        """Whether connections in use are interrupted too."""
        return self.__interrupt_connections

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.address!r}, {self.__service_id!r}, {self.__interrupt_connections!r})"


class PoolClosedEvent(_PoolEvent):
    """A pool was closed."""

    __slots__ = ()


class ConnectionClosedReason:
    """Why a connection was closed: the values of :attr:`ConnectionClosedEvent.reason`."""

    STALE = "stale"
    """The pool was cleared after the connection was made."""

    IDLE = "idle"
    """It went unused for longer than the pool allows."""

    ERROR = "error"
    """It failed."""

    POOL_CLOSED = "poolClosed"
    """The pool was closed."""


class ConnectionCheckOutFailedReason:
    """Why no connection was handed out: the values of :attr:`ConnectionCheckOutFailedEvent.reason`."""

    TIMEOUT = "timeout"
    """None became free in time."""

    POOL_CLOSED = "poolClosed"
    """The pool was closed before or meanwhile."""

    CONN_ERROR = "connectionError"
    """A new connection could not be set up."""


class _ConnectionEvent:
    """What the events of connections have in common."""

    __slots__ = ("__address",)

    def __init__(self, address: Address) -> None:
        self.__address = address

    @property
    def address(self) -> Address:
        """Host and port of the server at the other end."""
        return self.__address

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.__address!r})"


class _ConnectionIdEvent(_ConnectionEvent):
    """An event of one connection that exists."""

    __slots__ = ("__connection_id",)

    def __init__(self, address: Address, connection_id: int) -> None:
        super().__init__(address)
        self.__connection_id = connection_id

    @property
    def connection_id(self) -> int:
        """The number of the connection in its pool."""
        return self.__connection_id

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.address!r}, {self.__connection_id!r})"


class _ConnectionDurationEvent(_ConnectionIdEvent):
    """An event at the end of something that took time."""

    __slots__ = ("__duration",)

    def __init__(self, address: Address, connection_id: int, duration: float | None) -> None:
        super().__init__(address, connection_id)
        self.__duration = duration

    @property
    def duration(self) -> float | None:
        """How long it took, in seconds."""
        return self.__duration

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.address!r}, {self.connection_id!r}, {self.__duration!r})"


class ConnectionCreatedEvent(_ConnectionIdEvent):
    """A pool made room for a connection, which is not open yet."""

    __slots__ = ()


class ConnectionReadyEvent(_ConnectionDurationEvent):
    """A connection is open, and authenticated where that is needed; the duration is that of setting it up."""

    __slots__ = ()


class ConnectionClosedEvent(_ConnectionIdEvent):
    """A connection was closed.

    Args:
        address: host and port of the server.
        connection_id: the number of the connection in its pool.
        reason: one of the strings in :class:`ConnectionClosedReason`.
    """

    __slots__ = ("__reason",)

    def __init__(self, address: Address, connection_id: int, reason: str) -> None:
        super().__init__(address, connection_id)
        self.__reason = reason

    @property
    def reason(self) -> str:
        """One of the strings in :class:`ConnectionClosedReason`."""
        return self.__reason

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.address!r}, {self.connection_id!r}, {self.__reason!r})"


class ConnectionCheckOutStartedEvent(_ConnectionEvent):
    """The driver asks a pool for a connection."""

    __slots__ = ()


class ConnectionCheckOutFailedEvent(_ConnectionDurationEvent):
    """The driver got no connection from a pool. There is no connection to number: ``connection_id`` is 0.

    Args:
        address: host and port of the server.
        reason: one of the strings in :class:`ConnectionCheckOutFailedReason`.
        duration: how long the driver waited, in seconds.
    """

    __slots__ = ("__reason",)

    def __init__(self, address: Address, reason: str, duration: float | None) -> None:
        super().__init__(address, 0, duration)
        self.__reason = reason

    @property
    def reason(self) -> str:
        """One of the strings in :class:`ConnectionCheckOutFailedReason`."""
        return self.__reason

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.address!r}, {self.__reason!r}, {self.duration!r})"


class ConnectionCheckedOutEvent(_ConnectionDurationEvent):
    """The driver got a connection from a pool; the duration is that of waiting for it."""

    __slots__ = ()


class ConnectionCheckedInEvent(_ConnectionIdEvent):
    """The driver gave a connection back to its pool."""

    __slots__ = ()
