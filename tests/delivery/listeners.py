"""What the programs under test are made of: one event, one interface, listeners that leave evidence in a file.

Programs import this module; the tests that run them don't. A line of the evidence is written in one piece to the end
of the file that EVIDENCE names, so that any number of processes may do so.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import goanna


class Told(goanna.Event):
    number: int
    source: str = "main"


class ToldListener(goanna.Listener):
    @goanna.handles(Told)
    def told(self, event: Told) -> None: ...


_file = os.open(os.environ["EVIDENCE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def note(*words: object) -> None:
    os.write(_file, (" ".join(map(str, (os.getpid(), *words))) + "\n").encode())


class Writer(ToldListener):
    """Notes every event: the process, where it came from, its number."""

    def told(self, event: Told) -> None:
        note(event.source, event.number)


class Gated(Writer):
    """Does so when the gate is open; says when it stands before it."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.there = threading.Event()

    def told(self, event: Told) -> None:
        self.there.set()
        self.gate.wait()
        super().told(event)

    def open_in_child(self) -> None:
        """Open the gate in a process that was forked off.

        It gets a gate of its own: a thread of the parent may have held the lock inside the old one at the fork.
        """
        self.gate = threading.Event()
        self.gate.set()


class Hanging(ToldListener):
    """Never comes back."""

    def __init__(self) -> None:
        self.there = threading.Event()

    def told(self, event: Told) -> None:
        self.there.set()
        threading.Event().wait()


def exact(stats: Any) -> bool:
    """Return whether every event is accounted for."""
    counted = stats.delivered + stats.failed + stats.filtered + sum(stats.dropped.values()) + stats.pending
    return bool(stats.published == counted)
