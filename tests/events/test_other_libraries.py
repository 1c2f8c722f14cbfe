"""What belongs to other libraries' data classes can't work in an event class, and is refused where that is defined."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from support.packages import needed

needed("attrs", "msgspec", "pydantic")

import attrs  # noqa: E402
import msgspec  # noqa: E402
import pydantic  # noqa: E402

DECORATORS: list[Callable[[type], object]] = [
    attrs.define,
    attrs.define(slots=False),
    attrs.frozen(slots=False),
    pydantic.dataclasses.dataclass,
]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(attrs.field(), "a field of attrs"), (pydantic.Field(), "pydantic.Field()"), (msgspec.field(), "msgspec.field()")],
)
def test_a_field_of_another_library_is_refused(goanna: ModuleType, value: object, shown: str) -> None:
    with pytest.raises(TypeError) as caught:
        type(goanna.Event)("Sent", (goanna.Event,), {"__annotations__": {"number": int}, "number": value})
    assert f"is given {shown}" in str(caught.value)


@pytest.mark.parametrize("number", range(len(DECORATORS)))
def test_a_decorator_of_another_library_is_refused(goanna: ModuleType, number: int) -> None:
    class Sent(goanna.Event):  # type: ignore[name-defined,misc]
        number: int
        total: float = 1.0

    with pytest.raises(TypeError, match="Sent is an event class and can't define __.*; take the decorator away"):
        DECORATORS[number](Sent)
    assert repr(Sent(1)) == "Sent(number=1, total=1.0)"
    assert Sent(1) != Sent(1)
