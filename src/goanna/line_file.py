"""Files of lines: how they are opened, whom they can be read by, and what becomes of half a line.

There is one writer for all of them: request logs, what JSONLinesHandler writes, recordings.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from contextlib import suppress
from typing import Any, final

__all__ = ["PRIVATE", "LineFile", "LineStream", "checked_mode"]

PRIVATE = 0o600
"""The mode of files that hold what users ask and services answer, unless the program says otherwise."""

_NEWLINE = 0x0A
_LINKS = 40
"""How many links a path may lead through, as with the kernel."""


@final
class LineFile:
    """A file that is opened here, for appending or anew.

    What is written is with the operating system at once, in one call, and at the end of the file. So a forked child
    inherits no buffer, and lines of several processes don't get mixed up.

    Args:
        path: of the file.
        append: keep what it holds; otherwise it is emptied.
        new: it must not exist yet.
        mode: who may do what with the file if it is made here, as far as the umask allows.
        header: what it begins with, if it is empty.

    Raises:
        TypeError: ``path`` is no path.
        FileNotFoundError: its folder doesn't exist.
        FileExistsError: it exists, and must not.
        PermissionError: in a folder where others may write, it or a folder on the way to it is a link; or it belongs
            to somebody else.
        OSError: it can't be opened.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        append: bool = True,
        new: bool = False,
        mode: int = PRIVATE,
        header: str = "",
    ) -> None:
        path = os.fspath(path)
        if not isinstance(path, str):
            raise TypeError(f"filename must be a str or a path of one, not {type(path).__name__}")
        self._torn = False
        raw = io.FileIO(_open(path, append, new, mode), "ab")
        # For those who look at it or write to it; what is written below goes round it.
        self.file: io.TextIOWrapper = io.TextIOWrapper(
            raw, encoding="utf-8", errors="backslashreplace", newline="", write_through=True
        )
        raw.name = path
        self._raw = raw
        status = os.fstat(raw.fileno())
        if header and stat.S_ISREG(status.st_mode) and status.st_size == 0:
            _, error = self.write([header])
            if error is not None:
                self.file.close()
                raise error

    def write(self, lines: list[str]) -> tuple[int, Exception | None]:
        """Write the lines in one call, or in as few as the system takes them in.

        Returns:
            How many are missing, and what went wrong.
        """
        data = "".join(lines).encode("utf-8", "backslashreplace")
        left, error = self.put(data)
        # A line has one newline, at its end.
        return min(data.count(_NEWLINE, len(data) - left), len(lines)) if error else 0, error

    def put(self, data: bytes) -> tuple[int, Exception | None]:
        """Write whole lines.

        Returns:
            How many bytes are missing, and what went wrong.
        """
        if self._torn:  # only the beginning of a line got out, as on a full disk: the next one begins anew
            data = b"\n" + data
        rest = memoryview(data)
        try:
            while rest:
                count = self._raw.write(rest)
                if not count:
                    raise BlockingIOError(errno.EAGAIN, "the file can't be written to without blocking", self._raw.name)
                self._torn = rest[count - 1] != _NEWLINE
                rest = rest[count:]
        except (OSError, ValueError) as error:  # ValueError: somebody has closed it
            return len(rest), error
        return 0, None

    def cut(self, size: int) -> None:
        """Let go of what comes after so many bytes, of which the last ends a line.

        Raises:
            OSError: it is no file that can be shortened.
        """
        os.ftruncate(self._raw.fileno(), size)
        self._torn = False

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def checked_mode(mode: object) -> int:
    """Return the mode of a file.

    Raises:
        TypeError: it is no number.
        ValueError: it is not one of 0o000 to 0o777.
    """
    if not isinstance(mode, int) or isinstance(mode, bool):
        raise TypeError(f"mode must be a number such as 0o640, not {mode!r}")
    if not 0 <= mode <= 0o777:
        raise ValueError(f"mode is {mode:#o}; it must be one of 0o000 to 0o777")
    return mode


_WRITE = os.O_WRONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)


def _open(path: str, append: bool, new: bool, mode: int) -> int:
    """Open a file for writing at its end, and look whether it is what we meant to open."""
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        what = "is not a folder" if os.path.exists(folder) else "does not exist"
        raise FileNotFoundError(errno.ENOENT, f"the folder of the file {what}", folder)
    flags = _WRITE | os.O_APPEND | os.O_CREAT | (os.O_EXCL if new else 0)
    if os.open not in os.supports_dir_fd:  # no POSIX, no folders where everybody may write
        return _emptied(os.open(path, flags, mode), append)
    parent, name = _entered(path, follow=not new)
    try:
        number = os.open(name, flags | (0 if _magic(parent) else os.O_NOFOLLOW), mode, dir_fd=parent)
        shared = bool(os.fstat(parent).st_mode & stat.S_IWOTH)
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(parent)
    try:
        status = os.fstat(number)
        if shared and stat.S_ISREG(status.st_mode) and (status.st_uid != os.geteuid() or status.st_nlink > 1):
            whose = "has other names" if status.st_uid == os.geteuid() else "belongs to somebody else"
            raise PermissionError(errno.EPERM, f"the file is in a folder where everybody may write, and {whose}", path)
    except BaseException:
        os.close(number)
        raise
    return _emptied(number, append)


def _emptied(number: int, append: bool) -> int:
    if not append and stat.S_ISREG(os.fstat(number).st_mode):
        os.ftruncate(number, 0)
    return number


def _entered(path: str, follow: bool) -> tuple[int, str]:
    """Return the folder in which a path ends, opened, and the name of the file in it, which may be a link if need be.

    A link, at the end or on the way, is followed only where nobody but us and the system could have put it.
    """
    rest = [one for one in reversed(path.split("/")) if one not in ("", ".")]
    here = os.open("/" if path.startswith("/") else ".", _FOLDER)
    links = 0
    try:
        while True:
            name = rest.pop() if rest else "."
            target = None if _magic(here) else _target(here, name)
            if target is not None and (rest or follow):
                links += 1
                if links > _LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                if _strangers_write(here):
                    what = "the file" if not rest else f"the folder {name} on the way to it"
                    raise PermissionError(
                        errno.EPERM, f"{what} is a symbolic link in a folder where everybody may write"
                    )
                rest.extend(one for one in reversed(target.split("/")) if one not in ("", "."))
                entered = os.open("/", _FOLDER) if target.startswith("/") else None
            elif rest:
                entered = os.open(name, _FOLDER | (0 if _magic(here) else os.O_NOFOLLOW), dir_fd=here)
            else:
                return here, name
            if entered is not None:
                os.close(here)
                here = entered
    except OSError as error:
        os.close(here)
        error.filename = path
        raise


def _target(folder: int, name: str) -> str | None:
    """Return where a link leads; None for anything else."""
    with suppress(OSError):
        return os.readlink(name, dir_fd=folder)
    return None


def _magic(folder: int) -> bool:
    """Return whether its links are no paths, as with ``/dev/stdout``, which leads to ``/proc/self/fd/1``."""
    with suppress(OSError):
        return os.path.isdir("/proc/self") and os.fstat(folder).st_dev == os.stat("/proc").st_dev
    return False


def _strangers_write(folder: int) -> bool:
    status = os.fstat(folder)
    return bool(status.st_mode & stat.S_IWOTH) or status.st_uid not in (0, os.geteuid())


@final
class LineStream:
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
        """Write the lines in one call, and flush; return how many are missing, and what went wrong."""
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
