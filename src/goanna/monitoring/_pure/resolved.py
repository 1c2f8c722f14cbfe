"""The methods of a client's listeners, looked up once: what ``resolve="registration"`` publishes to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from goanna.monitoring._plan import Plan
from goanna.monitoring._resolve import resolved_methods

__all__ = ["ResolvedMethods", "epoch", "refresh", "resolve_methods"]

epoch = [0]
"""How often :func:`refresh` was called; methods that were resolved earlier are out of date."""


def refresh() -> None:
    """Have the rows of pre-resolved methods made anew at the next publish."""
    epoch[0] += 1


class ResolvedMethods:
    """The methods of one client's listeners for one kind of event."""

    __slots__ = ("epoch", "listeners", "methods")

    def __init__(self, listeners: tuple[Any, ...], methods: tuple[Callable[[Any], object], ...]) -> None:
        self.listeners = listeners
        self.methods = methods
        self.epoch = epoch[0]


def resolve_methods(plan: Plan, instance: Any, listeners: Any) -> ResolvedMethods:
    """Look the methods of a client's listeners up, and keep them with the client until its listeners change."""
    found = tuple(listeners)
    made = ResolvedMethods(found, resolved_methods(found, plan.method))
    instance.__dict__[f"_goanna_{plan.name}"] = made
    return made
