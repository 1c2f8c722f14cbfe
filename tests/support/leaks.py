"""What the tests against leaks measure: what repeating an action leaves behind."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest

from support.garbage import COUNTS_AT_ONCE, collect

WARM_UP = 250
"""How often an action is repeated before anything is measured."""


def calls(count: int) -> int:
    """Return how often :func:`assert_no_leak` calls the action in all."""
    return WARM_UP + _warm_up_traced(count) + count


def _warm_up_traced(count: int) -> int:
    # Without a GIL the collector keeps buffers that are as large as what it once found in them.
    return 50 if COUNTS_AT_ONCE else count


class Left(NamedTuple):
    """What there is: objects that the collector follows, bytes allocated since tracing began, and references."""

    objects: int
    memory: int
    references: list[int]


def assert_no_leak(
    action: Callable[[], object], count: int, watched: Sequence[object], *, references: int | None = None
) -> None:
    """Fail if `count` times `action` leave objects, memory, or references to one of `watched` behind.

    Only CPython counts references and traces memory, so elsewhere the test is skipped.

    Args:
        action: leaves everything as it was.
        count: how often it is repeated.
        watched: objects that it uses.
        references: how many references to one of them may come or go; a tenth of `count` if it is not given.
    """
    if sys.implementation.name != "cpython":
        pytest.skip("only CPython counts references and traces memory")
    import tracemalloc

    if references is None:
        references = count // 10

    def settled() -> Left:
        collect()
        counts = [sys.getrefcount(one) for one in watched]
        return Left(len(gc.get_objects()), tracemalloc.get_traced_memory()[0], counts)

    def repeat(times: int) -> None:
        for _ in range(times):
            action()

    repeat(WARM_UP)
    # What is there now, other tests' leftovers above all, is neither counted nor collected meanwhile.
    gc.collect()
    gc.freeze()
    tracemalloc.start()
    try:
        repeat(_warm_up_traced(count))
        before = settled()
        repeat(count)
        after = settled()
    finally:
        tracemalloc.stop()
        gc.unfreeze()
    leak = _difference(before, after, count, watched, references)
    assert leak is None, f"after {count} calls: {leak}"


def _difference(before: Left, after: Left, count: int, watched: Sequence[object], references: int) -> str | None:
    """Return what the calls have left behind, None if that is nothing.

    A leak of one object or one reference per call, or one taken too many, would show as at least `count`; one of the
    smallest block that Python allocates as 16 times as much.
    """
    objects = after.objects - before.objects
    if abs(objects) >= 50:
        return f"{objects} objects"
    memory = after.memory - before.memory
    if memory >= count // 2 + 5000:
        return f"{memory} bytes"
    for one, earlier, later in zip(watched, before.references, after.references, strict=True):
        if abs(later - earlier) >= references:
            return f"{later - earlier} references to {one!r}"
    return None
