"""Tables of the pure core: the calls that one event goes to, and the counts of what became of them.

How counts stay exact without a step per call: a table counts its finished publishes, and whoever wants a registration's
count first settles the tables, that is, adds what they counted since to the account of every call in them. Where a call
failed, was skipped or was filtered out, the table notes that when the publish ends, in the same step in which it counts
it, so that a reader of the accounts never sees half of a publish.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterable

from goanna.core._pure.account import Account, counting
from goanna.core._pure.filter import Filter
from goanna.core._pure.maker import Maker
from goanna.core._pure.reporting import in_block, reporting
from goanna.core.base import EXHAUSTED, MISSING, TORN_INCREMENT, TYPE_CHECKING, final, uncopied
from goanna.core.deferred import ran
from goanna.core.fields import parameters
from goanna.core.recovery import Recovery

if TYPE_CHECKING:
    from typing import Any

    from goanna.core.base import ErrorHandler

__all__ = ["Call", "Table"]


@final
class Call:
    """One resolved method of one registration: what a table consists of.

    Args:
        method: called with the event as its only argument.
        account: counts what becomes of it.
        listener: handed to the error policy; a weak reference is resolved first.

    Attributes:
        filter: the method if it is a Filter, else None.

    Raises:
        TypeError: ``method`` can't be called, or ``account`` is not an Account.
    """

    __slots__ = ("account", "filter", "listener", "method")

    def __init__(self, method: Callable[[Any], object], account: Account, listener: Any) -> None:
        if not callable(method):
            raise TypeError(f"the method of a Call must be callable, not {type(method).__name__}")
        if not isinstance(account, Account):
            raise TypeError(f"the account of a Call must be an Account, not {type(account).__name__}")
        self.method = method
        self.account = account
        self.listener = listener
        self.filter = method if isinstance(method, Filter) else None

    def __reduce__(self) -> str:
        return uncopied(self)

    def __repr__(self) -> str:
        return f"<Call {self.method!r}>"


@final
class Table:
    """The calls that one event goes to, in order; immutable but for its counts.

    Args:
        calls: Call objects.
        maker: that of the event, so that conditions on its fields can be tested before it is built; None where the
            table is only for events that are built already.
        later: makes the table that is to be used instead of this one, which has no calls; called with the event class
            when first needed, it puts the new table in the place of this one and returns it.

    Attributes:
        calls: them, as a tuple.
        ended: publishes that are to be counted with what went otherwise, each as the positions of the calls that were
            skipped, failed and were filtered out, and the one from which on none was made. Whoever has no room left on
            the stack for a call puts them here.
        finished: how many publishes went through this table to their end.
        has_filters: whether there is a Filter among the methods.
        later: what was given as that.

    Raises:
        TypeError: something among ``calls`` is not a Call, ``maker`` is no Maker, or ``later`` can't be called.
    """

    __slots__ = (
        "_early",
        "_event_type",
        "_exceptions",
        "_fields",
        "_filter_accounts",
        "_methods",
        "_noted",
        "_rejected",
        "_settled",
        "_work",
        "calls",
        "ended",
        "finished",
        "has_filters",
        "later",
        "retired",
    )

    def __init__(
        self,
        calls: Iterable[Call] = (),
        maker: Maker | None = None,
        later: Callable[[Any], Table] | None = None,
    ) -> None:
        self.calls = tuple(calls)
        for call in self.calls:
            if not isinstance(call, Call):
                raise TypeError(f"a Table takes Call objects, not {type(call).__name__}")
        if maker is not None and not isinstance(maker, Maker):
            raise TypeError(f"a Table takes a Maker or None, not {type(maker).__name__}")
        if later is not None and not callable(later):
            raise TypeError(f"a Table is made later by what can be called, not {type(later).__name__}")
        self.later = later
        # What it is a table of, without holding it.
        self._event_type = None if maker is None else weakref.ref(maker.event_type)
        self._fields = 0 if maker is None else len(maker.fields)
        self.has_filters = any(call.filter is not None for call in self.calls)
        # Without methods a has_filters table leaves the path that has to be fast, where only that is asked.
        self._methods = () if self.has_filters else _distinct([call.method for call in self.calls])
        self._early: list[tuple[bool, tuple[tuple[int, frozenset[Any]], ...]]] = []
        if self.has_filters and maker is not None:
            fields = tuple(parameters(maker.fields))
            for call in self.calls:
                self._early.append((False, ()) if call.filter is None else call.filter.early(maker.event_type, fields))
        self.ended: list[tuple[Iterable[int], Iterable[int], Iterable[int], int]] = []
        self.finished = 0
        self.retired = False
        self._settled = 0
        self._exceptions: dict[int, list[int]] = {}  # replaced, never changed
        self._noted = 0  # how often
        self._work: list[tuple[Account, int, int, int]] = []  # what is still to be added to the accounts
        self._filter_accounts = tuple([call.filter.account for call in self.calls if call.filter is not None])
        self._rejected = 0

    def __len__(self) -> int:
        """Return the number of calls."""
        return len(self.calls)

    def publish(self, event: Any, errors: ErrorHandler | None) -> None:
        """Hand an event to the calls, and count.

        Args:
            event: an instance of the class that the table is for.
            errors: what to do with an error, as a Channel is told.
        """
        if reporting and in_block():
            return
        if self.has_filters:
            self._filter(event, errors)
            return
        method: Any = None
        due: list[Any] = []
        try:
            try:
                for method in self._methods:
                    result = method(event)
                    if result is not None:
                        ran(result)
            except EXHAUSTED:
                # Without a call, for which there may be no room.
                position = 0
                while self._methods[position] is not method:
                    position += 1
                ended = self.ended
                ended += [((), (position,), (), position + 1)]
                if self.retired:
                    self.settle()
                raise
            except BaseException as error:
                due = [method]  # without a call, so that no signal comes in between
                recovery = self._recovery(due, event, errors, error)
            else:
                if TORN_INCREMENT:
                    self.finish()
                else:  # without a call, see above
                    self.finished += 1
                    if self.retired:
                        self.settle()
                return
            recovery.resume()
        except BaseException:
            if due:  # a signal came in between, and it is not counted
                self._give_up(due)
            raise

    def settle(self) -> None:
        """Add the publishes finished since the last time to the account of every call."""
        # A signal, or a finalizer that publishes or settles, may come in between anywhere but where there is neither a
        # call nor a jump back. So what is to be added is computed first, noted in one step, and then done in one step
        # for each account; where it is interrupted the next settle() goes on with it.
        with counting():
            self._add()
            self._count_ended()
            while self._settled != self.finished:
                # They grow without the lock, always together.
                begin, finished, rejected = self._settled, self.finished, self._rejected
                exceptions, noted = self._exceptions, self._noted
                work = self._work_of(finished - begin, rejected, exceptions)
                none: dict[int, list[int]] = {}
                if begin == self._settled and noted == self._noted:
                    # What may find no memory comes first.
                    rejected, noted, work = self._rejected - rejected, noted + 1, self._work + work
                    self._settled = finished
                    self._rejected = rejected
                    self._exceptions = none
                    self._noted = noted
                    self._work = work
                    break
            self._add()

    def _work_of(
        self, count: int, rejected: int, exceptions: dict[int, list[int]]
    ) -> list[tuple[Account, int, int, int]]:
        """Return what so many publishes add to each account: delivered, failed and filtered."""
        work = []
        for position, call in enumerate(self.calls):
            skipped, failed, filtered = exceptions.get(position, (0, 0, 0))
            delivered = count - rejected - skipped - failed - filtered
            work.append((call.account, delivered, failed, filtered + rejected))
        return work

    def _add(self) -> None:
        """Add what is to be added to the accounts; the caller holds the lock."""
        while self._work:
            account, delivered, failed, filtered = self._work[-1]
            delivered += account.delivered
            failed += account.failed
            filtered += account.filtered
            del self._work[-1]
            account.delivered = delivered
            account.failed = failed
            account.filtered = filtered

    def finish(
        self,
        skipped: Iterable[int] = (),
        failed: Iterable[int] = (),
        filtered: Iterable[int] = (),
        due: list[Any] | None = None,
    ) -> None:
        """Count one publish that went through this table to its end.

        Args:
            skipped: the positions of the calls that were not made.
            failed: of those that raised.
            filtered: of those that a condition kept the event from.
            due: emptied in the same step; where it is empty already, the publish has been counted.
        """
        end, ended = len(self.calls), self.ended
        if due is None or due:
            ended += [(skipped, failed, filtered, end)]
            if due is not None:
                del due[0]
        with counting():
            self._count_ended()
        if self.retired:
            self.settle()

    def _count_ended(self) -> None:
        """Count what :attr:`ended` has; the caller holds the lock."""
        while self.ended:  # see settle()
            one, noted = self.ended[-1], self._noted
            exceptions = {position: [*three] for position, three in self._exceptions.items()}
            for kind, positions in enumerate(one[:3]):
                for position in positions:
                    exceptions.setdefault(position, [0, 0, 0])[kind] += 1
            for position in range(one[3], len(self.calls)):
                exceptions.setdefault(position, [0, 0, 0])[0] += 1
            if noted == self._noted and self.ended and self.ended[-1] is one:
                noted, finished = noted + 1, self.finished + 1
                del self.ended[-1]
                self._exceptions = exceptions
                self._noted = noted
                self.finished = finished

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
            with counting():
                self._count_rejected()
        else:
            self._count_rejected()
        if self.retired:
            self.settle()
        return True

    def _count_rejected(self) -> None:
        for account in self._filter_accounts:
            account.filtered += 1
        # No call and no jump between these two, so that nobody sees one without the other.
        self._rejected += 1
        self.finished += 1

    def _recovery(self, due: list[Any], event: Any, errors: ErrorHandler | None, error: BaseException) -> Recovery:
        """Return what is left of a publish in which the method in ``due`` raised."""
        recovery = Recovery(self, event, errors, self._position(due[0]), (), due)
        recovery.raised(error)
        return recovery

    def _position(self, method: Any) -> int:
        position = 0
        while self._methods[position] is not method:
            position += 1
        return position

    def _give_up(self, due: list[Any]) -> None:
        """Count a publish that was interrupted: ``due`` has its Recovery, or the method that raised."""
        found = due[0]
        if not isinstance(found, Recovery):
            found = Recovery(self, None, None, self._position(found), (), due)
        found.give_up()

    def _filter(self, event: Any, errors: ErrorHandler | None) -> None:
        """Hand the event to every call whose conditions it meets, and count the publish."""
        recovery = Recovery(self, event, errors)
        try:
            recovery.resume()
        except BaseException:
            recovery.give_up()
            raise

    def retire(self) -> None:
        """Say that no new publish will use this table; those under way settle it themselves when they end."""
        self.retired = True
        self.settle()

    def __reduce__(self) -> str:
        return uncopied(self)

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


for _public in (Call, Table):
    _public.__module__ = "goanna.core"
