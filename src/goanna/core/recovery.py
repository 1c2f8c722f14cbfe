"""A fan-out in which something raised: what both halves do then.

Shared and in Python: it is off the path that has to be fast, and nothing that happens after an error may differ between
the halves. The pure half has no faster way through a table with filters, and takes this one from the first call on.
"""

from __future__ import annotations

import sys
import weakref

from goanna.core.base import EXHAUSTED, TYPE_CHECKING, Skip, failed_group, final
from goanna.core.deferred import ran

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Final, Protocol

    from goanna.core.base import ErrorHandler

    class _Table(Protocol):
        """What is needed of either half's Table."""

        calls: tuple[Any, ...]
        ended: list[Any]

        @property
        def retired(self) -> bool: ...

        def settle(self) -> None: ...

        def finish(
            self, skipped: Iterable[int], failed: Iterable[int], filtered: Iterable[int], due: list[Any]
        ) -> None: ...


__all__ = ["Recovery"]


@final
class Recovery:
    """The calls of one publish that are left after the one at ``position``, and what became of all of them.

    Where a call has raised, the core makes it and calls :meth:`raised` while that error is being handled, so that
    ``sys.exc_info()`` serves the error policy, and :meth:`resume` when the handling is over, so that no later error
    takes the first for its context. A signal whose handler raises may come in between at any moment; whoever has made a
    Recovery then calls :meth:`give_up`.

    Args:
        table: the calls of the publish.
        event: what is published.
        handler: the error policy of the channel, None for "collect and raise".
        position: the last call that was made.
        filtered: the positions up to there whose conditions kept the event out.
        due: a list with one item, which is emptied when the publish is counted.
    """

    __slots__ = ("due", "errors", "event", "failed", "filtered", "handler", "open", "position", "skipped", "table")

    def __init__(
        self,
        table: _Table,
        event: Any,
        handler: ErrorHandler | None,
        position: int = -1,
        filtered: Iterable[int] = (),
        due: list[Any] | None = None,
    ) -> None:
        self.table = table
        self.position = position
        self.event = event
        self.handler = handler
        self.skipped: list[int] = []
        self.failed: list[int] = []
        self.filtered = list(filtered)
        self.errors: list[Exception] = []
        self.open = position >= 0  # whether the call at the position has begun, and what became of it is not noted
        self.due = [None] if due is None else due
        self.due[0] = self

    def raised(self, error: BaseException) -> None:
        """Note what the call at ``position`` raised, and hand it to the policy.

        Raises:
            BaseException: ``error`` itself where it is no Exception, or is a RecursionError or MemoryError, after the
                counts are right.
        """
        call = self.table.calls[self.position]
        if isinstance(error, Skip):
            self.skipped += [self.position]
            self.open = False
            return
        if _was_entered(call.method, error):
            self.failed += [self.position]
        else:
            self.skipped += [self.position]
        self.open = False
        try:
            if not isinstance(error, Exception) or isinstance(error, EXHAUSTED):
                raise error
            if self.handler is None:
                self.errors.append(error)
            else:
                listener = call.listener
                if isinstance(listener, weakref.ref):
                    listener = listener()
                self.handler(error, listener, self.event)
        except BaseException as last:
            ended = self.table.ended
            ended += [(self.skipped, self.failed, self.filtered, self.position + 1)]
            del self.due[0]
            self._stop(last)
            if not isinstance(last, EXHAUSTED):
                self.table.settle()  # else what waits to be counted would grow with each
            raise

    def resume(self) -> None:
        """Make the calls that are left, then count, then raise what was collected.

        Raises:
            ExceptionGroup: there is no policy and some calls raised.
            BaseException: a call raised one that is no Exception, or a RecursionError or MemoryError.
        """
        calls = self.table.calls
        while self.position + 1 < len(calls):
            self.position += 1
            self.open = True
            try:
                call = calls[self.position]
                filter_ = call.filter
                if filter_ is None:
                    ran(call.method(self.event))
                elif filter_.admits(self.event):
                    filter_.pass_on(self.event)
                else:
                    filter_.account.add(0, 0, 1)
                    self.filtered += [self.position]
            except EXHAUSTED as error:
                # The same as raised() does, without a call, for which there may be no room.
                self.failed += [self.position]
                self.open = False
                ended = self.table.ended
                ended += [(self.skipped, self.failed, self.filtered, self.position + 1)]
                del self.due[0]
                self._stop(error)
                raise
            except BaseException as error:
                self.raised(error)
            self.open = False
        self.table.finish(self.skipped, self.failed, self.filtered, self.due)
        if self.errors:
            group = failed_group(self.errors, self.event)
            # The errors' tracebacks hold this frame: without these lines every failed publish is a reference cycle.
            self.errors = []
            try:
                raise group
            finally:
                del group

    def give_up(self) -> None:
        """Count the publish as far as it has come, if it has not been counted: the calls that are left are not made."""
        if self.due:
            failed = [*self.failed, self.position] if self.open else self.failed
            ended = self.table.ended
            ended += [(self.skipped, failed, self.filtered, self.position + 1)]
            del self.due[0]
            self.table.settle()

    def _stop(self, error: BaseException) -> None:
        """See to it that a fan-out which ends early is counted, and that what was collected can be seen."""
        if self.errors and error.__cause__ is None and error.__context__ is None:
            error.__context__ = failed_group(self.errors, self.event)
        if self.table.retired:
            self.table.settle()


_RESUME: Final = (lambda: None).__code__.co_code[0] if sys.implementation.name == "cpython" else None
"""The instruction at which a function of CPython looks for signals before it does anything."""


def _was_entered(method: Any, error: BaseException) -> bool:
    """Return whether a method had begun when it raised: no signal has interrupted the call before its first line."""
    code = getattr(getattr(method, "__func__", method), "__code__", None)
    entry = error.__traceback__
    while entry is not None and entry.tb_frame.f_code is not code:
        entry = entry.tb_next
    if entry is None:
        return True
    instruction, argument = entry.tb_frame.f_code.co_code[entry.tb_lasti : entry.tb_lasti + 2]
    return instruction != _RESUME or argument & 3 != 0
