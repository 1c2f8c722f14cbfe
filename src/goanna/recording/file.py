"""The file of one process, bounded in size."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import goanna
from goanna.recording.form import MARK, VERSION, line

__all__ = ["RecordingFile"]

_END: Final = 256
"""Bytes that are kept for the last line."""


class RecordingFile:
    """Writes lines until there is no room, and counts those that it doesn't write.

    ``unencoded`` counts the events that no line could be made of.

    The file is opened for the first line. It is ``path`` in the process that comes first, and ``path`` with the number
    of the process behind it in every other.
    """

    def __init__(self, path: str, documents: str, max_bytes: int) -> None:
        self.path = Path(path)
        self.documents = documents
        self.max_bytes = max_bytes
        self.origin = time.perf_counter_ns()
        self._file: int | None = None
        self._process = 0
        self.in_this_process()

    def in_this_process(self) -> None:
        """Begin anew in a child: what the parent has written stays the parent's.

        By the number of the process and not by a hook, because the hooks of others may publish before ours would run.
        """
        if self._process == os.getpid():
            return
        self._process = os.getpid()
        if self._file is not None:
            os.close(self._file)
        self._file = None
        self._events = self._bytes = self.not_written = self.unencoded = 0
        self._full = False

    def write(self, lines: list[bytes]) -> None:
        """Write lines, those of events, as far as there is room; a shorter one after the first that had none isn't."""
        self.in_this_process()
        chunk = bytearray()
        if self._file is None:
            self._file = self._opened()
            chunk += self._header()
            self._bytes = len(chunk)
        taken = 0
        for one in lines:
            self._full = self._full or self._bytes + len(one) > self.max_bytes - _END
            if self._full:
                break
            chunk += one
            self._bytes += len(one)
            taken += 1
        self.not_written += len(lines) - taken
        try:
            self._put(chunk)
        except OSError as error:
            self._full = True
            self.not_written += taken
            os.write(2, f"goanna record: {self.path} can't be written any more: {error}\n".encode())
        else:
            self._events += taken

    def gap(self, count: int) -> None:
        """Say that events are missing here."""
        self.in_this_process()
        if self._file is not None and not self._full:
            mark = line({"lost": count})
            self._bytes += len(mark)
            self._put(mark)

    def end(self, lost: int) -> None:
        """Write the last line and close the file; a process without events has none."""
        self.in_this_process()
        if self._file is None:
            return
        counts = {"events": self._events, "not_written": self.not_written, "lost": lost, "unencoded": self.unencoded}
        with contextlib.suppress(OSError):  # said already, where the disk is full
            self._put(line({"end": {**counts, "seconds": (time.perf_counter_ns() - self.origin) / 1e9}}))
        os.close(self._file)
        self._file = None

    def _opened(self) -> int:
        for path in self._names():
            try:
                made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)
            except FileExistsError:
                continue
            self.path = path
            return made
        raise AssertionError("names never end")

    def _names(self) -> Iterator[Path]:
        yield self.path
        own = f"{self.path}.{os.getpid()}"
        yield Path(own)
        yield from (Path(f"{own}-{number}") for number in itertools.count(2))

    def _header(self) -> bytes:
        driver: Any = sys.modules.get("pymongo")
        return line(
            {
                MARK: VERSION,
                "goanna": goanna.__version__,
                "core": goanna.BACKEND,
                "python": f"{platform.python_implementation()} {platform.python_version()}",
                "pymongo": getattr(driver, "version", None),
                "platform": platform.platform(),
                "pid": os.getpid(),
                "began": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
                "documents": self.documents,
                "max_bytes": self.max_bytes,
            }
        )

    def _put(self, chunk: bytes | bytearray) -> None:
        assert self._file is not None
        view = memoryview(chunk)
        while view:
            view = view[os.write(self._file, view) :]
