"""Listeners that keep what they get, gates where they stop, and the identity that every Stats must keep."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from support.threads import PATIENCE, meanwhile


def check(stats: Any) -> Any:
    """Return the stats, after making sure that nothing is missing in them."""
    accounted = stats.delivered + stats.failed + stats.filtered + sum(stats.dropped.values()) + stats.pending
    assert stats.published == accounted, stats
    assert stats.pending >= 0
    return stats


class Gate:
    """Where a listener stops until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self) -> None:
        self.reached.release()
        assert self.open.wait(PATIENCE)

    def wait_for_it(self) -> None:
        assert self.reached.acquire(timeout=PATIENCE)


def recorder(shapes: ModuleType, does: Callable[[Any], object] | None = None, **extra: Any) -> Any:
    """A listener of orders that keeps their numbers in ``log`` and then does something.

    ``extra`` are further methods of its class.
    """

    def placed(self: Any, event: Any) -> None:
        self.log.append(event.order_id)
        self.threads.append(threading.current_thread())
        if does is not None:
            does(event)

    cls = type("Recording", (shapes.OrderListener,), {"placed": placed, **extra})
    made = cls()
    made.log, made.threads = [], []
    return made


@contextmanager
def sampled(*watched: Any) -> Iterator[list[Any]]:
    """Look at the stats of these wrappers and registrations all the time; the samples of the first come out."""
    samples: list[Any] = []

    def look() -> None:
        for one in watched:
            stats = check(one.stats())
            if one is watched[0]:
                samples.append(stats)

    with meanwhile(look, look):
        yield samples
    assert samples
