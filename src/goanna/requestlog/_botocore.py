"""attach(): the same events, and the same hooks, from botocore and so from boto3.

botocore tells its own handlers about each step of a call. What belongs to one call is kept in the ``context`` that it
passes to all of them and drops with the call: so there is nothing to clean up where no end is told of, as after a wrong
parameter, and no thread or task to keep apart. Handlers return None, because botocore acts upon what they return.

It tells nobody of a call that ends by a BaseException (a task that is cancelled, Ctrl-C) or by an exception of another
handler. So a guard around ``_make_api_call`` tells of what was sent and has no end yet: a base of the classes that a
session makes, an attribute of a client that exists.
"""

from __future__ import annotations

import contextlib
import time
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, final

from goanna.core import in_block
from goanna.core.base import EXHAUSTED, uncopied
from goanna.core.forks import ForkLock
from goanna.core.marks import mark, marked, unmark
from goanna.delivery.options import Reentrant, checked_reentrant
from goanna.dispatch.dispatcher import Dispatcher
from goanna.errors import log_error
from goanna.requestlog._as_boto2 import Request, Response
from goanna.requestlog.events import RequestAttempt, RequestCompleted, RequestFailed, RequestListener
from goanna.requestlog.hook import RequestHooks, call_hooks, check_hook

if TYPE_CHECKING:
    from goanna.errors import Errors

__all__ = ["Attachment", "attach"]


def attach(
    target: Any, listener: Any, *, attempts: bool = False, errors: Errors = "log", reentrant: Reentrant = "drop"
) -> Attachment:
    """Tell a listener, or a hook made for boto 2, about every call of a botocore or boto3 client.

    With a session it serves the clients and resources that are made of it from then on, because botocore copies a
    session's handlers into each new client; with a client it serves that one, at once.

    Args:
        target: a session of boto3, botocore or aiobotocore, or a client of one, or a resource of boto3.
        listener: a :class:`RequestListener` (a :class:`RequestLogger`, what ``goanna.queued`` returns); a
            ``goanna.Dispatcher`` or :class:`RequestHooks`, whose listeners then get the events; or an object with
            ``handle_request_data(request, response, error=False)``, which gets look-alikes of boto 2's request and
            response.
        attempts: whether to publish a :class:`RequestAttempt` at the end of each attempt, too.
        errors: what to do with the errors of ``listener``, see ``goanna.Dispatcher``; not used where it brings a
            dispatcher of its own. Whatever it is, the caller of the client never gets them.
        reentrant: what becomes of the calls that ``listener`` itself makes through ``target`` while it is told of one,
            and all tasks and threads that inherit its context, also later: "drop" tells nobody of them, "deliver" tells
            ``listener``, which must then see to it that this comes to an end.

    Returns:
        What detaches it again; also a context manager.

    Raises:
        ValueError: an unknown ``errors`` or ``reentrant``.
        TypeError: ``target`` is nothing that can be attached to, ``listener`` is nothing that can be told.
    """
    told_of_own = checked_reentrant(reentrant)
    emitter = _emitter(target)
    hooks: tuple[Any, ...] = ()
    if isinstance(listener, Dispatcher):
        dispatcher = listener
    elif isinstance(listener, RequestHooks):
        dispatcher, hooks = listener.dispatcher, listener.hooks
    else:
        dispatcher = Dispatcher(RequestListener, errors=errors)
        if isinstance(listener, RequestListener):
            dispatcher.add(listener)
        else:
            check_hook(listener, "attach()")
            hooks = (listener,)
    return Attachment(emitter, _client(target), dispatcher, hooks, attempts, told_of_own)


