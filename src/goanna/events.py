"""Event: a class body's annotations become slots, parameters, reads, repr, copies and pickles."""

from __future__ import annotations

import copyreg
import sys
from collections.abc import Mapping
from reprlib import recursive_repr
from weakref import WeakSet

from goanna.core import Maker, reader
from goanna.core.base import TYPE_CHECKING, dataclass_transform
from goanna.core.codegen import init_function
from goanna.core.fields import Field, field, signature
from goanna.event_definition import check_business, check_order, inherited_fields, own_fields

if TYPE_CHECKING:
    import inspect
    from typing import Any, ClassVar, Self, TypeVar

    _E = TypeVar("_E", bound="Event")

__all__ = ["Event", "EventMeta", "event_class", "fields", "maker_of", "replace"]

_MAKER = "__event_maker__"


@dataclass_transform(
    eq_default=False, order_default=False, kw_only_default=False, frozen_default=True, field_specifiers=(field,)
)
class EventMeta(type):
    """The class of event classes; see :class:`Event`."""

    __event_fields__: tuple[Field, ...]
    __event_maker__: Maker

    def __new__(
        mcls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        /,
        *,
        eq: bool | None = None,
        kw_only: bool = False,
        **kwargs: Any,
    ) -> EventMeta:
        """Make an event class; raise TypeError or ValueError with what to do where the definition is wrong."""
        namespace = dict(namespace)  # the caller's own may serve again
        if "__module__" not in namespace:  # as type() does it, for which the caller would be this module
            namespace["__module__"] = sys._getframe(1).f_globals.get("__name__", "builtins")
        restored = None
        original = namespace.get("__orig_bases__", bases)
        if original and isinstance(original[0], _Restored):
            restored, *original = original
        inherited = inherited_fields(name, bases)
        own, added = own_fields(name, bases, namespace, inherited, kw_only)
        if restored is not None:
            added = restored.fields()
            own = {one.name: one for one in added}
        namespace["__orig_bases__"] = original = _OriginalBases(original)
        original.names = tuple([(one.name, one.slot) for one in added])
        for one in own.values():
            namespace.pop(one.name, None)
        namespace["__slots__"] = tuple([one.slot for one in added])
        everything = tuple({**inherited, **own}.values())
        check_order(name, everything)
        namespace["__event_fields__"] = everything
        namespace["__init__"] = init_function(
            namespace.get("__qualname__", name), namespace.get("__module__", __name__), everything
        )
        namespace["__match_args__"] = tuple([one.name for one in everything if not one.kw_only])
        if eq is not None and "__eq__" not in namespace:
            namespace["__eq__"] = _equal if eq else object.__eq__
            namespace.setdefault("__hash__", _hash if eq else object.__hash__)
        # First, so that the class is finished before other code sees it: an __init_subclass__ may publish it.
        namespace = {_MAKER: _Unfinished(added), **namespace}
        cls = super().__new__(mcls, name, bases, namespace, **kwargs)
        if restored is not None:
            _restoring.add(cls)
        return cls

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], /, **kwargs: Any) -> None:
        super().__init__(name, bases, namespace)

    def __setattr__(cls, name: str, value: Any) -> None:
        """Set an attribute of the class; raise TypeError for what the class body may not define either."""
        if name == "__event_fields__" and cls in _restoring:
            _restore(cls, value)
        if _has_already(cls, name, value):
            return
        check_business(cls.__name__, name)
        super().__setattr__(name, value)

    @property
    def __signature__(cls) -> inspect.Signature:
        return signature(cls.__event_fields__)


