"""muted: a block in which nothing is published."""

from __future__ import annotations

from goanna.core import close_block, open_block
from goanna.core.base import TYPE_CHECKING, final
from goanna.core.marks import Block, mark, unmark

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

__all__ = ["muted"]


@final
class muted:  # noqa: N801 - it is called like a function, as those of contextlib are
    """A block in which nothing is published: ``with goanna.muted():``, in coroutines too.

    What this thread or task publishes in it reaches no listener of a :class:`Dispatcher` and no wrapper (``queued``,
    ``on_loop``, ``where``, ``paired``), and no listener to ``requestlog.attach()``; queues, loops and registrations do
    not count it. As long as the block is open, that holds for tasks and threads that have inherited its context, too,
    as ``asyncio.create_task`` and ``asyncio.to_thread`` make them; a plain thread or an executor's inherits nothing
    before Python 3.14, and there only if it is told to. Blocks nest.

    Events that were published before are delivered as ever. A listener that PyMongo itself calls, without a wrapper,
    and an audit handler hear as ever, too.
    """

    __slots__ = ("_entered",)

    def __init__(self) -> None:
        self._entered: list[tuple[Block, Any]] = []

    def __enter__(self) -> None:
        block = Block()
        self._entered.append((block, mark(block)))
        open_block(block)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        block, token = self._entered.pop()
        close_block(block)
        unmark(token)
