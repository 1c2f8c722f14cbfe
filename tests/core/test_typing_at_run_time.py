"""goanna loads without the module typing; what that module can ask of it, it can all the same."""

from __future__ import annotations

import os
import subprocess
import sys
import typing
from types import ModuleType
from typing import Any

import pytest

from support.cores import backends

WITHOUT = """
import sys
import goanna

class OrderPlaced(goanna.Event):
    order_id: int
    shared: "ClassVar[int]" = 3

class Listener(goanna.Listener):
    @goanna.handles(OrderPlaced)
    def placed(self, event): print(event)

hub = goanna.Dispatcher(Listener)
hub.add(Listener())
hub.publisher(OrderPlaced)(order_id=1)
print("typing" in sys.modules, OrderPlaced.shared, goanna.BACKEND)
goanna.Publisher
print("typing" in sys.modules)
"""


@pytest.mark.parametrize("core", backends())
def test_a_program_without_typing(core: str) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n" + WITHOUT],
        env={**os.environ, "GOANNA_BACKEND": core},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == (f"OrderPlaced(order_id=1)\nFalse 3 {core}\nTrue\n", "")


def test_hints_of_events_and_listeners(goanna: ModuleType) -> None:
    class Paid(goanna.Event):  # type: ignore[name-defined,misc]
        amount: int
        note: str | None = None

    class Payments(goanna.Listener):  # type: ignore[name-defined,misc]
        limit: float

        @goanna.handles(Paid)
        def paid(self, event: Any) -> None: ...

    assert typing.get_type_hints(Payments) == {"limit": float}
    hints = typing.get_type_hints(Paid)
    assert (hints["amount"], hints["note"]) == (int, str | None)
    assert typing.get_type_hints(Payments.paid) == {"event": Any, "return": type(None)}


def test_a_publisher_has_parameters(goanna: ModuleType) -> None:
    kind = goanna.Publisher[[int], goanna.Event]
    assert typing.get_origin(kind) is goanna.Publisher
    assert "Publisher" in dir(goanna)
    with pytest.raises(AttributeError, match="has no attribute 'Publishers'"):
        goanna.Publishers


def test_marks_are_those_of_typing(goanna: ModuleType) -> None:
    settings: dict[str, Any] = {
        "eq_default": False,
        "order_default": False,
        "kw_only_default": False,
        "frozen_default": True,
        "field_specifiers": (goanna.field,),
    }
    marks = type(goanna.Event).__dataclass_transform__
    wanted: Any = typing.dataclass_transform(**settings)(type("Meta", (type,), {})).__dataclass_transform__
    if sys.version_info < (3, 12):  # where typing doesn't know frozen_default
        wanted |= {**wanted.pop("kwargs"), "kwargs": {}}
    assert marks == wanted
    assert goanna.Registration.__final__ is typing.final(type("One", (), {})).__final__
