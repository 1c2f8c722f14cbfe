"""Which methods of a client's listeners an event goes to, for both halves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from goanna.listeners import does_nothing

__all__ = ["resolved_methods"]


def resolved_methods(listeners: tuple[Any, ...], name: str) -> tuple[Callable[[Any], object], ...]:
    """Return the listeners' methods but for those that do nothing; one that can't be looked up raises when called."""
    methods = []
    for one in listeners:
        try:
            method = getattr(one, name)
        except Exception:

            def method(event: Any, one: Any = one) -> object:
                return getattr(one, name)(event)

        if not does_nothing(method):
            methods.append(method)
    return tuple(methods)
