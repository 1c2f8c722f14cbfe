"""Reading the body of an event class: which fields it has, and what is wrong with it.

Everything that can't work is refused here, where the class is defined, with a text that says what to do instead.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from keyword import iskeyword
from types import FunctionType

from goanna.core.base import MISSING, TYPE_CHECKING
from goanna.core.codegen import RESERVED
from goanna.core.fields import Field, FieldOptions, parameters

if TYPE_CHECKING:
    from typing import Any

__all__ = ["check_business", "check_order", "inherited_fields", "own_fields"]

_STORES = "its constructor stores the fields and nothing else; build it in a function or a classmethod"
_IS_ONE = "an event class has all that it would add; take the decorator away"
_READ_ONLY = "its fields are read-only as they are, and it has no other attributes"

_OWN_BUSINESS = {
    "__dataclass_params__": _IS_ONE,
    "__dataclass_fields__": _IS_ONE,
    "__attrs_attrs__": _IS_ONE,
    "__init__": _STORES,
    "__new__": _STORES,
    "__post_init__": _STORES,
    "__setattr__": _READ_ONLY,
    "__delattr__": _READ_ONLY,
    "__slots__": "the annotations are its slots",
    "__match_args__": "they are made from the fields",
    "__event_fields__": "they are made from the annotations",
    "__event_maker__": "it is made from the fields",
}
"""What neither the body of an event class may define nor anybody set later, and why."""

_NOT_INHERITED = ("__init__", "__new__", "__post_init__", "__setattr__", "__delattr__")
"""What one half would run and the other would not, or neither would."""

_FIELDS_OF_OTHERS = {
    ("dataclasses", "Field"): "dataclasses.field()",
    ("attr", "_CountingAttr"): "a field of attrs",
    ("pydantic", "FieldInfo"): "pydantic.Field()",
    ("pydantic", "ModelPrivateAttr"): "pydantic.PrivateAttr()",
    ("msgspec", "Field"): "msgspec.field()",
}
"""What stands for a field in other libraries' classes: package and name of its class, and what to call it."""

_HEAP_TYPE = 1 << 9
"""The bit of a class's flags that says that it was made by a class statement."""


def fields_of(cls: type) -> tuple[Field, ...] | None:
    """Return the fields of a base, or None if it is no event class."""
    return getattr(cls, "__event_fields__", None)


def has_storage(cls: type) -> bool:
    """Return whether instances have room for more than their class, other than the slots of fields."""
    if hasattr(cls, "__basicsize__"):
        return bool(cls.__basicsize__ != object.__basicsize__ or cls.__dictoffset__ or cls.__itemsize__)
    # PyPy has no such numbers. There it shows in the class: a dict, slots, or a type of the interpreter's own.
    return any(
        "__dict__" in vars(base) or vars(base).get("__slots__") or not base.__flags__ & _HEAP_TYPE
        for base in cls.__mro__
        if base is not object
    )


def inherited_fields(name: str, bases: tuple[type, ...]) -> dict[str, Field]:
    """Return the fields of the bases, or raise TypeError where the bases can't be combined."""
    owner: type | None = None
    with_fields = []
    for base in bases:
        found = fields_of(base)
        if found is None:
            _check_mixin(name, base)
            continue
        if not found:
            continue
        with_fields.append(base)
        if owner is None or _slots_of(base) > _slots_of(owner):
            owner = base
    for base in with_fields:
        if owner is not None and not _slots_of(base) <= _slots_of(owner):
            raise TypeError(
                f"{name} can't have both {owner.__name__} and {base.__name__} as bases: both have fields; "
                f"inherit from one and hold the other in a field"
            )
    order = (fields_of(owner) if owner is not None else None) or ()
    return {one.name: _nearest(one.name, with_fields) for one in order}


def _check_mixin(name: str, base: type) -> None:
    """Raise TypeError where a base that is no event class can't be one of an event class."""
    if has_storage(base):
        raise TypeError(
            f"{name} can't have {base.__name__} as a base: its instances have storage of their own; "
            f"give it __slots__ = () if it only has methods"
        )
    for one in base.__mro__:
        if one is object or fields_of(one) is not None:
            continue
        for taken in _NOT_INHERITED:
            # A protocol's __init__ is not its own.
            if taken in vars(one) and not (taken == "__init__" and vars(one).get("_is_protocol")):
                raise TypeError(
                    f"{name} can't have {base.__name__} as a base, because {one.__name__} defines {taken}: "
                    f"{_OWN_BUSINESS[taken]}"
                )
        for key, value in vars(one).items():
            _check_attribute(one.__name__, key, value)


