"""The package is dropped from sys.modules and imported again, as test runners and plug-in hosts do."""

from __future__ import annotations

import copy
import importlib
import pickle
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from support.cores import World


@pytest.fixture
def imports(goanna: ModuleType) -> Iterator[list[ModuleType]]:
    """The package as imported first, second and third, the third being the one that imports find."""
    found = [goanna]
    second = World("goanna")
    with second.active():
        found.append(importlib.import_module("goanna"))
    with World("goanna").active():
        found.append(importlib.import_module("goanna"))
        yield found


def used(package: ModuleType) -> Any:
    """Return what becomes of events with defaults, errors, filters and queues of this import."""

    class Sent(package.Event):  # type: ignore[name-defined,misc]
        number: int
        tags: Any = package.field(default_factory=list)

    class Interface(package.Listener):  # type: ignore[name-defined,misc]
        @package.handles(Sent)
        def sent(self, event: Any) -> None: ...

    class Keep(Interface):
        def sent(self, event: Any) -> None:
            got.append((event.number, event.tags))

    class Fails(Interface):
        def sent(self, event: Any) -> None:
            raise ValueError

    got: list[Any] = []
    failed: list[Exception] = []
    hub = package.Dispatcher(Interface, errors=lambda error, listener, event: failed.append(error))
    hub.add(Fails())
    once, weak = hub.add(Keep(), once=True), hub.add(keep := Keep(), weak=True)
    hub.publisher(Sent)(1)
    del keep
    hub.publisher(Sent)(number=2)
    queue = package.queued(Keep())
    few = package.where(Keep(), predicate=lambda event: event.number > 3)
    with hub.add(queue), hub.add(few):
        hub.publish(Sent(3))
        hub.publisher(Sent)(4)
    queue.close(5)
    counts = [one.stats().delivered for one in (once, weak, queue, few)]
    return sorted(got), len(failed), counts, str(package.MISSING)


def test_every_import_works(imports: list[ModuleType]) -> None:
    expected = used(imports[0])
    assert expected[0][:2] == [(1, []), (1, [])]
    assert [used(package) for package in reversed(imports)] == [expected] * 3


def test_sentinels_are_the_same_in_all_of_them(imports: list[ModuleType]) -> None:
    missing = {id(package.MISSING) for package in imports}
    assert len(missing) == 1
    value = imports[0].MISSING
    assert copy.deepcopy(value) is value
    assert pickle.loads(pickle.dumps(value)) is value
