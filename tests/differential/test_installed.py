"""goanna's publish methods over stock PyMongo: one tape, played on stock and then installed, leaves equal records."""

from __future__ import annotations

import contextlib
import copy
import inspect
import operator
from collections import Counter
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, example, given, settings
from pymongo import monitoring

from differential.player import Record, play, surface
from differential.tape import KINDS, MAKES, PUBLISH, SENSITIVE, STREAMS, Step, Tape, tapes
from differential.versions import NO_GAIN
from support.garbage import CPYTHON

SURFACE = surface(monitoring)
ORDINARY: dict[str, Any] = {"extra": 0, "optional": "none", "flaw": None, "uninterned": False}


@contextlib.contextmanager
def installed(goanna: ModuleType) -> Iterator[Any]:
    report = goanna.install()
    try:
        yield report
    finally:
        goanna.uninstall()


def both(goanna: ModuleType, tape: Tape) -> list[Record]:
    """Play on stock and installed; fail at the first record that differs; return the records."""
    expected = play(monitoring, SURFACE, tape)
    with installed(goanna):
        found = play(monitoring, SURFACE, tape)
    for number, (one, other) in enumerate(zip(expected, found, strict=False)):
        assert other == one, f"record {number} of {len(expected)}: installed {other}, stock {one}"
    assert len(found) == len(expected), (found[len(expected) :], expected[len(found) :])
    return expected


def listening(*does: Step, kinds: tuple[str, ...] = tuple(sorted(KINDS)), make: str = "plain") -> dict[str, Any]:
    return {"kinds": list(kinds), "make": make, "does": list(does) or [("nothing",)]}


def taped(*steps: Step, listeners: tuple[dict[str, Any], ...] = (listening(),), **more: Any) -> Tape:
    client = list(range(len(listeners)))
    return {"listeners": list(listeners), "register": [], "client": client, "instance": "plain", "steps": steps, **more}


def publish(name: str, shape: dict[str, Any] | None = None, /, **values: Any) -> Step:
    made = {"duration": ("micros", 1500) if "command" in name else ("plain", 0.5), "command_name": ("plain", "find")}
    documents = dict.fromkeys(("command", "failure"), ("dict", "find"))
    if "command" in name:
        documents["reply"] = ("dict", "ok")
    made |= documents | {"op_id": ("none",), "service_id": ("none",), "speculative_hello": ("plain", False)}
    return ("publish", f"publish_{name}", {**ORDINARY, **(shape or {})}, made | values)


START, SUCCESS, FAILURE, READY = map(publish, ("command_start", "command_success", "command_failure", "pool_ready"))
EVERY = tuple(publish(name.removeprefix("publish_")) for name in PUBLISH)


def records(found: list[Record], kind: str) -> list[Record]:
    return [one for one in found if one[0] == kind]


def slot(found: list[Record], name: str) -> list[Any]:
    return [dict(one[1]["slots"]).get(name) for one in records(found, "event")]


# What install() says and does.


def test_everything_of_this_release_is_fast(goanna: ModuleType, backend: str) -> None:
    with installed(goanna) as report:
        assert set(report.stock.values()) == (set() if backend == "c" else {NO_GAIN})
        assert sorted([*report.fast, *report.stock]) == sorted(SURFACE)
        assert len(report.fast) >= 15


def test_installed_methods_replace_and_uninstall_puts_back_the_very_functions(goanna: ModuleType) -> None:
    before = dict(vars(monitoring._EventListeners))
    module = dict(vars(monitoring))
    with installed(goanna) as report:
        for name in SURFACE:
            replaced = vars(monitoring._EventListeners)[name] is not before[name]
            assert replaced is (name in report.fast)
        others = {name: one for name, one in vars(monitoring._EventListeners).items() if name not in SURFACE}
        assert others == {name: one for name, one in before.items() if name not in SURFACE}
        assert dict(vars(monitoring)) == module
    assert dict(vars(monitoring._EventListeners)) == before


