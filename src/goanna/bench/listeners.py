"""Listeners: each of a class of its own, as they are in a program."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from goanna.bench.loops import own_code

Method = Callable[..., None]


def stores(self: Any, event: Any) -> None:
    self.last = event


def empty(self: Any, event: Any) -> None:
    pass


def blinker_stores(self: Any, sender: Any, event: Any) -> None:
    self.last = event


def blinker_empty(self: Any, sender: Any, event: Any) -> None:
    pass


def botocore_stores(self: Any, event: Any, **kwargs: Any) -> None:
    self.last = event


def botocore_empty(self: Any, event: Any, **kwargs: Any) -> None:
    pass


def listener(method: Method, bases: tuple[type, ...] = (), names: tuple[str, ...] = ("sent",)) -> Any:
    """Return a listener of a new class whose methods of these names do what ``method`` does."""
    namespace = {**{name: own_code(method) for name in names}, "last": None}
    return types.new_class("Listener", bases, exec_body=lambda body: body.update(namespace))()
