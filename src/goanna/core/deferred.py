"""Functions whose call runs nothing (coroutine and generator functions), and what such a call returns.

Whoever calls a listener, or a function that is an option, awaits nothing. So they are refused where that can be seen,
and what comes back all the same is looked at once.
"""

from __future__ import annotations

import functools
import sys
from types import AsyncGeneratorType, CoroutineType, GeneratorType, MethodType

from goanna.core.base import MISSING, TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, TypeVar

    _R = TypeVar("_R")

__all__ = ["check_runs", "deferred", "ran"]

_COROUTINE, _GENERATOR, _ASYNC_GENERATOR = 0x80, 0x20, 0x200

_PARTIALMETHOD = "__partialmethod__" if sys.version_info >= (3, 13) else "_partialmethod"


def deferred(function: Any) -> str | None:
    """Return what a callable is if a call of it runs nothing: "coroutine" or "generator", else None.

    Partials, bound methods, and objects with a ``__call__`` are seen through. What ``__wrapped__`` names is not,
    because a decorator may well run it.
    """
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, MethodType):
            function = function.__func__
        elif isinstance(method := getattr(function, _PARTIALMETHOD, None), functools.partialmethod):
            function = method.func  # looked up in its class it is a function of functools
        else:
            break
    if _is_marked(function):
        return "coroutine"
    code = getattr(function, "__code__", None)
    if code is None:
        if isinstance(function, type) or not callable(function):
            return None
        call = type(function).__call__
        return deferred(call) if isinstance(call, functools.partial) or hasattr(call, "__code__") else None
    flags = getattr(code, "co_flags", 0)
    if not isinstance(flags, int):
        return None
    if flags & _COROUTINE:
        return "coroutine"
    return "generator" if flags & (_GENERATOR | _ASYNC_GENERATOR) else None


def _is_marked(function: Any) -> bool:
    """Return whether a function says of itself that it is a coroutine function, in one of the two ways there are."""
    if getattr(function, "__wrapped__", None) is not None:
        return False  # a decorator has copied the mark, too
    for module, name in (("inspect", "_is_coroutine_mark"), ("asyncio.coroutines", "_is_coroutine")):
        # Whoever has set a mark has imported the module.
        mark = getattr(sys.modules.get(module), name, MISSING)
        if mark is not MISSING and getattr(function, name, None) is mark:
            return True
    return False


def check_runs(function: Any, shown: str) -> None:
    """Raise TypeError if a call of a function that is an option would run nothing."""
    kind = deferred(function)
    if kind is not None:
        raise TypeError(f"{shown} must be an ordinary function, not a {kind} function, of which a call runs nothing")


def ran(result: _R) -> _R:
    """Return the result of a call, unless it says that nothing has run.

    A Future, or what else runs by itself, is like any other result.

    Raises:
        TypeError: it is a coroutine, a generator, or something else that would have to be awaited. It is closed.
    """
    kind = type(result)
    if kind is CoroutineType:
        what = "coroutine"
    elif kind is GeneratorType or kind is AsyncGeneratorType:
        what = "generator"
    elif hasattr(kind, "__await__"):
        if any(hasattr(kind, one) for one in ("add_done_callback", "addCallbacks")):
            return result
        what = "coroutine" if hasattr(kind, "send") else kind.__name__
    elif hasattr(kind, "gi_frame") or hasattr(kind, "ag_frame"):  # those of Cython
        what = "generator"
    else:
        return result
    error = TypeError(
        f"the call returned a {what}, which is neither awaited nor iterated over, so nothing of it has run; "
        "goanna.on_loop(...) awaits methods that are coroutine functions"
    )
    close = getattr(result, "close", None)
    if callable(close):
        try:
            close()
        except Exception as second:
            raise error from second
    raise error