def test_install_and_uninstall_twice(goanna: ModuleType) -> None:
    before = dict(vars(monitoring._EventListeners))
    with installed(goanna) as first:
        fast = dict(vars(monitoring._EventListeners))
        again = goanna.install()
        assert sorted(again.fast) == sorted(first.fast)
        assert dict(vars(monitoring._EventListeners)) == fast
    goanna.uninstall()
    assert dict(vars(monitoring._EventListeners)) == before


def test_what_someone_put_over_ours_is_left_in_place(goanna: ModuleType) -> None:
    seen = []
    original = monitoring._EventListeners.publish_pool_ready

    def wrapper(self: Any, *args: Any) -> Any:
        seen.append(args)
        return inner(self, *args)

    try:
        with installed(goanna):
            inner = monitoring._EventListeners.publish_pool_ready
            monitoring._EventListeners.publish_pool_ready = wrapper
        assert monitoring._EventListeners.publish_pool_ready is wrapper
        monitoring._EventListeners([]).publish_pool_ready(("h", 1))
        assert seen == [(("h", 1),)]
    finally:
        monitoring._EventListeners.publish_pool_ready = original


def test_a_wrapper_put_on_before_is_still_called(goanna: ModuleType) -> None:
    seen = []
    original = monitoring._EventListeners.publish_pool_ready

    def wrapper(self: Any, *args: Any) -> Any:
        seen.append(args)
        return original(self, *args)

    monitoring._EventListeners.publish_pool_ready = wrapper
    try:
        with installed(goanna) as report:
            monitoring._EventListeners([]).publish_pool_ready(("h", 1))
            assert "publish_pool_ready" in report.stock
        assert seen == [(("h", 1),)]
        assert monitoring._EventListeners.publish_pool_ready is wrapper
    finally:
        monitoring._EventListeners.publish_pool_ready = original


@pytest.mark.parametrize("name", sorted(SURFACE))
def test_methods_describe_themselves_as_stock_does(goanna: ModuleType, name: str) -> None:
    stock = getattr(monitoring._EventListeners, name)
    described = [(one.name, one.kind, one.default) for one in inspect.signature(stock).parameters.values()]
    with installed(goanna):
        ours = getattr(monitoring._EventListeners, name)
        assert [(one.name, one.kind, one.default) for one in inspect.signature(ours).parameters.values()] == described
        assert ours.__name__ == name
        assert ours.__qualname__ == f"_EventListeners.{name}"
        instance = monitoring._EventListeners([])
        assert getattr(instance, name).__self__ is instance
        assert getattr(instance, name) == getattr(instance, name)
        with mock.patch.object(monitoring._EventListeners, name, autospec=True) as double:
            getattr(instance, name)(*[1 for _, required in SURFACE[name] if required])
            assert double.call_count == 1


def test_a_bound_method_taken_before_works_after(goanna: ModuleType) -> None:
    """The driver queues bound methods of servers and topologies, and calls them from another thread."""
    seen: list[Any] = []

    class Listener(monitoring.TopologyListener):
        def opened(self, event: Any) -> None:
            seen.append(event)

        description_changed = closed = opened

    instance = monitoring._EventListeners([Listener()])
    before = instance.publish_topology_opened
    with installed(goanna):
        between = instance.publish_topology_opened
        before(1)
        copy.copy(instance).publish_topology_opened(2)
    between(3)
    assert [one.topology_id for one in seen] == [1, 2, 3]


# Fixed tapes: each says what must have been seen, so that equality is never that of two empty lists.


def test_every_method_reaches_every_listener_in_order(goanna: ModuleType) -> None:
    tape = taped(*EVERY, listeners=(listening(), listening()), register=[1], client=[0, 1, 0])
    found = both(goanna, tape)
    called = [one[1] for one in records(found, "called")]
    assert called == [1, 0, 1, 0] * len(SURFACE)
    assert [one[1] for one in records(found, "returned")] == ["None"] * len(SURFACE)
    # One event for all the listeners of a publish.
    assert [one[3] for one in records(found, "called")] == [number for number in range(len(SURFACE)) for _ in range(4)]


