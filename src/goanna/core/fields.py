"""Fields of an event class: what one is, and how it becomes a parameter of the constructor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import BuiltinFunctionType

from goanna.core.base import MISSING, TYPE_CHECKING, Missing, final

if TYPE_CHECKING:
    import inspect
    from typing import Any, Final, TypeVar, overload

    _T = TypeVar("_T")

__all__ = [
    "Field",
    "check_conditions",
    "check_slotted",
    "field",
    "own_event",
    "parameters",
    "signature",
    "takes_its_own",
]


@final
class Field:
    """One field of an event class.

    Attributes:
        name: the public, read-only attribute and the constructor's parameter.
        slot: the attribute that the slot really has, mangled as ``_Class__name``.
        annotation: the annotation as written in the class body.
        default: the default value, or MISSING.
        default_factory: called without arguments for each event that is built without this field, or MISSING.
        kw_only: whether the constructor takes the field by keyword only.
        repr: whether ``repr(event)`` shows the field.
    """

    __slots__ = ("annotation", "default", "default_factory", "kw_only", "name", "repr", "slot")

    name: str
    slot: str
    annotation: Any
    default: Any
    default_factory: Callable[[], Any] | Missing
    kw_only: bool
    repr: bool

    def __init__(
        self,
        name: str,
        slot: str,
        *,
        annotation: Any = MISSING,
        default: Any = MISSING,
        default_factory: Callable[[], Any] | Missing = MISSING,
        kw_only: bool = False,
        repr: bool = True,
    ) -> None:
        self.name = name
        self.slot = slot
        self.annotation = annotation
        self.default = default
        self.default_factory = default_factory
        self.kw_only = kw_only
        self.repr = repr

    @property
    def required(self) -> bool:
        """Whether the constructor can't do without it."""
        return self.default is MISSING and self.default_factory is MISSING

    def make_default(self) -> Any:
        """Return the value for an event that is built without this field."""
        if isinstance(self.default_factory, Missing):
            return self.default
        return self.default_factory()

    def __repr__(self) -> str:
        shown = [repr(self.name)]
        if self.default is not MISSING:
            shown.append(f"default={self.default!r}")
        if self.default_factory is not MISSING:
            shown.append(f"default_factory={self.default_factory!r}")
        if self.kw_only:
            shown.append("kw_only=True")
        if not self.repr:
            shown.append("repr=False")
        return f"Field({', '.join(shown)})"


@final
class FieldOptions:
    """What :func:`field` was told; it stands in the class body until the class is made."""

    __slots__ = ("default", "default_factory", "kw_only", "repr")

    def __init__(
        self, default: Any, default_factory: Callable[[], Any] | Missing, kw_only: bool | None, repr: bool
    ) -> None:
        self.default = default
        self.default_factory = default_factory
        self.kw_only = kw_only
        self.repr = repr


if TYPE_CHECKING:

    @overload
    def field(*, default: _T, kw_only: bool = ..., repr: bool = ...) -> _T: ...
    @overload
    def field(*, default_factory: Callable[[], _T], kw_only: bool = ..., repr: bool = ...) -> _T: ...
    @overload
    def field(*, kw_only: bool = ..., repr: bool = ...) -> Any: ...


def field(
    *,
    default: Any = MISSING,
    default_factory: Any = MISSING,
    kw_only: Any = None,
    repr: bool = True,
) -> Any:
    """Describe one field of an :class:`Event` in its class body.

    Args:
        default: the value of the field where the constructor is not given one.
        default_factory: called without arguments for each such event instead; for lists, dicts and the like.
        kw_only: take the field by keyword only; by default what the class says.
        repr: whether ``repr(event)`` shows the field.

    Returns:
        A marker that the class body holds until the class is made.

    Raises:
        TypeError: both a default and a factory were given, or the factory can't be called.
    """
    if default is not MISSING and default_factory is not MISSING:
        raise TypeError("field() takes either default or default_factory, not both")
    if default_factory is not MISSING and not callable(default_factory):
        raise TypeError(f"default_factory must be callable, not {type(default_factory).__name__}")
    return FieldOptions(default, default_factory, kw_only, repr)


