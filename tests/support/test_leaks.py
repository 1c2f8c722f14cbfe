"""The measure that the tests against leaks rely on finds leaks, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from support.leaks import assert_no_leak, calls

pytestmark = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="only CPython counts references and traces memory"
)

COUNT = 2000
SHARED = object()
kept: list[Any] = []
cells: list[Any] = []
"""As many as there are calls, so that what is put into them takes no memory."""


def take(event: Any) -> None:
    cells[cells.index(None)] = SHARED


def give_up(event: Any) -> None:
    cells[cells.index(SHARED)] = None


PLANTED: dict[str, tuple[Callable[[Any], object], str]] = {
    "the event": (lambda event: kept.append(event), "objects"),
    "an object that the collector follows": (lambda event: kept.append([]), "objects"),
    "the smallest object": (lambda event: kept.append(object()), "bytes"),
    "a reference": (take, f"{COUNT} references to <object"),
    "a reference too few": (give_up, f"-{COUNT} references to <object"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_one_leak_per_publish_is_found(goanna: ModuleType, shapes: ModuleType, name: str) -> None:
    leak, found = PLANTED[name]

    class Leaks(shapes.Recorder):  # type: ignore[name-defined,misc]
        def placed(self, event: Any) -> None:
            leak(event)

    hub = goanna.Dispatcher()
    hub.add(Leaks())
    publish = hub.publisher(shapes.OrderPlaced)
    cells[:] = [SHARED if leak is give_up else None] * calls(COUNT)
    try:
        with pytest.raises(AssertionError, match=found):
            assert_no_leak(lambda: publish(1), COUNT, [SHARED])
    finally:
        kept.clear()
        cells.clear()