@pytest.mark.parametrize("extra", range(-9, 6))
@pytest.mark.parametrize("optional", ["none", "all", "service_id", "odd", "database_name"])
def test_every_shape_of_arguments(goanna: ModuleType, extra: int, optional: str) -> None:
    tokens = {one: ("token",) for name in SURFACE for one, _ in SURFACE[name] if one not in ("duration", "reply")}
    tokens |= {"command": ("dict", "find"), "command_name": ("plain", "Find"), "speculative_hello": ("plain", 0)}
    steps = [
        publish(
            name.removeprefix("publish_"),
            {"extra": extra, "optional": optional, "uninterned": bool(extra % 2)},
            **{one: tokens[one] for one, _ in SURFACE[name] if one in tokens},
        )
        for name in SURFACE
    ]
    found = both(goanna, taped(*steps))
    assert len(records(found, "called")) == len(SURFACE)


@pytest.mark.parametrize("flaw", ["missing", "extra", "unknown", "twice", "not_str", "self_twice"])
@pytest.mark.parametrize("extra", [-9, -1, 0, 1, 9])
def test_wrong_arguments(goanna: ModuleType, flaw: str, extra: int) -> None:
    steps = [publish(name.removeprefix("publish_"), {"flaw": flaw, "extra": extra}) for name in SURFACE]
    raised = records(both(goanna, taped(*steps)), "raised")
    if (flaw, extra) != ("twice", -9):  # nothing goes by position there, so nothing goes twice
        assert {one[1]["type"] for one in raised} == {"builtins.TypeError"}
        assert len(raised) > len(SURFACE) // 2


@pytest.mark.parametrize("name", sorted({*SENSITIVE, *(one.upper() for one in SENSITIVE), "gEtNoNcE"}))
@pytest.mark.parametrize("document", ["dict", "raw", "son", "list", "spy"])
def test_sensitive_commands_are_redacted_in_any_case(goanna: ModuleType, name: str, document: str) -> None:
    steps = [publish("command_start", command=(document, name))]
    steps += [publish("command_success", command_name=("plain", name), reply=(document, "ok"))]
    steps += [publish("command_failure", command_name=("plain", name), failure=(document, "ok"))]
    found = both(goanna, taped(*steps))
    assert slot(found, "_CommandStartedEvent__cmd")[0] == []
    assert slot(found, "_CommandSucceededEvent__reply")[1] == []
    assert slot(found, "_CommandFailedEvent__failure")[2] == "<2.failure>"
    assert set(slot(found, "_CommandEvent__cmd_name")) == {repr(name)}


@pytest.mark.parametrize("name", ["hello", "HeLLo", "ismaster", "isMaster", "find"])
@pytest.mark.parametrize("document", ["dict", "speculative", "raw", "raw_speculative", "spy", "iterator", "list"])
def test_speculative_authentication_is_redacted(goanna: ModuleType, name: str, document: str) -> None:
    steps = [publish("command_start", command=(document, name))]
    steps += [publish("command_success", command_name=("plain", name), reply=(document, name))]
    found = both(goanna, taped(*steps))
    redacted = name != "find" and document not in ("dict", "raw")
    assert (slot(found, "_CommandStartedEvent__cmd")[0] == []) is redacted
    assert (slot(found, "_CommandSucceededEvent__reply")[1] == []) is redacted


def test_speculative_hello_empties_any_reply(goanna: ModuleType) -> None:
    shape = {"optional": "all"}
    for truth, empty in ((("plain", True), True), (("plain", 0), False), (("plain", "yes"), True)):
        found = both(goanna, taped(publish("command_success", shape, speculative_hello=truth)))
        assert slot(found, "_CommandSucceededEvent__reply") == [[] if empty else "<0.reply>"]
    found = both(goanna, taped(publish("command_success", shape, speculative_hello=("raises_bool",))))
    assert [one[1]["text"] for one in records(found, "raised")] == ["no truth"]


