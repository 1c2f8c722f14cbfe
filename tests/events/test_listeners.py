"""Which method takes which event, and which methods are refused."""

from __future__ import annotations

import abc
import re
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import pytest


def test_left_out_methods_are_not_called(goanna: ModuleType, shapes: ModuleType) -> None:
    class OnlyShipped(shapes.OrderListener):  # type: ignore[name-defined,misc]
        def shipped(self, event: Any) -> None:
            self.got = event

    hub = goanna.Dispatcher(shapes.OrderListener)
    listener = OnlyShipped()
    hub.add(listener)
    assert not hub.publisher(shapes.OrderPlaced)
    assert hub.publisher(shapes.Shipped)
    hub.publish(shapes.Shipped(4))
    assert listener.got.order_id == 4


def test_what_counts_as_doing_nothing(goanna: ModuleType, shapes: ModuleType) -> None:
    def dots(self: Any, event: Any) -> None: ...

    def documented(self: Any, event: Any) -> None:
        """Nothing."""

    def bare(self: Any, event: Any) -> None:
        return

    def explicit(self: Any, event: Any) -> None:
        """Nothing."""
        return None

    def passing(self: Any, *events: Any) -> None:
        pass

    def constant(self: Any, event: Any) -> str:
        return "event"

    def constant_documented(self: Any, event: Any) -> str:
        """Text."""
        return "Text."

    def reads(self: Any, event: Any) -> None:
        event.order_id

    def publisher_of(method: Any) -> Any:
        hub = goanna.Dispatcher()
        hub.add(type("One", (shapes.OrderListener,), {"placed": method})())
        return hub.publisher(shapes.OrderPlaced)

    for method in (dots, documented, bare, explicit, passing):
        assert not publisher_of(method), method
    for method in (constant, constant_documented, reads, Mock(return_value=None, __signature__=None)):
        assert publisher_of(method), method


def test_a_default_in_the_interface_is_called(goanna: ModuleType, shapes: ModuleType) -> None:
    got = []

    class WithDefault(goanna.Listener):
        @goanna.handles(shapes.OrderPlaced)
        def placed(self, event: Any) -> None:
            got.append(event)

    class Plain(WithDefault):
        pass

    hub = goanna.Dispatcher(WithDefault)
    hub.add(Plain())
    hub.publish(shapes.OrderPlaced(1))
    assert [event.order_id for event in got] == [1]


def test_events_go_to_methods_for_their_bases_too(goanna: ModuleType, shapes: ModuleType) -> None:
    got = []

    class Everything(goanna.Listener):
        @goanna.handles(goanna.Event)
        def any(self, event: Any) -> None:
            got.append(("any", type(event).__name__))

        @goanna.handles(shapes.OrderPlaced)
        def placed(self, event: Any) -> None:
            got.append(("placed", type(event).__name__))

    hub = goanna.Dispatcher()
    hub.add(Everything())
    hub.publish(shapes.RushOrder(1))
    hub.publish(shapes.Shipped(1))
    assert got == [("any", "RushOrder"), ("placed", "RushOrder"), ("any", "Shipped")]


def test_one_method_for_several_events(goanna: ModuleType, shapes: ModuleType) -> None:
    got = []

    class Both(goanna.Listener):
        @goanna.handles(shapes.OrderPlaced, shapes.Shipped)
        def either(self, event: Any) -> None:
            got.append(type(event).__name__)

    hub = goanna.Dispatcher(Both)
    hub.add(Both())
    hub.publisher(shapes.OrderPlaced)(1)
    hub.publisher(shapes.Shipped)(1)
    assert got == ["OrderPlaced", "Shipped"]


