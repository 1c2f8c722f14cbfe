"""ConsoleHandler and BufferHandler: what happens in a request, for people to read."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

from goanna.audit._names import Event, EventHandler, RequestEnd, RequestStart
from goanna.audit.handlers import _describe
from goanna.texts import described, escaped, without_secrets

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["BufferHandler", "ConsoleHandler"]


class _Shown:
    """The context of a request or an event: its number and when it began."""

    __slots__ = ("began", "events", "number")

    def __init__(self, number: str) -> None:
        self.number: str = number
        self.began: float = time.perf_counter()
        self.events: int = 0

    def took(self) -> str:
        return f"{(time.perf_counter() - self.began) * 1000:,.1f} ms"


class ConsoleHandler(EventHandler[Any, Any]):
    """Prints requests and events with rich.

    Requests are numbered, and so are the events of a request, so that lines of events that overlap can be told apart.
    What users and models say is printed without control characters, and without the user, password and query of URLs;
    its second line and all after that are indented.

    Args:
        console: a ``rich.console.Console``; a new one on standard output if left out.

    Raises:
        ModuleNotFoundError: rich is not installed (``pip install goanna[console]``).
    """

    def __init__(self, console: Console | None = None) -> None:
        from rich.console import Console

        self.console: Console = Console() if console is None else console
        self._requests = 0

    def _print(self, style: str, head: str, *lines: tuple[str, Any]) -> None:
        from rich.text import Text

        text = Text(
            escaped(head), style=style
        )  # a Text, because markup in what users and models say is not meant for rich
        for key, value in lines:
            text.append(f"\n  {escaped(str(key))}: ", style="cyan")
            text.append(_shown(value), style="default")
        self.console.print(text)

    async def request_start(self, user_request: RequestStart) -> _Shown:
        """Print what the request is about."""
        self._requests += 1
        shown = _Shown(str(self._requests))
        self._print("bold", f"request {shown.number}", *_describe.fields(user_request).items())
        return shown

    async def event_start(self, event: Event, request_context: _Shown | None) -> _Shown:
        """Print what is known of the event."""
        number = "-"
        if request_context is not None:
            request_context.events += 1
            number = f"{request_context.number}.{request_context.events}"
        shown = _Shown(number)
        self._print("bold blue", f"{_describe.name(event)} {shown.number}", *_describe.inputs(event).items())
        return shown

    async def event_end(
        self,
        event: Event | None,
        request_context: _Shown | None,
        event_context: _Shown,
        error: BaseException | None = None,
    ) -> None:
        """Print what has come out of the event, or what went wrong, and how long it took."""
        head = f"{'event' if event is None else _describe.name(event)} {event_context.number}"
        out = {} if event is None else _describe.outputs(event)
        self._ended(head, event_context, error, out)

    async def request_end(
        self, output: RequestEnd, request_context: _Shown, error: BaseException | None = None
    ) -> None:
        """Print what the request has come to, and how long it took."""
        result = output.result
        lines: dict[str, Any] = {}
        if result is None:
            lines["result"] = "none"
        elif isinstance(rows := getattr(result, "results", None), list):
            lines["rows"] = len(rows)
            lines.update(getattr(result, "context", None) or {})
            if text := getattr(result, "textual_response", None):
                lines["answer"] = text
        else:
            lines["result"] = result
        self._ended(f"request {request_context.number}", request_context, error, lines)

    def _ended(self, head: str, shown: _Shown, error: BaseException | None, lines: dict[str, Any]) -> None:
        if error is None:
            self._print("green", f"{head} ended after {shown.took()}", *lines.items())
        else:
            lines = {**lines, "error": described(error)}
            self._print("bold red", f"{head} failed after {shown.took()}", *lines.items())


def _shown(value: Any) -> str:
    """Return a value for people, of which no line can be taken for one of ours."""
    lines = without_secrets(_written(value)).split("\n")
    return "\n    ".join([escaped(line).removeprefix("    ") for line in lines])


def _written(value: Any) -> str:
    """Return a value for people; the messages of a prompt one per line."""
    if isinstance(value, (list, tuple)) and value and all(isinstance(one, dict) and "content" in one for one in value):
        return "".join(f"\n    {one.get('role', '?')}: {one['content']}" for one in value)
    return value if isinstance(value, str) else repr(value)


class BufferHandler(ConsoleHandler):
    """Keeps what ConsoleHandler would print, as plain text.

    Args:
        width: of a line, in characters.

    Attributes:
        buffer: the ``io.StringIO`` that it is in.

    Raises:
        ModuleNotFoundError: rich is not installed (``pip install goanna[console]``).
    """

    def __init__(self, width: int = 120) -> None:
        from rich.console import Console

        self.buffer: io.StringIO = io.StringIO()
        super().__init__(Console(file=self.buffer, width=width, force_terminal=False, color_system=None))

    @property
    def text(self) -> str:
        """What has been printed so far."""
        return self.buffer.getvalue()

    def clear(self) -> None:
        """Forget what has been printed."""
        self.buffer.seek(0)
        self.buffer.truncate()
