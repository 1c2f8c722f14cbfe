"""Events, their classes, interfaces and listeners go by value, as Dask, Ray and Spark send what is in a notebook."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.cores import backends
from support.packages import needed

needed("cloudpickle")

PROGRAM = """
import pickle, sys
import cloudpickle
import goanna
from typing import ClassVar, Generic, TypeVar

T = TypeVar("T")


def empty():
    return Order(0)


class Order(goanna.Event, eq=True):
    kind: ClassVar[str] = "order"
    order_id: int
    total: float = 0.0
    tags: list = goanna.field(default_factory=list)
    __secret: int = goanna.field(default=7, kw_only=True, repr=False)

    def twice(self):
        return self.total * 2

    def secret(self):
        return self.__secret


class Rush(Order):
    hours: int = 24
    first: object = goanna.field(default_factory=empty)

    def twice(self):
        return super().twice() + 1


class Box(goanna.Event, Generic[T]):
    content: T


class Interface(goanna.Listener):
    @goanna.handles(Order)
    def placed(self, event): ...


class Keep(Interface):
    def __init__(self):
        self.got = []

    def placed(self, event):
        self.got.append(event)


known = Rush
sent = cloudpickle.dumps((Order(1, 1.5), Rush(2, 2.0), Rush, Keep(), Box[int], Box("x"), goanna.MISSING))
"""

CHECK = """
def check(data):
    order, rush, cls, keep, box, boxed, missing = pickle.loads(data)
    assert repr(order) == "Order(order_id=1, total=1.5, tags=[])", order
    assert rush.twice() == 5.0 and isinstance(rush, type(order)), rush
    assert order.secret() == 7 and order == type(order)(1, 1.5) != type(order)(2) and order.kind == "order"
    assert [one.name for one in goanna.fields(cls)][-2:] == ["hours", "first"]
    assert cls.__match_args__ == ("order_id", "total", "tags", "hours", "first")
    assert repr(cls(4, hours=1)).startswith("Rush(order_id=4, total=0.0, tags=[], hours=1, first=Order(order_id=0, ")
    hub = goanna.Dispatcher()
    hub.add(keep)
    hub.publisher(cls)(3, hours=2)
    hub.publish(rush)
    assert [event.order_id for event in keep.got] == [3, 2], keep.got
    keep.got.clear()
    assert boxed.content == "x" and hub.publisher(box) is hub.publisher(type(boxed)) and missing is goanna.MISSING
    try:
        cls(1).hours = 3
    except AttributeError:
        pass
    else:
        raise AssertionError
    try:
        cls.__init__ = None
    except TypeError:
        pass
    else:
        raise AssertionError
    assert not hasattr(order, "__dict__")
    return cls
"""


@pytest.mark.parametrize("sender", backends())
@pytest.mark.parametrize("receiver", backends())
def test_events_and_listeners_of_main(tmp_path: Path, sender: str, receiver: str) -> None:
    def run(code: str, half: str, data: bytes = b"") -> bytes:
        program = tmp_path / "program.py"
        program.write_text(code)
        done = subprocess.run(
            [sys.executable, program],
            input=data,
            capture_output=True,
            env={**os.environ, "GOANNA_BACKEND": half},
            timeout=60,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    # In the process that has the classes they stay what they are.
    own = CHECK + "assert check(sent) is known and check(sent) is known\nsys.stdout.buffer.write(sent)"
    sent = run(PROGRAM + own, sender)
    # Elsewhere they are made, once, and can be sent on from there.
    other = (
        "import pickle, sys, cloudpickle, goanna\ndata = sys.stdin.buffer.read()\n" + CHECK + "first = check(data)\n"
        "assert check(data) is first\nsys.stdout.buffer.write(cloudpickle.dumps(pickle.loads(data)))"
    )
    run(other, sender, run(other, receiver, sent))