def test_one_object_implements_several_interfaces(goanna: ModuleType, shapes: ModuleType) -> None:
    class Left(goanna.Listener):
        @goanna.handles(shapes.OrderPlaced)
        def started(self, event: Any) -> None: ...

    class Right(goanna.Listener):
        @goanna.handles(shapes.Shipped)
        def started(self, event: Any) -> None: ...

        @goanna.handles(shapes.OrderPlaced)
        def other(self, event: Any) -> None: ...

    got = []

    class Both(Left, Right):
        def started(self, event: Any) -> None:
            got.append(("started", type(event).__name__))

        def other(self, event: Any) -> None:
            got.append(("other", type(event).__name__))

    hub = goanna.Dispatcher(Left, Right)
    registration = hub.add(Both())
    hub.publish(shapes.OrderPlaced(1))
    hub.publish(shapes.Shipped(1))
    assert got == [("started", "OrderPlaced"), ("other", "OrderPlaced"), ("started", "Shipped")]
    assert registration.stats().delivered == 3


def test_abstract_methods_behave_like_abc(goanna: ModuleType, shapes: ModuleType) -> None:
    class Strict(goanna.Listener):
        @abc.abstractmethod
        @goanna.handles(shapes.OrderPlaced)
        def placed(self, event: Any) -> None: ...

    class Incomplete(Strict):
        pass

    class Complete(Strict):
        def placed(self, event: Any) -> None:
            self.got = event

    with pytest.raises(TypeError, match="abstract"):
        Incomplete()
    hub = goanna.Dispatcher(Strict)
    listener = Complete()
    hub.add(listener)
    hub.publish(shapes.OrderPlaced(2))
    assert listener.got.order_id == 2


@pytest.mark.parametrize(
    ("method", "text"),
    [
        (lambda self: None, "Wrong.placed() must take one positional argument, the event; its signature is ()"),
        (lambda self, a, b: None, "Wrong.placed() must take one positional argument"),
        (lambda self, *, event: None, "Wrong.placed() must take one positional argument"),
        (lambda self, event, *, more: None, "Wrong.placed() must take one positional argument"),
        (staticmethod(lambda: None), "Wrong.placed() must take one positional argument"),
        (classmethod(lambda cls: None), "Wrong.placed() must take one positional argument"),
        (3, "Wrong.placed must be a method, not int"),
        (None, "Wrong.placed must be a method, not NoneType"),
    ],
)
def test_methods_that_cannot_take_an_event_are_refused(
    goanna: ModuleType, shapes: ModuleType, method: Any, text: str
) -> None:
    wrong = type("Wrong", (shapes.OrderListener,), {"placed": method, "__qualname__": "Wrong"})
    hub = goanna.Dispatcher()
    with pytest.raises(TypeError, match=re.escape(text)):
        hub.add(wrong())
    assert len(hub) == 0


@pytest.mark.parametrize(
    "method",
    [
        lambda self, event: self.got.append(event),
        lambda self, *events: self.got.extend(events),
        lambda self, event, extra=1, *, more=2: self.got.append(event),
    ],
)
def test_methods_that_can_take_one_are_not(goanna: ModuleType, shapes: ModuleType, method: Any) -> None:
    listener = type("Right", (shapes.OrderListener,), {"placed": method, "got": []})()
    hub = goanna.Dispatcher()
    hub.add(listener)
    hub.publish(shapes.OrderPlaced(1))
    assert len(listener.got) == 1


