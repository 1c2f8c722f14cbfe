"""RequestHook, which boto 2 calls after a request, and RequestHooks, which hands on what it is told."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any, final

from goanna.core import in_block
from goanna.core.base import EXHAUSTED, uncopied
from goanna.core.deferred import deferred, ran
from goanna.core.marks import mark, marked, unmark
from goanna.delivery.options import Reentrant, checked_reentrant
from goanna.dispatch.dispatcher import Dispatcher
from goanna.errors import log_error
from goanna.requestlog._boto2 import event_of, take
from goanna.requestlog._clock import Clock
from goanna.requestlog.events import RequestCompleted, RequestFailed, RequestListener

__all__ = ["RequestHook", "RequestHooks", "call_hooks", "check_hook"]

_GUARDED = "__goanna_guarded__"


class RequestHook:
    """The base of hooks, in place of ``boto.utils.RequestHook``.

    Override :meth:`handle_request_data`. What an override raises is logged to the logger ``goanna`` and goes no
    further, because boto 2 takes an OSError there for a failure of the network and sends the request again. Only a
    BaseException that is no Exception (KeyboardInterrupt, SystemExit) gets through.
    """

    def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
        """Take note of a request that has ended; called on the thread that made it, before the body is read.

        Args:
            request: boto's HTTPRequest: ``method``, ``host``, ``path``, ``params``, ``headers``, ``start_time`` and
                others.
            response: boto's HTTPResponse: ``status``, ``reason``, ``getheader(name)``, ``read()``; None if there was
                none.
            error: whether boto has given up: no answer, or 500, 502, 503 or 504, after all attempts.
        """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = vars(cls).get("handle_request_data")
        if type(own) is FunctionType and not hasattr(own, _GUARDED):
            setattr(cls, "handle_request_data", _guarded(own))  # noqa: B010 - mypy refuses the assignment


def unguarded(method: Callable[..., None]) -> Callable[..., None]:
    """Mark a method that lets nothing out by itself."""
    setattr(method, _GUARDED, True)
    return method


def _guarded(function: FunctionType) -> Callable[..., None]:
    if deferred(function):
        raise TypeError(f"{function.__qualname__}() must be an ordinary function: boto calls it and does not await it")

    @functools.wraps(function)
    def handle_request_data(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            ran(function(self, *args, **kwargs))
        except EXHAUSTED:
            raise
        except Exception as error:
            log_error(error, self, args[0] if args else kwargs.get("request"))

    setattr(handle_request_data, _GUARDED, True)
    return handle_request_data


def check_hook(hook: Any, where: str) -> None:
    """Raise TypeError unless a hook can be called.

    Args:
        hook: what somebody wants to have called.
        where: what it was passed to.
    """
    if isinstance(hook, type):
        raise TypeError(f"{where} takes a hook object, not the class {hook.__name__}; call it first")
    method = getattr(hook, "handle_request_data", None)
    if not callable(method):
        raise TypeError(
            f"{where} takes a hook with a method handle_request_data(request, response, error=False); "
            f"{type(hook).__name__} has none"
        )
    if deferred(method):
        raise TypeError(f"{type(hook).__name__}.handle_request_data() must be an ordinary method")
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):  # written in C without a signature: the call itself will tell
        return
    try:
        signature.bind(None, None, error=True)
    except TypeError:
        raise TypeError(
            f"{type(hook).__name__}.handle_request_data() must take request, response and error=False; "
            f"its signature is {signature}"
        ) from None


@final
class RequestHooks(RequestHook):
    """One hook in place of any number: publishes :class:`RequestCompleted` and :class:`RequestFailed`, calls others.

    ::

        hub = goanna.Dispatcher(RequestListener)
        hub.add(MyListener())
        connection.set_request_hook(RequestHooks(hub))

    Args:
        dispatcher: publishes the events; one of its own if None. Its error policy serves its listeners; what comes out
            of it nevertheless (``errors="raise"``) is logged and goes no further.
        hooks: objects with ``handle_request_data``, called in this order after the listeners. What one raises is
            logged.
        reentrant: what becomes of the requests that a listener or hook itself makes while it is told of one: "drop"
            tells nobody of them, "deliver" tells all.

    Raises:
        ValueError: an unknown ``reentrant``.
        TypeError: ``dispatcher`` is none, or can't publish these events; a hook lacks the method.
    """

    def __reduce__(self) -> str:
        return uncopied(self)

    def __init__(
        self, dispatcher: Dispatcher | None = None, hooks: Iterable[Any] = (), *, reentrant: Reentrant = "drop"
    ) -> None:
        self._told_of_own = checked_reentrant(reentrant)
        if dispatcher is None:
            dispatcher = Dispatcher(RequestListener)
        elif not isinstance(dispatcher, Dispatcher):
            raise TypeError(f"RequestHooks() takes a goanna.Dispatcher, not {type(dispatcher).__name__}")
        self.dispatcher = dispatcher
        self.hooks: tuple[Any, ...] = tuple(hooks)
        for hook in self.hooks:
            check_hook(hook, "RequestHooks()")
        self._completed = dispatcher.publisher(RequestCompleted)
        self._failed = dispatcher.publisher(RequestFailed)
        self._clock = Clock()

    @unguarded
    def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
        """Publish the event of a request, then call the other hooks; lets no Exception out."""
        if in_block() or (marked(self) and not self._told_of_own):
            return
        token = mark(self)
        try:
            self._tell(request, response, error)
        finally:
            unmark(token)

    def _tell(self, request: Any, response: Any, error: bool) -> None:
        try:
            if self._completed or self._failed:
                event = event_of(take(request, response, error), self._clock)
                if isinstance(event, RequestFailed):
                    self._failed.publish(event)
                else:
                    self._completed.publish(event)
        except EXHAUSTED:
            raise
        except Exception as failure:
            log_error(failure, self, request)
        if self.hooks:
            call_hooks(self.hooks, request, response, error)

    def __repr__(self) -> str:
        return f"<RequestHooks of {self.dispatcher!r} and {len(self.hooks)} hooks>"


def call_hooks(hooks: Iterable[Any], request: Any, response: Any, error: bool) -> None:
    """Hand a request to each hook as boto 2 does; what one raises is logged."""
    for hook in hooks:
        try:
            if error:
                ran(hook.handle_request_data(request, response, error=True))
            else:
                ran(hook.handle_request_data(request, response))
        except EXHAUSTED:
            raise
        except Exception as failure:
            log_error(failure, hook, request)
