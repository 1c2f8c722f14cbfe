"""The core in pure Python: the same names, signatures, texts and behaviour as the compiled ``goanna.core._compiled``.

Maker builds events, Call is one resolved method of one listener, Table the immutable row of calls that one event goes
to, Channel builds an event and fans it out, Account keeps one registration's counts, reader makes a read-only
attribute. The core knows no library and no policy: what a listener is, who comes first and what becomes of an error is
decided above it.
"""

from __future__ import annotations

from goanna.core._pure.account import counting
from goanna.core._pure.maker import Maker
from goanna.core._pure.reporting import in_block, reporting
from goanna.core._pure.table import Table
from goanna.core.base import EXHAUSTED, TORN_INCREMENT, TYPE_CHECKING
from goanna.core.codegen import RESERVED, generated, stores
from goanna.core.deferred import ran
from goanna.core.fields import own_event, parameters, signature, takes_its_own

if TYPE_CHECKING:
    import inspect
    from typing import Any

    from goanna.core.base import ErrorHandler

__all__ = ["Channel"]


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
    Exception, a RecursionError and a MemoryError propagate at once. In a muted block it publishes nothing.

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
        _check_maker(maker, table)
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
        self.table.publish(event, self.errors)

    @property
    def table(self) -> Table:
        """The calls that the next publish makes."""
        table = self._table
        return table if table.later is None else table.later(self.maker.event_type)

    def replace_table(self, table: Table) -> None:
        """Make the calls of ``table`` from the next publish on; the old table is retired.

        Raises:
            TypeError: ``table`` is not a Table, or one of another event.
        """
        if not isinstance(table, Table):
            raise TypeError(f"a Channel takes a Table, not {type(table).__name__}")
        _check_maker(self.maker, table)
        with counting():  # else two threads that replace the same table would leave one of theirs unretired
            old = self._table
            self._table = table
        try:
            old.retire()
        except BaseException:  # a signal came in between, and nobody else will ask the old one
            old.retire()
            raise

    def __reduce__(self) -> Any:
        raise TypeError(f"the publisher of {self.maker.event_type.__qualname__} can't be copied or pickled")

    __signature__ = _Signature()

    def __bool__(self) -> bool:
        """Return whether the table has calls."""
        return len(self.table.calls) != 0

    def __repr__(self) -> str:
        return f"<Channel of {self.maker.event_type.__qualname__} to {len(self.table.calls)}>"


def _check_maker(maker: Maker, table: Table) -> None:
    if table._event_type is not None:
        event_type = table._event_type()
        if event_type is not maker.event_type or table._fields != len(maker.fields):
            raise TypeError(f"a Channel takes a Table of the same event: {maker!r}, and the table is of {event_type!r}")


def _channel_type(maker: Maker) -> type[Channel]:
    """Return Channel with a ``__call__`` that has the signature of the event and its stores written out."""
    own = {
        name: RESERVED + name
        for name in (
            "self",
            "table",
            "methods",
            "method",
            "event",
            "error",
            "recovery",
            "new",
            "cls",
            "silent",
            "muted",
            "exhausted",
            "position",
            "due",
            "ended",
            "result",
            "ran",
            "instance",
            "own_event",
        )
    }
    values = "".join(f"{one.name}, " for one in parameters(maker.fields))
    body = []
    if not takes_its_own(maker.event_type, maker.fields):
        first = next(iter(parameters(maker.fields))).name
        body += [f"if {{instance}}({first}, {{cls}}):", "  raise {own_event}({cls})"]
    body += [
        "if {silent} and {muted}():",
        "  return",
        "{table} = {self}._table",
        "{methods} = {table}._methods",
        "if not {methods}:",
        "  if {table}.later is not None:",
        "    {table} = {table}.later({cls})",
        "    {methods} = {table}._methods",
        "  if not {methods} and (not {table}.has_filters or {table}._rejects((" + values + "))):",
        "    return",
        "{event} = {new}({cls})",
        *(line.replace("{", "{{") for line in stores(maker.fields, own["event"])),
        "if not {methods}:",
        "  {table}._filter({event}, {self}.errors)",
        "  return",
        "{due} = None",
        "try:",
        "  try:",
        "    for {method} in {methods}:",
        "      {result} = {method}({event})",
        "      if {result} is not None:",
        "        {ran}({result})",
        # The same as in publish(), written out.
        "  except {exhausted}:",
        "    {position} = 0",
        "    while {methods}[{position}] is not {method}:",
        "      {position} += 1",
        "    {ended} = {table}.ended",
        "    {ended} += [((), ({position},), (), {position} + 1)]",
        "    if {table}.retired:",
        "      {table}.settle()",
        "    raise",
        "  except BaseException as {error}:",
        "    {due} = [{method}]",
        "    {recovery} = {table}._recovery({due}, {event}, {self}.errors, {error})",
        "  else:",
    ]
    if TORN_INCREMENT:
        body.append("    {table}.finish()")
    else:  # the same, written out
        body += ["    {table}.finished += 1", "    if {table}.retired:", "      {table}.settle()"]
    body += [
        "    return",
        "  {recovery}.resume()",
        "except BaseException:",
        "  if {due}:",
        "    {table}._give_up({due})",
        "  raise",
    ]
    call: Any = generated(
        "__call__",
        maker.event_type.__qualname__,
        __name__,
        maker.fields,
        [line.format_map(own) for line in body],
        {
            own["new"]: object.__new__,
            own["cls"]: maker.event_type,
            own["silent"]: reporting,
            own["muted"]: in_block,
            own["exhausted"]: EXHAUSTED,
            own["ran"]: ran,
            own["instance"]: isinstance,
            own["own_event"]: own_event,
        },
    )
    call.__doc__ = Channel.__call__.__doc__
    return type("Channel", (Channel,), {"__slots__": (), "__call__": call, "__doc__": Channel.__doc__})


Channel.__module__ = "goanna.core"
