"""What the code that runs here is at, as its context says: within which muted blocks, and at work for which consumers.

A context variable, because that is what threads, greenlets and tasks have apart, and what a task inherits.
"""

from __future__ import annotations

import contextvars

from goanna.core.base import TYPE_CHECKING, final, once_per_process, process

if TYPE_CHECKING:
    from typing import Any, Final

__all__ = ["Block", "mark", "marked", "marks", "open_blocks", "unmark"]

marks: Final[contextvars.ContextVar[tuple[Any, Any] | None]] = process.setdefault(
    "marks", contextvars.ContextVar("goanna.marks", default=None)
)
"""A mark and what was marked around it, which is of the same form; None where nothing is marked."""


@once_per_process
@final
class Block:
    """The mark of a muted block.

    Attributes:
        open: whether it is still under way. What inherited the mark may run for longer.
    """

    __slots__ = ("open",)

    def __init__(self) -> None:
        self.open = True


def mark(key: object) -> contextvars.Token[tuple[Any, Any] | None]:
    """Mark the current context, and all that inherit it from now on; return what :func:`unmark` takes."""
    around = marks.get()
    while around is not None and type(around[0]) is Block and not around[0].open:
        around = around[1]  # or a context that is never left by the way it was entered would collect them
    return marks.set((key, around))


def unmark(token: contextvars.Token[tuple[Any, Any] | None]) -> None:
    """Take a mark off the current context; elsewhere, where a coroutine is closed by somebody else, do nothing."""
    try:
        marks.reset(token)
    except ValueError:  # made in another context
        return


def marked(key: object) -> bool:
    """Return whether the current context has this mark."""
    found = marks.get()
    while found is not None:
        if found[0] is key:
            return True
        found = found[1]
    return False


def open_blocks() -> list[Block]:
    """Return the muted blocks that the current context is in."""
    blocks: list[Block] = []
    found = marks.get()
    while found is not None:
        if type(found[0]) is Block and found[0].open:
            blocks.append(found[0])
        found = found[1]
    return blocks
