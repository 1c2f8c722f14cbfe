"""What a dispatcher and its registrations share: the lock, who is registered, and the tables made of that.

It knows neither of them. To a registry a registration is what has calls for an event class, and a place in the order.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from weakref import WeakKeyDictionary, ref

from goanna.core import Channel, Table
from goanna.core.base import TYPE_CHECKING, final
from goanna.core.forks import after_fork
from goanna.dispatch.ordering import arrange
from goanna.events import Event, maker_of

if TYPE_CHECKING:
    from typing import Any, Final, Protocol

    from goanna.core import Call
    from goanna.core.base import ErrorHandler
    from goanna.dispatch.ordering import Ordered
    from goanna.dispatch.publisher import Publisher

    class Registered(Ordered, Protocol):
        """What a registry needs of a registration."""

        @property
        def key(self) -> int:
            """The identity of the listener."""
            ...

        def _calls(self, event_type: type[Event]) -> tuple[Call, ...]:
            """Return the calls that an event of this class leads to; the same objects until they are others."""
            ...

        def _forget(self, other: Any) -> None:
            """Let go of a registration that has been removed."""


__all__ = ["Registry"]

_AT_ONCE: Final = 128
"""With how many registrations at most the tables are made when one comes or goes.

With more that would make each cost as much as all, so that it is left to the next publish, which calls them all anyway.
"""


@final
class Registry:
    """Who is registered, in calling order, and for each event class its table and its channel.

    Neither keeps an event class alive: the tables are kept by class, and the channel of one for as long as somebody has
    it, because it holds the class. Another one that is made later has the same table.

    Args:
        errors: what is done with an error.

    Attributes:
        errors: that.
        lock: re-entrant, because the collector may run a finalizer that removes a listener while this thread holds it.
            A version tells an outer change that an inner one has come between.
        tables: what :meth:`_table_of` returned, by a weak reference to the class; always the same mapping.
    """

    __slots__ = (
        *("__weakref__", "_channels", "_listed", "_members", "_leaders", "_followers", "_order", "_version"),
        *("errors", "lock", "tables"),
    )

    def __init__(self, errors: ErrorHandler | None) -> None:
        self.errors = errors
        self._version = 0
        self.lock: threading.RLock = threading.RLock()
        self._members: dict[Any, None] = {}
        self._order: tuple[Any, ...] | None = ()
        # By the listener's identity; and by the registrations that others name in their `before`, and in their `after`.
        self._listed: dict[int, tuple[Any, ...]] = {}
        self._leaders: dict[Any, dict[Any, None]] = {}
        self._followers: dict[Any, dict[Any, None]] = {}
        self._channels: WeakKeyDictionary[type[Event], ref[Channel]] = WeakKeyDictionary()
        self.tables: dict[ref[type[Event]], Table] = {}
        after_fork(self)

    def _after_fork(self) -> None:
        """Start with a lock that nobody holds; what it guards is whole at any moment."""
        self.lock = threading.RLock()

    def __len__(self) -> int:
        """Return the number of registrations."""
        return len(self._members)

    @property
    def registrations(self) -> tuple[Any, ...]:
        """The registrations in calling order."""
        with self.lock:
            while self._order is None:
                version = self._version
                order = arrange(tuple(self._members))
                if version == self._version:
                    self._order = order
            return self._order

    def __contains__(self, registration: object) -> bool:
        """Return whether it is one of those registered here."""
        return registration in self._members

    def of(self, listener: object) -> tuple[Any, ...]:
        """Return the registrations of a listener, in the order in which they came."""
        return tuple([one for one in self._listed.get(id(listener), ()) if one.listener is listener])

    def add(self, registration: Registered) -> None:
        """Take a registration in.

        Raises:
            ValueError: its order relative to others can't be kept; then nothing has changed.
        """
        # The old tables may hold the last references to listeners, whose finalizers must not run under the lock.
        with self.lock:
            if registration.before and registration.after and self._comes_round(registration):
                arrange((*self._members, registration))
            self._members[registration] = None
            self._listed[registration.key] = (*self._listed.get(registration.key, ()), registration)
            for named, naming in ((registration.before, self._leaders), (registration.after, self._followers)):
                for one in named:
                    if one in self._members:
                        naming.setdefault(one, {})[registration] = None
            old = self._change(registration)
        del old

    def drop(self, registration: Registered) -> None:
        """Take a registration out."""
        with self.lock:
            if registration not in self._members:
                return
            del self._members[registration]
            left = tuple([one for one in self._listed[registration.key] if one is not registration])
            if left:
                self._listed[registration.key] = left
            else:
                del self._listed[registration.key]
            for named, naming in ((registration.before, self._leaders), (registration.after, self._followers)):
                for one in named:
                    naming.get(one, {}).pop(registration, None)
                for one in naming.pop(registration, ()):
                    one._forget(registration)
            old = self._change(registration)
        del old

    def refresh(self) -> None:
        """Make the tables again from what the registrations have resolved now."""
        with self.lock:
            old = self._change(None)
        del old

    def _comes_round(self, registration: Registered) -> bool:
        """Return whether a new registration is to be called before one that must precede one that it is to follow."""
        seen: set[Any] = set()
        coming = list(registration.before)
        while coming:
            one = coming.pop()
            if one in registration.after:
                return True
            if one not in seen:
                seen.add(one)
                coming += one.before
                coming += self._followers.get(one, ())
        return False

    def _change(self, registration: Registered | None) -> list[Table]:
        """Bring the tables up to date that a registration is in, or all; return the old ones."""
        self._version += 1
        self._order = None
        at_once = len(self._members) <= _AT_ONCE
        old: list[Table] = []
        for key in [*self.tables]:  # no pairs: making them may collect, and what is let go of may open a publisher
            event_type, table = key(), self.tables.get(key)
            if event_type is None or table is None or table.later is not None:
                continue
            if registration is None or registration._calls(event_type):
                if at_once:
                    self._make(event_type, old)
                else:
                    self._put(event_type, Table((), None, self._table_of), old)
        return old

    def _make(self, event_type: type[Event], old: list[Table]) -> Table:
        """Make the table of an event class, unless the present one says the same, put it in its place and return it."""
        while True:
            version = self._version
            now = self.tables.get(ref(event_type))
            table = _table(self.registrations, event_type, now)
            if version == self._version:
                break
        if table is not now:
            self._put(event_type, table, old)
        return table

    def _put(self, event_type: type[Event], table: Table, old: list[Table]) -> None:
        """Put a table in the place of the present one, which is retired and goes to the old ones."""
        now = self.tables.get(ref(event_type))
        if now is None:
            me = ref(self)
            key = ref(event_type, lambda key: _settle(me, key))
        else:
            old.append(now)
            key = ref(event_type)  # the table stays under the key that it has
        try:
            self.tables[key] = table
            channel = self._channel(event_type)
            if channel is not None:
                channel.replace_table(table)
            if now is not None:
                now.retire()
        except BaseException:  # a signal came in between: the channel might go on with the table from before
            if self.tables.get(key) is table:
                channel = self._channel(event_type)
                if channel is not None and channel.table is not table:
                    channel.replace_table(table)
                if now is not None:
                    now.retire()
            raise

    def settle(self) -> None:
        """Bring the accounts up to date with the publishes that have finished."""
        with self.lock:
            for table in list(self.tables.values()):
                table.settle()

    def _table_of(self, event_type: type[Event]) -> Table:
        """Return the table of an event class, which is made if there is none, or none that is up to date."""
        table = self.tables.get(ref(event_type))
        if table is None or table.later is not None:
            old: list[Table] = []
            with self.lock:
                table = self._make(event_type, old)
        return table

    def open(self, event_type: type[Event]) -> Publisher[..., Any]:
        """Return the channel of an event class; the same one for as long as somebody has it."""
        channel = self._channel(event_type)
        if channel is None:
            maker = maker_of(event_type)
            with self.lock:
                channel = self._channel(event_type)
                if channel is None:
                    table = self._table_of(event_type)
                    channel = Channel(maker, table, self.errors)
                    self._channels[event_type] = ref(channel)
                    if table is not self.tables[ref(event_type)]:  # something came between
                        channel.replace_table(self.tables[ref(event_type)])
        return channel

    def _channel(self, event_type: type[Event]) -> Channel | None:
        known = self._channels.get(event_type)
        return None if known is None else known()


def _settle(reference: ref[Registry], key: ref[type[Event]]) -> None:
    """Count what was published of an event class that is gone."""
    registry = reference()
    table = None if registry is None else registry.tables.pop(key, None)
    if table is not None:
        table.retire()


def _table(registrations: Iterable[Registered], event_type: type[Event], now: Table | None) -> Table:
    """Return the table of an event class for these registrations: the present one if it says the same."""
    calls = tuple([call for one in registrations for call in one._calls(event_type)])
    same = now is not None and now.later is None and len(calls) == len(now.calls) and all(map(_is, calls, now.calls))
    return now if now is not None and same else Table(calls, maker_of(event_type))


def _is(left: object, right: object) -> bool:
    return left is right