_HEAP_TYPE: Final = 1 << 9
_NO_INSTANCES: Final = 1 << 7
"""Flags of a class: it was made at run time, and there is no way to make an instance."""


def check_slotted(cls: Any) -> None:
    """Raise TypeError unless the instances of a class are made of nothing but memory and slots."""
    if not isinstance(cls, type):
        raise TypeError(f"Maker() takes a class, not {type(cls).__name__}")
    for base in cls.__mro__[:-1]:
        own = vars(base).get("__new__")
        if not base.__flags__ & _HEAP_TYPE or base.__flags__ & _NO_INSTANCES or isinstance(own, BuiltinFunctionType):
            raise TypeError(
                f"Maker() takes a class defined in Python; {cls.__qualname__} is or extends {base.__qualname__}"
            )


def check_conditions(types: Any, members: Any, least: Any, sample: Any) -> None:
    """Raise TypeError unless these are what a Filter takes; ``members`` and ``least`` are tuples already."""
    if types is not None and not (isinstance(types, tuple) and all(isinstance(one, type) for one in types)):
        raise TypeError(f"the types of a Filter must be a tuple of classes or None, not {types!r}")
    for one in members:
        if not _is_pair(one) or not isinstance(one[1], frozenset):
            raise TypeError(f"the members of a Filter must be pairs of a name and a frozenset, not {one!r}")
    for one in least:
        if not _is_pair(one):
            raise TypeError(f"the least of a Filter must be pairs of a name and a value, not {one!r}")
    if sample is not None and not (_is_pair(sample) and isinstance(sample[1], int) and sample[1] >= 0):
        raise TypeError(f"the sample of a Filter must be a name and a threshold of 0 or more, or None, not {sample!r}")


def _is_pair(one: Any) -> bool:
    return isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], str)


def parameters(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Return the fields in the order of the constructor's parameters: keyword-only ones last."""
    fields = tuple(fields)
    return (*(f for f in fields if not f.kw_only), *(f for f in fields if f.kw_only))


_ANYTHING = ("Any", "object", "Event")


def takes_its_own(cls: type, fields: Iterable[Field]) -> bool:
    """Return whether the first parameter may be meant to be an event of the class, as far as its annotation says.

    Where it can't be, who gives one to a publisher wanted its ``publish`` method.
    """
    for one in parameters(fields):
        if one.annotation is MISSING or _is_variable(one.annotation):
            return True
        if isinstance(one.annotation, type):
            return one.annotation.__name__ in _ANYTHING or issubclass(cls, one.annotation)
        shown = one.annotation if isinstance(one.annotation, str) else repr(one.annotation)
        words = "".join([one if one.isalnum() or one == "_" else " " for one in shown])
        names = {*_ANYTHING, *[base.__name__ for base in cls.__mro__]}
        return not names.isdisjoint(words.split())
    return True


def _is_variable(annotation: object) -> bool:
    """Return whether an annotation is a type variable, or the name of what can't be known to be none."""
    return type(annotation).__name__ == "TypeVar" or (isinstance(annotation, str) and len(annotation) == 1)


def own_event(cls: type) -> TypeError:
    """Return what a publisher of events of this class raises that is called with one of them."""
    name = cls.__qualname__
    return TypeError(
        f"this publisher builds the {name} from the arguments that it is called with, but was called with an event; "
        f"its method publish(event) takes one that is already built"
    )


def signature(fields: Iterable[Field]) -> inspect.Signature:
    """Return the signature of a constructor that takes these fields."""
    import inspect

    made = []
    for one in parameters(fields):
        default = inspect.Parameter.empty
        if one.default is not MISSING:
            default = one.default
        elif one.default_factory is not MISSING:
            default = MISSING
        made.append(
            inspect.Parameter(
                one.name,
                inspect.Parameter.KEYWORD_ONLY if one.kw_only else inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=default,
                annotation=inspect.Parameter.empty if one.annotation is MISSING else one.annotation,
            )
        )
    return inspect.Signature(made)
