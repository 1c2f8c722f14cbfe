"""Sieves and samples of both cores: random conditions on random events, before and after these are built."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.cores import Copy

numbers = st.one_of(
    st.integers(-3, 3),
    st.integers(-(1 << 70), 1 << 70), st.booleans(), st.floats(allow_nan=False), st.text(max_size=3),
    st.none(), st.tuples(st.integers()), st.lists(st.integers(), max_size=1),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=numbers, threshold=st.one_of(st.integers(0, 1 << 64), st.just(1 << 63)))
def test_samples(both: dict[str, Copy], value: Any, threshold: int) -> None:
    answers = []
    for copy in both.values():
        with copy.active():
            from goanna import core

            try:
                answers.append(core.sampled(value, threshold))
            except TypeError as error:
                answers.append(str(error))
    assert answers[0] == answers[1]


class Strange:
    """A value or an event that answers as it was told to."""

    def __init__(self, how: str) -> None:
        self.how = how

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.how == "breaks":
            raise LookupError(name)
        raise AttributeError(name)

    def __lt__(self, other: object) -> bool:
        if self.how == "breaks":
            raise LookupError("<")
        return True

    def __hash__(self) -> int:
        if self.how == "breaks":
            raise TypeError("no hash")
        return 3

    def __eq__(self, other: object) -> bool:
        return self is other


STRANGE = [Strange("fine"), Strange("breaks")]
values = st.one_of(
    st.none(), st.integers(-2, 3), st.sampled_from(["find", "insert", ""]), st.lists(st.integers(), max_size=1),
    st.floats(0, 3), st.sampled_from(STRANGE),
)  # fmt: skip
hashable = st.one_of(st.none(), st.integers(-2, 3), st.sampled_from(["find", "insert", ""]))
names = st.sampled_from(["order_id", "total", "hours", "carrier", "nothing"])
conditions = st.fixed_dictionaries(
    {
        "types": st.sampled_from([None, (), ("OrderPlaced",), ("RushOrder",), ("Shipped", "RushOrder"), ("Nothing",)]),
        "members": st.lists(st.tuples(names, st.frozensets(hashable, max_size=3)), max_size=2),
        "least": st.lists(st.tuples(names, st.one_of(st.integers(-2, 3), st.floats(0, 2))), max_size=2),
        "sample": st.one_of(st.none(), st.tuples(names, st.sampled_from([0, 1 << 62, 1 << 63, (1 << 64) - 1]))),
        "rest": st.sampled_from([None, None, "true", "false", "raises", "exits", "empty"]),
    }
)
makings = st.one_of(
    st.tuples(st.just("OrderPlaced"), st.lists(values, min_size=1, max_size=2)),
    st.tuples(st.just("RushOrder"), st.lists(values, min_size=1, max_size=3)),
    st.tuples(st.just("Shipped"), st.lists(values, min_size=1, max_size=2)),
    st.tuples(st.just("strange"), st.integers(0, 1)),
)


def rest_of(name: str | None) -> Any:
    def rest(event: Any) -> Any:
        if name == "raises":
            raise ValueError("rest")
        if name == "exits":
            raise SystemExit("rest")
        return {"true": 1, "false": 0, "empty": []}[name]  # type: ignore[index]

    return None if name is None else rest


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(condition=conditions, made=st.lists(makings, max_size=8), target=st.sampled_from(["fine", "raises", "skips"]))
def test_filters(both: dict[str, Copy], condition: dict[str, Any], made: list[Any], target: str) -> None:
    seen: dict[str, list[Any]] = {}
    for name, copy in both.items():
        log = seen[name] = []
        with copy.active():
            from goanna import core
            from goanna.core.base import Skip
            from support import shapes

            def handle(event: Any, log: list[Any] = log, skip: Any = Skip) -> None:
                log.append(("handled", type(event).__name__))
                if target == "raises":
                    raise ValueError("target")
                if target == "skips":
                    raise skip

            account = core.Account()
            types = condition["types"]
            filter_ = core.Filter(
                handle,
                account,
                None if types is None else tuple([getattr(shapes, one) for one in types]),
                condition["members"],
                condition["least"],
                condition["sample"],
                rest_of(condition["rest"]),
            )
            twin = filter_.before(print)
            log.append((repr(filter_.members), repr(filter_.least), filter_.sample, twin.members == filter_.members))
            for kind, arguments in made:
                event = STRANGE[arguments] if kind == "strange" else getattr(shapes, kind)(*arguments)
                for way in (filter_, filter_.admits):
                    try:
                        log.append(way(event))
                    except BaseException as error:
                        log.append((type(error).__name__, str(error)))
                    log.append(account.read())
            for one in (shapes.OrderPlaced, shapes.RushOrder, shapes.Shipped, shapes.Mixed):
                log.append(filter_.early(one, one.__event_fields__))
    assert seen["c"] == seen["py"]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(condition=conditions, made=st.lists(makings, max_size=6), keywords=st.booleans(), second=conditions)
def test_rejected_early_is_rejected_late(
    both: dict[str, Copy], condition: dict[str, Any], made: list[Any], keywords: bool, second: dict[str, Any]
) -> None:
    """Publishing by arguments and publishing what is built lead to the same calls and counts, in both cores."""
    seen: dict[str, list[Any]] = {}
    for name, copy in both.items():
        with copy.active():
            from goanna import core
            from support import shapes

            for way in ("by arguments", "built"):
                log = seen[f"{name} {way}"] = []
                accounts = [core.Account() for _ in range(4)]
                calls = []
                for number, one in enumerate((condition, second)):
                    types = one["types"]
                    filter_ = core.Filter(
                        lambda event, number=number, log=log: log.append((number, type(event).__name__)),
                        accounts[number],
                        None if types is None else tuple([getattr(shapes, each) for each in types]),
                        one["members"],
                        one["least"],
                        one["sample"] if one["sample"] is None else ("order_id", one["sample"][1]),
                        rest_of(one["rest"] if one["rest"] not in ("raises", "exits") else None),
                    )
                    calls.append(core.Call(filter_, accounts[2 + number], number))
                for kind, arguments in made:
                    if kind == "strange" or any(isinstance(one, Strange) for one in arguments):
                        continue
                    event_type = getattr(shapes, kind)
                    maker = event_type.__event_maker__

                    def errors(error: Any, listener: Any, event: Any, log: list[Any] = log) -> None:
                        log.append((type(error).__name__, listener))

                    channel = core.Channel(maker, core.Table(calls, maker), errors)
                    if arguments[0] is None:
                        continue  # sampled by how many there were, of which some are rejected early
                    if way == "built":
                        channel.publish(event_type(*arguments))
                    elif keywords:
                        fields = [one.name for one in event_type.__event_fields__]
                        channel(**dict(zip(fields, arguments, strict=False)))
                    else:
                        channel(*arguments)
                    channel.table.settle()
                    log.append([one.read() for one in accounts])
    first = seen["c by arguments"]
    assert seen == dict.fromkeys(seen, first)


def test_wrong_uses_get_the_same_answer(both: dict[str, Copy]) -> None:
    answers: dict[str, list[Any]] = {}
    for name, copy in both.items():
        with copy.active():
            from goanna import core

            account = core.Account()
            filter_ = core.Filter(print, account)
            answers[name] = [repr(filter_), filter_.types, filter_.members, filter_.least, filter_.sample, filter_.rest]
            for mistake in (
                lambda core=core, account=account: core.Filter(3, account),
                lambda core=core: core.Filter(print, None),
                lambda core=core, account=account: core.Filter(print, account, rest=3),
            ):
                with pytest.raises(TypeError) as caught:
                    mistake()
                answers[name].append(str(caught.value))
    assert answers["c"] == answers["py"]
