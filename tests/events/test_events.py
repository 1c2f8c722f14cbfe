"""Event classes: construction, reading, comparing, copying, pickling, and what a wrong definition is told."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import pickle
import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Annotated, Any, ClassVar, Generic, Protocol, TypeVar

import pytest

Constant = ClassVar
Number = ClassVar[int]
T = TypeVar("T")


class TestConstruction:
    def test_by_position_and_keyword(self, shapes: ModuleType) -> None:
        made = [shapes.OrderPlaced(1, 9.5), shapes.OrderPlaced(1, total=9.5), shapes.OrderPlaced(total=9.5, order_id=1)]
        assert [(event.order_id, event.total) for event in made] == [(1, 9.5)] * 3
        assert shapes.OrderPlaced(7).total == 0.0

    def test_keywords_that_are_not_interned(self, shapes: ModuleType) -> None:
        name = "".join(["order", "_", "id"])
        assert name is not sys.intern(name)
        assert shapes.OrderPlaced(**{name: 5}).order_id == 5

    def test_inherited_fields_come_first(self, shapes: ModuleType) -> None:
        event = shapes.RushOrder(1, 2.0, 3)
        assert repr(event) == "RushOrder(order_id=1, total=2.0, hours=3)"
        assert isinstance(event, shapes.OrderPlaced)
        assert shapes.RushOrder.__match_args__ == ("order_id", "total", "hours")

    def test_keyword_only_fields(self, shapes: ModuleType) -> None:
        event = shapes.Mixed(1, third=3)
        assert (event.first, event.second, event.third, event.secret) == (1, [], 3, "")
        assert str(inspect.signature(shapes.Mixed)).startswith("(first: 'int', second: 'list[int]' = MISSING, *, third")
        with pytest.raises(TypeError, match=re.escape("Mixed.__init__() takes from 2 to 3 positional arguments but 4")):
            shapes.Mixed(1, [], 3)
        assert shapes.Keywords(right=2).left == 1
        with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'right'"):
            shapes.Keywords()

    def test_a_factory_makes_a_new_default_each_time(self, shapes: ModuleType) -> None:
        one, two = shapes.Mixed(1, third=3), shapes.Mixed(1, third=3)
        assert one.second == two.second == []
        assert one.second is not two.second

    def test_a_raising_factory_reaches_the_caller(self, goanna: ModuleType) -> None:
        class Sometimes(goanna.Event):
            value: int = goanna.field(default_factory=lambda: 1 // 0)

        with pytest.raises(ZeroDivisionError):
            Sometimes()
        assert Sometimes(3).value == 3

    @pytest.mark.parametrize(
        ("args", "kwargs"),
        [
            ((), {}),
            ((1, 2, 3), {}),
            ((1,), {"order_id": 2}),
            ((), {"total": 2.0}),
            ((1,), {"totl": 2.0}),
            ((), {"order_id": 1, "unknown": 2, "more": 3}),
        ],
    )
    def test_wrong_arguments_get_the_text_of_a_function(
        self, shapes: ModuleType, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        class OrderPlaced:
            def __init__(self, order_id: int, total: float = 0.0) -> None: ...

        OrderPlaced.__init__.__qualname__ = "OrderPlaced.__init__"
        with pytest.raises(TypeError) as expected:
            OrderPlaced(*args, **kwargs)
        with pytest.raises(TypeError) as got:
            shapes.OrderPlaced(*args, **kwargs)
        assert str(got.value) == str(expected.value)

    def test_no_fields(self, shapes: ModuleType) -> None:
        assert repr(shapes.Nothing()) == "Nothing()"
        with pytest.raises(
            TypeError, match=re.escape("Nothing.__init__() takes 1 positional argument but 2 were given")
        ):
            shapes.Nothing(1)

    def test_many_fields(self, goanna: ModuleType) -> None:
        names = [f"f{index}" for index in range(300)]
        many = type(goanna.Event)("Many", (goanna.Event,), {"__annotations__": dict.fromkeys(names, int)})
        event = many(*range(200), **{name: index for index, name in enumerate(names) if index >= 200})
        assert [getattr(event, name) for name in names] == list(range(300))

    def test_fields_called_like_the_machinery(self, goanna: ModuleType) -> None:
        class Odd(goanna.Event):
            self: int
            cls: int
            event: int
            print: int = 3
            mro: int = 4

        event = Odd(1, 2, event=5)
        assert (event.self, event.cls, event.event, event.print, event.mro) == (1, 2, 5, 3, 4)
        hub = goanna.Dispatcher()
        hub.publisher(Odd)(self=1, cls=2, event=3)

    def test_generic_events(self, shapes: ModuleType) -> None:
        assert shapes.Box[int](3).content == 3

    def test_classes_made_by_call(self, goanna: ModuleType) -> None:
        made = type(goanna.Event)("Made", (goanna.Event,), {"__annotations__": {"x": int}})
        assert made(2).x == 2


class TestReading:
    def test_fields_are_read_only(self, shapes: ModuleType) -> None:
        event = shapes.OrderPlaced(1)
        with pytest.raises(AttributeError, match="^readonly attribute$"):
            event.order_id = 2
        with pytest.raises(AttributeError, match="^readonly attribute$"):
            del event.order_id
        assert event.order_id == 1

    def test_no_other_attributes(self, shapes: ModuleType) -> None:
        event = shapes.RushOrder(1)
        with pytest.raises(AttributeError):
            event.note = "x"
        assert not hasattr(event, "__dict__")

    def test_pattern_matching(self, shapes: ModuleType) -> None:
        match shapes.OrderPlaced(1, 2.0):
            case shapes.OrderPlaced(order_id, total=total):
                assert (order_id, total) == (1, 2.0)
            case _:
                raise AssertionError

    def test_repr_leaves_out_what_it_is_told_to(self, shapes: ModuleType) -> None:
        assert repr(shapes.Mixed(1, [2], third=3, secret="x")) == "Mixed(first=1, second=[2], third=3)"

    def test_repr_of_an_event_inside_itself(self, shapes: ModuleType) -> None:
        content: list[Any] = []
        event = shapes.Box(content)
        content.append(event)
        assert repr(event) == "Box(content=[...])"

    def test_fields(self, goanna: ModuleType, shapes: ModuleType) -> None:
        shown = [repr(one) for one in goanna.fields(shapes.Mixed)]
        assert shown == [
            "Field('first')",
            "Field('second', default_factory=<class 'list'>)",
            "Field('third', kw_only=True)",
            "Field('secret', default='', kw_only=True, repr=False)",
        ]
        assert goanna.fields(shapes.Mixed(1, third=2)) is goanna.fields(shapes.Mixed)
        with pytest.raises(TypeError, match=re.escape("fields() takes a goanna.Event or a class of them, not int")):
            goanna.fields(3)

    def test_a_class_variable_is_no_field(self, shapes: ModuleType) -> None:
        assert shapes.Mixed.kind == "mixed"
        assert shapes.Mixed(1, third=2).kind == "mixed"


class TestComparing:
    def test_identity_by_default(self, shapes: ModuleType) -> None:
        event = shapes.OrderPlaced(1)
        assert event == event
        assert event != shapes.OrderPlaced(1)
        assert len({event, shapes.OrderPlaced(1)}) == 2

    def test_by_value_on_demand(self, shapes: ModuleType) -> None:
        assert shapes.Shipped(1) == shapes.Shipped(1, "post")
        assert shapes.Shipped(1) != shapes.Shipped(2)
        assert len({shapes.Shipped(1), shapes.Shipped(1)}) == 1
        assert shapes.Shipped(1) != 1

    def test_a_subclass_is_not_equal_to_its_base(self, shapes: ModuleType) -> None:
        class Later(shapes.Shipped):  # type: ignore[name-defined,misc]
            pass

        assert Later(1) == Later(1)
        assert Later(1) != shapes.Shipped(1)

    def test_a_subclass_can_go_back_to_identity(self, shapes: ModuleType) -> None:
        class Single(shapes.Shipped, eq=False):  # type: ignore[name-defined,misc,call-arg]
            pass

        assert Single(1) != Single(1)
        assert len({Single(1), Single(1)}) == 2

    def test_an_own_comparison_is_kept(self, goanna: ModuleType) -> None:
        class Close(goanna.Event, eq=True):
            value: int

            def __eq__(self, other: object) -> bool:
                return isinstance(other, Close) and abs(other.value - self.value) < 2

            __hash__ = None  # type: ignore[assignment]

        assert Close(1) == Close(2)
        with pytest.raises(TypeError):
            hash(Close(1))

    def test_unhashable_fields_make_the_event_unhashable(self, goanna: ModuleType) -> None:
        class Listed(goanna.Event, eq=True):
            values: list[int]

        with pytest.raises(TypeError, match="unhashable type: 'list'"):
            hash(Listed([1]))


class TestCopies:
    def test_copy_and_deepcopy(self, shapes: ModuleType) -> None:
        event = shapes.Mixed(1, [2], third=3, secret="s")
        shallow, deep = copy.copy(event), copy.deepcopy(event)
        for made in (shallow, deep):
            assert type(made) is shapes.Mixed
            assert made is not event
            assert (made.first, made.second, made.third, made.secret) == (1, [2], 3, "s")
        assert shallow.second is event.second
        assert deep.second is not event.second

    def test_deepcopy_of_a_cycle(self, shapes: ModuleType) -> None:
        content: list[Any] = []
        event = shapes.Box(content)
        content.append(event)
        made = copy.deepcopy(event)
        assert made.content[0] is made

    def test_pickle(self, shapes: ModuleType, protocol: int) -> None:
        for event in (shapes.Nothing(), shapes.RushOrder(1, 2.0, 3), shapes.Mixed(1, [2], third=3)):
            made = pickle.loads(pickle.dumps(event, protocol))
            assert type(made) is type(event)
            assert repr(made) == repr(event)

    def test_pickle_of_a_cycle(self, shapes: ModuleType, protocol: int) -> None:
        content: list[Any] = []
        event = shapes.Box(content)
        content.append(event)
        made = pickle.loads(pickle.dumps(event, protocol))
        assert made.content[0] is made

    def test_pickles_name_fields_and_not_slots(self, shapes: ModuleType, protocol: int) -> None:
        data = pickle.dumps(shapes.OrderPlaced(1), protocol)
        assert b"order_id" in data
        assert b"_OrderPlaced__order_id" not in data
        assert b"goanna" not in data

    def test_a_state_without_a_new_field_gets_its_default(self, shapes: ModuleType) -> None:
        event = shapes.RushOrder.__new__(shapes.RushOrder)
        event.__setstate__({"order_id": 1})
        assert repr(event) == "RushOrder(order_id=1, total=0.0, hours=24)"

    def test_a_wrong_state_is_refused(self, shapes: ModuleType) -> None:
        event = shapes.OrderPlaced(1)
        with pytest.raises(TypeError, match="OrderPlaced has no field 'colour'"):
            event.__setstate__({"order_id": 2, "colour": "red"})
        with pytest.raises(TypeError, match="the state of a OrderPlaced lacks its field 'order_id'"):
            event.__setstate__({})
        assert event.order_id == 1

    def test_replace(self, goanna: ModuleType, shapes: ModuleType) -> None:
        event = shapes.Mixed(1, [2], third=3, secret="s")
        made = goanna.replace(event, first=9)
        assert (made.first, made.second, made.third, made.secret) == (9, [2], 3, "s")
        assert event.first == 1
        with pytest.raises(TypeError, match="unexpected keyword argument 'frist'"):
            goanna.replace(event, frist=1)
        with pytest.raises(TypeError, match=re.escape("replace() takes a goanna.Event, not dict")):
            goanna.replace({})

    @pytest.mark.skipif(sys.version_info < (3, 13), reason="copy.replace is new in Python 3.13")
    def test_copy_replace(self, shapes: ModuleType) -> None:
        assert copy.replace(shapes.OrderPlaced(1), total=2.0).total == 2.0  # type: ignore[attr-defined]


def refused(goanna: ModuleType) -> list[tuple[Callable[[], object], type[Exception], str]]:
    """Definitions that can't work, what is raised, and a part of the text."""
    event = goanna.Event

    class Base(event):  # type: ignore[valid-type,misc]
        x: int

    class Other(event):  # type: ignore[valid-type,misc]
        y: int

    class WithDict:
        pass

    class Constructs:
        __slots__ = ()

        def __init__(self) -> None: ...

    class Allocates:
        __slots__ = ()

        def __new__(cls) -> Any: ...

    class Caches:
        __slots__ = ()

        @functools.cached_property
        def cached(self) -> int:
            return 1

    class Odd(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            raise ValueError

    def define(bases: tuple[type, ...], annotations: dict[str, Any], **body: Any) -> Callable[[], object]:
        return lambda: type(event)("Broken", bases, {"__annotations__": annotations, **body})

    def x(self: Any) -> None: ...

    return [
        (define((event,), {"x": list}, x=[]), TypeError, "use goanna.field(default_factory=list)"),
        (define((event,), {"x": dict}, x={1: 2}), TypeError, "use goanna.field(default_factory=lambda: {1: 2})"),
        (
            define((event,), {"x": int, "y": int}, x=1),
            TypeError,
            "field 'y' of Broken has no default but comes after 'x'",
        ),
        (define((event,), {"x": int}, x=x), TypeError, "has the name of a method in the same class"),
        (define((event,), {"x": int}, x=property(x)), TypeError, "has the name of a method in the same class"),
        (define((Base,), {}, x=x), TypeError, "annotate it to change its default"),
        (define((Base,), {}, x=3), TypeError, "annotate it to change its default"),
        (define((Base, Other), {}), TypeError, "can't have both Base and Other as bases: both have fields"),
        (define((event, WithDict), {}), TypeError, "give it __slots__ = ()"),
        (define((event, int), {}), TypeError, "its instances have storage of their own"),
        (define((event, Exception), {}), TypeError, "its instances have storage of their own"),
        (define((event,), {}, __init__=x), TypeError, "can't define __init__"),
        (define((event,), {}, __post_init__=x), TypeError, "can't define __post_init__"),
        (define((event,), {}, __slots__=("z",)), TypeError, "can't define __slots__"),
        (define((event,), {}, __setattr__=x), TypeError, "can't define __setattr__: its fields are read-only"),
        (define((event,), {}, __event_maker__=x), TypeError, "can't define __event_maker__"),
        (define((event, Constructs), {}), TypeError, "because Constructs defines __init__: its constructor stores"),
        (define((event, Allocates), {}), TypeError, "because Allocates defines __new__"),
        (define((event, Caches), {}), TypeError, "'cached' of Caches is a cached_property"),
        (define((event,), {}, late=functools.cached_property(x)), TypeError, "use a property"),
        (define((event,), {"x": int}, x=dataclasses.field()), TypeError, "given dataclasses.field(), which an event"),
        (define((event,), {}, x=dataclasses.field()), TypeError, "use goanna.field(...)"),
        (define((event,), {}, x=goanna.field()), TypeError, "'x' of Broken is a goanna.field(...) without the annot"),
        (define((event,), {"x": ClassVar[int]}, x=goanna.field()), TypeError, "without the annotation of a field"),
        (define((event,), {"x": dataclasses.InitVar[int]}), TypeError, "'x' of Broken is annotated as an InitVar"),
        (define((event,), {"x": dataclasses.InitVar}), TypeError, "'x' of Broken is annotated as an InitVar"),
        (define((event,), {"x": "InitVar[int]"}), TypeError, "'x' of Broken is annotated as an InitVar"),
        (lambda: type(event)("Broken", (event,), {Odd("__event_maker__"): 1}), TypeError, "must be strings, not Odd"),
        (lambda: type(event)("Broken", (event,), {3: 1}), TypeError, "must be strings, not int"),
        (define((event,), {"__x__": int}), ValueError, "such names belong to Python"),
        (define((event,), {"class": int}), ValueError, "can't be the name of a field"),
        (define((event,), {"1x": int}), ValueError, "can't be the name of a field"),
        (define((event,), {"goanna__self": int}), ValueError, "can't be the name of a field"),
        (lambda: goanna.field(default=1, default_factory=int), TypeError, "either default or default_factory"),
        (lambda: goanna.field(default_factory=3), TypeError, "default_factory must be callable, not int"),
    ]


def test_wrong_definitions_say_what_to_do(goanna: ModuleType) -> None:
    for define, error, text in refused(goanna):
        with pytest.raises(error, match=re.escape(text)):
            define()


def test_a_field_called_like_a_method_of_a_base(goanna: ModuleType) -> None:
    class WithMethod(goanna.Event):
        def total(self) -> int:
            return 1

    with pytest.raises(TypeError, match="has the name of a method or attribute of WithMethod; rename it"):

        class Broken(WithMethod):
            total: int


def test_methods_and_properties(goanna: ModuleType) -> None:
    class Priced(goanna.Event):
        net: float
        rate: float = 0.25

        @property
        def gross(self) -> float:
            return self.net * (1 + self.rate)

        @classmethod
        def free(cls) -> Priced:
            return cls(0.0)

    assert Priced(100.0).gross == 125.0
    assert Priced.free().net == 0.0


def test_a_subclass_changes_a_default_in_place(shapes: ModuleType) -> None:
    class Dear(shapes.OrderPlaced):  # type: ignore[name-defined,misc]
        total: float = 1000.0
        gift: bool = False

    assert repr(Dear(1)) == "Dear(order_id=1, total=1000.0, gift=False)"
    assert shapes.OrderPlaced(1).total == 0.0


def test_private_fields_keep_their_mangled_names(goanna: ModuleType) -> None:
    class Secret(goanna.Event):
        __token: str

        def token(self) -> str:
            return self.__token

    assert Secret("x").token() == "x"
    assert Secret.__match_args__ == ("_Secret__token",)


def test_a_mixin_without_storage_is_a_base(goanna: ModuleType) -> None:
    class Loud:
        __slots__ = ()

        def shout(self) -> str:
            return repr(self).upper()

    class Said(Loud, goanna.Event):
        word: str

    assert Said("hi").shout() == "SAID(WORD='HI')"


def test_the_class_line_passes_on_other_arguments(goanna: ModuleType) -> None:
    class Tagged(goanna.Event):
        tags: Any = ()

        def __init_subclass__(cls, tag: str = "", **kwargs: Any) -> None:
            super().__init_subclass__(**kwargs)
            cls.__doc__ = tag

    class Red(Tagged, tag="red", eq=True):
        pass

    assert Red.__doc__ == "red"
    assert Red() == Red()


def test_a_metaclass_derived_from_ours(goanna: ModuleType) -> None:
    calls = []

    class Meta(type(goanna.Event)):  # type: ignore[misc]
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            calls.append(args)
            return super().__call__(*args, **kwargs)

    class Counted(goanna.Event, metaclass=Meta):
        x: int

    assert Counted(3).x == 3
    assert calls == [(3,)]
    assert [one.name for one in goanna.fields(Counted)] == ["x"]


def test_dataclass_kw_only_marker(goanna: ModuleType) -> None:
    namespace = {"__annotations__": {"a": int, "_": dataclasses.KW_ONLY, "b": int}, "a": 1}
    made = type(goanna.Event)("Made", (goanna.Event,), namespace)
    assert made.__match_args__ == ("a",)
    assert repr(made(b=2)) == "Made(a=1, b=2)"


@pytest.mark.parametrize(
    "annotation",
    [
        *(ClassVar, ClassVar[int], Annotated[ClassVar[int], "x"], Annotated["ClassVar[int]", "x"]),
        *("ClassVar", "ClassVar[int]", "typing.ClassVar[int]", "'ClassVar[int]'", '"ClassVar[int]"'),
        *("Constant", "Constant[int]", "Number", "Annotated[ClassVar[int], 'x']", "Annotated['Constant[int]', 3]"),
        *("Annotated[Annotated[Constant[int], 1], 2]", "unknown.ClassVar[unknown]", "unknown.Annotated[ClassVar, 1]"),
    ],
)
def test_class_var_in_any_spelling_is_no_field(goanna: ModuleType, annotation: Any) -> None:
    body = {"__annotations__": {"x": int, "kind": annotation}, "kind": 3, "__module__": __name__}
    made = type(goanna.Event)("Made", (goanna.Event,), body)
    assert made.__match_args__ == ("x",)
    assert made(1).kind == made.kind == 3


@pytest.mark.parametrize(
    "annotation", ["int", "list[ClassVar]", "Annotated[int, ClassVar]", "", "'", "T", "type[Constant]"]
)
def test_what_only_names_class_var_is_a_field(goanna: ModuleType, annotation: str) -> None:
    body = {"__annotations__": {"x": annotation}, "__module__": __name__}
    assert type(goanna.Event)("Made", (goanna.Event,), body).__match_args__ == ("x",)


def decorators() -> list[Callable[[type], object]]:
    return [
        dataclasses.dataclass,
        dataclasses.dataclass(frozen=True),
        dataclasses.dataclass(slots=True),
    ]


@pytest.mark.parametrize("number", range(len(decorators())))
def test_a_decorator_that_makes_data_classes_is_refused(goanna: ModuleType, number: int) -> None:
    class Sent(goanna.Event):  # type: ignore[name-defined,misc]
        number: int
        total: float = 1.0

    with pytest.raises(TypeError, match="Sent is an event class and can't define __.*; take the decorator away"):
        decorators()[number](Sent)
    assert repr(Sent(1)) == "Sent(number=1, total=1.0)"
    assert Sent(1) != Sent(1)


@pytest.mark.parametrize("name", ["__init__", "__new__", "__setattr__", "__slots__", "__event_fields__"])
def test_what_a_body_may_not_define_nobody_sets_later(goanna: ModuleType, name: str) -> None:
    class Sent(goanna.Event):  # type: ignore[name-defined,misc]
        number: int

    with pytest.raises(TypeError, match=f"Sent is an event class and can't define {name}: "):
        setattr(Sent, name, None)
    Sent.note = "x"
    assert (Sent(1).number, Sent.note) == (1, "x")


def test_a_metaclass_gets_a_call_of_its_own_later(goanna: ModuleType) -> None:
    class Meta(type(goanna.Event)):  # type: ignore[misc]
        pass

    class Sent(goanna.Event, metaclass=Meta):  # type: ignore[name-defined,misc]
        number: int

    got: list[Any] = []

    class Interface(goanna.Listener):  # type: ignore[name-defined,misc]
        @goanna.handles(Sent)
        def sent(self, event: Any) -> None:
            got.append(event.number)

    assert Sent(1).number == 1
    Meta.__call__ = lambda cls, *args: args  # type: ignore[assignment,method-assign]
    assert Sent(2) == (2,)
    hub = goanna.Dispatcher()
    hub.add(Interface())
    hub.publisher(Sent)(3)
    del Meta.__call__
    assert Sent(4).number == 4
    assert got == [3]


def test_a_class_is_finished_when_other_code_sees_it(goanna: ModuleType) -> None:
    hub = goanna.Dispatcher()
    got: list[str] = []

    class Base(goanna.Event):  # type: ignore[name-defined,misc]
        x: int = 1

        def __init_subclass__(cls, **kwargs: Any) -> None:
            super().__init_subclass__(**kwargs)
            hub.publisher(cls)(y=2)
            hub.publish(cls(x=3))

    class Takes(goanna.Listener):  # type: ignore[name-defined,misc]
        @goanna.handles(Base)
        def taken(self, event: Any) -> None:
            got.append(f"{event!r} {event.y}")

    hub.add(Takes())

    class Derived(Base):
        y: int = 0

    hub.publisher(Derived)(4)
    assert got == ["Derived(x=1, y=2) 2", "Derived(x=3, y=0) 0", "Derived(x=4, y=0) 0"]


def test_a_class_without_its_maker_gets_one(goanna: ModuleType) -> None:
    class Base(goanna.Event):  # type: ignore[name-defined,misc]
        x: int = 1

    class Derived(Base):
        y: int = 2

    del Derived.__event_maker__
    assert repr(Derived()) == "Derived(x=1, y=2)"
    got: list[Any] = []

    class Takes(goanna.Listener):  # type: ignore[name-defined,misc]
        @goanna.handles(Base)
        def taken(self, event: Any) -> None:
            got.append(repr(event))

    hub = goanna.Dispatcher()
    hub.add(Takes())
    hub.publisher(Derived)()
    assert got == ["Derived(x=1, y=2)"]


def test_private_and_public_fields_of_one_name(goanna: ModuleType) -> None:
    class Both(goanna.Event):  # type: ignore[name-defined,misc]
        number: int
        __number: int = 2
        other: int = 3
        __other = "no field"

        def both(self) -> Any:
            return self.number, self.__number, self.other, self.__other

    assert Both(1).both() == (1, 2, 3, "no field")
    assert pickle.loads(pickle.dumps(goanna.MISSING)) is goanna.MISSING
    assert copy.copy(Both(1)).both() == (1, 2, 3, "no field")


def test_diamonds(goanna: ModuleType) -> None:
    class Base(goanna.Event):  # type: ignore[name-defined,misc]
        x: int = 1
        z: int = 0

    class Left(Base):
        pass

    class Right(Base):
        x: int = 2

    class More(Base):
        y: int = 3

    class Both(Left, Right):
        pass

    class Longer(Right, More):
        w: int = 4

    class Shadowed(Left, Longer):
        pass

    assert repr(Both()) == "Both(x=2, z=0)"
    assert repr(Longer(z=9)) == "Longer(x=2, z=9, y=3, w=4)"
    assert repr(Shadowed(5)) == "Shadowed(x=5, z=0, y=3, w=4)"
    with pytest.raises(TypeError, match="can't have both More and Other as bases: both have fields"):

        class Other(Base):
            v: int = 5

        class Impossible(More, Other):
            pass


def test_replace_leaves_an_own_state_alone(goanna: ModuleType) -> None:
    class Short(goanna.Event):  # type: ignore[name-defined,misc]
        number: int
        secret: str = ""

        def __getstate__(self) -> dict[str, Any]:
            return {"number": self.number}

    event = Short(1, "s")
    assert goanna.replace(event, number=2).secret == "s"
    assert copy.copy(event).secret == ""


def test_a_class_made_by_call_says_where(goanna: ModuleType) -> None:
    body = {"__annotations__": {"x": int}}
    meta = type(goanna.Event)
    assert meta("Made", (goanna.Event,), body).__module__ == __name__
    assert meta("Again", (goanna.Event,), body)(3).x == 3
    assert body == {"__annotations__": {"x": int}}


def test_parametrised_events_stand_for_their_class(goanna: ModuleType) -> None:
    class Box(goanna.Event, Generic[T]):  # type: ignore[name-defined,misc]
        content: T

    got: list[Any] = []

    class Opens(goanna.Listener):  # type: ignore[name-defined,misc]
        @goanna.handles(Box[int])
        def opened(self, event: Any) -> None:
            got.append(event.content)

    hub = goanna.Dispatcher(Opens)
    hub.add(Opens())
    publish = hub.publisher(Box[int])
    assert publish is hub.publisher(Box[str]) is hub.publisher(Box)
    publish(3)
    hub.publish(Box[int](4))
    assert got == [3, 4]
    assert goanna.fields(Box[int]) is goanna.fields(Box)
    with pytest.raises(TypeError, match=re.escape("only goanna events can be published, not list[int]")):
        hub.publisher(list[int])


def test_a_protocol_without_a_metaclass_conflict_is_no_constructor(goanna: ModuleType) -> None:
    class Meta(type(goanna.Event), type(Protocol)):  # type: ignore[misc]
        pass

    class Numbered(Protocol):
        __slots__ = ()

        def twice(self) -> int: ...

    class Sent(goanna.Event, Numbered, metaclass=Meta):  # type: ignore[name-defined,misc]
        number: int

        def twice(self) -> int:
            return self.number * 2

    assert Sent(2).twice() == 4
