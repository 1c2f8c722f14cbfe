"""A wrapper is an instance of what the listener behind it is, and has its methods and no others."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType
from typing import Any
from unittest.mock import Mock, call

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


class Proxy:
    """What wrapt's ObjectProxy does: an object of another class that says it is of the class of its own one."""

    def __init__(self, behind: Any) -> None:
        self.behind = behind

    @property
    def __class__(self) -> Any:
        return self.behind.__class__

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)


def test_a_proxy_is_a_listener_of_what_it_says_it_is(goanna: ModuleType, shapes: ModuleType) -> None:
    behind = implementing(monitoring.CommandListener)
    for listener in (Proxy(behind), goanna.where(Proxy(Proxy(behind)), sample=1.0)):
        wrapper = goanna.queued(listener)
        assert isinstance(wrapper, monitoring.CommandListener)
        wrapper.started(1)
        assert wrapper.close(PATIENCE) == 0
    assert behind.log == [("started", 1)] * 2
    own = recorder(shapes)
    hub = goanna.Dispatcher(shapes.OrderListener)
    hub.add(Proxy(own))
    hub.add(Proxy(goanna.where(own, sample=1.0)))
    hub.publisher(shapes.OrderPlaced)(7)
    assert own.log == [7, 7]


def test_a_mock_of_an_interface_is_a_listener(goanna: ModuleType, shapes: ModuleType) -> None:
    for interface, name in ((monitoring.CommandListener, "started"), (shapes.OrderListener, "placed")):
        listener = Mock(spec=interface)
        wrapper = goanna.queued(goanna.where(listener, sample=1.0))
        assert isinstance(wrapper, interface)
        event = shapes.OrderPlaced(1)
        getattr(wrapper, name)(event)
        assert wrapper.close(PATIENCE) == 0
        assert listener.mock_calls == [getattr(call, name)(event)]


def test_a_class_that_is_registered_with_an_interface_has_its_methods(goanna: ModuleType, shapes: ModuleType) -> None:
    class Base(goanna.Listener):
        @goanna.handles(shapes.OrderPlaced)
        def placed(self, event: Any) -> None: ...

    class Extended(Base):
        @goanna.handles(shapes.Shipped)
        def shipped(self, event: Any) -> None: ...

    @Extended.register
    class Alien:
        """Leaves shipped out, as a subclass may."""

        def __init__(self) -> None:
            self.log: list[Any] = []

        def placed(self, event: Any) -> None:
            self.log.append(event.order_id)

    listener = Alien()
    hub = goanna.Dispatcher(Extended)
    hub.add(listener)
    hub.add(goanna.where(listener, fields={"order_id": 1}))
    queue = goanna.queued(listener)
    assert isinstance(queue, Extended)
    hub.add(queue)
    hub.publisher(shapes.OrderPlaced)(1)
    assert not hub.publisher(shapes.Shipped)
    assert queue.close(PATIENCE) == 0
    assert listener.log == [1, 1, 1]


OPTIMISED = """
import goanna
from pymongo import monitoring
from goanna.monitoring import _standalone
from goanna.delivery.interfaces import Interfaces

class Foreign:
    def came(self, event):
        '''Say why.'''
        raise NotImplementedError
    def went(self, event):
        '''Say nothing.'''
        return

for cls in [getattr(home, name) for home in (monitoring, _standalone) for name in NAMES] + [Foreign]:
    class Listener(cls):
        pass
    found = Interfaces(Listener)
    assert found.bases == (cls,), found.bases
    print(len(found.names), len(found.events))

class Sent(goanna.Event):
    number: int

class Interface(goanna.Listener):
    @goanna.handles(Sent)
    def sent(self, event):
        '''Take it.'''
        return

hub = goanna.Dispatcher()
hub.add(Interface())
print(bool(hub.publisher(Sent)))
"""


@pytest.mark.parametrize("flag", ["-O", "-OO"])
def test_interfaces_are_known_without_their_docstrings(flag: str) -> None:
    program = OPTIMISED.replace("NAMES", repr([one.__name__ for one in CLASSES]))
    done = subprocess.run([sys.executable, flag, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    counts = [len([name for name in vars(one) if not name.startswith("_")]) for one in CLASSES]
    assert done.stdout.splitlines() == [*[f"{one} {one}" for one in counts * 2], "2 0", "False"], done.stderr


def test_an_interface_of_a_module_that_was_imported_twice(goanna: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    before = implementing(monitoring.CommandListener)
    monkeypatch.delitem(sys.modules, "pymongo.monitoring")
    assert isinstance(goanna.where(before, commands="find"), monitoring.CommandListener)
    with pytest.raises(TypeError, match="implements no listener interface"):
        goanna.where(object(), commands="find")
