"""What both cores and everything above them share: sentinels and the ExceptionGroup of a failed publish."""

from __future__ import annotations

import sys

from goanna._typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from typing import Final

__all__ = ["MISSING", "TORN_INCREMENT", "Skip", "failed_group"]


@final
class Missing:
    """The type of :data:`MISSING`; it has one instance, which pickles and copies to itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()
"""Stands for "no value given" where None is a value like any other."""

TORN_INCREMENT: Final = sys.implementation.name != "cpython" or "free-threading" in sys.version
"""Whether another thread may come between the two halves of ``x += 1``.

A CPython with a GIL switches threads only at calls and backward jumps, so an attribute's increment can't be torn there.
What counts is the build of the interpreter, not whether its GIL is on at this moment: while a module is being loaded it
may be on for that only.
"""


@final
class Skip(BaseException):
    """Raised by a call in a table that turned out not to be due: a listener that is gone, a ``once`` already taken.

    The core counts such a call neither as delivered nor as failed. It derives from BaseException so that no
    ``except Exception`` in between can take it for an error.
    """


def failed_group(errors: list[Exception], event: object) -> ExceptionGroup[Exception]:
    """Return the group that a publish with ``errors="raise"`` raises after all listeners have run."""
    count = len(errors)
    noun = "listener" if count == 1 else "listeners"
    return ExceptionGroup(f"{count} {noun} failed on {type(event).__name__}", errors)
