"""A wrapper is an instance of what the listener behind it is, and has its methods and no others."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from pymongo import monitoring

from support.recorders import recorder
from support.threads import PATIENCE

CLASSES = [
    monitoring.CommandListener, monitoring.ServerHeartbeatListener, monitoring.ServerListener,
    monitoring.TopologyListener, monitoring.ConnectionPoolListener,
]  # fmt: skip


def implementing(*bases: Any) -> Any:
    """A listener that keeps the names of the methods that were called, and what with."""
    log: list[Any] = []
    names = [name for base in bases for name in vars(base) if not name.startswith("_")]
    methods = {name: lambda self, event, name=name: log.append((name, event)) for name in names}
    made = type("Everything", bases, methods)()
    made.log, made.names = log, list(dict.fromkeys(names))
    return made


@pytest.mark.parametrize("bases", [*[(one,) for one in CLASSES], tuple(CLASSES[:2]), (CLASSES[4], CLASSES[0])])
def test_pymongos_interfaces(goanna: ModuleType, bases: Any) -> None:
    for wrap in (goanna.queued, lambda listener: goanna.where(goanna.queued(listener), lambda event: True)):
        listener = implementing(*bases)
        wrapper = wrap(listener)
        for base in CLASSES:
            assert isinstance(wrapper, base) == (base in bases)
        for number, name in enumerate(listener.names):
            getattr(wrapper, name)(number)
            getattr(type(wrapper), name)(wrapper, -number)  # as a subclass, or super(), would
        assert wrapper.close(PATIENCE) == 0
        assert listener.log == [(name, sign * n) for n, name in enumerate(listener.names) for sign in (1, -1)]
        assert wrapper.stats().published == 2 * len(listener.names)


def test_both_kinds_at_once(goanna: ModuleType, shapes: ModuleType) -> None:
    class Both(shapes.Recorder, monitoring.ServerHeartbeatListener):  # type: ignore[name-defined,misc]
        def started(self, event: Any) -> None:
            self.log.append(("started", event))

        def succeeded(self, event: Any) -> None: ...

        def failed(self, event: Any) -> None: ...

    listener = Both()
    wrapper = goanna.queued(listener)
    assert isinstance(wrapper, monitoring.ServerHeartbeatListener)
    assert isinstance(wrapper, shapes.OrderListener)
    assert not isinstance(wrapper, shapes.Recorder)
    hub = goanna.Dispatcher(shapes.OrderListener)
    hub.add(wrapper)
    hub.publisher(shapes.OrderPlaced)(1)
    wrapper.started("beat")
    wrapper.succeeded("beat")
    assert wrapper.close(PATIENCE) == 0
    assert [type(what).__name__ for _, what in listener.log] == ["OrderPlaced", "str"]
    assert wrapper.stats().published == 2  # a method that does nothing takes nothing


def test_a_method_that_does_nothing_is_not_called(goanna: ModuleType, shapes: ModuleType) -> None:
    hub = goanna.Dispatcher(shapes.OrderListener)
    hub.add(goanna.queued(shapes.Idle()))
    hub.add(goanna.where(shapes.Idle(), sample=1.0))
    assert not hub.publisher(shapes.OrderPlaced)


def test_what_a_wrapper_shows(goanna: ModuleType, shapes: ModuleType) -> None:
    listener = recorder(shapes)
    wrapper = goanna.queued(listener)
    assert repr(wrapper) == f"<Queued {listener!r}>"
    assert repr(goanna.where(wrapper, sample=1.0)) == f"<Where <Queued {listener!r}>>"
    assert type(wrapper).__doc__ == goanna.delivery.Queued.__doc__
    assert isinstance(wrapper, goanna.delivery.Wrapper)
    with wrapper as entered:
        assert entered is wrapper
    wrapper.placed(shapes.OrderPlaced(1))
    assert wrapper.stats().dropped == {"closed": 1}


def test_the_package_loads_delivery_when_it_is_asked_for(goanna: ModuleType) -> None:
    assert {"queued", "on_loop", "where", "EventsLost", "delivery"} <= set(dir(goanna))
    assert goanna.queued is goanna.delivery.queued
    with pytest.raises(AttributeError, match="has no attribute 'queue'"):
        goanna.queue
