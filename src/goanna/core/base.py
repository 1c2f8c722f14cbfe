"""What both cores and everything above them share: sentinels, the ExceptionGroup of a failed publish, and typing.

The module ``typing`` would be half of the time that importing goanna takes, so what is needed of it at run time is
here.
"""

from __future__ import annotations

import sys

__all__ = [
    "EXHAUSTED",
    "MISSING",
    "TORN_INCREMENT",
    "TYPE_CHECKING",
    "Skip",
    "dataclass_transform",
    "failed_group",
    "final",
    "nothing",
    "once_per_process",
    "process",
    "uncopied",
]

TYPE_CHECKING = False
"""Type checkers take a constant of this name for True; what only they need is imported under it."""

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, NoReturn, TypeVar, dataclass_transform, final

    _T = TypeVar("_T")

    ErrorHandler = Callable[[Exception, Any, Any], object]
    """Called with the error, the listener that raised it, and the event."""
else:

    def final(one):
        """Mark a class as one that nobody derives from, as ``typing.final`` does."""
        one.__final__ = True
        return one

    def dataclass_transform(**settings):
        """Mark a metaclass as one whose classes are like dataclasses, as ``typing.dataclass_transform`` does."""
        names = "eq_default", "order_default", "kw_only_default", "frozen_default", "field_specifiers"
        marks = {name: settings.pop(name) for name in names}

        def decorate(one):
            one.__dataclass_transform__ = {**marks, "kwargs": settings}
            return one

        return decorate


process: dict[str, Any] = vars(sys).setdefault("_goanna", {})
"""What there is once in a process, however often the package is dropped from ``sys.modules`` and imported again.

An extension module is loaded once, so it would know other sentinels than the second import; and the two halves of a
listener may come from different imports, because delivery is imported when it is first asked for.
"""


def once_per_process(one: _T) -> _T:
    """Return the first class of this name that an import of this module has defined in this process."""
    return process.setdefault(one.__name__, one)  # type: ignore[attr-defined,no-any-return]


@once_per_process
@final
class Missing:
    """The type of :data:`MISSING`; it has one instance, which pickles and copies to itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Final[Missing] = process.setdefault("MISSING", Missing())
"""Stands for "no value given" where None is a value like any other."""

TORN_INCREMENT: Final = sys.implementation.name != "cpython" or "free-threading" in sys.version
"""Whether another thread may come between the two halves of ``x += 1``.

A CPython with a GIL switches threads only at calls and backward jumps, so an attribute's increment can't be torn there.
What counts is the build of the interpreter, not whether its GIL is on at this moment: while a module is being loaded it
may be on for that only.
"""


@once_per_process
@final
class Skip(BaseException):
    """Raised by a call in a table that turned out not to be due: a listener that is gone, a ``once`` already taken.

    The core counts such a call neither as delivered nor as failed. It derives from BaseException so that no
    ``except Exception`` in between can take it for an error.
    """


EXHAUSTED: Final = (RecursionError, MemoryError)
"""The Exceptions that end a fan-out and propagate: who goes on after one meets the next, at each level of the stack."""


def uncopied(self: object) -> NoReturn:
    """Serve as the ``__reduce__`` of what is one of its kind: channels, counts and locks are no data."""
    name = type(self).__name__
    raise TypeError(f"{'an' if name[0] in 'AEIOU' else 'a'} {name} can't be copied or pickled")


def nothing() -> None:
    """Return None; for pickles of what is made again where it is missing."""


def failed_group(errors: list[Exception], event: object) -> ExceptionGroup[Exception]:
    """Return the group that a publish with ``errors="raise"`` raises after all listeners have run."""
    count = len(errors)
    noun = "listener" if count == 1 else "listeners"
    return ExceptionGroup(f"{count} {noun} failed on {type(event).__name__}", errors)
