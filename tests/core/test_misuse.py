"""The core's classes called with what they can't work with: an error, whichever half it is."""

from __future__ import annotations

import types
from types import ModuleType
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"sample": ()}, "the sample of a Filter must be a name and a threshold of 0 or more, or None, not ()"),
        ({"sample": ("a", -1)}, "the sample of a Filter must be"),
        ({"sample": (1, 1)}, "the sample of a Filter must be"),
        ({"types": (1,)}, "the types of a Filter must be a tuple of classes or None, not (1,)"),
        ({"types": int}, "the types of a Filter must be"),
        ({"members": [()]}, "the members of a Filter must be pairs of a name and a frozenset, not ()"),
        ({"members": [("a", [1])]}, "the members of a Filter must be"),
        ({"least": [("a",)]}, "the least of a Filter must be pairs of a name and a value, not ('a',)"),
    ],
)
def test_filter(goanna: ModuleType, arguments: dict[str, Any], text: str) -> None:
    import goanna.core as core

    with pytest.raises(TypeError) as caught:
        core.Filter(print, core.Account(), **arguments)
    assert str(caught.value).startswith(text)


def test_a_table_of_another_event(goanna: ModuleType, shapes: ModuleType) -> None:
    import goanna.core as core

    placed, shipped = shapes.OrderPlaced.__event_maker__, shapes.Shipped.__event_maker__
    for table in (core.Table((), shipped), core.Table((), core.Maker(shapes.OrderPlaced, placed.fields[:1]))):
        with pytest.raises(TypeError, match="a Table of the same event: <Maker of OrderPlaced>, and"):
            core.Channel(placed, table, None)
        channel = core.Channel(placed, core.Table((), placed), None)
        before = channel.table
        with pytest.raises(TypeError, match="the table is of <class "):
            channel.replace_table(table)
        assert channel.table is before
        assert not before.retired


@pytest.mark.parametrize("cls", [types.FunctionType, int, tuple, Exception, type("Mine", (dict,), {})])
def test_a_maker_of_what_is_not_made_of_slots(goanna: ModuleType, cls: type) -> None:
    import goanna.core as core

    with pytest.raises(TypeError, match=f"a class defined in Python; {cls.__qualname__} is or extends "):
        core.Maker(cls, [])
