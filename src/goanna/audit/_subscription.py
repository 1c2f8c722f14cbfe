"""A subscription: the methods of one handler, looked up when it is subscribed to a tracker in guaranteed mode."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from typing import Any, final

__all__ = ["Subscription"]

METHODS = {
    "request_start": (),
    "event_start": ("request_context",),
    "event_end": ("request_context", "event_context"),
    "request_end": ("request_context",),
}
"""The methods of a handler, and by which keywords each is called, beside its first argument."""


@final
class Subscription:
    """One subscription: a handler with its methods.

    Args:
        handler: any object with the four methods, plain functions or coroutines.

    Raises:
        TypeError: a method is missing, is not callable, is a generator function, can't be called as it will be, or
            takes ``error`` without a default.
    """

    __slots__ = (
        "event_end",
        "event_end_takes_error",
        "event_start",
        "handler",
        "request_end",
        "request_end_takes_error",
        "request_start",
    )

    def __init__(self, handler: Any) -> None:
        self.handler = handler
        methods = {name: _method(handler, name) for name in METHODS}
        self.event_end_takes_error = _takes_error(methods["event_end"], handler)
        self.request_end_takes_error = _takes_error(methods["request_end"], handler)
        self.request_start, self.event_start, self.event_end, self.request_end = [
            _called(handler, name, method, METHODS[name]) for name, method in methods.items()
        ]

    def __repr__(self) -> str:
        return f"<Subscription of {self.handler!r}>"


def _method(handler: Any, name: str) -> Callable[..., Any]:
    shown = handler.__qualname__ if isinstance(handler, type) else type(handler).__qualname__
    if isinstance(handler, type):
        raise TypeError(f"subscribe() takes an instance of a handler, not the class {shown}")
    method = getattr(handler, name, None)
    if not callable(method):
        what = "has no method" if method is None else f"has {type(method).__name__} instead of a method"
        raise TypeError(f"{shown} {what} {name}; a handler has {', '.join(METHODS)}")
    if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
        raise TypeError(f"{shown}.{name}() is a generator function: calling it would run none of it")
    return method  # type: ignore[no-any-return]


def _called(handler: Any, name: str, method: Callable[..., Any], keywords: tuple[str, ...]) -> Callable[..., Any]:
    """Return what a tracker can call with these keywords, or raise TypeError: it would fail at every event."""
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):  # written in C without a signature: the call itself will tell
        return method
    try:
        signature.bind(None, **dict.fromkeys(keywords))
    except TypeError as error:
        if any(one.kind is one.VAR_POSITIONAL for one in signature.parameters.values()):
            with contextlib.suppress(TypeError):
                signature.bind(None, *keywords)
                return _by_position(method, keywords)
        call = ", ".join(["...", *[f"{one}=..." for one in keywords]])
        raise TypeError(
            f"{type(handler).__qualname__}.{name}() will be called as {name}({call}), and its signature is "
            f"{signature}: {error}"
        ) from None
    return method


def _by_position(method: Callable[..., Any], keywords: tuple[str, ...]) -> Callable[..., Any]:
    """Return ``method`` so that it gets these keywords as positional arguments: it takes any number of those."""

    def by_position(first: Any, **named: Any) -> Any:
        return method(first, *[named.pop(one) for one in keywords], **named)

    return by_position


def _takes_error(method: Callable[..., Any], handler: Any) -> bool:
    """Return whether the method can be told what went wrong, with the keyword ``error``."""
    try:
        parameters = inspect.signature(method).parameters
    except (TypeError, ValueError):  # written in C without a signature
        return False
    error = parameters.get("error")
    if error is None:
        return any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    if error.kind is error.POSITIONAL_ONLY:
        return False
    if error.default is error.empty and error.kind is not error.VAR_KEYWORD:
        name = getattr(method, "__name__", "the method")
        raise TypeError(
            f"{type(handler).__qualname__}.{name}() takes error without a default; "
            "it is passed only when something went wrong, so write error=None"
        )
    return error.kind in (error.POSITIONAL_OR_KEYWORD, error.KEYWORD_ONLY, error.VAR_KEYWORD)
