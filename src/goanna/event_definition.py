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

__all__ = ["check_order", "inherited_fields", "own_fields"]

_OWN_BUSINESS = {
    "__init__": "its constructor stores the fields and nothing else; build it in a function or a classmethod",
    "__new__": "its constructor stores the fields and nothing else; build it in a function or a classmethod",
    "__post_init__": "its constructor stores the fields and nothing else; build it in a function or a classmethod",
    "__slots__": "the annotations are its slots",
    "__match_args__": "they are made from the fields",
    "__event_fields__": "they are made from the annotations",
}

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
    inherited: dict[str, Field] = {}
    owner = None
    for base in bases:
        found = fields_of(base)
        if found is not None:
            if not found or (owner is not None and issubclass(owner, base)):
                continue
            if owner is not None and not issubclass(base, owner):
                raise TypeError(
                    f"{name} can't have both {owner.__name__} and {base.__name__} as bases: both have fields; "
                    f"inherit from one and hold the other in a field"
                )
            owner = base
            inherited = {one.name: one for one in found}
        elif has_storage(base):
            raise TypeError(
                f"{name} can't have {base.__name__} as a base: its instances have storage of their own; "
                f"give it __slots__ = () if it only has methods"
            )
    return inherited


def own_fields(
    name: str,
    bases: tuple[type, ...],
    namespace: dict[str, Any],
    inherited: Mapping[str, Field],
    kw_only: bool,
) -> tuple[dict[str, Field], list[Field]]:
    """Return the fields that the class body annotates, by name, and those of them that need a new slot."""
    for taken, why in _OWN_BUSINESS.items():
        if taken in namespace:
            raise TypeError(f"{name} is an event class and can't define {taken}: {why}")
    own: dict[str, Field] = {}
    added = []
    for key, annotation in _annotations(namespace).items():
        if _is_class_var(annotation):
            continue
        if _is_kw_only(annotation):
            kw_only = True
            continue
        one = _field(name, key, annotation, namespace.get(key, MISSING), kw_only)
        if key in inherited:
            one.slot = inherited[key].slot
        else:
            for base in (known for one in bases for known in one.__mro__):
                if key in vars(base):
                    raise TypeError(
                        f"field {key!r} of {name} has the name of a method or attribute of {base.__name__}; rename it"
                    )
            added.append(one)
        own[key] = one
    for key in inherited:
        if key in namespace and key not in own:
            raise TypeError(
                f"{name} gives {key!r} a value, but {key!r} is an inherited field; annotate it to change its default, "
                f"or rename the method or attribute"
            )
    return own, added


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


def _is_class_var(annotation: object) -> bool:
    if isinstance(annotation, str):
        return _last_name(annotation) == "ClassVar"
    typing = sys.modules.get("typing")  # where it isn't loaded, this can't be of it
    return typing is not None and typing.ClassVar in (annotation, getattr(annotation, "__origin__", None))


def _is_kw_only(annotation: object) -> bool:
    if isinstance(annotation, str):
        return _last_name(annotation) == "KW_ONLY"
    # Not imported here: dataclasses pulls in inspect, and who annotates with its KW_ONLY has imported it.
    dataclasses = sys.modules.get("dataclasses")
    return dataclasses is not None and annotation is dataclasses.KW_ONLY


def _last_name(annotation: str) -> str:
    """Return ``C`` for ``a.b.C[d]``."""
    return annotation.partition("[")[0].strip().rpartition(".")[2]
