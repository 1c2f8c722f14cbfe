"""RequestLogger: a line for every request, written on a thread of its own."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any, final

from goanna.core.base import uncopied
from goanna.delivery.overflow import LogOverflow, checked_overflow
from goanna.delivery.queued import queued
from goanna.errors import log_error
from goanna.events import replace
from goanna.line_file import PRIVATE, LineFile, LineStream, checked_mode
from goanna.requestlog import _files, _lines
from goanna.requestlog._boto2 import Taken, take
from goanna.requestlog._writer import Writer
from goanna.requestlog.events import RequestListener
from goanna.requestlog.hook import RequestHook, unguarded
from goanna.stats import Stats

__all__ = ["RequestLogQueue", "RequestLogger"]


class RequestLogger(RequestHook, RequestListener):
    """Logs requests, in place of ``boto.requestlog.RequestLogger``; for boto3 too, see :func:`attach`.

    ::

        connection.set_request_hook(RequestLogger("requests.csv"))  # boto 2
        attach(session, RequestLogger("requests.jsonl", format="json"))  # boto3

    The thread of the request does no more than note a few facts. What waits is written when the process exits, too.
    Whatever goes wrong, nothing is raised into a request: a log that can't be written is reported once to the
    logger ``goanna``, and the lines that are lost are counted.

    Args:
        filename: the file to log to, which is created if necessary; by default a new one in the temporary folder, with
            a name that can't be guessed (``request_log_file.name``) and readable by nobody else.
        format: "boto" is a line of five quoted fields: local time, status, seconds, Content-Length, operation;
            "csv" has a header and all there is to know; "json" has the same, an object to each line. Attempts are
            logged in "csv" and "json" only.
        append: keep what the file holds; otherwise it is emptied.
        mode: of a file that is made here: who may do what with it, as far as the umask allows. By default nobody but
            its owner may read it, since addresses, names and errors of services are in it.
        guard_formulas: whether a cell of a "csv" that a spreadsheet would take for a formula begins with a quote.
        file: a file object to write to instead, of text or bytes; it is not closed.
        handler: a ``logging.Handler`` to write to instead, such as a ``RotatingFileHandler``; not closed either. There
            is no header then. The handler's formatter and filters apply.
        maxsize: how many lines wait at most.
        overflow: what happens when so many wait: "drop_oldest", "drop_newest" (both count), or "block" until there is
            room, or ``timeout`` is over.
        timeout: seconds; None waits for as long as it takes.
        exit_timeout: how many seconds the exit of the process waits at most for what has to be written.

    Raises:
        TypeError: more than one of ``filename``, ``file`` and ``handler``, or one that is no such thing.
        ValueError: an unknown ``format`` or ``overflow``, a size, time or mode that is none, a file that is closed.
        FileNotFoundError: the folder of the file doesn't exist.
        PermissionError: the file may not be written; or it is in a folder where everybody may write, and is a symbolic
            link, has other names or belongs to somebody else; or a folder on the way to it is such a link.
        OSError: the file can't be opened.
    """

    def __reduce__(self) -> str:
        return uncopied(self)

    def __init__(
        self,
        filename: str | os.PathLike[str] | None = None,
        *,
        format: _lines.Format = "boto",  # noqa: A002 - it is what logging calls it
        append: bool = True,
        mode: int = PRIVATE,
        guard_formulas: bool = True,
        file: Any = None,
        handler: logging.Handler | None = None,
        maxsize: int = 10_000,
        overflow: LogOverflow = "drop_oldest",
        timeout: float | None = None,
        exit_timeout: float = 5.0,
    ) -> None:
        if (filename is not None) + (file is not None) + (handler is not None) > 1:
            raise TypeError("RequestLogger() takes one of filename, file and handler")
        checked_overflow(overflow, LogOverflow)
        checked_mode(mode)
        self._writer = Writer(_lines.line_format(format, guard_formulas))
        self._queue = queued(
            self._writer,
            maxsize=maxsize,
            overflow=overflow,
            timeout=timeout,
            exit_timeout=exit_timeout,
            name="goanna.requestlog",
        )
        if handler is not None:
            self._writer.target = _files.Handler(handler)
        elif file is not None:
            self._writer.target = LineStream(file)
        elif filename is not None:
            self._writer.target = LineFile(filename, append=append, mode=mode, header=_lines.header(format))
        else:
            self._writer.target = _files.new_file(format, _lines.header(format))
        self.request_log_queue: RequestLogQueue = RequestLogQueue(self._queue, maxsize)
        # Looked up once; the dispatcher calls the last three without a step between.
        self._push: Callable[[Taken], object] = self._queue.taken
        self.completed = self._queue.completed  # type: ignore[method-assign]
        self.failed = self._queue.failed  # type: ignore[method-assign]
        if format != "boto":
            self.attempted = self._queue.attempted  # type: ignore[method-assign]

    @unguarded
    def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
        """Log a request of boto 2, which calls this; lets no Exception out."""
        try:
            self._push(take(request, response, error))
        except Exception as failure:
            log_error(failure, self, request)

    @property
    def request_log_file(self) -> Any:
        """What the lines are written to; may be set to another file object, which then gets the next line.

        The file that was there before is left open.
        """
        return self._writer.target.file

    @request_log_file.setter
    def request_log_file(self, file: Any) -> None:
        self._writer.target = LineStream(file)

    def flush(self, timeout: float | None = None) -> int:
        """Wait until what has come so far is written.

        Args:
            timeout: seconds, None for as long as it takes.

        Returns:
            How many lines were left when the time was up.
        """
        return int(self._queue.flush(timeout))

    def close(self, timeout: float | None = None) -> int:
        """Take no more requests, wait like :meth:`flush`, drop what is left, and close the file if it was opened here.

        Requests that come later are counted as dropped. Closing again does no harm.

        Args:
            timeout: seconds, None for as long as it takes.

        Returns:
            How many lines were left when the time was up.
        """
        left = int(self._queue.close(timeout))
        self._writer.close()
        return left

    def stats(self) -> Stats:
        """Return what became of the requests: delivered lines are written, failed ones could not be."""
        lost = self._writer.lost  # before the rest, which may count them a moment later as delivered
        stats: Stats = self._queue.stats()
        lost = min(lost, stats.delivered)
        return replace(stats, delivered=stats.delivered - lost, failed=stats.failed + lost)

    def __enter__(self) -> RequestLogger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        file = self._writer.target.file
        return f"<{type(self).__name__} to {getattr(file, 'name', file)!r}>"


@final
class RequestLogQueue:
    """What :attr:`RequestLogger.request_log_queue` offers of a ``queue.Queue``, for programs that look into it.

    Attributes:
        maxsize: how many lines wait at most.
    """

    def __reduce__(self) -> str:
        return uncopied(self)

    def __init__(self, queue: Any, maxsize: int) -> None:
        self.maxsize = maxsize
        self._queue = queue

    def join(self) -> None:
        """Wait until everything that has come so far is written."""
        self._queue.flush(None)

    def qsize(self) -> int:
        """Return how many lines wait or are being written."""
        return int(self._queue.stats().pending)

    def empty(self) -> bool:
        """Return whether nothing waits."""
        return self.qsize() == 0

    def full(self) -> bool:
        """Return whether the next line meets a full queue."""
        return self.qsize() >= self.maxsize

    def __repr__(self) -> str:
        return f"<RequestLogQueue with {self.qsize()} of {self.maxsize}>"
