"""The file of one process, bounded in size."""

from __future__ import annotations

import datetime
import itertools
import os
import platform
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import goanna
from goanna.errors import guarded
from goanna.line_file import LineFile
from goanna.recording.form import MARK, VERSION, line
from goanna.texts import escaped

__all__ = ["RecordingFile"]

_END: Final = 384
"""Bytes that are kept for the last line."""

_TAIL: Final = 4096
"""Bytes at the end that are remembered, in case that some have to go to make room for the last line."""


class RecordingFile:
    """Writes lines until there is no room, and counts those that it doesn't write.

    ``unencoded`` counts the events that no line could be made of.

    The file is opened for the first line. It is ``path`` in the process that comes first, and ``path`` with the number
    of the process behind it in every other. Where it can't be written any more, as on a full disk, the last events make
    room for the last line, which says so.
    """

    def __init__(self, path: str, documents: str, max_bytes: int) -> None:
        self.path = Path(path)
        self.documents = documents
        self.max_bytes = max_bytes
        self.origin = time.perf_counter_ns()
        self._file: LineFile | None = None
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
            self._file.close()
        self._file = None
        self._events = self._bytes = self.not_written = self.unencoded = 0
        self._full = False
        self._first = 0  # bytes of the header
        self._tail = b""
        self._error: Exception | None = None

    def write(self, lines: list[bytes]) -> None:
        """Write lines, those of events, as far as there is room; a shorter one after the first that had none isn't."""
        self.in_this_process()
        if self._file is None and self._error is None:
            self._open()
        chunk = bytearray()
        taken = 0
        for one in lines:
            self._full = self._full or self._bytes + len(one) > self.max_bytes - _END
            if self._full:
                break
            chunk += one
            self._bytes += len(one)
            taken += 1
        self.not_written += len(lines) - taken
        self._events += taken
        if chunk:
            self._put(bytes(chunk))

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
        last = self._last(lost)
        self._bytes += len(last)
        if not self._put(last):  # there is room for it now, and it says what went wrong
            self._file.put(self._last(lost))
        self._file.close()
        self._file = None

    def _last(self, lost: int) -> bytes:
        counts = {"events": self._events, "not_written": self.not_written, "lost": lost, "unencoded": self.unencoded}
        failed = {} if self._error is None else {"error": str(self._error)[:40]}
        return line({"end": {**counts, "seconds": (time.perf_counter_ns() - self.origin) / 1e9, **failed}})

    def _open(self) -> None:
        """Open the file, and write the header; a file that has no room for that is taken away again."""
        file = None
        try:
            for path in self._names():
                try:
                    file = LineFile(path, new=True)
                except FileExistsError:
                    continue
                self.path = path
                break
            assert file is not None  # names never end
            header = self._header()
            _, error = file.put(header)
            if error is not None:
                raise error
        except OSError as error:
            if file is not None:
                file.close()
                os.unlink(self.path)
            self._fail(error)
        else:
            self._file = file
            self._first = self._bytes = len(header)
            self._tail = header

    def _fail(self, error: Exception) -> None:
        self._full, self._error = True, error
        text = escaped(f"goanna record: {self.path} can't be written any more: {error}")
        guarded(partial(os.write, 2, f"{text}\n".encode(errors="backslashreplace")))

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

    def _put(self, chunk: bytes) -> bool:
        """Write whole lines, which are counted already; return whether they are all there."""
        assert self._file is not None
        left, error = self._file.put(chunk)
        lines = self._tail + chunk
        if error is None:
            self._tail = lines[lines.rfind(b"\n", 0, max(len(lines) - _TAIL, 0)) + 1 :]
            return True
        before = self._bytes - len(lines)  # in the file, ahead of the tail
        room = len(lines) - left - _END
        kept = max(lines.rfind(b"\n", 0, max(room, 0)) + 1, self._first - before)
        gone = sum(one.startswith(b'{"t":') for one in lines[kept:].splitlines())
        self._events -= gone
        self.not_written += gone
        self._file.cut(before + kept)
        self._bytes, self._tail = before + kept, lines[:kept]
        if self._error is None:
            self._fail(error)
        return False
