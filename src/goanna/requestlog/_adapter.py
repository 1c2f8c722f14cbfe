"""What a hook made for boto 2 gets from botocore: the attributes of boto's request and response that hooks read."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any, final
from urllib.parse import urlsplit

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
        """Take what there is of an ``AWSRequest``, which may be None."""
        parts = urlsplit(getattr(request, "url", None) or "")
        self.method = getattr(request, "method", None)
        self.protocol = parts.scheme
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.auth_path = parts.path
        self.path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        self.params = {"Action": model.name}
        self.headers = {
            name: value.decode("latin-1") if isinstance(value, bytes) else value
            for name, value in getattr(request, "headers", {}).items()
        }
        self.body = getattr(request, "data", b"")
        self.start_time = datetime.fromtimestamp(wall) if wall else None
        self.service_name = model.service_model.service_name


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
        length = self.getheader("Content-Length")
        self.length = int(length) if length is not None and length.isdecimal() else None
        self._body = getattr(response, "_content", None)

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
