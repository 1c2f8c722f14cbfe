"""Adding, ordering, removing, publishing, counting."""

from __future__ import annotations

import gc
import importlib
import inspect
import itertools
import re
import sys
import weakref
from types import ModuleType
from typing import Any, TypeVar

import pytest

from support.garbage import IMMORTAL_CLASSES, collect


def names(log: list[Any]) -> list[str]:
    return [name for name, _ in log]


class TestPublishing:
    def test_all_listeners_get_the_same_event(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher(shapes.OrderListener)
        log: list[Any] = []
        for name in "abc":
            hub.add(shapes.Recorder(log, name))
        assert hub.publisher(shapes.OrderPlaced)(order_id=1, total=9.5) is None
        assert names(log) == ["a", "b", "c"]
        assert len({id(event) for _, event in log}) == 1
        assert repr(log[0][1]) == "OrderPlaced(order_id=1, total=9.5)"
        assert type(log[0][1]) is shapes.OrderPlaced

    def test_a_publisher_is_false_while_nobody_listens(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher(shapes.OrderListener)
        publish = hub.publisher(shapes.OrderPlaced)
        assert not publish
        hub.add(shapes.Idle())
        assert not publish
        registration = hub.add(shapes.Recorder())
        assert publish
        registration.remove()
        assert not publish
        assert hub.publisher(shapes.OrderPlaced) is publish

    def test_wrong_arguments_raise_whether_or_not_anyone_listens(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        publish = hub.publisher(shapes.Mixed)
        wrong: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
            ((), {}),
            ((1,), {}),
            ((1, 2, 3), {}),
            ((1,), {"first": 1, "third": 2}),
            ((1,), {"third": 2, "fourth": 3}),
        ]
        texts: dict[bool, list[str]] = {False: [], True: []}
        for listening in (False, True):
            if listening:
                every = type("Every", (goanna.Listener,), {"any": goanna.handles(goanna.Event)(lambda self, event: 1)})
                hub.add(every())
            assert bool(publish) is listening
            for args, kwargs in wrong:
                with pytest.raises(TypeError) as caught:
                    publish(*args, **kwargs)
                texts[listening].append(str(caught.value))
            publish(1, third=3)
            publish(1, [2], third=3, secret="x")
            publish(first=1, second=[], third=3, secret="x")
        assert texts[False] == texts[True]
        for (args, kwargs), text in zip(wrong, texts[True], strict=True):
            with pytest.raises(TypeError) as direct:
                shapes.Mixed(*args, **kwargs)
            assert str(direct.value) == text

    def test_nothing_is_built_that_nobody_wants(self, goanna: ModuleType) -> None:
        made = []

        class Counted(goanna.Event):
            x: int = goanna.field(default_factory=lambda: made.append(1))

        hub = goanna.Dispatcher()
        hub.publisher(Counted)()
        assert made == []

    def test_events_already_built(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher(shapes.OrderListener)
        recorder = shapes.Recorder()
        hub.add(recorder)
        event, rush = shapes.OrderPlaced(1), shapes.RushOrder(2)
        hub.publish(event)
        hub.publisher(shapes.OrderPlaced).publish(event)
        hub.publish(rush)
        assert [got for _, got in recorder.log] == [event, event, rush]
        with pytest.raises(TypeError, match="this channel publishes OrderPlaced, not Shipped"):
            hub.publisher(shapes.OrderPlaced).publish(shapes.Shipped(1))
        with pytest.raises(TypeError, match=re.escape("publish() takes an event, not 3")):
            hub.publish(3)
        with pytest.raises(TypeError, match=re.escape("call publisher(...) to build and publish")):
            hub.publish(shapes.OrderPlaced)

    def test_only_events_of_the_interfaces(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher(shapes.OrderListener)
        assert hub.publisher(shapes.RushOrder) is not None
        for attempt in (lambda: hub.publisher(shapes.Box), lambda: hub.publish(shapes.Box(1))):
            with pytest.raises(TypeError, match="Box is handled by no method of OrderListener"):
                attempt()
        with pytest.raises(TypeError, match="only goanna events can be published, not <class 'int'>"):
            hub.publisher(int)
        with pytest.raises(TypeError, match=re.escape("only goanna events can be published, not []")):
            hub.publisher([])

    def test_a_publisher_shows_the_signature_of_its_event(self, goanna: ModuleType, shapes: ModuleType) -> None:
        publish = goanna.Dispatcher().publisher(shapes.OrderPlaced)
        assert str(inspect.signature(publish)) == "(order_id: 'int', total: 'float' = 0.0)"
        assert repr(publish) == "<Channel of OrderPlaced to 0>"


class TestAdding:
    def test_what_is_refused(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher(shapes.OrderListener)

        class Other(goanna.Listener):
            @goanna.handles(shapes.Box)
            def box(self, event: Any) -> None: ...

        class Mute(goanna.Listener):
            pass

        for listener, text in (
            (object(), "a listener here must implement OrderListener; object does not"),
            (Other(), "a listener here must implement OrderListener; Other does not"),
            (shapes.Recorder, "add() takes a listener object, not the class Recorder; call it first"),
        ):
            with pytest.raises(TypeError, match=re.escape(text)):
                hub.add(listener)
        with pytest.raises(TypeError, match="Mute handles no event; mark its methods"):
            goanna.Dispatcher().add(Mute())
        with pytest.raises(TypeError, match="priority must be an int, not str"):
            hub.add(shapes.Recorder(), priority="high")
        with pytest.raises(TypeError, match="before takes registrations or registered listeners, not 3"):
            hub.add(shapes.Recorder(), before=[3])
        with pytest.raises(ValueError, match="which is not registered here"):
            hub.add(shapes.Recorder(), after=shapes.Recorder())
        assert len(hub) == 0
        assert hub.registrations == ()

    def test_interfaces_are_checked(self, goanna: ModuleType, shapes: ModuleType) -> None:
        class Mute(goanna.Listener):
            pass

        with pytest.raises(TypeError, match="takes subclasses of goanna.Listener as interfaces"):
            goanna.Dispatcher(int)
        with pytest.raises(TypeError, match="Mute handles no event"):
            goanna.Dispatcher(Mute)

    def test_twice_is_called_twice(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        recorder = shapes.Recorder()
        one, two = hub.add(recorder), hub.add(recorder)
        hub.publish(shapes.OrderPlaced(1))
        assert len(recorder.log) == 2
        one.remove()
        hub.publish(shapes.OrderPlaced(1))
        assert len(recorder.log) == 3
        assert (one.stats().delivered, two.stats().delivered) == (1, 2)

    def test_remove_by_listener(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        recorder = shapes.Recorder()
        one, two = hub.add(recorder), hub.add(recorder)
        assert recorder in hub
        hub.remove(recorder)
        assert recorder not in hub
        assert not one.active
        assert not two.active
        with pytest.raises(ValueError, match="is not registered here"):
            hub.remove(recorder)

    def test_a_registration_is_a_context_manager(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        recorder = shapes.Recorder()
        with hub.add(recorder) as registration:
            assert registration.listener is recorder
            assert registration.active
            hub.publish(shapes.OrderPlaced(1))
        hub.publish(shapes.OrderPlaced(2))
        assert len(recorder.log) == 1
        assert not registration.active
        assert "removed" in repr(registration)
        registration.remove()

    def test_an_empty_dispatcher_is_true(self, goanna: ModuleType) -> None:
        assert goanna.Dispatcher()
        assert len(goanna.Dispatcher()) == 0


class TestOrder:
    def order(self, hub: Any, shapes: ModuleType, log: list[Any]) -> str:
        log.clear()
        hub.publish(shapes.OrderPlaced(1))
        return "".join(names(log))

    def test_age_then_priority_then_constraints(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        log: list[Any] = []

        def add(name: str, **kwargs: Any) -> Any:
            return hub.add(shapes.Recorder(log, name), **kwargs)

        a = add("a")
        b = add("b")
        assert self.order(hub, shapes, log) == "ab"
        add("c", priority=5)
        assert self.order(hub, shapes, log) == "cab"
        add("d", priority=-1)
        add("e", priority=5)
        assert self.order(hub, shapes, log) == "ceabd"
        add("f", before=a)
        assert self.order(hub, shapes, log) == "cebfad"
        add("g", priority=9, after=[a, b])
        assert self.order(hub, shapes, log) == "cebfagd"
        assert [one.listener.name for one in hub.registrations] == list("cebfagd")

    def test_listeners_serve_as_references(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        log: list[Any] = []
        first = shapes.Recorder(log, "a")
        hub.add(first)
        hub.add(shapes.Recorder(log, "b"), before=first)
        assert self.order(hub, shapes, log) == "ba"

    def test_a_cycle_is_refused_and_named(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        log: list[Any] = []

        class Named(shapes.Recorder):  # type: ignore[name-defined,misc]
            def __repr__(self) -> str:
                return str(self.name)

        a = hub.add(Named(log, "a"))
        b = hub.add(Named(log, "b"), after=a)
        with pytest.raises(ValueError) as caught:
            hub.add(Named(log, "c"), before=a, after=b)
        text = str(caught.value)
        assert text.startswith("the order can't be kept, before and after form a cycle: ")
        steps = re.findall(r"<Registration of (\w)>", text)
        assert steps[0] == steps[-1]
        assert set(steps) == {"a", "b", "c"}
        assert all(pair in {("a", "b"), ("b", "c"), ("c", "a")} for pair in itertools.pairwise(steps))
        assert self.order(hub, shapes, log) == "ab"

    def test_an_order_relative_to_what_is_gone_means_nothing(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        log: list[Any] = []
        a = hub.add(shapes.Recorder(log, "a"))
        b = hub.add(shapes.Recorder(log, "b"), before=a)
        gone = weakref.ref(a.listener)
        a.remove()
        assert b.before == ()
        del a
        log.clear()
        gc.collect()
        assert gone() is None
        assert self.order(hub, shapes, log) == "b"


class TestReentrance:
    def test_an_inner_publish_comes_before_the_next_listener(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        log: list[Any] = []

        class Chain(shapes.Recorder):  # type: ignore[name-defined,misc]
            def placed(self, event: Any) -> None:
                super().placed(event)
                if event.order_id:
                    hub.publisher(shapes.OrderPlaced)(event.order_id - 1)

        hub.add(Chain(log, "a"))
        hub.add(shapes.Recorder(log, "b"))
        hub.publish(shapes.OrderPlaced(2))
        assert [(name, event.order_id) for name, event in log] == [
            ("a", 2), ("a", 1), ("a", 0), ("b", 0), ("b", 1), ("b", 2),
        ]  # fmt: skip

    def test_adding_and_removing_takes_effect_with_the_next_publish(
        self, goanna: ModuleType, shapes: ModuleType
    ) -> None:
        hub = goanna.Dispatcher()
        log: list[Any] = []

        class Swaps(shapes.Recorder):  # type: ignore[name-defined,misc]
            def placed(self, event: Any) -> None:
                super().placed(event)
                later.remove()
                hub.add(shapes.Recorder(log, "new"), once=True)

        hub.add(Swaps(log, "swaps"))
        later = hub.add(shapes.Recorder(log, "later"))
        hub.publish(shapes.OrderPlaced(1))
        assert names(log) == ["swaps", "later"]
        log.clear()
        hub.publish(shapes.OrderPlaced(2))
        assert names(log) == ["swaps", "new"]

    def test_a_listener_removes_itself(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()

        class Once(shapes.Recorder):  # type: ignore[name-defined,misc]
            def placed(self, event: Any) -> None:
                super().placed(event)
                registration.remove()

        listener = Once()
        registration = hub.add(listener)
        hub.publish(shapes.OrderPlaced(1))
        hub.publish(shapes.OrderPlaced(2))
        assert len(listener.log) == 1
        assert registration.stats() == goanna.Stats(1, 1, 0)


class TestOnceAndWeak:
    def test_once(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        recorder = shapes.Recorder()
        registration = hub.add(recorder, once=True)
        hub.publish(shapes.Shipped(1))
        hub.publish(shapes.OrderPlaced(2))
        assert len(recorder.log) == 1
        assert not registration.active
        assert registration.stats() == goanna.Stats(1, 1, 0)

    def test_once_holds_under_a_publish_from_within(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()

        class Again(shapes.Recorder):  # type: ignore[name-defined,misc]
            def placed(self, event: Any) -> None:
                super().placed(event)
                hub.publish(event)

        inner = shapes.Recorder()
        listener = Again()
        first = hub.add(listener, once=True)
        second = hub.add(inner, once=True)
        hub.publish(shapes.OrderPlaced(1))
        assert (len(listener.log), len(inner.log)) == (1, 1)
        assert (first.stats(), second.stats()) == (goanna.Stats(1, 1, 0), goanna.Stats(1, 1, 0))

    def test_a_failing_once_is_still_over(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher(errors=lambda *args: None)
        registration = hub.add(shapes.Failing(), once=True)
        for _ in range(2):
            hub.publish(shapes.OrderPlaced(1))
        assert registration.stats() == goanna.Stats(1, 0, 1)

    def test_weak(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        log: list[Any] = []
        listener = shapes.Recorder(log)
        registration = hub.add(listener, weak=True)
        hub.publish(shapes.OrderPlaced(1))
        assert registration.listener is listener
        del listener
        gc.collect()
        assert registration.listener is None
        assert not registration.active
        assert not hub.publisher(shapes.OrderPlaced)
        hub.publish(shapes.OrderPlaced(2))
        assert len(log) == 1
        assert registration.stats() == goanna.Stats(1, 1, 0)

    def test_a_listener_that_goes_away_during_a_publish_is_skipped_and_not_counted(
        self, goanna: ModuleType, shapes: ModuleType
    ) -> None:
        hub = goanna.Dispatcher()
        log: list[Any] = []
        kept = [shapes.Recorder(log, "weak")]

        class Drops(shapes.Recorder):  # type: ignore[name-defined,misc]
            def placed(self, event: Any) -> None:
                super().placed(event)
                kept.clear()
                gc.collect()

        hub.add(Drops(log, "drops"))
        weak = hub.add(kept[0], weak=True)
        last = hub.add(shapes.Recorder(log, "last"))
        hub.publish(shapes.OrderPlaced(1))
        assert names(log) == ["drops", "last"]
        assert (weak.stats(), last.stats()) == (goanna.Stats(0, 0, 0), goanna.Stats(1, 1, 0))

    def test_a_weak_registration_does_not_outlive_its_dispatcher(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        listener = shapes.Recorder()
        hub.add(listener, weak=True)
        gone = weakref.ref(hub)
        del hub
        gc.collect()
        assert gone() is None
        del listener

    @pytest.mark.skipif(
        sys.implementation.name != "cpython", reason="with PyPy there are weak references to all objects"
    )
    def test_what_cannot_be_weak_says_so(self, goanna: ModuleType, shapes: ModuleType) -> None:
        class Slotted:
            __slots__ = ()

            @goanna.handles(shapes.OrderPlaced)
            def placed(self, event: Any) -> None:
                raise AssertionError

        goanna.Listener.register(Slotted)
        Slotted.__declared__ = {"placed": (shapes.OrderPlaced,)}  # type: ignore[attr-defined]
        with pytest.raises(TypeError, match="Slotted can't be added with weak=True"):
            goanna.Dispatcher().add(Slotted(), weak=True)


class TestRefresh:
    def test_refresh_sees_a_patched_method(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        listener = shapes.Idle()
        registration = hub.add(listener)
        publish = hub.publisher(shapes.OrderPlaced)
        got: list[Any] = []
        listener.placed = got.append
        publish(1)
        assert not publish
        registration.refresh()
        publish(2)
        assert [event.order_id for event in got] == [2]
        assert registration.stats() == goanna.Stats(1, 1, 0)

    def test_a_refresh_that_fails_changes_nothing(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        listener = shapes.Recorder()
        registration = hub.add(listener)
        listener.placed = lambda: None
        with pytest.raises(TypeError, match="must take one positional argument"):
            registration.refresh()
        hub.publish(shapes.OrderPlaced(1))
        assert len(listener.log) == 1

    def test_a_refresh_after_the_listener_is_gone_does_nothing(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        registration = hub.add(shapes.Recorder(), weak=True)
        gc.collect()
        registration.refresh()
        assert not registration.active


class TestCounts:
    def test_delivered_and_failed(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher(errors=lambda *args: None)
        good, bad = hub.add(shapes.Recorder()), hub.add(shapes.Failing())
        idle = hub.add(shapes.Idle())
        for _ in range(5):
            hub.publish(shapes.OrderPlaced(1))
        hub.publish(shapes.Shipped(1))
        assert good.stats() == goanna.Stats(6, 6, 0)
        assert bad.stats() == goanna.Stats(6, 1, 5)
        assert idle.stats() == goanna.Stats(0, 0, 0)
        bad.remove()
        hub.publish(shapes.OrderPlaced(1))
        assert bad.stats() == goanna.Stats(6, 1, 5)
        assert good.stats().delivered == 7

    def test_a_publish_counts_when_it_ends(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        seen = []

        class Looks(shapes.Recorder):  # type: ignore[name-defined,misc]
            def placed(self, event: Any) -> None:
                seen.append([one.stats().delivered for one in hub.registrations])

        hub.add(shapes.Recorder())
        hub.add(Looks())
        hub.publish(shapes.OrderPlaced(1))
        hub.publish(shapes.OrderPlaced(1))
        assert seen == [[0, 0], [1, 1]]

    def test_a_registration_removed_during_a_publish_gets_its_count(
        self, goanna: ModuleType, shapes: ModuleType
    ) -> None:
        hub = goanna.Dispatcher()
        all_removed = []

        class Clears(shapes.Recorder):  # type: ignore[name-defined,misc]
            def placed(self, event: Any) -> None:
                for one in hub.registrations:
                    one.remove()
                    all_removed.append(one)

        first = hub.add(Clears())
        second = hub.add(shapes.Recorder())
        hub.publish(shapes.OrderPlaced(1))
        assert all_removed == [first, second]
        assert (first.stats().delivered, second.stats().delivered) == (1, 1)


class TestManyListeners:
    def test_adding_does_not_make_all_tables_again(self, goanna: ModuleType, shapes: ModuleType) -> None:
        registry = importlib.import_module("goanna.dispatch.registry")
        made = []

        def table(calls: Any = (), *others: Any) -> Any:
            made.append(len(calls))
            return real(calls, *others)

        real = registry.Table
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(registry, "Table", table)
            hub = goanna.Dispatcher()
            publish = hub.publisher(shapes.OrderPlaced)
            log: list[Any] = []
            names = [str(number) for number in range(2_000)]
            registrations = [hub.add(shapes.Recorder(log, name), priority=int(name) % 3) for name in names]
            assert sum(made) < 10 * len(names)
            assert bool(publish)
            publish(1)
            expected = sorted(names, key=lambda name: (-(int(name) % 3), int(name)))
            assert [name for name, _ in log] == expected
            assert [one.listener.name for one in hub.registrations] == expected
            before = sum(made)
            for one in registrations[:1500]:
                one.remove()
            assert sum(made) == before
            log.clear()
            hub.publish(shapes.OrderPlaced(2))
            assert len(log) == len(hub) == 500
            assert sum(made) == before + 500
        assert [one.stats().delivered for one in (registrations[0], registrations[-1])] == [1, 2]

    def test_a_table_put_off_is_made_by_whoever_needs_it(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        publish = hub.publisher(shapes.OrderPlaced)
        log: list[Any] = []
        registrations = [hub.add(shapes.Recorder(log)) for _ in range(300)]
        kept = goanna.where(shapes.Recorder(log), predicate=lambda event: event.order_id == 7)
        uses: list[Any] = [
            lambda: publish(1),
            lambda: publish(order_id=1),
            lambda: publish.publish(shapes.OrderPlaced(1)),
            lambda: hub.publish(shapes.OrderPlaced(1)),
            lambda: hub.publisher(shapes.OrderPlaced)(1),
        ]
        for use in uses:
            with hub.add(kept):
                assert repr(publish) == "<Channel of OrderPlaced to 301>"
            with hub.add(kept):
                use()
            assert len(log) == 300
            log.clear()
        with pytest.raises(TypeError, match="missing 1 required positional argument"):
            publish()
        hub = goanna.Dispatcher()  # the publisher is all that is left of the other
        with registrations[0]:
            pass
        publish(1)
        assert len(log) == 299
        assert kept.stats().filtered == len(uses)

    def test_order_that_comes_round_is_refused(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        one = hub.add(shapes.Recorder(name="one"))
        two = hub.add(shapes.Recorder(name="two"), after=one)
        three = hub.add(shapes.Recorder(name="three"), before=two)
        four = hub.add(shapes.Recorder(name="four"), after=two)
        for before, after in [(one, two), (one, four), (three, four), (two, two), ([three, one], [four])]:
            with pytest.raises(ValueError, match="the order can't be kept, before and after form a cycle"):
                hub.add(shapes.Recorder(), before=before, after=after)
        assert hub.registrations == (one, three, two, four)
        five = hub.add(shapes.Recorder(), before=four, after=[three])
        two.remove()
        assert (three.before, four.after) == ((), ())
        six = hub.add(shapes.Recorder(), before=one, after=four)
        assert hub.registrations == (three, five, four, six, one)

    @pytest.mark.skipif(IMMORTAL_CLASSES, reason="this interpreter never lets go of a class")
    def test_event_classes_that_nobody_else_holds_go(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        registration = hub.add(shapes.Recorder(gone := []))
        queue = goanna.queued(shapes.Recorder(gone))
        late = hub.add(queue)
        kept = hub.publisher(shapes.OrderPlaced)

        def published() -> weakref.ref[type]:
            class Passing(shapes.OrderPlaced):  # type: ignore[name-defined,misc]
                note: str = ""

            publish = hub.publisher(Passing)
            publish(1)
            assert publish is hub.publisher(Passing)
            del publish
            hub.publisher(Passing)(2)
            hub.publish(Passing(3))
            return weakref.ref(Passing)

        references = [published() for _ in range(3)]
        queue.close()
        gone.clear()
        collect()
        assert [one() for one in references] == [None] * 3
        assert registration.stats().delivered == late.stats().delivered == 9
        assert kept is hub.publisher(shapes.OrderPlaced)


def test_the_order_is_relative_to_objects(goanna: ModuleType, shapes: ModuleType) -> None:
    hub = goanna.Dispatcher()
    hub.add(shapes.Recorder([]))
    with pytest.raises(TypeError, match=r"before takes .*, not <class '.*Recorder'>; pass the object that was added"):
        hub.add(shapes.Recorder([]), before=shapes.Recorder)
    with pytest.raises(TypeError, match="after takes registrations or registered listeners, not 3$"):
        hub.add(shapes.Recorder([]), after=3)
    assert len(hub) == 1


class TestAnEventInPlaceOfArguments:
    def test_is_refused(self, goanna: ModuleType, shapes: ModuleType) -> None:
        hub = goanna.Dispatcher()
        publish = hub.publisher(shapes.OrderPlaced)
        event, rush = shapes.OrderPlaced(1), shapes.RushOrder(1)
        text = (
            "this publisher builds the OrderPlaced from the arguments that it is called with, but was called with an "
            "event; its method publish(event) takes one that is already built"
        )
        log: list[Any] = []
        for _ in range(2):
            for wrong in (
                lambda: publish(event),
                lambda: publish(rush),
                lambda: publish(event, 2.0),
                lambda: publish(event, total=2.0),
                lambda: publish(order_id=event),
                lambda: publish(total=1.0, order_id=rush),
            ):
                with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
                    wrong()
            hub.add(shapes.Recorder(log))
        publish(shapes.Shipped(1))
        publish(1, event)
        publish(1, total=event)
        publish.publish(event)
        assert len(log) == 8

    def test_is_fine_where_a_field_may_hold_one(self, goanna: ModuleType, shapes: ModuleType) -> None:
        def made(annotation: Any, base: Any = goanna.Event) -> Any:
            body = {"__annotations__": {"first": annotation}, "__module__": __name__}
            return type(goanna.Event)("Made", (base,), body)

        hub = goanna.Dispatcher()
        for annotation in (
            *("Made", "Made | None", "list[Made] | Made", "Any", "typing.Any", "object", "goanna.Event", "T"),
            *(Any, object, goanna.Event, TypeVar("T"), Any | None),
        ):
            cls = made(annotation)
            hub.publisher(cls)(cls(cls(1)))
            hub.publisher(cls)(first=cls(1))
        for annotation in ("int", "str | None", "MadeUp", int, int | None, list[int]):
            cls = made(annotation)
            with pytest.raises(TypeError, match="takes one that is already built"):
                hub.publisher(cls)(cls(1))
        hub.publisher(shapes.Box)(shapes.Box(1))