def test_a_raw_reply_is_not_inflated_unless_it_must_be(goanna: ModuleType) -> None:
    steps = [publish("command_success", command_name=("plain", one), reply=("raw", "ok")) for one in ("find", "hello")]
    steps += [publish("command_failure", command_name=("plain", one), failure=("raw", "ok")) for one in ("hello",)]
    found = both(goanna, taped(*steps))
    assert [one[4] for one in records(found, "called")] == [[False], [True], [False]]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (("empty",), "{} is not a valid command"),
        (("none",), "None is not a valid command"),
        (("int_key",), "'int' object has no attribute 'lower'"),
        (("none_key",), "'NoneType' object has no attribute 'lower'"),
        (("number",), "'int' object is not iterable"),
        (("plain", ""), "'' is not a valid command"),
        (("spy_raises", "__bool__"), "__bool__"),
        (("spy_raises", "__iter__"), "__iter__"),
        (("spy_raises", "__contains__"), "__contains__"),
        (("spy_raises", "first"), ""),
        (("bytes_key",), None),
        (("list", "find"), None),
        (("str", "find"), None),
        (("str_subclass", "find"), None),
        (("son", "saslStart"), None),
        (("ordered", "find"), None),
        (("subclass", "find"), None),
        (("deleted", "find"), None),
        (("iterator", "hello"), None),
        (("spy", "find"), None),
    ],
)
@pytest.mark.parametrize("listeners", [(), (listening(),)])
def test_what_may_be_a_command(
    goanna: ModuleType, document: Step, expected: str | None, listeners: tuple[dict[str, Any], ...]
) -> None:
    listeners = listeners or (listening(kinds=("cmap",)),)
    found = both(goanna, taped(publish("command_start", command=document), listeners=listeners))
    assert [one[1]["text"] for one in records(found, "raised")] == ([] if expected is None else [expected])
    if "cmap" not in listeners[0]["kinds"] or len(listeners[0]["kinds"]) > 1:
        assert bool(records(found, "called")) is (expected is None)


@pytest.mark.parametrize("step", ["command_success", "command_failure"])
def test_what_may_be_a_name_and_a_reply(goanna: ModuleType, step: str) -> None:
    names = [("none",), ("number",), ("raises_lower",), ("plain", b"SASLstart"), ("str_subclass", "HELLO"), ("token",)]
    texts = []
    for name in names:
        for reply in (("none",), ("number",), ("spy", "x"), ("spy_raises", "__contains__"), ("empty",)):
            for duration in (("micros", 5), ("none",)):
                values = {"command_name": name, "reply": reply, "failure": reply, "duration": duration}
                found = both(goanna, taped(publish(step, **values)))
                texts += [one[1]["text"] for one in records(found, "raised")]
    assert "'NoneType' object has no attribute 'total_seconds'" in texts
    if step == "command_success":
        with pytest.raises(TypeError) as error:
            operator.contains(None, "x")  # type: ignore[arg-type]
        assert str(error.value) in texts  # the interpreter's own, which is not the same everywhere
        assert "'NoneType' object has no attribute 'lower'" in texts


def test_durations_come_out_as_stock_computes_them(goanna: ModuleType) -> None:
    micros = [*range(1200), 1_000_001, 1_000_500, -1, -249, -251, -1_500_000, 86_400_000_000 * 400]
    steps = [publish(("command_success", "command_failure")[one % 2], duration=("micros", one)) for one in micros]
    listeners = (listening(kinds=("command",)),)
    found: list[int] = []
    for start in range(0, len(steps), 100):
        tape = taped(*steps[start : start + 100], listeners=listeners)
        for one in records(both(goanna, tape), "event"):
            found += [int(value) for name, value in one[1]["slots"] if name.endswith("__duration_micros")]
    assert dict(zip(micros, found, strict=True))[249] == 248
    assert sum(one != other for one, other in zip(micros, found, strict=True)) > 5
    assert -1_500_000 in found


