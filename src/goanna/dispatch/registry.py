"""What a dispatcher and its registrations share: the lock, who is registered, and the tables made of that.

It knows neither of them. To a registry a registration is what has calls for an event class.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping

from goanna.core import Channel, Table
from goanna.core.base import TYPE_CHECKING, final
from goanna.core.forks import after_fork
from goanna.events import Event, maker_of

if TYPE_CHECKING:
    from typing import Any, Protocol

    from goanna.core import Call
    from goanna.core.base import ErrorHandler
    from goanna.dispatch.publisher import Publisher

    class Registered(Protocol):
        """What a registry needs of a registration."""

        def _calls(self, event_type: type[Event]) -> tuple[Call, ...]:
            """Return the calls that an event of this class leads to; the same objects until they are others."""
            ...

        def _forget(self, other: Any) -> None:
            """Let go of a registration that has been removed."""


__all__ = ["Registry"]


@final
class Registry:
    """Who is registered, in calling order, and the channel of each event class, with its table.

    Args:
        errors: what the channels do with an error.

    Attributes:
        lock: re-entrant, because the collector may run a finalizer that removes a listener while this thread holds it.
            What is guarded are replaced tuples, and a version tells an outer change that an inner one has come between.
        registrations: in calling order; a tuple that is replaced, never changed.
        publishers: the channels by event class; always the same mapping.
    """

    __slots__ = ("__weakref__", "_channels", "_errors", "_version", "lock", "publishers", "registrations")

    def __init__(self, errors: ErrorHandler | None) -> None:
        self._errors = errors
        self._version = 0
        self.lock: threading.RLock = threading.RLock()
        self.registrations: tuple[Any, ...] = ()
        self._channels: dict[type[Event], Channel] = {}
        self.publishers: Mapping[type[Event], Publisher[..., Any]] = self._channels
        after_fork(self)

    def _after_fork(self) -> None:
        """Start with a lock that nobody holds; what it guards is whole at any moment."""
        self.lock = threading.RLock()

    def change(self, change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> None:
        """Replace the registrations and every table that this alters, or raise and leave all as it was."""
        with self.lock:
            while True:
                version = self._version
                registrations = change(self.registrations)
                tables = [
                    (channel, table)
                    for event_type, channel in list(self._channels.items())
                    if (table := _table(registrations, event_type, channel.table)) is not channel.table
                ]
                if version == self._version:
                    break
            self._version += 1
            # The old ones may hold the last references to listeners, whose finalizers must not run under the lock.
            old = [self.registrations, *(channel.table for channel, _ in tables)]
            self.registrations = registrations
            for channel, table in tables:
                channel.replace_table(table)
        del old

    def drop(self, registration: Registered) -> None:
        """Take a registration out."""
        self.change(lambda now: tuple([one for one in now if one is not registration]))
        for one in self.registrations:
            one._forget(registration)

    def refresh(self) -> None:
        """Make the tables again from what the registrations have resolved now."""
        self.change(lambda now: now)

    def settle(self) -> None:
        """Bring the accounts up to date with the publishes that have finished."""
        with self.lock:
            for channel in list(self._channels.values()):
                channel.table.settle()

    def open(self, event_type: type[Event]) -> Publisher[..., Any]:
        """Make the channel of an event class."""
        with self.lock:
            while True:
                version = self._version
                table = _table(self.registrations, event_type, _NOTHING)
                channel = Channel(maker_of(event_type), table, self._errors)
                if version == self._version:
                    return self._channels.setdefault(event_type, channel)


_NOTHING = Table()


def _table(registrations: Iterable[Registered], event_type: type[Event], now: Table) -> Table:
    """Return the table of an event class for these registrations: the present one if it says the same."""
    calls = tuple([call for one in registrations for call in one._calls(event_type)])
    if len(calls) == len(now.calls) and all(map(_is, calls, now.calls)):
        return now
    return Table(calls, maker_of(event_type))


def _is(left: object, right: object) -> bool:
    return left is right
