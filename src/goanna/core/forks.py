"""What must be set right in a process that was forked off."""

from __future__ import annotations

import os
import weakref

from goanna.core.base import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    class _Affected(Protocol):
        def _after_fork(self) -> None: ...


__all__ = ["after_fork"]


_affected: weakref.WeakSet[_Affected] = weakref.WeakSet()


def after_fork(one: _Affected) -> None:
    """Have ``one._after_fork()`` called in every child that ``os.fork`` makes, for as long as ``one`` lives."""
    _affected.add(one)


def _in_the_child() -> None:
    # Another thread may have been adding to the set: then the copy has to do, as nobody guards the original any more.
    for one in list(_affected.data):  # type: ignore[attr-defined]
        alive = one()
        if alive is not None:
            alive._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_the_child)
