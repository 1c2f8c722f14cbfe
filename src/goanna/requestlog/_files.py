"""Where lines go: a file of our own, somebody's file object, somebody's logging handler."""

from __future__ import annotations

import errno
import io
import logging
import os
import stat
import sys
import tempfile
from typing import Any, Protocol, final

__all__ = ["File", "Handler", "Stream", "Target", "new_file"]


class Target(Protocol):
    """Takes lines; one thread at a time writes."""

    @property
    def file(self) -> Any:
        """What is written to."""
        ...

    def write(self, lines: list[str]) -> tuple[int, Exception | None]:
        """Write the lines; return how many are missing, and what went wrong."""
        ...

    def close(self) -> None:
        """Let go of what was opened here."""
        ...


PREFIX, SUFFIX = "request_log_", ".csv"
_NEWLINE = 0x0A


def new_file(header: str) -> File:
    """Return a new file with a name of its own in the temporary folder, readable by nobody else."""
    number, path = tempfile.mkstemp(PREFIX, SUFFIX)
    os.close(number)
    return File(path, append=True, header=header)


@final
class File:
    """A file that is opened here, for appending or anew.

    What is written is with the operating system at once, in one call, and at the end of the file. So a forked child
    inherits no buffer, and lines of several processes don't get mixed up.

    Args:
        path: of the file.
        append: keep what it holds; otherwise it is emptied.
        header: what it begins with, if it is empty.

    Raises:
        TypeError: ``path`` is no path.
        FileNotFoundError: its folder doesn't exist.
        PermissionError: in a folder where everybody may write, it is a link, or belongs to somebody else.
        OSError: it can't be opened.
    """

    def __init__(self, path: str | os.PathLike[str], *, append: bool, header: str) -> None:
        path = os.fspath(path)
        if not isinstance(path, str):
            raise TypeError(f"filename must be a str or a path of one, not {type(path).__name__}")
        self._torn = False
        raw = io.FileIO(_open(path, append), "ab")
        # For those who look at it or write to it; what is written below goes round it.
        self.file = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", newline="", write_through=True)
        raw.name = path
        self._raw = raw
        status = os.fstat(raw.fileno())
        if header and stat.S_ISREG(status.st_mode) and status.st_size == 0:
            _, error = self.write([header])
            if error is not None:
                self.file.close()
                raise error

    def write(self, lines: list[str]) -> tuple[int, Exception | None]:
        """Write the lines in one call, or in as few as the system takes them in."""
        data = "".join(lines).encode("utf-8", "backslashreplace")
        if self._torn:  # only the beginning of a line got out, as on a full disk: the next one begins anew
            data = b"\n" + data
        rest = memoryview(data)
        try:
            while rest:
                count = self._raw.write(rest)
                if not count:
                    raise BlockingIOError(errno.EAGAIN, "the log can't be written to without blocking", self._raw.name)
                self._torn = rest[count - 1] != _NEWLINE
                rest = rest[count:]
        except (OSError, ValueError) as error:  # ValueError: somebody has closed it
            return min(bytes(rest).count(_NEWLINE), len(lines)), error  # a line has one, at its end
        return 0, None

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def _open(path: str, append: bool) -> int:
    """Open a file for writing at its end, and look whether it is what we meant to open."""
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        what = "is not a folder" if os.path.exists(folder) else "does not exist"
        raise FileNotFoundError(errno.ENOENT, f"the folder of the request log {what}", folder)
    shared = bool(os.stat(folder).st_mode & stat.S_IWOTH) and os.name == "posix"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)
    if shared:
        flags |= os.O_NOFOLLOW
    try:
        number = os.open(path, flags, 0o600 if shared else 0o666)
    except OSError as error:
        if shared and error.errno == errno.ELOOP:
            raise PermissionError(
                errno.EPERM, "the request log is a symbolic link in a folder where everybody may write", path
            ) from None
        raise
    try:
        status = os.fstat(number)
        if shared and stat.S_ISREG(status.st_mode) and (status.st_uid != os.geteuid() or status.st_nlink > 1):
            whose = "has other names" if status.st_uid == os.geteuid() else "belongs to somebody else"
            raise PermissionError(
                errno.EPERM, f"the request log is in a folder where everybody may write, and {whose}", path
            )
        if not append and stat.S_ISREG(status.st_mode):
            os.ftruncate(number, 0)
    except BaseException:
        os.close(number)
        raise
    return number


@final
class Stream:
    """Somebody's file object; it stays open.

    Args:
        file: has ``write``; gets text, or bytes if it is a binary file.

    Raises:
        TypeError: it has no ``write``.
        ValueError: it is closed, or open for reading only.
    """

    def __init__(self, file: Any) -> None:
        if not callable(getattr(file, "write", None)):
            raise TypeError(f"file must be a file object; {type(file).__name__} has no method write()")
        if getattr(file, "closed", False) is True:
            raise ValueError("file is closed")
        if isinstance(file, io.IOBase) and not file.writable():
            raise ValueError("file is open for reading only")
        self.file = file
        self._binary = isinstance(file, (io.RawIOBase, io.BufferedIOBase)) or "b" in str(getattr(file, "mode", ""))

    def write(self, lines: list[str]) -> tuple[int, Exception | None]:
        """Write the lines in one call, and flush."""
        text = "".join(lines)
        try:
            self.file.write(text.encode("utf-8", "backslashreplace") if self._binary else text)
            flush = getattr(self.file, "flush", None)
            if flush is not None:
                flush()
        except Exception as error:
            return len(lines), error
        return 0, None

    def close(self) -> None:
        """Leave the file to whoever opened it."""


@final
class Handler:
    """Somebody's logging handler, such as ``logging.handlers.RotatingFileHandler``; it stays open.

    Each line is a record of the logger ``goanna.requestlog`` with the level INFO. What goes wrong in the handler is
    returned instead of being printed for each record.

    Raises:
        TypeError: it is none.
    """

    def __init__(self, handler: Any) -> None:
        if not isinstance(handler, logging.Handler):
            hint = "; call it first" if isinstance(handler, type) else ""
            raise TypeError(f"handler must be a logging.Handler, not {handler!r}{hint}")
        self.handler = handler
        self._errors: list[Exception] = []

    @property
    def file(self) -> Any:
        """What the handler writes to, where it has such a thing."""
        return getattr(self.handler, "stream", None)

    def write(self, lines: list[str]) -> tuple[int, Exception | None]:
        """Hand the lines to the handler one by one."""
        level = logging.INFO
        if level < self.handler.level:
            return 0, None
        failed = self._errors
        failed.clear()
        self.handler.acquire()  # so that nobody else's record comes between
        try:
            kept = vars(self.handler).get("handleError")
            if kept == self._note:  # it was forked off in the middle of this
                kept = None
            self.handler.handleError = self._note  # type: ignore[method-assign]
            try:
                for line in lines:
                    record = logging.LogRecord("goanna.requestlog", level, "", 0, line.removesuffix("\n"), None, None)
                    try:
                        self.handler.handle(record)
                    except Exception as error:
                        failed.append(error)
            finally:
                if kept is None:
                    del self.handler.handleError
                else:
                    self.handler.handleError = kept  # type: ignore[method-assign]
        finally:
            self.handler.release()
        return len(failed), failed[0] if failed else None

    def _note(self, record: logging.LogRecord) -> None:
        """Stand in for the handler's ``handleError``."""
        error = sys.exc_info()[1]
        told = RuntimeError("the logging handler says that it has failed")
        self._errors.append(error if isinstance(error, Exception) else told)

    def close(self) -> None:
        """Flush the handler, and leave it to whoever made it."""
        self.handler.flush()
