"""Event classes: construction, reading, comparing, copying, pickling, and what a wrong definition is told."""

from __future__ import annotations

import copy
import inspect
import pickle
import sys
from types import ModuleType
from typing import Any, ClassVar, NamedTuple

import pytest


def test_construction_by_position_and_keyword(shapes: ModuleType) -> None:
    for event in (
        shapes.OrderPlaced(1, 9.5),
        shapes.OrderPlaced(1, total=9.5),
        shapes.OrderPlaced(total=9.5, order_id=1),
    ):
        assert (event.order_id, event.total) == (1, 9.5)
    assert shapes.OrderPlaced(7).total == 0.0


def test_inherited_fields_come_first(shapes: ModuleType) -> None:
    event = shapes.RushOrder(1, 2.0, 3)
    assert repr(event) == "RushOrder(order_id=1, total=2.0, hours=3)"
    assert isinstance(event, shapes.OrderPlaced)
    assert shapes.RushOrder.__match_args__ == ("order_id", "total", "hours")
