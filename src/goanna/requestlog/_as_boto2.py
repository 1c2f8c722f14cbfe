"""What a hook made for boto 2 gets from botocore: the attributes of boto's request and response that hooks read."""

from __future__ import annotations

import io
from datetime import datetime
from functools import cached_property
from typing import Any, final
from urllib.parse import SplitResult, urlsplit

__all__ = ["Request", "Response"]


@final
class Request:
    """A botocore request with the attributes of boto 2's HTTPRequest.

    Attributes:
        method, protocol, host, port, path, auth_path, headers, body: of the last attempt; ``path`` has the query.
        params: ``{"Action": the operation}``, whichever way the service is told.
        start_time: local time without zone, when the last attempt began, as with boto 2; None if there was none.
        service_name: such as ``"ec2"``.
    """

    def __init__(self, request: Any, model: Any, wall: float) -> None:
        """Take what there is of an ``AWSRequest``, which may be None; most of it is only looked at when a hook does."""
        self.method = getattr(request, "method", None)
        self.params = {"Action": model.name}
        self.body = getattr(request, "data", b"")
        self.service_name = model.service_model.service_name
        self._request = request
        self._wall = wall

    @cached_property
    def _parts(self) -> SplitResult:
        return urlsplit(getattr(self._request, "url", None) or "")

    @cached_property
    def protocol(self) -> str:
        return self._parts.scheme

    @cached_property
    def host(self) -> str:
        return self._parts.hostname or ""

    @cached_property
    def port(self) -> int:
        return self._parts.port or (443 if self._parts.scheme == "https" else 80)

    @cached_property
    def auth_path(self) -> str:
        return self._parts.path

    @cached_property
    def path(self) -> str:
        parts = self._parts
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    @cached_property
    def headers(self) -> dict[str, Any]:
        return {
            name: value.decode("latin-1") if isinstance(value, bytes) else value
            for name, value in getattr(self._request, "headers", {}).items()
        }

    @cached_property
    def start_time(self) -> datetime | None:
        return datetime.fromtimestamp(self._wall) if self._wall else None


@final
class Response:
    """A botocore response with the attributes of boto 2's HTTPResponse.

    Attributes:
        status: of HTTP.
        reason: its text, where the transport tells.
        headers, msg: by name, in any case.
        length: of the body, as announced; None if it isn't.
    """

    def __init__(self, response: Any, model: Any) -> None:
        """Take what there is of an ``AWSResponse``."""
        self.status = response.status_code
        self.headers = self.msg = response.headers
        self.reason = getattr(getattr(response, "raw", None), "reason", None) or ""
        self._body = getattr(response, "_content", None)

    @cached_property
    def length(self) -> int | None:
        length = self.getheader("Content-Length")
        return int(length) if length is not None and length.isdecimal() else None

    def getheader(self, name: str, default: str | None = None) -> str | None:
        """Return a header."""
        found = self.headers.get(name, default)
        return found if found is None else str(found)

    def getheaders(self) -> list[tuple[str, str]]:
        """Return all headers."""
        return list(self.headers.items())

    def read(self) -> bytes:
        """Return the body.

        Raises:
            io.UnsupportedOperation: it is streamed to the caller, and reading it here would take it away.
        """
        if not isinstance(self._body, bytes):
            raise io.UnsupportedOperation("this body is streamed to the caller and can't be read in a hook")
        return self._body