def test_a_decorated_method_is_checked_by_what_it_wraps(goanna: ModuleType, shapes: ModuleType) -> None:
    import functools

    def traced(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    wrong = type("Wrong", (shapes.OrderListener,), {"placed": traced(lambda self: None), "__qualname__": "Wrong"})
    with pytest.raises(TypeError, match="must take one positional argument"):
        goanna.Dispatcher().add(wrong())
    right = type("Right", (shapes.OrderListener,), {"placed": traced(lambda self, event: None)})
    assert goanna.Dispatcher().add(right()).active


def test_functions_that_would_not_run_are_refused(goanna: ModuleType, shapes: ModuleType) -> None:
    async def coroutine(self: Any, event: Any) -> None: ...

    def generator(self: Any, event: Any) -> Any:
        yield event

    async def async_generator(self: Any, event: Any) -> Any:
        yield event

    for method, text in (
        (coroutine, "is a coroutine function: a dispatcher calls its listeners and does not await them"),
        (generator, "is a generator function: calling it with an event would run none of it"),
        (async_generator, "is a generator function"),
    ):
        with pytest.raises(TypeError, match=text):
            goanna.Dispatcher().add(type("Wrong", (shapes.OrderListener,), {"placed": method})())


def test_attributes_of_the_instance_count(goanna: ModuleType, shapes: ModuleType) -> None:
    listener = shapes.Idle()
    got: list[Any] = []
    listener.placed = got.append
    hub = goanna.Dispatcher()
    hub.add(listener)
    hub.publish(shapes.OrderPlaced(1))
    assert len(got) == 1


def test_handles_says_what_it_takes(goanna: ModuleType, shapes: ModuleType) -> None:
    with pytest.raises(TypeError, match=re.escape("handles() takes at least one event class")):
        goanna.handles()
    with pytest.raises(TypeError, match="not the function placed"):

        @goanna.handles
        def placed(self: Any, event: Any) -> None: ...

    with pytest.raises(TypeError, match=re.escape("subclasses of goanna.Event), not <class 'int'>")):
        goanna.handles(int)
    for wrapper in (property, classmethod):
        with pytest.raises(TypeError, match=f"handles\\(\\) decorates a method, not {wrapper.__name__}; put it below"):
            goanna.handles(shapes.OrderPlaced)(wrapper(lambda self, event: None))


def test_two_methods_for_one_event_are_refused(goanna: ModuleType, shapes: ModuleType) -> None:
    with pytest.raises(TypeError, match="Twice declares two methods for OrderPlaced: one and two"):

        class Twice(goanna.Listener):
            @goanna.handles(shapes.OrderPlaced)
            def one(self, event: Any) -> None: ...

            @goanna.handles(shapes.OrderPlaced)
            def two(self, event: Any) -> None: ...


def test_marks_count_in_a_class_that_is_not_finished(goanna: ModuleType, shapes: ModuleType) -> None:
    """As when a listener registers itself before, or without, the base's __init_subclass__."""
    hub = goanna.Dispatcher()

    class Registers(goanna.Listener):  # type: ignore[name-defined,misc]
        def __init_subclass__(cls, **kwargs: Any) -> None:
            hub.add(cls())
            hub.add(goanna.where(cls(), events=shapes.OrderPlaced))

    got: list[Any] = []

    class Takes(Registers):
        @goanna.handles(shapes.OrderPlaced)
        def placed(self, event: Any) -> None:
            got.append(event.order_id)

    hub.publisher(shapes.OrderPlaced)(3)
    assert got == [3, 3]


def test_a_misspelt_method_is_told_of_once(
    goanna: ModuleType, shapes: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    class Misspelt(shapes.OrderListener):  # type: ignore[name-defined,misc]
        def placd(self, event: Any) -> None: ...

        def shipped(self, event: Any) -> None: ...

        def shiped(self, event: Any) -> None:
            """Not misspelt, for shipped is there."""

    class Fine(shapes.OrderListener):  # type: ignore[name-defined,misc]
        def place(self, event: Any) -> None: ...

        def _placed(self, event: Any) -> None: ...

        def placedd(self) -> None: ...

        def anything(self, event: Any) -> None: ...

    class Behind(Misspelt):
        pass

    hub = goanna.Dispatcher()
    hub.add(Misspelt())
    hub.add(Misspelt())
    hub.add(Fine())
    goanna.queued(Behind()).close()
    text = "{}.placd() takes no events: its interface has no such method; is placed meant?"
    assert [one.getMessage() for one in caplog.records] == [
        text.format(Misspelt.__qualname__),
        text.format(Behind.__qualname__),
    ]
