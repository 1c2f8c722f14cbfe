"""What queued and on_loop are told alike, checked before anything is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from goanna.checks import checked_int, checked_policy, checked_quarantine, checked_slow
from goanna.delivery.documents import preparation
from goanna.delivery.events_lost import EventsLost, gap_method
from goanna.delivery.interfaces import Interfaces
from goanna.delivery.overflow import checked_overflow
from goanna.listeners import check_method, method_of

if TYPE_CHECKING:
    from goanna.core.base import ErrorHandler

__all__ = ["Context", "Options", "Reentrant", "checked_options", "checked_reentrant", "methods_of"]

Context = Literal["none", "capture"]
"""See :func:`goanna.queued`."""

Reentrant = Literal["drop", "deliver"]
"""See :func:`goanna.queued`."""


class Options(NamedTuple):
    """The options that every consumer of a ring has.

    Attributes:
        listener: whose events they are.
        gap: its method that is told where events are missing, or None.
        maxsize: the most events that wait.
        newest: a full ring drops the event that comes.
        errors: called with an error, the listener and the event.
        prepare: makes of an event what is kept of it, or None.
        capture: keep the publisher's context too.
        quarantine: how many failures in a row are too many, or None.
        slow: nanoseconds from which a call is reported, or None.
        reentrant: whether what the listener publishes while it handles an event comes back to it.
        max_bytes: the most bytes that wait, or None.
    """

    listener: Any
    gap: Callable[[EventsLost], object] | None
    maxsize: int
    newest: bool
    errors: ErrorHandler
    prepare: Callable[[Any], Any] | None
    capture: bool
    quarantine: int | None
    slow: int | None
    reentrant: bool
    max_bytes: int | None


def checked_options(
    listener: Any,
    overflows: Any,
    *,
    maxsize: Any,
    overflow: Any,
    errors: Any,
    documents: Any,
    context: Any,
    quarantine: Any,
    slow: Any,
    awaited: bool = False,
    reentrant: Any,
    max_bytes: Any,
) -> Options:
    """Return what the arguments of a wrapper mean, or raise TypeError or ValueError.

    ``overflows`` is the type of what ``overflow`` may be; the others are explained with :func:`goanna.queued`.
    """
    newest = checked_overflow(overflow, overflows) == "drop_newest"
    if context not in get_args(Context):
        shown = " or ".join([f'"{one}"' for one in get_args(Context)])
        raise ValueError(f"context is {context!r}; it must be {shown}")
    seconds = checked_slow(slow)
    return Options(
        listener,
        gap_method(listener, awaited=awaited),
        checked_int("maxsize", maxsize, 1),
        newest,
        checked_policy(errors),
        preparation(documents),
        context == "capture",
        checked_quarantine(quarantine),
        None if seconds is None else max(int(seconds * 1e9), 1),
        checked_reentrant(reentrant),
        None if max_bytes is None else checked_int("max_bytes", max_bytes, 1),
    )


def checked_reentrant(reentrant: Any) -> bool:
    """Return whether what a listener causes itself comes back to it, or raise ValueError."""
    if reentrant not in get_args(Reentrant):
        shown = " or ".join([f'"{one}"' for one in get_args(Reentrant)])
        raise ValueError(f"reentrant is {reentrant!r}; it must be {shown}")
    return bool(reentrant == "deliver")


def methods_of(listener: Any, interfaces: Interfaces, *, awaited: bool = False, here: bool = False) -> dict[str, Any]:
    """Return the methods of a listener that take events, by name, or raise TypeError where one can't.

    Args:
        listener: whose methods they are.
        interfaces: its own.
        awaited: whether what they return is awaited.
        here: whether they are called in the thread of the publisher.
    """
    if not here and getattr(listener, "_told_by_thread", False) is True:
        raise TypeError(
            f"{listener!r} tells the operations of several clients apart by thread; say with key= what belongs "
            "together, for instance key=lambda event: event.connection_id where it listens to one client"
        )
    methods = {one: method_of(listener, one) for one in interfaces.names}
    for one, method in methods.items():
        check_method(method, f"{type(listener).__qualname__}.{one}", awaited=awaited)
    return methods
