"""The handlers that take part in a request, with their methods ready to be called."""

from __future__ import annotations

from typing import Any, final

from goanna.audit._subscription import Subscription

__all__ = ["Participants"]


@final
class Participants:
    """The handlers that take part in a request, with what each has returned from its ``request_start``.

    Args:
        subscriptions: the handlers with their methods.
        contexts: as many contexts of the request.
    """

    __slots__ = ("_ends", "_starts", "contexts", "subscriptions")

    def __init__(self, subscriptions: tuple[Subscription, ...], contexts: tuple[Any, ...]) -> None:
        self.subscriptions = subscriptions
        self.contexts = contexts
        self._starts = tuple(zip([one.event_start for one in subscriptions], contexts, subscriptions, strict=True))
        self._ends = tuple(zip([one.event_end for one in subscriptions], contexts, subscriptions, strict=True))

    def __repr__(self) -> str:
        return f"<Participants of {len(self.subscriptions)}>"
