"""Collecting garbage on interpreters that count references and on those that don't."""

from __future__ import annotations

import gc
import sys

CPYTHON = sys.implementation.name == "cpython"
COUNTS_AT_ONCE = CPYTHON and "free-threading" not in sys.version
"""Without a GIL the references to classes are counted late, by the collector itself."""

IMMORTAL_CLASSES = CPYTHON and "free-threading" in sys.version and sys.version_info < (3, 14)
"""A free-threaded 3.13 never lets go of a class that was made after the first thread was started, nor of a function."""

IMMORTAL_NAMES = CPYTHON and "free-threading" in sys.version
"""A free-threaded CPython keeps each string that has been interned, as names of attributes and commands are."""


def collect() -> None:
    """Collect what nothing refers to, what its finalizers have let go of included."""
    # What a coroutine that was not finished holds is found by the second collection from 3.15 on.
    for _ in range(1 if COUNTS_AT_ONCE and sys.version_info < (3, 15) else 3):
        gc.collect()


def catch_up() -> None:
    """Let go of what CPython has let go of by now, by counting references; on CPython that is nothing."""
    if not CPYTHON:
        collect()
