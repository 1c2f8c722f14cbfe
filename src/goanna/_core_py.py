"""The core in pure Python: the same names, signatures, texts and behaviour as the compiled ``goanna._core``.

Maker builds events, Call is one resolved method of one listener, Table the immutable row of calls that one event goes
to, Channel builds an event and fans it out, Account keeps one registration's counts, reader makes a read-only
attribute. The core knows no library and no policy: what a listener is, who comes first and what becomes of an error is
decided above it.

How counts stay exact without a step per call: a table counts its finished publishes, and whoever wants a registration's
count first settles the tables, that is, adds what they counted since to the account of every call in them. Where a call
failed, was skipped or was filtered out, the table notes that when the publish ends, in the same step in which it counts
it, so that a reader of the accounts never sees half of a publish.
"""

from __future__ import annotations

import functools
import operator
import threading
import types
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, cast, final

from goanna._common import MISSING, TORN_INCREMENT
from goanna._fields import Field, parameters, signature
from goanna._forks import after_fork
from goanna._setback import Setback
from goanna._sieve_py import Sieve, sampled
from goanna._source import RESERVED, generated, stores

if TYPE_CHECKING:
    import inspect

__all__ = ["Account", "Call", "Channel", "Maker", "Sieve", "Table", "reader", "sampled"]

ErrorHandler = Callable[[Exception, Any, Any], object]
"""Called with the error, the listener that raised it, and the event."""

_COUNTS = threading.RLock()
"""Guards the counts; re-entrant, because a finalizer may publish while it is held. No listener runs under it."""


class _Counts:
    def _after_fork(self) -> None:
        """Start with a lock that nobody holds in a process that was forked off."""
        global _COUNTS
        _COUNTS = threading.RLock()


_counts: Final = _Counts()
after_fork(_counts)


def member(cls: type, slot: str) -> Any:
    """Return the descriptor of a slot of ``cls``, or raise TypeError when it has no such slot."""
    for base in cls.__mro__:
        if slot in base.__dict__:
            if isinstance(base.__dict__[slot], types.MemberDescriptorType):
                return base.__dict__[slot]
            break
    raise TypeError(f"{cls.__qualname__} has no slot {slot!r}")


