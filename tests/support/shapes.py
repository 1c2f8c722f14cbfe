"""Event classes, interfaces and listeners that tests share; loaded once for each core, so that pickles find them."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Generic, TypeVar

import goanna

T = TypeVar("T")


class Nothing(goanna.Event):
    pass


class OrderPlaced(goanna.Event):
    order_id: int
    total: float = 0.0


class RushOrder(OrderPlaced):
    hours: int = 24


class Shipped(goanna.Event, eq=True):
    order_id: int
    carrier: str = "post"


class Wide(goanna.Event):
    a: Any
    b: Any
    c: Any
    d: Any
    e: Any
    f: Any
    g: Any
    h: Any


class Mixed(goanna.Event):
    kind: ClassVar[str] = "mixed"
    first: int
    second: list[int] = goanna.field(default_factory=list)
    _: dataclasses.KW_ONLY
    third: int
    secret: str = goanna.field(default="", repr=False)


class Keywords(goanna.Event, kw_only=True):
    left: int = 1
    right: int


class Box(goanna.Event, Generic[T]):
    content: T


class OrderListener(goanna.Listener):
    @goanna.handles(OrderPlaced)
    def placed(self, event: OrderPlaced) -> None: ...

    @goanna.handles(Shipped)
    def shipped(self, event: Shipped) -> None: ...


class Recorder(OrderListener):
    """Keeps what it got, in a list that several may share."""

    def __init__(self, log: list[Any] | None = None, name: str = "recorder") -> None:
        self.log: list[Any] = [] if log is None else log
        self.name = name

    def placed(self, event: OrderPlaced) -> None:
        self.log.append((self.name, event))

    def shipped(self, event: Shipped) -> None:
        self.log.append((self.name, event))


class Idle(OrderListener):
    pass


class Failing(Recorder):
    def placed(self, event: OrderPlaced) -> None:
        super().placed(event)
        raise ValueError(f"{self.name} failed")