def _emitter(target: Any) -> Any:
    """Return where the handlers of a session, client or resource are registered."""
    for path in (("meta", "client", "meta", "events"), ("meta", "events"), ("events",)):  # resource, client, boto3
        found = target
        for name in path:
            found = getattr(found, name, None)
        if callable(getattr(found, "register_last", None)) and not isinstance(target, type):
            return found
    if callable(getattr(target, "get_component", None)) and not isinstance(target, type):  # botocore's own session
        return target.get_component("event_emitter")
    hint = "; with boto 2, use connection.set_request_hook(hook)" if hasattr(target, "set_request_hook") else ""
    what = f"the class {target.__name__}" if isinstance(target, type) else type(target).__name__
    raise TypeError(f"attach() takes a session, client or resource of boto3 or botocore, not {what}{hint}")


def _client(target: Any) -> Any:
    """Return the client that is attached to; None for a session."""
    client = getattr(getattr(target, "meta", None), "client", target)  # of a resource
    return client if callable(getattr(type(client), _METHOD, None)) else None


class _Call:
    """What is known of a call under way.

    Attributes:
        attempts: how often it was sent.
        answer: status, size and request id of the last attempt, as far as there are any.
        ended: whether its end was told.
    """

    __slots__ = ("answer", "attempt_started", "attempts", "ended", "model", "request", "started", "wall")

    def __init__(self, model: Any, started: float) -> None:
        self.model = model
        self.started = self.attempt_started = started
        self.attempts = 0
        self.answer: tuple[int | None, int | None, str | None] = _NO_ANSWER
        self.ended = False
        self.request: Any = None
        self.wall = 0.0


_NO_ANSWER = (None, None, None)


# The guard


_METHOD = "_make_api_call"
_under_way: ContextVar[list[tuple[Attachment, _Call]] | None] = ContextVar("goanna.requestlog", default=None)
"""What the guarded call of this thread or task is known as, by each attachment."""