@final
class Maker:
    """Builds instances of a slotted class from the arguments of its constructor.

    The compiled core writes the slots without running ``cls.__init__``, which must do nothing else than store the
    fields. Where the arguments don't fit, the class itself is called, so that the TypeError is the interpreter's own.

    Args:
        cls: the class.
        fields: its Field records, in the order of definition.

    Raises:
        TypeError: ``cls`` is not a class, or a field's slot is not a slot of it.
    """

    __slots__ = ("_channel_type", "event_type", "fields")

    event_type: Any
    fields: tuple[Field, ...]

    def __init__(self, cls: type, fields: Iterable[Field]) -> None:
        if not isinstance(cls, type):
            raise TypeError(f"Maker() takes a class, not {type(cls).__name__}")
        self.fields = tuple(fields)
        for one in self.fields:
            member(cls, one.slot)
        self.event_type = cls
        self._channel_type: type[Channel] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return a new instance; the arguments are those of the class."""
        return self.event_type(*args, **kwargs)

    def take_over(self) -> None:
        """Let a direct call of the class build its instances the same way, where this core has a faster one."""

    def __repr__(self) -> str:
        return f"<Maker of {self.event_type.__qualname__}>"


@final
class Account:
    """The counts of one registration or wrapper.

    Attributes:
        delivered: calls that returned, as far as they have been settled.
        failed: calls that raised.
        filtered: events that a condition kept out.
    """

    __slots__ = ("delivered", "failed", "filtered")

    def __init__(self) -> None:
        self.delivered = 0
        self.failed = 0
        self.filtered = 0

    def add(self, delivered: int, failed: int, filtered: int) -> None:
        """Add to the counts, all at once."""
        with _COUNTS:
            self.delivered += delivered
            self.failed += failed
            self.filtered += filtered

    def read(self) -> tuple[int, int, int]:
        """Return delivered, failed and filtered as they were at one moment."""
        with _COUNTS:
            return self.delivered, self.failed, self.filtered

    def __repr__(self) -> str:
        return f"<Account delivered={self.delivered} failed={self.failed} filtered={self.filtered}>"


@final
class Call:
    """One resolved method of one registration: what a table consists of.

    Args:
        method: called with the event as its only argument.
        account: counts what becomes of it.
        listener: handed to the error policy; a weak reference is resolved first.

    Attributes:
        sieve: the method if it is a Sieve, else None.

    Raises:
        TypeError: ``method`` can't be called, or ``account`` is not an Account.
    """

    __slots__ = ("account", "listener", "method", "sieve")

    def __init__(self, method: Callable[[Any], object], account: Account, listener: Any) -> None:
        if not callable(method):
            raise TypeError(f"the method of a Call must be callable, not {type(method).__name__}")
        if not isinstance(account, Account):
            raise TypeError(f"the account of a Call must be an Account, not {type(account).__name__}")
        self.method = method
        self.account = account
        self.listener = listener
        self.sieve = method if isinstance(method, Sieve) else None

    def __repr__(self) -> str:
        return f"<Call {self.method!r}>"


@final
class Table:
    """The calls that one event goes to, in order; immutable but for its counts.

    Args:
        calls: Call objects.
        maker: that of the event, so that conditions on its fields can be tested before it is built; None where the
            table is only for events that are built already.

    Attributes:
        calls: them, as a tuple.
        finished: how many publishes went through this table to their end.
        sieved: whether there is a Sieve among the methods.

    Raises:
        TypeError: something among ``calls`` is not a Call, or ``maker`` is no Maker.
    """

    __slots__ = (
        "_early",
        "_exceptions",
        "_methods",
        "_rejected",
        "_screens",
        "_settled",
        "calls",
        "finished",
        "retired",
        "sieved",
    )

    def __init__(self, calls: Iterable[Call] = (), maker: Maker | None = None) -> None:
        self.calls = tuple(calls)
        for call in self.calls:
            if not isinstance(call, Call):
                raise TypeError(f"a Table takes Call objects, not {type(call).__name__}")
        if maker is not None and not isinstance(maker, Maker):
            raise TypeError(f"a Table takes a Maker or None, not {type(maker).__name__}")
        self.sieved = any(call.sieve is not None for call in self.calls)
        # Without methods a sieved table leaves the path that has to be fast, where only that is asked.
        self._methods = () if self.sieved else _distinct([call.method for call in self.calls])
        self._early: list[tuple[bool, tuple[tuple[int, frozenset[Any]], ...]]] = []
        if self.sieved and maker is not None:
            fields = tuple(parameters(maker.fields))
            for call in self.calls:
                self._early.append((False, ()) if call.sieve is None else call.sieve.early(maker.event_type, fields))
        self.finished = 0
        self.retired = False
        self._settled = 0
        self._exceptions: dict[int, list[int]] = {}
        self._screens = tuple([call.sieve.account for call in self.calls if call.sieve is not None])
        self._rejected = 0

    def __len__(self) -> int:
        """Return the number of calls."""
        return len(self.calls)

    def settle(self) -> None:
        """Add the publishes finished since the last time to the account of every call."""
        with _COUNTS:
            finished, rejected = self.finished, self._rejected  # they grow without the lock, always together
            count = finished - self._settled
            if count:
                self._settled = finished
                self._rejected -= rejected
                for call in self.calls:
                    call.account.delivered += count - rejected
                    call.account.filtered += rejected
                exceptions, self._exceptions = self._exceptions, {}
                for position, (skipped, failed, filtered) in exceptions.items():
                    account = self.calls[position].account
                    account.delivered -= skipped + failed + filtered
                    account.failed += failed
                    account.filtered += filtered

    def finish(self, skipped: Iterable[int] = (), failed: Iterable[int] = (), filtered: Iterable[int] = ()) -> None:
        """Count one publish that went through this table to its end.

        Args:
            skipped: the positions of the calls that were not made.
            failed: of those that raised.
            filtered: of those that a condition kept the event from.
        """
        with _COUNTS:
            for kind, positions in enumerate((skipped, failed, filtered)):
                for position in positions:
                    self._exceptions.setdefault(position, [0, 0, 0])[kind] += 1
            self.finished += 1
        if self.retired:
            self.settle()

    def _rejects(self, values: tuple[Any, ...]) -> bool:
        """Return whether the event that these arguments make is for nobody here, and count it then."""
        if not self._early:
            return False
        for never, early in self._early:
            if never:
                continue
            for index, allowed in early:
                value = values[index]
                try:
                    if value not in allowed and value is not MISSING:  # a factory's value isn't known yet
                        break
                except TypeError:
                    break
            else:
                return False
        if TORN_INCREMENT:
            with _COUNTS:
                self._count_rejected()
        else:
            self._count_rejected()
        if self.retired:
            self.settle()
        return True

    def _count_rejected(self) -> None:
        for account in self._screens:
            account.filtered += 1
        # No call and no jump between these two, so that nobody sees one without the other.
        self._rejected += 1
        self.finished += 1

    def _setback(self, method: Any, event: Any, errors: ErrorHandler | None, error: BaseException) -> Setback:
        """Return what is left of a publish in which ``method`` raised."""
        position = 0
        while self._methods[position] is not method:
            position += 1
        return Setback(self, position, event, errors, error, [])

    def _sift(self, event: Any, errors: ErrorHandler | None) -> None:
        """Hand the event to every call whose conditions it meets, and count the publish."""
        filtered: list[int] = []
        position = 0
        try:
            for position, call in enumerate(self.calls):
                sieve = call.sieve
                if sieve is None:
                    call.method(event)
                elif sieve.admits(event):
                    sieve.pass_on(event)
                else:
                    sieve.account.add(0, 0, 1)
                    filtered.append(position)
        except BaseException as error:
            setback = Setback(self, position, event, errors, error, filtered)
        else:
            self.finish(filtered=filtered)
            return
        setback.resume()

    def retire(self) -> None:
        """Say that no new publish will use this table; those under way settle it themselves when they end."""
        self.retired = True
        self.settle()

    def __repr__(self) -> str:
        return f"<Table of {len(self.calls)}>"


def _distinct(methods: Iterable[Callable[[Any], object]]) -> tuple[Callable[[Any], object], ...]:
    """Return the methods such that no object stands twice: a raising one is told apart by its identity."""
    seen: set[int] = set()
    made: list[Callable[[Any], object]] = []
    for method in methods:
        one = functools.partial(method) if id(method) in seen else method
        seen.add(id(one))
        made.append(one)
    return tuple(made)


class _Signature:
    """The signature of a channel; the class has none, which a property would be taken for.

    Not ``__getattr__``, because a class that has one reads all its attributes more slowly.
    """

    def __get__(self, channel: Channel | None, owner: type[Channel]) -> inspect.Signature:
        if channel is None:
            raise AttributeError("__signature__")
        return signature(channel.maker.fields)


class Channel:
    """Publishes one kind of event: calling it builds the event and hands it to every call in its table.

    It is true while its table has calls. Where it has none, a call of it checks the arguments, builds nothing and
    returns. Each call in the table is made in order, whatever the ones before it raised; a BaseException that is no
    Exception propagates at once.

    Args:
        maker: builds the event.
        table: the calls; replaced, never changed.
        errors: called with the error, the listener and the event for each call that raised an Exception; with None
            the errors are collected and raised as an ExceptionGroup after the last call.

    Raises:
        TypeError: an argument is of the wrong type, or the arguments of a call don't fit the event.
    """

    __slots__ = ("__weakref__", "_table", "errors", "maker")

    maker: Maker
    errors: ErrorHandler | None
    _table: Table

    def __new__(cls, maker: Maker, table: Table, errors: ErrorHandler | None) -> Channel:
        if not isinstance(maker, Maker):
            raise TypeError(f"a Channel takes a Maker, not {type(maker).__name__}")
        if maker._channel_type is None:
            maker._channel_type = _channel_type(maker)
        return object.__new__(maker._channel_type)

    def __init__(self, maker: Maker, table: Table, errors: ErrorHandler | None) -> None:
        if not isinstance(table, Table):
            raise TypeError(f"a Channel takes a Table, not {type(table).__name__}")
        if errors is not None and not callable(errors):
            raise TypeError(f"the errors of a Channel must be callable or None, not {type(errors).__name__}")
        self.maker = maker
        self.errors = errors
        self._table = table

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Build an event from the arguments and hand it to the calls of the table."""
        raise NotImplementedError  # replaced in the type of each event, see _channel_type

    def publish(self, event: Any) -> None:
        """Hand an event that is already built to the calls of the table.

        Raises:
            TypeError: ``event`` is not an instance of the channel's event class.
        """
        cls = self.maker.event_type
        if not isinstance(event, cls):
            raise TypeError(f"this channel publishes {cls.__qualname__}, not {type(event).__qualname__}")
        table = self._table
        if table.sieved:
            table._sift(event, self.errors)
            return
        method: Any = None
        try:
            for method in table._methods:
                method(event)
        except BaseException as error:
            setback = table._setback(method, event, self.errors, error)
        else:
            table.finish()
            return
        setback.resume()

    @property
    def table(self) -> Table:
        """The calls that the next publish makes."""
        return self._table

    def replace_table(self, table: Table) -> None:
        """Make the calls of ``table`` from the next publish on; the old table is retired.

        Raises:
            TypeError: ``table`` is not a Table.
        """
        if not isinstance(table, Table):
            raise TypeError(f"a Channel takes a Table, not {type(table).__name__}")
        with _COUNTS:  # else two threads that replace the same table would leave one of theirs unretired
            old = self._table
            self._table = table
        old.retire()

    __signature__ = _Signature()

    def __bool__(self) -> bool:
        """Return whether the table has calls."""
        return len(self._table.calls) != 0

    def __repr__(self) -> str:
        return f"<Channel of {self.maker.event_type.__qualname__} to {len(self._table.calls)}>"