@pytest.mark.parametrize("seconds", [0.00025, -0.5, float("nan"), float("inf"), None, 3, "x", b"ab", 10**400])
def test_odd_durations(goanna: ModuleType, seconds: Any) -> None:
    found = both(goanna, taped(publish("command_success", duration=("lasts", seconds))))
    assert records(found, "total_seconds")
    assert records(found, "called") or records(found, "raised")


def test_the_operation_defaults_to_the_request_only_when_it_is_none(goanna: ModuleType) -> None:
    shape = {"optional": "all"}
    names = ("command_start", "command_success", "command_failure")
    for value, expected in ((("none",), "7"), (("plain", 0), "0"), (("plain", ""), "''"), (("equals_none",), None)):
        for name in names:
            found = both(goanna, taped(publish(name, shape, op_id=value, request_id=("plain", 7))))
            assert slot(found, "_CommandEvent__op_id") == [expected or "<0.op_id>"]


@pytest.mark.parametrize("how", ["ValueError", "KeyError", "group", "chained", "StopIteration", "MemoryError"])
def test_an_error_is_printed_and_the_rest_still_runs(goanna: ModuleType, how: str) -> None:
    listeners = (
        listening(("raise", how)),
        listening(("raise_after_catching",)),
        listening(("same_error",)),
        listening(),
    )
    found = both(goanna, taped(*EVERY, listeners=listeners))
    assert len(records(found, "called")) == 4 * len(SURFACE)
    assert len(records(found, "printed")) == len(SURFACE)
    lines = records(found, "printed")[0][1]
    assert any(one.endswith("Traceback (most recent call last):") for one in lines)
    assert any(one.lstrip(" |+").startswith("heard:") for one in lines)
    assert "ValueError: second" in lines
    assert lines[-1] == "ValueError: ('again', 2)"
    # Nobody sees the error of a listener that ran before.
    assert {tuple(one[5]) for one in records(found, "called")} == {("NoneType", "NoneType")}


def test_an_error_is_told_from_the_one_being_handled_outside(goanna: ModuleType) -> None:
    listeners = (listening(("raise", "KeyError")), listening(("hide_error",)), listening(("stop", "Stop")))
    found = both(goanna, taped(*(("handling", one) for one in EVERY), listeners=listeners))
    assert {tuple(one[5]) for one in records(found, "called")} == {("type", "Odd")}
    assert {one[1]["context"]["text"] for one in records(found, "raised")} == {"being handled"}
    assert any("being handled" in line for line in records(found, "printed")[0][1])


@pytest.mark.parametrize("how", ["Stop", "KeyboardInterrupt", "SystemExit", "GeneratorExit"])
def test_what_is_not_an_exception_leaves_at_once(goanna: ModuleType, how: str) -> None:
    listeners = (listening(), listening(("stop", how)), listening())
    found = both(goanna, taped(*EVERY, listeners=listeners))
    assert [one[1] for one in records(found, "called")] == [0, 1] * len(SURFACE)
    assert len(records(found, "raised")) == len(SURFACE)
    assert not records(found, "printed")
    assert [name for name, _ in records(found, "raised")[0][1]["frames"]][-1] == "act"


def test_an_error_of_one_listener_is_no_context_of_the_next(goanna: ModuleType) -> None:
    listeners = (listening(("raise", "KeyError")), listening(("stop", "Stop")))
    found = both(goanna, taped(START, READY, listeners=listeners))
    assert [one[1]["context"] for one in records(found, "raised")] == [None, None]


@pytest.mark.parametrize("make", sorted(set(MAKES)))
def test_listeners_of_every_make(goanna: ModuleType, make: str) -> None:
    found = both(goanna, taped(*EVERY, *EVERY, listeners=(listening(make=make), listening())))
    last = [one for one in records(found, "called") if one[1] == 1]
    if make.endswith("_stop"):
        assert not last
        assert len(records(found, "raised")) == 2 * len(SURFACE)
    else:
        assert len(last) == 2 * len(SURFACE)
    printing = {"lacks", "stray", "getattribute", "property", "not_callable", "arity", "class_as_method"}
    assert bool(records(found, "printed")) is (make in printing)
    if make in ("counting", "getattribute"):
        assert len(records(found, "looked up")) == 2 * len(SURFACE)
    if make == "getattr":
        assert len(records(found, "missed")) == 2 * len(SURFACE)
    if make == "builtin":
        assert records(found, "box")[0][1] == 2 * len(SURFACE)


