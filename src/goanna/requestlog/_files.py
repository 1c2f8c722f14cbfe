"""Where a request log's lines go: a file of our own, somebody's file object, somebody's logging handler."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from typing import Any, Protocol, final

from goanna.line_file import LineFile

__all__ = ["Handler", "Target", "new_file"]


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


def new_file(name: str, header: str) -> LineFile:
    """Return a new file with a name of its own in the temporary folder, readable by nobody else.

    Args:
        name: of the format, with which the file's ends.
        header: what it begins with.
    """
    number, path = tempfile.mkstemp(prefix="request_log_", suffix=".jsonl" if name == "json" else ".csv")
    os.close(number)
    return LineFile(path, header=header)


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
