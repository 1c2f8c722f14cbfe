"""The events of discovery and monitoring: a server, the topology of servers, and the heartbeat."""

from __future__ import annotations

from typing import Any

from goanna.monitoring._standalone.kinds import Address, Description, Id

__all__ = [
    "ServerClosedEvent",
    "ServerDescriptionChangedEvent",
    "ServerHeartbeatFailedEvent",
    "ServerHeartbeatStartedEvent",
    "ServerHeartbeatSucceededEvent",
    "ServerOpeningEvent",
    "TopologyClosedEvent",
    "TopologyDescriptionChangedEvent",
    "TopologyEvent",
    "TopologyOpenedEvent",
    "_ServerEvent",
    "_ServerHeartbeatEvent",
]


class _ServerEvent:
    """What the events of a server have in common."""

    __slots__ = ("__server_address", "__topology_id")

    def __init__(self, server_address: Address, topology_id: Id) -> None:
        self.__server_address = server_address
        self.__topology_id = topology_id

    @property
    def server_address(self) -> Address:
        """Host and port of the server."""
        return self.__server_address

    @property
    def topology_id(self) -> Id:
        """The identifier of the topology that the server belongs to."""
        return self.__topology_id

    def __repr__(self) -> str:
        return f"<{self.__class__.__name__} {self.server_address} topology_id: {self.topology_id}>"


class ServerDescriptionChangedEvent(_ServerEvent):
    """What the driver knows of a server changed.

    Args:
        previous_description: what it knew before.
        new_description: what it knows now.
        args: the server's address and the identifier of the topology.
    """

    __slots__ = ("__new_description", "__previous_description")

    def __init__(self, previous_description: Description, new_description: Description, *args: Any) -> None:
        super().__init__(*args)
        self.__previous_description = previous_description
        self.__new_description = new_description

    @property
    def previous_description(self) -> Description:
        """What the driver knew before."""
        return self.__previous_description

    @property
    def new_description(self) -> Description:
        """What the driver knows now."""
        return self.__new_description

    def __repr__(self) -> str:
        return (
            f"<{self.__class__.__name__} {self.server_address} "
            f"changed from: {self.previous_description}, to: {self.new_description}>"
        )


class ServerOpeningEvent(_ServerEvent):
    """The driver begins to watch a server."""

    __slots__ = ()


class ServerClosedEvent(_ServerEvent):
    """The driver no longer watches a server."""

    __slots__ = ()


class TopologyEvent:
    """What the events of a topology have in common."""

    __slots__ = ("__topology_id",)

    def __init__(self, topology_id: Id) -> None:
        self.__topology_id = topology_id

    @property
    def topology_id(self) -> Id:
        """The identifier of the topology."""
        return self.__topology_id

    def __repr__(self) -> str:
        return f"<{self.__class__.__name__} topology_id: {self.topology_id}>"


class TopologyDescriptionChangedEvent(TopologyEvent):
    """What the driver knows of a topology changed.

    Args:
        previous_description: what it knew before.
        new_description: what it knows now.
        args: the identifier of the topology.
    """

    __slots__ = ("__new_description", "__previous_description")

    def __init__(self, previous_description: Description, new_description: Description, *args: Any) -> None:
        super().__init__(*args)
        self.__previous_description = previous_description
        self.__new_description = new_description

    @property
    def previous_description(self) -> Description:
        """What the driver knew before."""
        return self.__previous_description

    @property
    def new_description(self) -> Description:
        """What the driver knows now."""
        return self.__new_description

    def __repr__(self) -> str:
        return (
            f"<{self.__class__.__name__} topology_id: {self.topology_id} "
            f"changed from: {self.previous_description}, to: {self.new_description}>"
        )


class TopologyOpenedEvent(TopologyEvent):
    """The driver begins to watch a topology."""

    __slots__ = ()


class TopologyClosedEvent(TopologyEvent):
    """The driver no longer watches a topology."""

    __slots__ = ()


class _ServerHeartbeatEvent:
    """What the events of a heartbeat have in common."""

    __slots__ = ("__awaited", "__connection_id")

    def __init__(self, connection_id: Address, awaited: bool = False) -> None:
        self.__connection_id = connection_id
        self.__awaited = awaited

    @property
    def connection_id(self) -> Address:
        """Host and port of the server."""
        return self.__connection_id

    @property
    def awaited(self) -> bool:
        """Whether the server may hold back its answer until there is news."""
        return self.__awaited

    def __repr__(self) -> str:
        return f"<{self.__class__.__name__} {self.connection_id} awaited: {self.awaited}>"


class ServerHeartbeatStartedEvent(_ServerHeartbeatEvent):
    """A heartbeat is about to be sent."""

    __slots__ = ()


class ServerHeartbeatSucceededEvent(_ServerHeartbeatEvent):
    """A heartbeat was answered.

    Args:
        duration: the time to the answer, in seconds.
        reply: the answer, an object with the reply document in its attribute ``document``.
        connection_id: host and port of the server.
        awaited: whether the server may have held back its answer until there was news.
    """

    __slots__ = ("__duration", "__reply")

    def __init__(self, duration: float, reply: Any, connection_id: Address, awaited: bool = False) -> None:
        super().__init__(connection_id, awaited)
        self.__duration = duration
        self.__reply = reply

    @property
    def duration(self) -> float:
        """The time to the answer, in seconds."""
        return self.__duration

    @property
    def reply(self) -> Any:
        """The answer, an object with the reply document in its attribute ``document``."""
        return self.__reply

    @property
    def awaited(self) -> bool:
        """Whether the server may have held back its answer, so that the duration says nothing about the way there."""
        return super().awaited

    def __repr__(self) -> str:
        return (
            f"<{self.__class__.__name__} {self.connection_id} "
            f"duration: {self.duration}, awaited: {self.awaited}, reply: {self.reply}>"
        )


class ServerHeartbeatFailedEvent(_ServerHeartbeatEvent):
    """A heartbeat was not answered, or with an error.

    Args:
        duration: the time to the failure, in seconds.
        reply: the exception.
        connection_id: host and port of the server.
        awaited: whether the server may have held back its answer until there was news.
    """

    __slots__ = ("__duration", "__reply")

    def __init__(self, duration: float, reply: Exception, connection_id: Address, awaited: bool = False) -> None:
        super().__init__(connection_id, awaited)
        self.__duration = duration
        self.__reply = reply

    @property
    def duration(self) -> float:
        """The time to the failure, in seconds."""
        return self.__duration

    @property
    def reply(self) -> Exception:
        """The exception."""
        return self.__reply

    @property
    def awaited(self) -> bool:
        """Whether the server may have held back its answer, so that the duration says nothing about the way there."""
        return super().awaited

    def __repr__(self) -> str:
        return (
            f"<{self.__class__.__name__} {self.connection_id} "
            f"duration: {self.duration}, awaited: {self.awaited}, reply: {self.reply!r}>"
        )
