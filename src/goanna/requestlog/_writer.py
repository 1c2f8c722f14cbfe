"""The listener behind a RequestLogger's queue: makes lines of events and has them written, on the queue's thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, final

from goanna.core.forks import ForkLock
from goanna.errors import reported, warn
from goanna.listeners import handles
from goanna.requestlog._boto2 import Taken, event_of
from goanna.requestlog._clock import Clock
from goanna.requestlog._files import Target
from goanna.requestlog.events import RequestEvent, RequestListener

__all__ = ["Writer"]


@final
class Writer(RequestListener):
    """Writes a line for each event; raises nothing, but counts the lines that could not be written.

    Attributes:
        target: where the lines go; it may be replaced.
        lost: how many lines could not be made or written.
    """

    target: Target

    def __init__(self, make_line: Callable[[RequestEvent], str]) -> None:
        self.lost = 0
        self._make_line = make_line
        self._clock = Clock()
        self._failing = 0
        self._awkward = False
        self._lock = ForkLock(threading.Lock)
        self._closed = False

    @handles(Taken)
    def taken(self, event: Any) -> None:
        """Write one line."""
        self.handle_batch([event])

    def completed(self, event: Any) -> None:
        """Write one line."""
        self.handle_batch([event])

    failed = attempted = completed

    def handle_batch(self, events: list[Any]) -> None:
        """Write a line for each event, all in one go."""
        lines = []
        for event in events:
            try:
                lines.append(self._make_line(event_of(event, self._clock) if type(event) is Taken else event))
            except Exception as error:
                self._could_not_make(error)
        if lines:
            with self._lock.now:
                left, problem = self.target.write(lines)
            if self._closed:
                self.close()
            if problem is not None:
                self._could_not_write(left, problem)
            elif self._failing:
                self._can_write_again()

    def close(self) -> None:
        """Close the target; if a line is being written right now, when that is done."""
        self._closed = True
        lock = self._lock.now
        if lock.acquire(blocking=False):
            try:
                self.target.close()
            finally:
                lock.release()

    # A program whose log can't be written must not drown in reports of that.

    def _could_not_make(self, error: Exception) -> None:
        self.lost += 1
        if not self._awkward:
            self._awkward = True
            reported(
                lambda: logging.getLogger("goanna").error(
                    "a request can't be logged; this is said once, lines that are lost are counted", exc_info=error
                )
            )

    def _could_not_write(self, left: int, error: Exception) -> None:
        self.lost += left
        if not self._failing:
            reported(
                lambda: logging.getLogger("goanna").error(
                    "the request log %s can't be written: %s: %s; lines are lost and counted until it can",
                    self._name(), type(error).__name__, error,
                )
            )  # fmt: skip
        self._failing += left

    def _can_write_again(self) -> None:
        lost, self._failing = self._failing, 0
        warn("the request log %s can be written again; %d lines were lost", self._name(), lost)

    def _name(self) -> str:
        return repr(getattr(self.target.file, "name", self.target.file))
