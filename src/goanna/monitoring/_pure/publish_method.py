"""Replacements for the ``publish_*`` methods, in pure Python: the same as the compiled ones.

Each is generated with the signature of the method that it replaces. It builds the event by filling its slots, and then
does what the method does: look each listener's method up, call it, and hand what it raises to the module's
``_handle_exception``. Whatever is not plain sailing goes to the original: events of patched classes, documents that
hold credentials, and arguments of unusual types.
"""

from __future__ import annotations

import datetime
import functools
import inspect
import operator
import types
from collections.abc import Callable, Mapping
from typing import Any

from goanna.monitoring._plan import Plan, UnrecognisedError
from goanna.monitoring._pure.resolved import epoch, resolve_methods

__all__ = ["publish_method"]

_HANDSHAKES = ("hello", "ismaster")


def publish_method(plan: Plan, names: dict[str, Any], *, resolve: str) -> Callable[..., None]:
    """Return a function that does what ``plan`` says.

    Args:
        plan: what the original does.
        names: the namespace of the module, in which the event class and ``_handle_exception`` are looked up each time.
        resolve: "publish" to look listeners' methods up at each publish, as the original does; "registration" to look
            them up when the client's list of listeners has changed or after :func:`refresh`.
    """
    scope: dict[str, Any] = {
        "original": plan.original,
        "cls": plan.event_type,
        "new": object.__new__,
        "timedelta": datetime.timedelta,
        "to_micros": names.get("_to_micros"),
        "speculative": names.get("_is_speculative_authenticate"),
        "handshakes": _HANDSHAKES,
        "row": functools.partial(resolve_methods, plan),
        "epoch": epoch,
        "is": operator.is_,
        "set": set,
    }
    patchable = [base for base in plan.event_type.__mro__[:-1] if "__init__" in vars(base)]
    if len(patchable) == 1 and plan.kind == "plain" and resolve == "publish":
        raise UnrecognisedError("in pure Python nothing is faster than its own constructor")
    for index, base in enumerate(patchable):
        scope |= {f"class_{index}": base, f"init_{index}": vars(base)["__init__"]}
    scope |= {f"default_{index}": value for index, value in enumerate(plan.defaults)}
    scope |= {f"constant_{index}": one.constant for index, one in enumerate(plan.stores)}
    arguments = ", ".join(
        name if default is inspect.Parameter.empty else f"{name}=g_default_{index}"
        for index, (name, default) in enumerate(zip(plan.names, plan.defaults, strict=True))
    )
    body = "\n".join(f"    {line}" for line in _body(plan, resolve, names, len(patchable)))
    outer = ", ".join(f"g_{name}" for name in scope)
    source = f"def g_outer({outer}):\n  def {plan.name}(self, {arguments}):\n{body}\n  return {plan.name}"
    namespace: dict[str, Any] = {}
    exec(compile(source, f"<goanna {plan.name}>", "exec"), namespace)
    inner: types.FunctionType = namespace["g_outer"](*scope.values())
    # In the module's own namespace, names are looked up as fast, and miss with the same errors, as in its own methods.
    made = types.FunctionType(inner.__code__, names, plan.name, inner.__defaults__, inner.__closure__)
    return functools.update_wrapper(made, plan.original)


def _body(plan: Plan, resolve: str, names: Mapping[str, Any], patchable: int) -> list[str]:
    """Return the lines of the function."""
    unusual = [f"{plan.event_type.__name__} is not g_cls"]
    unusual += [f"g_class_{index}.__init__ is not g_init_{index}" for index in range(patchable)]
    if plan.kind in ("started", "succeeded"):
        unusual.append("type(_SENSITIVE_COMMANDS) is not g_set")
    if plan.kind != "plain" and "_is_speculative_authenticate" in names:  # PyMongo 3.11 has none
        unusual.append("_is_speculative_authenticate is not g_speculative")
    if plan.kind == "started":
        unusual.append("type(command) is not dict or not command")
    elif plan.kind in ("succeeded", "failed"):
        unusual.append("_to_micros is not g_to_micros")
        unusual.append("type(duration) is not g_timedelta")
    lines: list[str] = []
    if resolve == "registration":
        lines += [
            f"g_now = self.{plan.listeners}",
            "try:",
            f"  g_ready = self._goanna_{plan.name}",
            "except AttributeError:",
            "  g_ready = g_row(self, g_now)",
            "g_then = g_ready.listeners",
            "if (g_ready.epoch != g_epoch[0] or len(g_now) != len(g_then)",
            "    or (g_now[0] is not g_then[0] if len(g_then) == 1 else not all(map(g_is, g_now, g_then)))):",
            "  g_ready = g_row(self, g_now)",
            "if not g_ready.methods:",
            "  return",
        ]
    lines += [f"if {' or '.join(unusual)}:", _original(plan)]
    if plan.kind != "plain":
        if plan.kind == "started":
            lines.append("command_name = next(iter(command))")
        lines += [
            "if type(command_name) is not str:",
            _original(plan),
        ]
        if plan.kind != "failed":
            lines += [
                "g_lower = command_name.lower()",
                "if g_lower in _SENSITIVE_COMMANDS or g_lower in g_handshakes:",
                _original(plan),
            ]
        lines += ["if op_id is None:", "  op_id = request_id"]
        if "speculative_hello" in plan.names:
            lines += ["if speculative_hello:", "  reply = {}"]
    lines.append("event_ = g_new(g_cls)")
    for index, one in enumerate(plan.stores):
        if one.parameter is not None:
            value = plan.names[one.parameter]
        elif one.computed == "micros":
            value = "int(duration.total_seconds() * 1e6)"
        else:
            value = one.computed or f"g_constant_{index}"
        lines.append(f"event_.{one.slot} = {value}")
    if resolve == "registration":
        lines += ["for g_method in g_ready.methods:", "  try:", "    g_method(event_)"]
    else:
        lines += [f"for subscriber in self.{plan.listeners}:", "  try:", f"    subscriber.{plan.method}(event_)"]
    lines += ["  except Exception:", "    _handle_exception()"]
    return lines


def _original(plan: Plan) -> str:
    return f"  return g_original(self, {', '.join(plan.names)})"