class _OriginalBases(tuple):  # type: ignore[type-arg]
    """The bases of an event class as written, which say when they are pickled which slots the class has.

    Pickles by value (cloudpickle's, which Dask, Ray and Spark use) make a class from its bases alone, so that what
    refers to it can be read, and set its attributes afterwards. Slots can't be added then.
    """

    names: tuple[tuple[str, str], ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, ([_Restored(self.names), *self],)


class _Restored:
    """Stands before the bases of a class that a pickle by value restores; has the names of its fields and slots."""

    __slots__ = ("_names",)

    def __init__(self, names: tuple[tuple[str, str], ...]) -> None:
        self._names = names

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return ()

    def fields(self) -> list[Field]:
        """Return fields that hold the places of those that the pickle sets later."""
        return [Field(name, slot, default=None) for name, slot in self._names]


_restoring: WeakSet[type] = WeakSet()
"""Classes that wait for the fields that the pickle sets."""


def _has_already(cls: EventMeta, name: str, value: Any) -> bool:
    """Return whether a pickle by value sets an attribute that the class has made for itself.

    It sets all of them, each time that it is read, also where the class is known already.
    """
    if name == "__event_fields__":
        return isinstance(value, tuple) and [(one.name, one.slot) for one in value if isinstance(one, Field)] == [
            (one.name, one.slot) for one in cls.__event_fields__
        ]
    if name == _MAKER:
        return value is None
    if name == "__init__":
        code = getattr(value, "__code__", None)
        return code is not None and code.co_varnames[:1] == vars(cls)["__init__"].__code__.co_varnames[:1]
    if name in ("__match_args__", "__slots__"):
        return bool(value == vars(cls)[name])
    return name == "__orig_bases__" and bool(value) and isinstance(value[0], _Restored)


def _restore(cls: EventMeta, everything: tuple[Field, ...]) -> None:
    """Give a class that is being restored its fields."""
    _restoring.discard(cls)
    type.__setattr__(cls, "__event_fields__", everything)
    type.__setattr__(cls, "__init__", init_function(cls.__qualname__, cls.__module__, everything))
    type.__setattr__(cls, "__match_args__", tuple([one.name for one in everything if not one.kw_only]))
    type.__delattr__(cls, _MAKER)
    maker_of(cls)


class _Unfinished:
    """Stands in the namespace of an event class until the interpreter has made it; finishes it then."""

    __slots__ = ("_added",)

    def __init__(self, added: list[Field]) -> None:
        self._added = added

    def __set_name__(self, cls: EventMeta, name: str) -> None:
        for one in self._added:
            type.__setattr__(cls, one.name, reader(cls, one.slot, one.name))
        type.__delattr__(cls, name)
        maker_of(cls)


def maker_of(cls: EventMeta) -> Maker:
    """Return what makes the events of this very class, and of no base of it."""
    maker: Maker | None = vars(cls).get(_MAKER)
    if maker is None:
        maker = Maker(cls, vars(cls)["__event_fields__"])
        type.__setattr__(cls, _MAKER, maker)
        maker.take_over()
    return maker


def event_class(one: Any) -> Any:
    """Return the event class that a parametrised one, such as ``Box[int]``, stands for; anything else as it is."""
    origin = getattr(one, "__origin__", None)
    return origin if isinstance(origin, EventMeta) else one


def _equal(self: Event, other: Any) -> bool:
    if other.__class__ is not self.__class__:
        return NotImplemented  # type: ignore[no-any-return]
    return bool(_values(self) == _values(other))


def _hash(self: Event) -> int:
    return hash((self.__class__, *_values(self)))


_equal.__name__ = "__eq__"
_hash.__name__ = "__hash__"


def _values(event: Event) -> list[Any]:
    return [getattr(event, one.slot) for one in event.__event_fields__]


class Event(metaclass=EventMeta):
    """The base of event classes: annotations in the class body become fields.

    ::

        class OrderPlaced(goanna.Event):
            order_id: int
            total: float = 0.0

    The constructor takes the fields by position or keyword, in the order of definition, inherited ones first. Fields
    are read-only. Two events are equal if they are the same object; with ``class OrderPlaced(goanna.Event, eq=True)``
    if they are of the same class with equal fields, and then they can be hashed if the fields can. ``kw_only=True`` in
    the class line, or everything after an annotation ``_: dataclasses.KW_ONLY``, or ``goanna.field(kw_only=True)``
    makes fields keyword-only. An annotation with ClassVar is no field.

    Events are slotted: no ``__dict__``, no weak references. They are copied, deep-copied and pickled by field name,
    with every protocol, and a pickle of an older class loads as long as the fields that it lacks have defaults.

    Raises:
        TypeError: at the definition, where it can't work (what, and what to do, is in the text); at construction,
            where the arguments don't fit, with the text of the interpreter.
    """

    if TYPE_CHECKING:
        __event_fields__: ClassVar[tuple[Field, ...]]

    @recursive_repr()
    def __repr__(self) -> str:
        shown = [f"{one.name}={getattr(self, one.slot)!r}" for one in self.__event_fields__ if one.repr]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return copyreg.__newobj__, (type(self),), self.__getstate__()  # type: ignore[attr-defined]

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {one.name: getattr(self, one.slot) for one in self.__event_fields__}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Fill an event that has just been made without its constructor, as unpickling and copying do.

        Raises:
            TypeError: ``state`` names something that is not a field, or lacks a field that has no default.
        """
        values = dict(state)
        ready = []
        for one in self.__event_fields__:
            if one.name in values:
                ready.append((one.slot, values.pop(one.name)))
            elif one.required:
                raise TypeError(f"the state of a {type(self).__name__} lacks its field {one.name!r}")
            else:
                ready.append((one.slot, one.make_default()))
        if values:
            raise TypeError(f"{type(self).__name__} has no field {next(iter(values))!r}")
        for slot, value in ready:
            setattr(self, slot, value)

    def __replace__(self, /, **changes: Any) -> Self:
        """Return an event like this one with some fields changed; serves ``copy.replace`` too."""
        values = {one.name: getattr(self, one.slot) for one in self.__event_fields__}
        return type(self)(**{**values, **changes})


def replace(event: _E, /, **changes: Any) -> _E:
    """Return a new event like ``event`` with some fields changed.

    Args:
        event: stays as it is.
        changes: new values by field name.

    Raises:
        TypeError: ``event`` is not an Event, or has no such field.
    """
    if not isinstance(event, Event):
        raise TypeError(f"replace() takes a goanna.Event, not {type(event).__name__}")
    return event.__replace__(**changes)


def fields(event: Event | type[Event], /) -> tuple[Field, ...]:
    """Return the fields of an event or event class in the order of definition, inherited ones first.

    Raises:
        TypeError: it is neither.
    """
    event = event_class(event)
    cls = event if isinstance(event, type) else type(event)
    if not isinstance(cls, EventMeta):
        raise TypeError(f"fields() takes a goanna.Event or a class of them, not {cls.__name__}")
    return cls.__event_fields__
