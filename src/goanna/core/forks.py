"""What must be set right in a process that was forked off."""

from __future__ import annotations

import os
import threading
import weakref

from goanna.core.base import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class _Affected(Protocol):
        def _after_fork(self) -> None: ...


__all__ = ["ForkLock", "after_fork"]


_affected: weakref.WeakSet[_Affected] = weakref.WeakSet()


def after_fork(one: _Affected) -> None:
    """Have ``one._after_fork()`` called in every child that ``os.fork`` makes, for as long as ``one`` lives."""
    _affected.add(one)


@final
class ForkLock:
    """A lock that nobody holds in a forked child, where the thread that held it may not be.

    A fork in C that runs none of Python's hooks is noticed, too.

    Args:
        make: makes one; by default a re-entrant one.
    """

    __slots__ = ("__weakref__", "_lock", "_make", "_process")

    def __init__(self, make: Callable[[], Any] = threading.RLock) -> None:
        self._make = make
        self._after_fork()
        after_fork(self)

    @property
    def now(self) -> Any:
        """The lock, in this process; to be looked up each time."""
        if self._process != os.getpid():
            self._after_fork()
        return self._lock

    def _after_fork(self) -> None:
        self._lock = self._make()
        self._process = os.getpid()


def _in_the_child() -> None:
    # Another thread may have been adding to the set: then the copy has to do, as nobody guards the original any more.
    for one in list(_affected.data):  # type: ignore[attr-defined]
        alive = one()
        if alive is not None:
            alive._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_the_child)
