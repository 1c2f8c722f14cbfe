"""The thread of a queue survives what happens in it."""

from __future__ import annotations

import logging
import threading
from types import ModuleType
from typing import Any

import pytest


class Unsound(logging.Filter):
    """A filter that raises, which logging does not catch."""

    def filter(self, record: logging.LogRecord) -> bool:
        raise RuntimeError("in the filter")


def test_a_thread_that_its_error_policy_has_ended_is_started_again(
    goanna: ModuleType, shapes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    told: list[Any] = []
    ended = threading.Event()

    def hook(arguments: Any) -> None:
        told.append(arguments.exc_value)
        ended.set()

    monkeypatch.setattr(threading, "excepthook", hook)

    class Listener(shapes.OrderListener):  # type: ignore[name-defined, misc]
        def placed(self, event: Any) -> None:
            seen.append(event.order_id)
            if event.order_id == 0:
                raise ValueError("the listener")

    logger = logging.getLogger("goanna")
    unsound = Unsound()
    logger.addFilter(unsound)
    try:
        queue = goanna.queued(Listener(), delay=0)
        queue.placed(shapes.OrderPlaced(0))
        assert ended.wait(10)
    finally:
        logger.removeFilter(unsound)
    for number in (1, 2, 3):
        queue.placed(shapes.OrderPlaced(number))
    assert queue.flush(10) == 0
    assert seen == [0, 1, 2, 3]
    assert [str(one) for one in told] == ["in the filter"]
    stats = queue.stats()
    assert (stats.published, stats.delivered, stats.failed) == (4, 3, 1)
    queue.close(10)
