"""Listeners that are added with ``weak=True``, whatever their methods are."""

from __future__ import annotations

import functools
import gc
import weakref
from types import ModuleType
from typing import Any

import pytest

WAYS = ("method", "partialmethod", "property", "closure", "bound method in the instance", "method of another", "static")


def listener_of(shapes: ModuleType, way: str, got: list[Any]) -> Any:
    class Listens(shapes.Recorder):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__([])
            if way == "closure":
                self.placed = lambda event: self.real(1, event)
            elif way == "bound method in the instance":
                self.placed = functools.partial(self.real, 1)
            elif way == "method of another":
                self.placed = got.append

        def real(self, extra: int, event: Any) -> None:
            got.append(event)

        if way == "method":

            def placed(self, event: Any) -> None:
                got.append(event)
        elif way == "partialmethod":
            placed = functools.partialmethod(real, 1)
        elif way == "property":
            placed = property(lambda self: functools.partial(self.real, 1))
        elif way == "static":
            placed = staticmethod(lambda event: got.append(event))

    return Listens()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("options", [{}, {"once": True}, {"timed": True}], ids=str)
def test_it_is_called_and_goes_away(goanna: ModuleType, shapes: ModuleType, way: str, options: dict[str, Any]) -> None:
    got: list[Any] = []
    hub = goanna.Dispatcher(errors="raise")
    listener = listener_of(shapes, way, got)
    registration = hub.add(listener, weak=True, **options)
    event = shapes.OrderPlaced(1)
    hub.publish(event)
    assert got == [event]
    assert registration.stats().delivered == 1
    gone = weakref.ref(listener)
    del listener
    gc.collect()
    assert gone() is None
    assert len(hub) == 0
    hub.publish(event)
    assert got == [event]


@pytest.mark.parametrize("kind", ["paired", "where", "queued"])
def test_wrappers(goanna: ModuleType, shapes: ModuleType, kind: str) -> None:
    from goanna.delivery import paired

    got: list[Any] = []

    class Listens(shapes.Recorder):  # type: ignore[name-defined,misc]
        def placed(self, event: Any) -> None:
            got.append(event)

        def order(self, operation: Any) -> None:
            got.append(operation)

    make = {
        "paired": lambda one: paired(one, start="placed", ends="shipped", method="order", key=lambda event: 1),
        "where": lambda one: goanna.where(one, events=shapes.OrderPlaced),
        "queued": goanna.queued,
    }
    wrapper = make[kind](Listens([]))
    hub = goanna.Dispatcher(errors="raise")
    hub.add(wrapper, weak=True)
    hub.publish(shapes.OrderPlaced(1))
    assert wrapper.flush(30) == 0
    assert len(got) == 1
    gone = weakref.ref(wrapper)
    del wrapper
    gc.collect()
    assert gone() is None
    assert len(hub) == 0


def test_a_single_dispatch_method(goanna: ModuleType, shapes: ModuleType) -> None:
    got: list[Any] = []

    class Interface(goanna.Listener):  # type: ignore[name-defined,misc]
        @goanna.handles(shapes.OrderPlaced, shapes.Shipped)
        def order(self, event: Any) -> None: ...

    class Implementation(Interface):
        @functools.singledispatchmethod
        def order(self, event: Any) -> None:
            got.append(("any", event))

        @order.register(shapes.OrderPlaced)
        def _(self, event: Any) -> None:
            got.append(("placed", event))

    class Above(goanna.Listener):  # type: ignore[name-defined,misc]
        @goanna.handles(shapes.OrderPlaced)
        @functools.singledispatchmethod
        def above(self, event: Any) -> None:
            got.append(("above", event))

    class Below(goanna.Listener):  # type: ignore[name-defined,misc]
        @functools.singledispatchmethod
        @goanna.handles(shapes.OrderPlaced)
        def below(self, event: Any) -> None:
            got.append(("below", event))

    event = shapes.OrderPlaced(1)
    for listener, name in ((Implementation(), "placed"), (Above(), "above"), (Below(), "below")):
        for weak in (False, True):
            hub = goanna.Dispatcher(errors="raise")
            hub.add(listener, weak=weak)
            hub.publish(event)
            assert got == [(name, event)]
            got.clear()
