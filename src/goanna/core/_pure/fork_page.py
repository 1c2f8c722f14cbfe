"""Whether this process has been forked off, for the pure ring: at the price of reading one byte."""

from __future__ import annotations

import mmap
import os
import sys
import weakref

from goanna.core._pure.reporting import forget_others
from goanna.core.base import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Final, Protocol

    class _Ring(Protocol):
        def _start_anew(self) -> None: ...


__all__ = ["look_for_forks", "page", "rings"]


class _Process:
    """Stands in for the page where there is none: its first byte is 0 in another process."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    def __getitem__(self, index: int) -> int:
        return int(os.getpid() == self._pid)

    def __setitem__(self, index: int, value: int) -> None:
        self._pid = os.getpid()


def _new_page() -> Any:
    """Return a byte that is 1 here and 0 in any process forked off, also by a fork that runs no hooks.

    Linux wipes a page in the child if it is asked to, and reading it is much cheaper than a system call.
    """
    if sys.platform == "linux":
        wipe_on_fork = 18  # MADV_WIPEONFORK of <sys/mman.h>, which the module mmap has no name for
        try:
            page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            page.madvise(wipe_on_fork)
        except OSError:  # a kernel before 4.14
            return _Process()
        page[0] = 1
        return page
    return _Process()


page: Final = _new_page()

rings: Final[weakref.WeakSet[_Ring]] = weakref.WeakSet()


def look_for_forks() -> None:
    """If this process was forked off since the last call, have all rings start anew."""
    if not page[0]:
        page[0] = 1
        forget_others()
        for reference in list(rings.data):  # type: ignore[attr-defined]  # its lock may be held by nobody who is here
            one = reference()
            if one is not None:
                one._start_anew()