@pytest.mark.parametrize("action", ["patch_self", "patch_class"])
def test_a_method_that_replaces_itself_is_replaced_from_the_next_call_on(goanna: ModuleType, action: str) -> None:
    listeners = (listening((action,), ("nothing",), ("unpatch_class",), ("nothing",)),)
    tape = taped(START, START, START, START, listeners=listeners, client=[0, 0])
    found = both(goanna, tape)
    # The class lost its method in the third call: what is left is that of the base class, which raises.
    assert len(records(found, "called")) == (8 if action == "patch_self" else 3)
    assert len(records(found, "printed")) == (0 if action == "patch_self" else 3)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (("remove_self",), [0, 2, 1, 2]),
        (("remove_next",), [0, 2, 0]),
        (("insert", 4, 1), [0, 1, 2, 1, 0, 1, 2, 1, 1]),
        (("clear",), [0]),
        (("list", "command", "reversed"), [0, 1, 2, 2, 1, 0]),
        (("list", "command", "none"), [0, 1, 2]),
        (("disable",), [0, 1, 2, 0, 1, 2]),
    ],
)
def test_the_live_list_is_iterated(goanna: ModuleType, action: Step, expected: list[int]) -> None:
    listeners = (listening(action, kinds=("command",)), *([listening(kinds=("command",))] * 2))
    found = both(goanna, taped(START, START, listeners=listeners))
    assert [one[1] for one in records(found, "called")] == expected


@pytest.mark.parametrize(
    "how", ["same", "tuple", "generator", "none", "missing", "iterable", "subclass", "raises", "reversed"]
)
def test_the_list_may_be_anything(goanna: ModuleType, how: str) -> None:
    steps = [("list", kind, how) for kind in KINDS]
    found = both(goanna, taped(*steps, *EVERY, *EVERY, listeners=(listening(), listening(("raise", "KeyError")))))
    raises = {"none": 2, "missing": 2, "raises": 2}.get(how, 0)
    assert len(records(found, "raised")) == raises * len(SURFACE)
    calls = {"none": 0, "missing": 0, "generator": 2 * len(KINDS)}.get(how)
    assert len(records(found, "called")) == (4 * len(SURFACE) if calls is None else len(records(found, "called")))
    assert bool(records(found, "called")) is (calls != 0)


@pytest.mark.parametrize("instance", ["plain", "subclass", "property", "copy"])
def test_instances_of_every_sort(goanna: ModuleType, instance: str) -> None:
    found = both(goanna, taped(*EVERY, *(("unbound", one) for one in EVERY), instance=instance))
    assert len(records(found, "called")) == 2 * len(SURFACE)
    assert bool(records(found, "subclass")) is (instance == "subclass")
    assert bool(records(found, "read the list")) is (instance == "property")


@pytest.mark.parametrize("how", ["property", "tuple", "generator", "missing", "iterable", "subclass", "raises"])
def test_a_condition_elsewhere_in_the_process_changes_nothing(goanna: ModuleType, how: str) -> None:
    """Once a condition has been made, publishers look at the listeners before they build an event, if it is a list."""
    goanna.where(monitoring.CommandListener(), commands="find")
    if how == "property":
        both(goanna, taped(*EVERY, *EVERY, instance="property"))
    else:
        both(goanna, taped(*[("list", kind, how) for kind in KINDS], *EVERY, *EVERY))


def test_an_event_is_built_even_if_nobody_listens(goanna: ModuleType) -> None:
    tape = taped(publish("command_start", command=("spy", "hello")), client=[])
    assert [one[1] for one in records(both(goanna, tape), "asked")] == ["__bool__", "__iter__", "__contains__"]


