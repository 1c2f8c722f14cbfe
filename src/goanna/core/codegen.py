"""Functions generated with the exact signature of an event class.

Generated, because only a real signature gives the interpreter's own TypeError texts, and because a function that stores
each field by name is the fastest constructor that Python has. ``__init__`` serves both cores; the pure core's channel
puts the same parameters and stores in front of its fan-out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from goanna.core.base import MISSING, TYPE_CHECKING
from goanna.core.fields import Field, parameters

if TYPE_CHECKING:
    from typing import Any

__all__ = ["RESERVED", "generated", "init_function", "stores"]

RESERVED = "goanna__"
"""Prefix of the names that generated functions use for themselves; no field may begin with it."""


def init_function(qualname: str, module: str, fields: Iterable[Field]) -> Callable[..., None]:
    """Return ``__init__(self, ...)`` for a class called ``qualname`` that stores each field in its slot."""
    fields = tuple(fields)
    body = stores(fields, f"{RESERVED}self") or ["pass"]
    return generated("__init__", qualname, module, fields, body, {})


def stores(fields: Iterable[Field], target: str) -> list[str]:
    """Return the statements that fill the slots of ``target`` from the parameters."""
    lines = []
    for one in fields:
        value = one.name
        if one.default_factory is not MISSING:
            value = f"{RESERVED}factory_{one.name}() if {value} is {RESERVED}missing else {value}"
        lines.append(f"{target}.{one.slot} = {value}")
    return lines


def generated(
    name: str,
    qualname: str,
    module: str,
    fields: Iterable[Field],
    body: Iterable[str],
    names: Mapping[str, Any],
) -> Callable[..., Any]:
    """Return a method with the parameters of ``fields`` and the given body lines.

    Errors about wrong arguments call it the ``__init__`` of the event class, whatever it is.

    Args:
        name: its name.
        qualname: the event class.
        module: its ``__module__``.
        fields: the parameters after the instance, which is called ``goanna__self``.
        body: lines, indented relative to the function.
        names: what the body refers to; factories and MISSING are there already.
    """
    fields = tuple(fields)
    scope: dict[str, Any] = {f"{RESERVED}missing": MISSING, **names}
    arguments = [f"{RESERVED}self"]
    starred = False
    for one in parameters(fields):
        if one.kw_only and not starred:
            arguments.append("*")
            starred = True
        if one.default is not MISSING:
            scope[f"{RESERVED}default_{one.name}"] = one.default
            arguments.append(f"{one.name}={RESERVED}default_{one.name}")
        elif one.default_factory is not MISSING:
            scope[f"{RESERVED}factory_{one.name}"] = one.default_factory
            arguments.append(f"{one.name}={RESERVED}missing")
        else:
            arguments.append(one.name)
    # The names go in as parameters of an enclosing function, so that they are closure cells rather than globals: a
    # cell is read without a dictionary, and a field may be called like any builtin.
    lines = [f"def {RESERVED}outer({', '.join(scope)}):", f"  def {RESERVED}inner({', '.join(arguments)}):"]
    lines += [f"    {line}" for line in body]
    lines.append(f"  return {RESERVED}inner")
    namespace: dict[str, Any] = {"__name__": module}
    exec(compile("\n".join(lines), f"<goanna {name} of {qualname}>", "exec"), namespace)
    function: Any = namespace[f"{RESERVED}outer"](**scope)
    function.__name__ = name
    function.__qualname__ = f"{qualname}.__init__"
    # Tracebacks show the name of the code, errors about arguments the qualified name of the function.
    function.__code__ = function.__code__.replace(co_name=name, co_qualname=f"{qualname}.{name}")
    return function  # type: ignore[no-any-return]