def _channel_type(maker: Maker) -> type[Channel]:
    """Return Channel with a ``__call__`` that has the signature of the event and its stores written out."""
    own = {
        name: RESERVED + name
        for name in ("self", "table", "methods", "method", "event", "error", "setback", "new", "cls")
    }
    values = "".join(f"{one.name}, " for one in parameters(maker.fields))
    body = [
        "{table} = {self}._table",
        "{methods} = {table}._methods",
        "if not {methods} and (not {table}.sieved or {table}._rejects((" + values + "))):",
        "  return",
        "{event} = {new}({cls})",
        *(line.replace("{", "{{") for line in stores(maker.fields, own["event"])),
        "if not {methods}:",
        "  {table}._sift({event}, {self}.errors)",
        "  return",
        "try:",
        "  for {method} in {methods}:",
        "    {method}({event})",
        "except BaseException as {error}:",
        "  {setback} = {table}._setback({method}, {event}, {self}.errors, {error})",
        "else:",
    ]
    if TORN_INCREMENT:
        body.append("  {table}.finish()")
    else:  # the same, written out
        body += ["  {table}.finished += 1", "  if {table}.retired:", "    {table}.settle()"]
    body += ["  return", "{setback}.resume()"]
    call = cast(
        "types.FunctionType",
        generated(
            "__call__",
            maker.event_type.__qualname__,
            __name__,
            maker.fields,
            [line.format_map(own) for line in body],
            {own["new"]: object.__new__, own["cls"]: maker.event_type},
        ),
    )
    call.__doc__ = Channel.__call__.__doc__
    return type("Channel", (Channel,), {"__slots__": (), "__call__": call, "__doc__": Channel.__doc__})


def reader(cls: type, slot: str, name: str, doc: str | None = None) -> Any:
    """Return a descriptor that reads a slot of ``cls`` as the read-only attribute ``name``.

    The compiled core's reads at the speed of the slot itself. Setting or deleting it raises AttributeError
    ("readonly attribute"). Its docstring is ``doc``.

    Raises:
        TypeError: ``cls`` has no such slot.
    """
    member(cls, slot)
    made = property(operator.attrgetter(slot), _refuse_set, _refuse_delete)
    made.__doc__ = doc  # instead of that of attrgetter
    return made


def _refuse_set(event: object, value: object) -> None:
    raise AttributeError("readonly attribute")


def _refuse_delete(event: object) -> None:
    raise AttributeError("readonly attribute")


for _public in (Account, Call, Channel, Maker, Table, reader):
    _public.__module__ = "goanna.core"
