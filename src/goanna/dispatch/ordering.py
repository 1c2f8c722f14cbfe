"""The order in which registrations are called: priority, then age, and whatever before/after says comes first."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from goanna.core.base import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol, TypeVar

    class Ordered(Protocol):
        """What the order depends on."""

        @property
        def priority(self) -> int:
            """Higher comes first."""
            ...

        @property
        def sequence(self) -> int:
            """Lower comes first among equal priorities."""
            ...

        @property
        def before(self) -> Sequence[Ordered]:
            """Those that must come later."""
            ...

        @property
        def after(self) -> Sequence[Ordered]:
            """Those that must come earlier."""
            ...

    _O = TypeVar("_O", bound=Ordered)

__all__ = ["arrange"]


def arrange(items: Sequence[_O]) -> tuple[_O, ...]:
    """Return the items in calling order.

    A constraint beats a priority; where constraints leave a choice, the highest priority and then the lowest sequence
    goes first. Constraints that name something outside ``items`` don't count.

    Raises:
        ValueError: the constraints form a cycle; the text names its members.
    """
    if not any(item.before or item.after for item in items):
        return tuple(sorted(items, key=_rank))
    place = {id(item): index for index, item in enumerate(items)}
    later: list[list[int]] = [[] for _ in items]
    waits = [0] * len(items)
    for index, item in enumerate(items):
        pairs: list[tuple[int | None, int | None]] = [(index, place.get(id(one))) for one in item.before]
        pairs += [(place.get(id(one)), index) for one in item.after]
        for first, second in pairs:
            if first is not None and second is not None:
                later[first].append(second)
                waits[second] += 1
    ready = [(-item.priority, item.sequence, index) for index, item in enumerate(items) if not waits[index]]
    heapify(ready)
    order = []
    while ready:
        index = heappop(ready)[2]
        order.append(items[index])
        for second in later[index]:
            waits[second] -= 1
            if not waits[second]:
                heappush(ready, (-items[second].priority, items[second].sequence, second))
    if len(order) < len(items):
        raise ValueError(f"the order can't be kept, before and after form a cycle: {_cycle(items, later, waits)}")
    return tuple(order)


def _rank(item: Ordered) -> tuple[int, int]:
    return -item.priority, item.sequence


def _cycle(items: Sequence[_O], later: Sequence[Sequence[int]], waits: Sequence[int]) -> str:
    """Return one cycle among the items that still wait, as text."""
    stuck = {index for index, count in enumerate(waits) if count}
    earlier = {second: first for first in stuck for second in later[first] if second in stuck}
    # Each stuck item waits for a stuck one, so walking back from any must come round.
    path: list[int] = []
    here = min(stuck)
    while here not in path:
        path.append(here)
        here = earlier[here]
    loop = [here, *reversed(path[path.index(here) + 1 :]), here]
    return " before ".join(str(items[index]) for index in loop)
