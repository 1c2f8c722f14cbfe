"""The two cores are one contract: whatever can be seen of one can be seen of the other."""

from __future__ import annotations

import builtins
import functools
import importlib
import inspect
import io
import pickle
import types
from collections.abc import Iterator
from copy import copy as shallow
from copy import deepcopy
from typing import Any

import pytest

from support.cores import Copy

Copies = dict[str, Copy]


def core_of(copy: Copy) -> types.ModuleType:
    with copy.active():
        import goanna.core

        return goanna.core.half_of("goanna.core")  # type: ignore[no-any-return]


def shapes_of(copy: Copy) -> types.ModuleType:
    with copy.active():
        from support import shapes

        return shapes


def public_members(cls: type) -> Iterator[tuple[str, Any]]:
    """What a class shows: its own attributes but for the private ones and what any class has in its own way."""
    own_way = {"__slots__", "__doc__", "__module__", "__annotations__", "__final__", "__weakref__", "__firstlineno__",
               "__static_attributes__", "__new__", "__init__", "__pyx_vtable__", "__reduce__", "__setstate__",
               "__reduce_cython__", "__setstate_cython__", "__dict__", "__annotate_func__", "__annotations_cache__",
               "__hash__", "__getattribute__", "__getattr__",
               "__signature__", "__slotnames__"}  # fmt: skip
    for name, value in own(cls).items():
        if name not in own_way and (not name.startswith("_") or name.startswith("__")):
            yield name, value