def _slots_of(cls: type) -> frozenset[tuple[type, str]]:
    """Return the slots of the fields of an event class, with the class that has each."""
    return frozenset(
        [(next(base for base in cls.__mro__ if one.slot in vars(base)), one.slot) for one in fields_of(cls) or ()]
    )


def _nearest(name: str, bases: list[type]) -> Field:
    """Return the definition of a field that comes first in the order of the method resolution."""
    defined: list[tuple[Field, type]] = []
    for base in bases:
        for one in fields_of(base) or ():
            if one.name == name:
                where = [cls for cls in base.__mro__ if any(known is one for known in fields_of(cls) or ())]
                defined.append((one, where[-1]))
    return next(
        one for one, cls in defined if not any(other is not cls and issubclass(other, cls) for _, other in defined)
    )


def own_fields(
    name: str,
    bases: tuple[type, ...],
    namespace: dict[str, Any],
    inherited: Mapping[str, Field],
    kw_only: bool,
) -> tuple[dict[str, Field], list[Field]]:
    """Return the fields that the class body annotates, by name, and those of them that need a new slot."""
    for key in namespace:
        if type(key) is not str:
            raise TypeError(f"the names in the body of {name} must be strings, not {type(key).__name__}")
    for taken in _OWN_BUSINESS:
        if taken in namespace:
            check_business(name, taken)
    own: dict[str, Field] = {}
    added: list[Field] = []
    annotations = _annotations(namespace)
    for key, value in namespace.items():
        _check_attribute(name, key, value)
    taken_names = {*namespace, *annotations}
    for key, annotation in annotations.items():
        kind = special(annotation, str(namespace.get("__module__", "")))
        if kind == "ClassVar":
            continue
        if kind == "KW_ONLY":
            kw_only = True
            continue
        if kind == "InitVar":
            raise TypeError(
                f"{key!r} of {name} is annotated as an InitVar, but there is no __post_init__ that would get it; "
                f"make it a field, or a parameter of a classmethod that builds the event"
            )
        one = _field(name, key, annotation, namespace.get(key, MISSING), kw_only)
        if key in inherited:
            one.slot = inherited[key].slot
        else:
            for base in (known for one in bases for known in one.__mro__):
                if key in vars(base):
                    raise TypeError(
                        f"field {key!r} of {name} has the name of a method or attribute of {base.__name__}; rename it"
                    )
            # A private attribute may have the very name, as `__number` beside the field `number` has.
            while one.slot in taken_names or any(hasattr(base, one.slot) for base in bases):
                one.slot += "_"
            taken_names.add(one.slot)
            added.append(one)
        own[key] = one
    for key, value in namespace.items():
        if isinstance(value, FieldOptions) and key not in own:
            raise TypeError(f"{key!r} of {name} is a goanna.field(...) without the annotation of a field; annotate it")
    for key in inherited:
        if key in namespace and key not in own:
            raise TypeError(
                f"{name} gives {key!r} a value, but {key!r} is an inherited field; annotate it to change its default, "
                f"or rename the method or attribute"
            )
    return own, added


def check_business(name: str, key: str) -> None:
    """Raise TypeError where an event class of this name can't have an attribute ``key``."""
    if key in _OWN_BUSINESS:
        raise TypeError(f"{name} is an event class and can't define {key}: {_OWN_BUSINESS[key]}")


def _check_attribute(name: str, key: str, value: object) -> None:
    """Raise TypeError where what the body of a class holds can't work in an event."""
    kind = type(value)
    other = _FIELDS_OF_OTHERS.get((kind.__module__.partition(".")[0], kind.__name__))
    if other is not None:
        raise TypeError(
            f"field {key!r} of {name} is given {other}, which an event does not understand; use goanna.field(...)"
        )
    if any(one.__name__ == "cached_property" for one in kind.__mro__):
        raise TypeError(
            f"{key!r} of {name} is a cached_property, which keeps its value in a __dict__, and events have none; "
            f"use a property"
        )


