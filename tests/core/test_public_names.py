"""What programs import says where they import it from: pickles and hints don't depend on the files of the package."""

from __future__ import annotations

import copy
import pickle
import pickletools
import sys
import typing
from types import ModuleType
from typing import Any

PUBLIC = ("goanna", "goanna.delivery")


def public_names(goanna: ModuleType) -> dict[str, Any]:
    """Return the classes and functions that goanna and goanna.delivery have for programs, by where they are."""
    return {
        f"{module}.{name}": one
        for module, names in (("goanna", goanna), ("goanna.delivery", goanna.delivery))
        for name in names.__all__
        if callable(one := getattr(names, name))
    }


def modules_in(data: bytes) -> set[str]:
    """Return the modules of goanna that a pickle names."""
    found = set()
    for operation, argument, _ in pickletools.genops(data):
        if operation.name == "GLOBAL":
            found.add(argument.partition(" ")[0])
        elif isinstance(argument, str):  # of a STACK_GLOBAL, whose arguments are strings like any other
            found.add(argument)
    return {one for one in found if one.partition(".")[0] == "goanna"}


def test_classes_and_functions_say_where_they_are_imported_from(goanna: ModuleType) -> None:
    named = public_names(goanna)
    assert {"goanna.Event", "goanna.install", "goanna.Operation", "goanna.Publisher", "goanna.delivery.Loop"} <= {
        *named
    }
    for name, one in named.items():
        assert one.__module__ in PUBLIC, name
        assert getattr(sys.modules[one.__module__], one.__qualname__) is one, name
        if name.count(".") == 1:
            assert one.__module__ == "goanna", name


def test_wrappers_and_events_of_users_say_where_they_are_from(goanna: ModuleType, shapes: ModuleType) -> None:
    class Mine(goanna.Stats):  # type: ignore[name-defined,misc]
        more: int = 0

    assert Mine.__module__ == Mine.__init__.__module__ == __name__
    wrapper = goanna.where(shapes.Recorder(), sample=0.5)
    assert type(wrapper).__module__ == "goanna.delivery"


def test_pickles_name_public_modules_only(goanna: ModuleType, protocol: int) -> None:
    time = goanna.Time(3, 2, (1, 1))
    ones: list[Any] = [
        goanna.Stats(1, 1, 0, dropped={"overflow": 2}, time=time),
        time,
        goanna.EventsLost(3),
        goanna.Operation(time, goanna.MISSING, 0.5),
        goanna.MISSING,
        goanna.delivery.QueueFullError("full"),
        goanna.delivery.LoopClosedError("closed"),
        *public_names(goanna).values(),
    ]
    if protocol >= 2:  # before, Python pickles nothing that has slots and no method for that
        ones += goanna.fields(goanna.Stats)
    for one in ones:
        data = pickle.dumps(one, protocol)
        assert modules_in(data), one
        assert modules_in(data) <= {*PUBLIC}, one
        made = pickle.loads(data)
        assert type(made) is type(one)
        assert repr(made) == repr(one)


def test_missing_is_one(goanna: ModuleType, protocol: int) -> None:
    assert pickle.loads(pickle.dumps([goanna.MISSING], protocol)) == [goanna.MISSING]
    assert copy.copy(goanna.MISSING) is copy.deepcopy(goanna.MISSING) is goanna.MISSING


def test_hints_can_be_read(goanna: ModuleType) -> None:
    for name, one in public_names(goanna).items():
        if isinstance(one, type) and one is not goanna.Field:  # whose hints are for type checkers
            assert typing.get_type_hints(one) is not None, name
    assert typing.get_type_hints(goanna.Stats)["time"] == goanna.Time | None
    assert typing.get_type_hints(goanna.Operation)["start"] is Any
