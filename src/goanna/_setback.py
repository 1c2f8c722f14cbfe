"""A fan-out in which something raised: what both cores do then.

Shared and in Python: it is off the path that has to be fast, and nothing that happens after an error may differ between
the cores.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, final

from goanna._common import Skip, failed_group

if TYPE_CHECKING:
    from goanna._core_py import Call, ErrorHandler, Table

__all__ = ["Setback"]


@final
class Setback:
    """The rest of one publish after the call at ``position`` raised ``error``.

    The core makes it while that error is being handled, so that ``sys.exc_info()`` serves the error policy, and calls
    :meth:`resume` when the handling is over, so that no later error takes the first for its context.

    Args:
        table: the calls of the publish; position: the one that raised.
        event: what is published.
        errors: the error policy of the channel, None for "collect and raise".
        error: what was raised.

    Raises:
        BaseException: ``error`` itself where it is no Exception, after the counts are right.
    """

    __slots__ = ("errors", "event", "failed", "handler", "position", "table", "undelivered")

    def __init__(
        self, table: Table, position: int, event: Any, handler: ErrorHandler | None, error: BaseException
    ) -> None:
        self.table = table
        self.position = position
        self.event = event
        self.handler = handler
        self.undelivered: list[Call] = []
        self.failed: list[Call] = []
        self.errors: list[Exception] = []
        self.raised(error)

    def raised(self, error: BaseException) -> None:
        """Note what the call at ``position`` raised, and hand it to the policy."""
        call = self.table.calls[self.position]
        self.undelivered.append(call)
        if isinstance(error, Skip):
            return
        self.failed.append(call)
        try:
            if not isinstance(error, Exception):
                if self.errors and error.__cause__ is None and error.__context__ is None:
                    error.__context__ = failed_group(self.errors, self.event)
                raise error
            if self.handler is None:
                self.errors.append(error)
            else:
                listener = call.listener
                if isinstance(listener, weakref.ref):
                    listener = listener()
                self.handler(error, listener, self.event)
        except BaseException:
            self.undelivered.extend(self.table.calls[self.position + 1 :])
            self.count()
            raise

    def resume(self) -> None:
        """Make the calls that are left, then count, then raise what was collected.

        Raises:
            ExceptionGroup: there is no policy and some calls raised.
            BaseException: a call raised one that is no Exception.
        """
        calls = self.table.calls
        while self.position + 1 < len(calls):
            self.position += 1
            try:
                calls[self.position].method(self.event)
            except BaseException as error:
                self.raised(error)
        self.count()
        if self.errors:
            group = failed_group(self.errors, self.event)
            # The errors' tracebacks hold this frame: without these lines every failed publish is a reference cycle.
            self.errors = []
            try:
                raise group
            finally:
                del group

    def count(self) -> None:
        """Count the publish: the table takes every call for delivered, so take back those that were not."""
        for call in self.undelivered:
            call.account.add(-1, 0)
        for call in self.failed:
            call.account.add(0, 1)
        self.table.finish()