def _field(name: str, key: str, annotation: object, value: Any, kw_only: bool) -> Field:
    """Return the field ``key`` of the class ``name``, or raise where it can't be one."""
    if not key.isidentifier() or iskeyword(key) or key.startswith(RESERVED):
        raise ValueError(f"{key!r} can't be the name of a field of {name}")
    if key.startswith("__") and key.endswith("__"):
        raise ValueError(f"{key!r} can't be the name of a field of {name}: such names belong to Python")
    options = value if isinstance(value, FieldOptions) else FieldOptions(value, MISSING, None, True)
    default = options.default
    if isinstance(default, property | classmethod | staticmethod) or (
        isinstance(default, FunctionType) and default.__name__ == key
    ):
        raise TypeError(f"field {key!r} of {name} has the name of a method in the same class; rename one of them")
    if default is not MISSING and type(default).__hash__ is None:
        kind = type(default).__name__
        how = kind if isinstance(default, list | dict | set | bytearray) and not default else f"lambda: {default!r}"
        raise TypeError(
            f"field {key!r} of {name} has a mutable default, which all events would share; "
            f"use goanna.field(default_factory={how})"
        )
    return Field(
        key,
        f"_{name.lstrip('_')}__{key}",
        annotation=annotation,
        default=default,
        default_factory=options.default_factory,
        kw_only=kw_only if options.kw_only is None else options.kw_only,
        repr=options.repr,
    )


def check_order(name: str, everything: tuple[Field, ...]) -> None:
    """Raise TypeError where a parameter without a default would come after one with."""
    before = None
    for one in parameters(everything):
        if one.kw_only:
            break
        if not one.required:
            before = one
        elif before is not None:
            raise TypeError(
                f"field {one.name!r} of {name} has no default but comes after {before.name!r}, which has one; "
                f"give it a default, move it up or make it keyword-only with goanna.field(kw_only=True)"
            )


def _annotations(namespace: dict[str, Any]) -> Mapping[str, Any]:
    """Return the annotations of a class body, names that don't exist yet included."""
    found: Mapping[str, Any] | None = namespace.get("__annotations__")
    if found is None and sys.version_info >= (3, 14):
        import annotationlib

        annotate = annotationlib.get_annotate_from_class_namespace(namespace)
        if annotate is not None:
            found = annotationlib.call_annotate_function(annotate, format=annotationlib.Format.FORWARDREF)
    return found or {}


def special(annotation: object, module: str) -> str:
    """Return "ClassVar", "InitVar" or "KW_ONLY" where that is what an annotation says, however it is spelt, else "".

    It may be a text, be quoted in one, have another name in its module, or stand inside Annotated.
    """
    if hasattr(annotation, "__forward_arg__"):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        text = annotation.strip()
        if text[:1] in ("'", '"') and text[-1:] == text[:1]:
            return special(text[1:-1], module)
        head, bracket, rest = text.partition("[")
        meant = _named(head.strip(), module)
        if isinstance(meant, str):  # it can't be known now, as where only type checkers import it
            kind = meant.rpartition(".")[2]
        elif bracket and _is_one(meant, "typing", "Annotated"):
            kind = "Annotated"
        else:
            return special(meant, module)
        if kind == "Annotated":
            return special(_first(rest), module) if bracket else ""
        return kind if kind in ("ClassVar", "InitVar", "KW_ONLY") else ""
    if _is_one(annotation, "typing", "ClassVar") or _is_one(
        getattr(annotation, "__origin__", None), "typing", "ClassVar"
    ):
        return "ClassVar"
    if _is_one(annotation, "dataclasses", "KW_ONLY"):
        return "KW_ONLY"
    if _is_one(annotation, "dataclasses", "InitVar") or _is_one(type(annotation), "dataclasses", "InitVar"):
        return "InitVar"
    return special(getattr(annotation, "__origin__", None), module) if hasattr(annotation, "__metadata__") else ""


def _is_one(value: object, module: str, name: str) -> bool:
    """Return whether a value is this one of a module; where that isn't loaded, it can't be."""
    # Not imported here: they take long, and who annotates with them has imported them.
    loaded = sys.modules.get(module)
    return loaded is not None and value is getattr(loaded, name)


def _named(path: str, module: str) -> object:
    """Return what a dotted name means in a module, or the name itself where that can't be told."""
    first, *others = path.split(".")
    found: object = vars(sys.modules[module]).get(first, path) if module in sys.modules else path
    for one in others:
        if found is path:
            break
        found = getattr(found, one, path)
    return found


def _first(arguments: str) -> str:
    """Return ``a[b, c]`` for ``a[b, c], d]``."""
    depth = 0
    for index, character in enumerate(arguments):
        depth += (character in "[(") - (character in "])")
        if depth < 0 or (character == "," and not depth):
            return arguments[:index]
    return arguments
