"""goanna's own module, which serves programs without PyMongo, against PyMongo: the same tape on both.

It is played with the fast publishers in place, as programs have it. Only the name of the module may differ, and what a
name that somebody has deleted from the module is called in the error.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pymongo import monitoring as stock

from differential.player import play, surface
from differential.tape import Tape, tapes

SURFACE = surface(stock)


@pytest.fixture
def own(goanna: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Our module with fast publishers, found by pickles under the name that it has without PyMongo."""
    module = importlib.import_module("goanna.monitoring._standalone")
    install = importlib.import_module("goanna.monitoring._install")
    report = install.install(module)
    assert len(report.fast) >= 15, str(report)
    monkeypatch.setitem(sys.modules, "goanna.monitoring", module)
    yield module
    assert install.uninstall(module) == {}


def renamed(seen: Any) -> Any:
    """Return records of our module as they would be of PyMongo's."""
    if isinstance(seen, str):
        return seen.replace("goanna.monitoring._standalone", "pymongo.monitoring").replace(
            "goanna.monitoring", "pymongo.monitoring"
        )
    if isinstance(seen, tuple | list):
        return type(seen)(map(renamed, seen))
    if isinstance(seen, dict):
        return {key: renamed(value) for key, value in seen.items()}
    return seen


def deletes(tape: Tape) -> bool:
    """Return whether a tape deletes a name from the module."""
    return "missing" in repr(tape)


def test_the_surface_is_the_same(own: ModuleType) -> None:
    assert surface(own) == SURFACE


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(tapes.filter(lambda tape: not deletes(tape)))
def test_any_tape(own: ModuleType, tape: Tape) -> None:
    expected = play(stock, SURFACE, tape)
    found = renamed(play(own, SURFACE, tape))
    for number, (one, other) in enumerate(zip(renamed(expected), found, strict=False)):
        assert other == one, f"record {number} of {len(expected)}"
    assert len(found) == len(expected)