def test_redacted_documents_are_new_each_time(goanna: ModuleType) -> None:
    step = publish("command_start", command=("dict", "saslStart"))
    reply = publish("command_success", {"optional": "all"}, speculative_hello=("plain", True))
    found = both(goanna, taped(step, step, reply, reply, listeners=(listening(("mutate",)), listening())))
    names = ("_CommandStartedEvent__cmd", "_CommandSucceededEvent__reply")
    documents = [one for name in names for one in slot(found, name) if one is not None]
    assert documents == [[], [("'put in by 0'", "0")]] * 4


def test_a_listener_may_write_into_the_event(goanna: ModuleType) -> None:
    found = both(goanna, taped(*EVERY, listeners=(listening(("write_slots",)), listening())))
    assert "rewritten" in str(records(found, "event"))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("empty", ["kept", "kept"]),
        ("find", ["kept", "redacted"]),
        ("list", ["kept", "redacted"]),
        ("frozen", ["kept", "kept"]),
        ("clear", ["kept", "kept"]),
        ("add", ["redacted", "redacted"]),
        ("spy", ["kept", "redacted"]),
        ("raises", []),
        ("none", []),
    ],
)
@pytest.mark.parametrize("during", [False, True])
def test_the_sensitive_commands_of_the_module_count(
    goanna: ModuleType, how: str, expected: list[str], during: bool
) -> None:
    steps = [publish("command_start", command=("dict", one)) for one in ("saslStart", "find")]
    replies = [publish("command_success", command_name=("plain", one)) for one in ("saslStart", "find")]
    patch = ("patch", ("sensitive", how))
    if during:
        tape = taped(
            READY, *steps, ("restore",), READY, *replies, listeners=(listening(patch, kinds=("cmap",)), listening())
        )
    else:
        tape = taped(patch, *steps, *replies)
    found = both(goanna, tape)
    names = ("_CommandStartedEvent__cmd", "_CommandSucceededEvent__reply")
    documents = [one for name in names for one in slot(found, name) if one is not None]
    assert ["redacted" if one == [] else "kept" for one in documents] == expected * 2
    again = both(goanna, taped(*steps))
    assert [one == [] for one in slot(again, "_CommandStartedEvent__cmd")] == [True, False], "the patch stayed"


@pytest.mark.parametrize("how", ["note", "raise", "stop", "none", "missing"])
@pytest.mark.parametrize("during", [False, True])
def test_the_handler_of_the_module_counts(goanna: ModuleType, how: str, during: bool) -> None:
    patch = ("patch", ("handler", how))
    first = listening(patch if during else ("nothing",))
    tape = taped(*([] if during else [patch]), *EVERY, listeners=(first, listening(("raise", "KeyError")), listening()))
    found = both(goanna, tape)
    assert not records(found, "printed")
    if how in ("note", "raise", "stop"):
        handled = records(found, "handler")
        assert len(handled) == len(SURFACE)
        assert {one[1]["type"] for one in handled} == {"builtins.KeyError"}
    assert len(records(found, "raised")) == (0 if how == "note" else len(SURFACE))
    if how == "raise":
        assert {one[1]["context"]["type"] for one in records(found, "raised")} == {"builtins.KeyError"}


@pytest.mark.parametrize("how", ["subclass", "subclass_init", "callable", "none", "missing", "raises"])
@pytest.mark.parametrize("during", [False, True])
def test_event_classes_of_the_module_count(goanna: ModuleType, how: str, during: bool) -> None:
    patches = [("patch", ("class", PUBLISH[name][1], how)) for name in SURFACE]
    if during:
        tape = taped(*([READY] * len(patches)), *EVERY, listeners=(listening(*patches, kinds=("cmap",)), listening()))
    else:
        tape = taped(*patches, *EVERY)
    found = both(goanna, tape)
    texts = {one[1]["text"] for one in records(found, "raised")}
    if how in ("callable", "none", "raises"):
        assert len(records(found, "factory")) >= len(SURFACE)
    if how == "subclass_init":
        assert len(records(found, "init")) >= len(SURFACE)
    if how == "subclass":
        classes = {one[1]["class"][0] for one in records(found, "event")}
        assert "differential.player" in classes
    if how == "missing":
        assert "name 'CommandStartedEvent' is not defined" in texts
    assert bool(texts) is (how in ("missing", "raises"))