def own(cls: type) -> dict[str, Any]:
    """Return the attributes of a class, and of those of its bases that are parts of it in the pure half."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base is cls or is_part(base):
            found |= vars(base)
    return found


def is_part(cls: type) -> bool:
    """Return whether a class is one of those of which the pure half puts another together, as it does the ring."""
    return cls.__module__.startswith("goanna.core._pure.")


def described(value: Any) -> dict[str, Any]:
    """Everything about a public object that must not depend on the core."""
    shown = {"doc": inspect.getdoc(value), "name": getattr(value, "__name__", None)}
    if isinstance(value, type) or inspect.isroutine(value):
        shown["qualname"] = value.__qualname__
        shown["signature"] = signature(value)
        shown["abstract"] = inspect.isabstract(value)
    if isinstance(value, type):
        shown["module"] = value.__module__
        shown["mro"] = [base.__qualname__ for base in value.__mro__ if not is_part(base)]
    return shown


def signature(value: Any) -> str:
    """The parameters with their kinds and defaults; annotations are for type checkers, who read the pure core only."""
    parameters = inspect.signature(value).parameters.values()
    return str(inspect.Signature([one.replace(annotation=inspect.Parameter.empty) for one in parameters]))


def test_the_cores_have_the_same_names(both: Copies) -> None:
    compiled, pure = core_of(both["c"]), core_of(both["py"])
    assert compiled.__name__ == "goanna.core._compiled"
    assert pure.__name__ == "goanna.core._pure"
    assert sorted(compiled.__all__) == sorted(pure.__all__)


def test_every_public_name_of_the_cores_looks_the_same(both: Copies) -> None:
    compiled, pure = core_of(both["c"]), core_of(both["py"])
    walked = 0
    for name in compiled.__all__:
        ours, theirs = getattr(compiled, name), getattr(pure, name)
        if name in ("BUCKETS", "REASONS"):
            assert ours == theirs
            continue
        assert described(ours) == described(theirs), name
        assert ours.__module__ == theirs.__module__ == "goanna.core"
        if isinstance(ours, type):
            members, others = dict(public_members(ours)), dict(public_members(theirs))
            assert sorted(members) == sorted(others | slots(theirs)), name
            for key, member in members.items():
                walked += 1
                if inspect.isroutine(member) and not key.startswith("__"):
                    assert described(member) == {**described(others[key]), "qualname": f"{name}.{key}"}, f"{name}.{key}"
                elif key in others and key != "__call__":
                    assert inspect.getdoc(member) == inspect.getdoc(others[key]) or key.startswith("__"), (
                        f"{name}.{key}"
                    )
    assert walked > 20


def slots(cls: type) -> dict[str, Any]:
    names = [name for base in cls.__mro__ for name in vars(base).get("__slots__", ())]
    return {name: None for name in names if not name.startswith("_")}


def public_names(copy: Copy) -> Iterator[tuple[str, Any]]:
    with copy.active():
        for name in copy.package.__all__:
            yield name, getattr(copy.package, name)


def test_every_public_name_of_the_package_looks_the_same(both: Copies) -> None:
    ours, theirs = dict(public_names(both["c"])), dict(public_names(both["py"]))
    assert sorted(ours) == sorted(theirs)
    for name, value in ours.items():
        if name == "BACKEND":
            assert (value, theirs[name]) == ("c", "py")
            continue
        assert described(value) == described(theirs[name]), name
        if isinstance(value, type):
            for key, member in public_members(value):
                other = dict(public_members(theirs[name]))[key]
                assert inspect.getdoc(member) == inspect.getdoc(other), f"{name}.{key}"


def test_event_classes_look_the_same(both: Copies) -> None:
    ours, theirs = shapes_of(both["c"]), shapes_of(both["py"])
    for name in ("Nothing", "OrderPlaced", "RushOrder", "Shipped", "Wide", "Mixed", "Keywords", "Box"):
        one, other = getattr(ours, name), getattr(theirs, name)
        assert described(one) == described(other)
        assert one.__slots__ == other.__slots__
        assert one.__match_args__ == other.__match_args__
        assert sorted(dir(one)) == sorted(dir(other))
        assert (one.__basicsize__, one.__flags__ & ~1) == (other.__basicsize__, other.__flags__ & ~1)


def test_pickles_of_one_core_are_read_by_the_other(both: Copies, protocol: int) -> None:
    data = {}
    for name, copy in both.items():
        shapes = shapes_of(copy)
        with copy.active():
            content: list[Any] = []
            cyclic = shapes.Box(content)
            content.append(cyclic)
            events = [
                shapes.Nothing(), shapes.RushOrder(1, 2.0, 3), shapes.Mixed(1, [2], third=3, secret="s"),
                shapes.Shipped(4), shapes.Box(shapes.OrderPlaced(5)),
            ]  # fmt: skip
            data[name] = [pickle.dumps(event, protocol) for event in (*events, cyclic)]
    assert data["c"] == data["py"]
    for writer, reader in (("c", "py"), ("py", "c")):
        with both[reader].active():
            *made, cyclic = [pickle.loads(one) for one in data[writer]]
        assert [repr(event) for event in made] == [repr(event) for event in events]
        assert cyclic.content[0] is cyclic
        assert all(type(event) is getattr(shapes_of(both[reader]), type(event).__name__) for event in made)


def core_mistakes(core: Any, shapes: Any) -> list[Any]:
    """Wrong uses of the core itself."""
    maker = core.Maker(shapes.OrderPlaced, shapes.OrderPlaced.__event_fields__)
    table, account = core.Table([]), core.Account()
    channel = core.Channel(maker, table, None)
    return [
        lambda: core.Maker(3, ()),
        lambda: core.Maker(shapes.Nothing, shapes.OrderPlaced.__event_fields__),
        lambda: core.Maker(int, shapes.OrderPlaced.__event_fields__),
        lambda: core.Call(3, account, None),
        lambda: core.Call(print, None, None),
        lambda: core.Table([3]),
        lambda: core.Channel(3, table, None),
        lambda: core.Channel(maker, 3, None),
        lambda: core.Channel(maker, table, 3),
        lambda: channel.replace_table(3),
        lambda: channel.publish(3),
        lambda: channel.publish(shapes.Shipped(1)),
        lambda: channel(1, 2, 3),
        lambda: maker(1, 2, 3),
        lambda: maker(total=1),
        lambda: core.reader(int, "x", "x"),
        lambda: core.reader(shapes.OrderPlaced, "__init__", "x"),
        lambda: core.reader(shapes.OrderPlaced, "order_id", "x"),
    ]


def test_mistakes_get_the_same_answer(both: Copies) -> None:
    answers: dict[str, list[tuple[str, str]]] = {}
    for name, copy in both.items():
        with copy.active():
            answers[name] = []
            for mistake in core_mistakes(core_of(copy), shapes_of(copy)):
                with pytest.raises(builtins.TypeError) as caught:
                    mistake()
                answers[name].append((type(caught.value).__name__, str(caught.value)))
    assert answers["c"] == answers["py"]
    assert len(set(answers["c"])) > 10


def test_core_objects_show_the_same_repr(both: Copies) -> None:
    shown = {}
    for name, copy in both.items():
        core, shapes = core_of(copy), shapes_of(copy)
        with copy.active():
            account = core.Account()
            account.add(3, 1, 2)
            call = core.Call(len, account, None)
            maker = core.Maker(shapes.OrderPlaced, shapes.OrderPlaced.__event_fields__)
            table = core.Table([call, call])
            channel = core.Channel(maker, table, None)
            shown[name] = [
                repr(account), repr(call), repr(maker), repr(table), repr(channel), len(table), bool(channel),
                account.delivered, account.failed, table.finished, channel.table is table, channel.maker is maker,
                channel.errors, call.method is len, call.listener, isinstance(channel, core.Channel),
                repr(maker(1, 2)), str(inspect.signature(channel)),
            ]  # fmt: skip
    assert shown["c"] == shown["py"]


def test_a_method_twice_in_a_table(both: Copies) -> None:
    """The pure core tells calls apart by their method: this is where that could go wrong."""
    seen = {}
    for name, copy in both.items():
        core, shapes = core_of(copy), shapes_of(copy)
        with copy.active():
            log: list[Any] = []

            def method(event: Any, log: list[Any] = log) -> None:
                log.append(event)
                raise ValueError(len(log))

            accounts = [core.Account() for _ in range(3)]
            calls = [core.Call(method, account, number) for number, account in enumerate(accounts)]
            maker = core.Maker(shapes.OrderPlaced, shapes.OrderPlaced.__event_fields__)
            errors: list[Any] = []
            channel = core.Channel(
                maker, core.Table(calls), lambda *args, errors=errors: errors.append((str(args[0]), args[1]))
            )
            channel(1)
            channel.table.settle()
            seen[name] = (len(log), errors, [repr(account) for account in accounts])
    assert seen["c"] == seen["py"]
    assert seen["c"][1] == [("1", 0), ("2", 1), ("3", 2)]


COPIES = [shallow, deepcopy, *(functools.partial(pickle.dumps, protocol=protocol) for protocol in range(6))]


def test_what_is_one_of_its_kind_refuses_to_be_copied(both: Copies) -> None:
    """In the same words on both cores, whatever copies it, also where it is a part of something."""
    answers = {}
    for name, there in both.items():
        core, shapes = core_of(there), shapes_of(there)
        with there.active():
            requestlog = importlib.import_module("goanna.requestlog")
            hub = there.package.Dispatcher()
            listener = shapes.Recorder()
            registration, publish = hub.add(listener, once=True, timed=True), hub.publisher(shapes.OrderPlaced)
            queue = there.package.queued(listener)
            logger = requestlog.RequestLogger(file=io.StringIO())
            things = [
                hub, registration, publish, publish.table, publish.table.calls[0], core.Account(),
                core.Ring(1, len, print), core.Ring(1, len, print).inlet(len), core.Filter(len, core.Account()), queue,
                there.package.where(listener, sample=0.5), requestlog.RequestHooks(hub), logger,
                logger.request_log_queue, [hub], {"hub": (hub,)},
            ]  # fmt: skip
            texts = []
            for thing in things:
                for how in COPIES[1:] if isinstance(thing, list | dict) else COPIES:
                    with pytest.raises(builtins.TypeError, match="can't be copied or pickled$") as caught:
                        how(thing)
                    texts.append(str(caught.value))
            answers[name] = list(dict.fromkeys(texts))
            queue.close()
            logger.close()
            hub.publish(shapes.OrderPlaced(1))
            assert len(listener.log) == 1
    assert answers["c"] == answers["py"]
    assert answers["c"][:4] == [
        "a Dispatcher can't be copied or pickled",
        "a Registration can't be copied or pickled",
        "the publisher of OrderPlaced can't be copied or pickled",
        "a Table can't be copied or pickled",
    ]
    assert "an Account can't be copied or pickled" in answers["c"]