def _guarded(method: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Make a call of a client, synchronous or not; if it raises, whatever that is, see that its end is told."""
    found: list[tuple[Attachment, _Call]] = []
    token = _under_way.set(found)
    try:
        result = method(*arguments, **named)
    except BaseException as error:
        _abandon(found, error)
        raise
    finally:
        _under_way.reset(token)
        found.clear()  # a traceback may keep this frame
    return _awaited(result) if hasattr(result, "__await__") else result


async def _awaited(call: Any) -> Any:
    found: list[tuple[Attachment, _Call]] = []
    token = _under_way.set(found)
    try:
        return await call
    except BaseException as error:
        _abandon(found, error)
        raise
    finally:
        with contextlib.suppress(ValueError):  # closed from outside, by the end of the loop, in another context
            _under_way.reset(token)
        found.clear()


def _abandon(found: list[tuple[Attachment, _Call]], error: BaseException) -> None:
    for attachment, call in found:
        attachment._abandon(call, error)


class _Guarded:
    """The base, in front of all others, of the client classes that a session makes."""

    def _make_api_call(self, *arguments: Any, **named: Any) -> Any:
        return _guarded(super()._make_api_call, *arguments, **named)  # type: ignore[misc] # of the client


class _Guard:
    """The attribute of one client that guards its calls, for as long as anything is attached to it."""

    def __init__(self, client: Any) -> None:
        self._client = weakref.ref(client)
        self._before = vars(client).get(_METHOD)
        self.users = 0
        setattr(client, _METHOD, self)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        client = self._client()
        # The class's is looked up anew each time, as others replace it there, test suites above all.
        return _guarded(self._before or getattr(type(client), _METHOD).__get__(client), *arguments, **named)

    def leave(self) -> None:
        """Have one user less; with the last one goes the attribute, unless somebody has replaced it."""
        with _guards.now:
            self.users -= 1
            client = self._client()
            if not self.users and client is not None and vars(client).get(_METHOD) is self:
                if self._before is None:
                    delattr(client, _METHOD)
                else:
                    setattr(client, _METHOD, self._before)


def _guard_of(client: Any) -> _Guard:
    with _guards.now:
        found = vars(client).get(_METHOD)
        guard = found if isinstance(found, _Guard) else _Guard(client)
        guard.users += 1
        return guard


_guards = ForkLock()
"""For changes of guards, which several threads may attach to at once."""


def _guard_class(base_classes: list[type], **_: Any) -> None:
    """Have the class of a client that is being made guarded; a handler of botocore's."""
    if _Guarded not in base_classes:
        base_classes.insert(0, _Guarded)


@final
class Attachment:
    """What :func:`attach` returns.

    Attributes:
        dispatcher: it has the listeners.
        active: whether events are published.
    """

    def __reduce__(self) -> str:
        return uncopied(self)

    def __init__(
        self,
        emitter: Any,
        client: Any,
        dispatcher: Dispatcher,
        hooks: tuple[Any, ...],
        attempts: bool,
        told_of_own: bool,
    ) -> None:
        """Register the handlers; attach() makes attachments, nobody else."""
        self.dispatcher = dispatcher
        self.active: bool = True
        self._emitter = emitter
        self._hooks = hooks
        self._told_of_own = told_of_own
        self._completed = dispatcher.publisher(RequestCompleted)
        self._failed = dispatcher.publisher(RequestFailed)
        self._attempted = dispatcher.publisher(RequestAttempt)
        self._key = f"goanna.requestlog.{id(self):x}"  # of this attachment in the context of a call
        self._attempts = attempts
        self._handlers: dict[str, Callable[..., None]] = {
            "before-parameter-build": self._begin,
            "request-created": self._send,
            "response-received": self._receive,
            "after-call": self._end,
            "after-call-error": self._break,
        }
        if client is None:
            self._handlers["creating-client-class"] = _guard_class
        for name, handler in self._handlers.items():
            emitter.register_last(name, handler)
        self._guard = None if client is None else _guard_of(client)

    def detach(self) -> None:
        """Publish nothing any more, not even from clients that a session has made meanwhile.

        A second time does nothing.
        """
        if self.active:
            self.active = False
            for name, handler in self._handlers.items():
                self._emitter.unregister(name, handler)
            if self._guard is not None:
                self._guard.leave()

    def __enter__(self) -> Attachment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.detach()

    def __repr__(self) -> str:
        return f"<Attachment of {self.dispatcher!r}{'' if self.active else ', detached'}>"

    # botocore's handlers: keyword arguments, None as the result, and no Exception let out.

    def _begin(self, model: Any = None, context: Any = None, **_: Any) -> None:
        try:
            if self.active and not in_block() and (self._told_of_own or not marked(self)):
                context[self._key] = call = _Call(model, time.perf_counter())
                found = _under_way.get()
                if found is not None:
                    found.append((self, call))
        except EXHAUSTED:
            raise
        except Exception as failure:
            log_error(failure, self, context)

    def _send(self, request: Any = None, **_: Any) -> None:
        # Last of the handlers that are told of a request, the one that signs it among them: now it will be sent.
        try:
            call = request.context.get(self._key)
            if call is not None:
                call.attempts += 1
                call.answer = _NO_ANSWER
                call.request = request if self._hooks else None
                call.wall = time.time()
                call.attempt_started = time.perf_counter()
        except EXHAUSTED:
            raise
        except Exception as failure:
            log_error(failure, self, request)

    def _receive(
        self,
        response_dict: Any = None,
        parsed_response: Any = None,
        context: Any = None,
        exception: Any = None,
        **_: Any,
    ) -> None:
        now = time.perf_counter()
        token = mark(self)
        try:
            call = context.get(self._key)
            if call is None or not self.active:
                return
            status = size = None
            if response_dict is not None:
                # S3 may say 200 and put an error in the body; what botocore makes of that is in what it has parsed.
                status = _metadata(parsed_response).get("HTTPStatusCode", response_dict["status_code"])
                size = _size(response_dict["headers"], response_dict["body"])
            call.answer = status, size, _request_id(parsed_response)
            if not (self._attempts and self._attempted):
                return
            error: BaseException | None = None
            code: str | None = None
            if exception is not None:
                error, code = exception, type(exception).__name__
            elif status is not None and status >= 300:
                error, code = _client_error(parsed_response, call.model, context)
            model = call.model
            self._attempted(
                model.service_model.service_name, model.name, status, now - call.attempt_started, size, call.attempts,
                call.answer[2], time.time(), error, code,
            )  # fmt: skip
        except EXHAUSTED:
            raise
        except Exception as failure:
            log_error(failure, self, context)
        finally:
            unmark(token)

    def _end(
        self, http_response: Any = None, parsed: Any = None, model: Any = None, context: Any = None, **_: Any
    ) -> None:
        now = time.perf_counter()
        token = mark(self)
        try:
            call = context.pop(self._key, None)
            if call is None or not self.active:
                return
            call.ended = True
            status = http_response.status_code
            failed = status >= 300
            publish = self._failed if failed else self._completed
            if publish:
                error, code = _client_error(parsed, model, context) if failed else (None, None)
                publish(
                    model.service_model.service_name, model.name, status, now - call.started,
                    _size(http_response.headers, getattr(http_response, "_content", None)), call.attempts,
                    _request_id(parsed), time.time(), error, code,
                )  # fmt: skip
            if self._hooks:
                self._call_hooks(call, Response(http_response, model), status in (500, 502, 503, 504))
        except EXHAUSTED:
            raise
        except Exception as failure:
            log_error(failure, self, context)
        finally:
            unmark(token)

    def _break(self, exception: Any = None, context: Any = None, **_: Any) -> None:
        try:
            call = context.pop(self._key, None)
            if call is not None:
                call.answer = _NO_ANSWER  # what came before was tried again
                self._fail(call, exception)
        except EXHAUSTED:
            raise
        except Exception as failure:
            log_error(failure, self, context)

    def _abandon(self, call: _Call, error: BaseException) -> None:
        """Tell the end of a call that botocore tells nobody of; a call that was not sent has none."""
        try:
            if call.attempts and not call.ended:
                self._fail(call, error)
        except EXHAUSTED:
            raise
        except Exception as failure:
            log_error(failure, self, call)

    def _fail(self, call: _Call, error: BaseException) -> None:
        if not self.active:
            return
        now = time.perf_counter()
        call.ended = True
        token = mark(self)
        try:
            self._tell_failure(call, error, now)
        finally:
            unmark(token)

    def _tell_failure(self, call: _Call, error: BaseException, now: float) -> None:
        if self._failed:
            status, size, request_id = call.answer
            model = call.model
            self._failed(
                model.service_model.service_name, model.name, status, now - call.started, size, call.attempts,
                request_id, time.time(), error, type(error).__name__,
            )  # fmt: skip
        if self._hooks:
            self._call_hooks(call, None, True)

    def _call_hooks(self, call: _Call, response: Response | None, error: bool) -> None:
        request = Request(call.request, call.model, call.wall)
        call_hooks(self._hooks, request, response, error)


def _size(headers: Any, body: Any) -> int | None:
    """Return the length of a body: as announced; if it isn't, as read; None if it is still to be read."""
    try:
        return int(headers["content-length"])
    except (KeyError, TypeError, ValueError):
        return len(body) if isinstance(body, bytes) else None


def _metadata(parsed: Any) -> Any:
    return (parsed.get("ResponseMetadata") if parsed else None) or {}


def _request_id(parsed: Any) -> str | None:
    found: str | None = _metadata(parsed).get("RequestId")
    return found


def _client_error(parsed: Any, model: Any, context: Any) -> tuple[BaseException, str | None]:
    """Return an error that equals the one which botocore raises when its handlers are done, and the service's code."""
    from botocore.exceptions import ClientError  # type: ignore[import-untyped] # this is called by botocore

    parsed = parsed or {}
    code = context.get("error_code_override") or parsed.get("Error", {}).get("Code")
    return ClientError(parsed, model.name), None if code is None else str(code)
