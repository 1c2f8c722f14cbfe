"""What a hook takes of boto 2's request and response, and the event that this becomes.

Taking is all that happens on the thread of the request. The request and the response themselves are let go, because
they hold bodies; of the answer's headers the object is kept and read later.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from goanna.events import Event
from goanna.requestlog._clock import Clock
from goanna.requestlog.events import RequestCompleted, RequestFailed

__all__ = ["Taken", "event_of", "take"]


class Taken(Event):
    """The facts of one call of ``handle_request_data``, as they are.

    Attributes:
        wall: ``time.time()`` of the call.
        monotonic: ``time.monotonic()`` of the call.
        started: the request's ``start_time``.
        status: of the response; None without one.
        headers: of the response; None without one.
        action: the parameter that names the operation, if the service has it.
        service: as the signature names it, if that does.
        host: which the request went to.
        rest: where there is no action: method, path and the header that may name the operation.
        error: what boto said.
    """

    wall: float
    monotonic: float
    started: datetime | None
    status: int | None
    headers: Any
    action: str | None
    service: str | None
    host: str | None
    rest: tuple[Any, Any, Any] | None
    error: bool


def take(
    request: Any,
    response: Any,
    error: bool = False,
    # In local variables, because this runs on the caller's thread.
    wall: Any = time.time,
    monotonic: Any = time.monotonic,
    make: Any = Taken,
) -> Taken:
    """Return what is worth keeping of a request that has just ended."""
    try:
        return make(  # type: ignore[no-any-return]
            wall(), monotonic(), request.start_time, response.status, response.headers, request.params["Action"],
            request.service_name, request.host, None, error,
        )  # fmt: skip
    except (AttributeError, KeyError, TypeError):
        return _take_apart(request, response, error, wall(), monotonic())


def _take_apart(request: Any, response: Any, error: bool, wall: float, monotonic: float) -> Taken:
    """Do what take() does where something is missing: the answer, an action, a signature that names the service."""
    status = headers = None
    if response is not None:
        status = response.status
        headers = response.headers if hasattr(response, "headers") else _Headers(response)
    params = getattr(request, "params", None) or {}
    action = params.get("Action")
    return Taken(
        wall,
        monotonic,
        getattr(request, "start_time", None),
        status,
        headers,
        action,
        getattr(request, "service_name", None),
        getattr(request, "host", None),
        _rest(request) if action is None else None,
        error,
    )


def event_of(taken: Taken, clock: Clock) -> RequestCompleted | RequestFailed:
    """Return the event that what was taken means."""
    headers = taken.headers
    service = taken.service or _service(taken.host)
    if taken.error:
        size: int | None = 0
    else:
        size = _number(headers.get("content-length")) if headers is not None else None
    failed = taken.error or taken.status is None or taken.status >= 300
    return (RequestFailed if failed else RequestCompleted)(
        service,
        _text(taken.action) if taken.rest is None else _operation(service, *taken.rest),
        taken.status,
        None if taken.started is None else clock.since(taken.started, taken.wall, taken.monotonic),
        size,
        None,
        None if headers is None else _request_id(headers),
        taken.wall,
    )


class _Headers(dict[str, "str | None"]):
    """The few headers that are wanted, of a response that only has ``getheader``."""

    def __init__(self, response: Any) -> None:
        super().__init__({name: response.getheader(name) for name in ("content-length", *_REQUEST_IDS)})


_REQUEST_IDS = ("x-amzn-requestid", "x-amz-request-id")


def _request_id(headers: Any) -> str | None:
    for name in _REQUEST_IDS:
        found = headers.get(name)
        if found:
            return str(found)
    return None


def _number(text: Any) -> int | None:
    """Return the value of a Content-Length; None if it is missing or makes no sense."""
    try:
        return int(text)
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


# Services and operations


def _service(host: Any) -> str | None:
    """Return the service that a host of Amazon's belongs to."""
    if not isinstance(host, str):
        return None
    labels = host.partition(":")[0].lower().split(".")
    if labels[-1:] == ["cn"]:
        labels.pop()
    if labels[-2:] == ["amazonaws", "com"]:
        # bucket.s3.amazonaws.com, s3-us-west-2.amazonaws.com, ec2.us-west-2.amazonaws.com
        for label in reversed(labels[:-2]):
            if label == "s3" or label.startswith("s3-"):
                return "s3"
        return labels[0] if len(labels) > 2 else None
    return None


def _rest(request: Any) -> tuple[Any, Any, Any]:
    """Return what names the operation where no parameter does."""
    headers = getattr(request, "headers", None) or {}
    path = getattr(request, "auth_path", None)
    query = getattr(request, "path", None)
    # Only the query of the one is worth adding to the other, which has the bucket in every calling format.
    if isinstance(path, str) and isinstance(query, str) and "?" in query and "?" not in path:
        path += query[query.index("?") :]
    return getattr(request, "method", None), path or query, headers.get("X-Amz-Target")


def _operation(service: str | None, method: Any, path: Any, target: Any) -> str | None:
    """Return the name of an operation of a service that has no actions.

    Args:
        service: if known.
        method: of HTTP.
        path: with the query.
        target: the header of services that speak JSON, ``DynamoDB_20120810.ListTables``.
    """
    if target:
        if isinstance(target, bytes):
            target = target.decode("latin-1")
        return str(target).rpartition(".")[2]
    if method is None:
        return None
    if not isinstance(path, str):
        return str(method)
    path, _, query = path.partition("?")
    names = parse_qsl(query, keep_blank_values=True)
    action = dict(names).get("Action")
    if action:
        return action
    if service not in (None, "s3"):
        return f"{method} {path}"
    # Amazon's documentation of S3 names its operations so: GET Service, GET Bucket acl, PUT Object.
    bucket, _, key = path.lstrip("/").partition("/")
    kind = "Object" if key else "Bucket" if bucket else "Service"
    sub = next((name for name, value in names if not value and name.isalpha()), None)
    return f"{method} {kind} {sub}" if sub else f"{method} {kind}"
