"""The type of what Dispatcher.publisher returns; for annotations, so it is imported when somebody asks for it."""

from __future__ import annotations

from typing import ParamSpec, Protocol, TypeVar

from goanna.events import Event

__all__ = ["Publisher"]

_P = ParamSpec("_P")
_E_contra = TypeVar("_E_contra", bound=Event, contravariant=True)


class Publisher(Protocol[_P, _E_contra]):
    """What :meth:`Dispatcher.publisher` returns: call it to publish, ask it whether anyone listens.

    At run time it is a ``goanna.core.Channel``.
    """

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Build the event and hand it to the listeners."""

    def publish(self, event: _E_contra, /) -> None:
        """Hand an event that is already built to the listeners."""

    def __bool__(self) -> bool:
        """Return whether anyone listens."""
        ...


Publisher.__module__ = "goanna"  # where programs import it from