def test_patched_constructors_and_helpers_count(goanna: ModuleType) -> None:
    """Stock runs ``__init__`` of its classes and looks up its helpers at each publish; so must who replaces it."""
    names = ("CommandStartedEvent", "_CommandEvent", "_PoolEvent", "PoolReadyEvent")
    patches = [("patch", ("in_place", name)) for name in names]
    patches += [("patch", ("function", name)) for name in ("_to_micros", "_is_speculative_authenticate")]
    found = both(goanna, taped(*patches, *EVERY))
    kinds = Counter(str(one[0]) if one[0] != "in place" else str(one[1]) for one in found)
    assert kinds["CommandStartedEvent"] == 1
    assert kinds["_CommandEvent"] == 3
    assert kinds["PoolReadyEvent"] == 1
    assert kinds["_to_micros"] == 2


@pytest.mark.parametrize("where", ["class", "instance"])
def test_patched_methods_count(goanna: ModuleType, where: str) -> None:
    found = both(goanna, taped(*(("patch", ("method", name, where)) for name in SURFACE), *EVERY))
    assert len(records(found, "replaced")) == len(SURFACE)
    assert len(records(found, "called")) == len(SURFACE)


@pytest.mark.parametrize("how", STREAMS)
@pytest.mark.parametrize("during", [False, True])
def test_sys_stderr_in_any_state(goanna: ModuleType, how: str, during: bool) -> None:
    listeners = (listening(("stderr", how) if during else ("nothing",)), listening(("raise", "KeyError")), listening())
    found = both(goanna, taped(*([] if during else [("stderr", how)]), START, READY, listeners=listeners))
    raising = how in ("missing", "valueerror", "no_write", "stop")
    assert len(records(found, "raised")) == (2 if raising else 0)
    assert len(records(found, "called")) == (4 if raising else 6)
    assert bool(records(found, "printed")) is (how in ("capture", "flaky"))


def test_an_error_whose_text_raises(goanna: ModuleType) -> None:
    found = both(goanna, taped(START, listeners=(listening(("raise", "unprintable")), listening())))
    assert "<exception str() failed>" in str(records(found, "printed"))


def test_a_listener_that_publishes(goanna: ModuleType) -> None:
    inner = listening(("publish", READY), ("raise", "KeyError"), kinds=("command", "cmap"))
    found = both(goanna, taped(START, SUCCESS, START, listeners=(inner, inner)))
    assert [one[2] for one in records(found, "called")].count("pool_ready") >= 2
    assert records(found, "printed")


def test_events_are_collected_and_nothing_is_kept(goanna: ModuleType) -> None:
    found = both(goanna, taped(*(("lifetime", one) for one in EVERY), *(("cycle", one) for one in EVERY)))
    assert len(records(found, "freed")) == len(SURFACE)
    assert all(all(one[1]) for one in records(found, "freed"))
    assert {one[1:] for one in records(found, "cycle")} == {(True, True)}
    looked = records(both(goanna, taped(*EVERY)), "event")
    assert {one[1]["tracked"] for one in looked} == ({True} if CPYTHON else {None})
    assert {one[1]["dict"] for one in looked} == {False}


def test_events_are_what_stock_makes_in_every_protocol(goanna: ModuleType) -> None:
    found = both(goanna, taped(*EVERY))
    for one in records(found, "after"):
        assert one[1]["class"][0] == "pymongo.monitoring"
        assert one[1]["hash"] is True
        assert one[1]["eq"] == (True, False, True)
        assert one[1]["pickle"][1][0] is True
        if CPYTHON:  # on PyPy there are weak references to all objects
            assert "cannot create weak reference" in str(one[1]["weakref"])


# And any tape at all.


@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(tapes)
@example(taped(*EVERY))
def test_any_tape(goanna: ModuleType, tape: Tape) -> None:
    both(goanna, tape)
