"""Running several things at the same moment, each on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 30.0
"""Seconds after which a test that waits for another thread gives up; no test that passes waits so long."""


def run_all(*calls: Callable[[], object], patience: float = 4 * PATIENCE) -> None:
    """Call them at the same time, each on a thread of its own, and wait; raise what the first of them raised.

    ``patience`` is how many seconds each may take.
    """
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        try:
            barrier.wait(PATIENCE)
            call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for one in threads:
        one.start()
    for one in threads:
        one.join(patience)
        assert not one.is_alive()
    if errors:
        raise errors[0]


@contextmanager
def meanwhile(*calls: Callable[[], object]) -> Iterator[None]:
    """Call them again and again, each on a thread of its own, while the block runs; raise what one of them raised."""
    errors: list[BaseException] = []
    over = threading.Event()

    def repeat(call: Callable[[], object]) -> None:
        try:
            while not over.is_set():
                call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=repeat, args=(call,)) for call in calls]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        over.set()
        for one in threads:
            one.join(PATIENCE)
    assert not any(one.is_alive() for one in threads)
    if errors:
        raise errors[0]
