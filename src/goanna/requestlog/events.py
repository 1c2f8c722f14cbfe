"""What is published about requests to a web service, and the interface of those who want to know."""

from __future__ import annotations

from goanna.events import Event
from goanna.listeners import Listener, handles

__all__ = ["RequestAttempt", "RequestCompleted", "RequestEvent", "RequestFailed", "RequestListener"]


class RequestEvent(Event):
    """What is known of a request when it has ended; None where the library doesn't say.

    Attributes:
        service: the service's name, such as ``"ec2"``.
        operation: what was asked of it: ``"DescribeVolumes"``; for services without named operations, method and kind
            of resource: ``"GET Object"``.
        status: the HTTP status; None if there was no answer.
        duration: seconds, never negative.
        bytes: the length of the answer's body: its Content-Length, or what was read where it has none. 0 where boto 2
            has given up.
        attempts: how often the request was sent, 0 if it never was; None with boto 2, which doesn't tell.
        request_id: what the service calls the request.
        time: when it ended, in seconds since the epoch.
        error: the exception that the caller gets, or one that equals it; None where there is none yet.
        code: the service's code for its error, such as ``"InvalidVolume.NotFound"``, or the name of the exception's
            class.
    """

    service: str | None
    operation: str | None
    status: int | None
    duration: float | None
    bytes: int | None
    attempts: int | None
    request_id: str | None
    time: float
    error: BaseException | None = None
    code: str | None = None


class RequestCompleted(RequestEvent):
    """A request was answered with a status below 300."""


class RequestFailed(RequestEvent):
    """A request was answered with a status from 300 on, or not at all, and that was the last attempt.

    With botocore also one whose call was cancelled, interrupted, or ended by an exception of another handler;
    ``status`` is that of the answer, if there had been one.
    """


class RequestAttempt(RequestEvent):
    """One attempt has ended, whether or not another follows; ``attempts`` is its number, from 1 on."""


class RequestListener(Listener):
    """The interface of those who want to know about requests; override what you want."""

    @handles(RequestCompleted)
    def completed(self, event: RequestCompleted) -> None:
        """Take a :class:`RequestCompleted`."""

    @handles(RequestFailed)
    def failed(self, event: RequestFailed) -> None:
        """Take a :class:`RequestFailed`."""

    @handles(RequestAttempt)
    def attempted(self, event: RequestAttempt) -> None:
        """Take a :class:`RequestAttempt`; there are some only where they were asked for."""
