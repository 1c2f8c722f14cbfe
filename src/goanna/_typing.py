"""What goanna needs of the module ``typing`` while it runs, which would be half of the time that importing it takes."""

from __future__ import annotations

__all__ = ["TYPE_CHECKING", "dataclass_transform", "final"]

TYPE_CHECKING = False
"""Type checkers take a constant of this name for True; what only they need is imported under it."""

if TYPE_CHECKING:
    from typing import dataclass_transform, final
else:

    def final(one):
        """Mark a class as one that nobody derives from, as ``typing.final`` does."""
        one.__final__ = True
        return one

    def dataclass_transform(**settings):
        """Mark a metaclass as one whose classes are like dataclasses, as ``typing.dataclass_transform`` does."""
        names = "eq_default", "order_default", "kw_only_default", "frozen_default", "field_specifiers"
        marks = {name: settings.pop(name) for name in names}

        def decorate(one):
            one.__dataclass_transform__ = {**marks, "kwargs": settings}
            return one

        return decorate
