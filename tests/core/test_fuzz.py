"""One random program, run on both cores; everything that can be observed must come out the same."""

from __future__ import annotations

import gc
import pickle
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.cores import Copy

names = st.sampled_from(["a", "b", "c", "d"])
values = st.one_of(st.none(), st.integers(-3, 3), st.text("xy", max_size=2), st.lists(st.integers(0, 2), max_size=2))

fields = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["p", "q", "r", "s", "self", "event"]),
            "default": st.one_of(st.just("none"), st.just("value"), st.just("factory"), st.just("mutable")),
            "kw_only": st.booleans(),
        }
    ),
    max_size=4,
    unique_by=lambda one: one["name"],
)

events = st.fixed_dictionaries(
    {"base": st.integers(-1, 2), "fields": fields, "eq": st.sampled_from([None, True, False]), "kw_only": st.booleans()}
)

# What a listener does when it is called: one action for each call, the last one for good.
actions = st.lists(
    st.one_of(
        st.just(("nothing",)),
        st.just(("raise",)),
        st.just(("skip_out",)),
        st.just(("remove_self",)),
        st.just(("collect",)),
        st.tuples(st.just("remove"), st.integers(0, 5)),
        st.tuples(st.just("publish"), st.integers(0, 2), st.lists(values, max_size=2)),
        st.tuples(st.just("add"), st.integers(0, 3)),
        st.tuples(st.just("stats"), st.integers(0, 5)),
    ),
    min_size=1,
    max_size=3,
)

listeners = st.lists(
    st.fixed_dictionaries({"takes": st.sets(st.integers(-1, 2), min_size=1), "does": actions, "idle": st.booleans()}),
    min_size=1,
    max_size=4,
)

arguments = st.tuples(
    st.lists(values, max_size=4),
    st.dictionaries(st.sampled_from(["p", "q", "r", "s", "self", "z"]), values, max_size=3),
)

steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("add"),
            st.integers(0, 3),
            st.integers(-1, 1),
            st.lists(st.integers(0, 5), max_size=2),
            st.lists(st.integers(0, 5), max_size=2),
            st.booleans(),
            st.booleans(),
        ),
        st.tuples(st.just("remove"), st.integers(0, 5)),
        st.tuples(st.just("publish"), st.integers(0, 2), arguments),
        st.tuples(st.just("build"), st.integers(0, 2), arguments),
        st.tuples(st.just("stats"), st.integers(0, 5)),
        st.tuples(st.just("truth"), st.integers(0, 2)),
        st.tuples(st.just("patch"), st.integers(0, 3)),
        st.tuples(st.just("refresh"), st.integers(0, 5)),
        st.tuples(st.just("drop"), st.integers(0, 3)),
    ),
    max_size=14,
)

programs = st.fixed_dictionaries(
    {
        "events": st.lists(events, min_size=1, max_size=3),
        "listeners": listeners,
        "errors": st.sampled_from(["call", "raise"]),
        "steps": steps,
    }
)


class Stop(BaseException):
    """Stands for KeyboardInterrupt and its like."""


class Run:
    """Runs one program over one copy of the package and writes down what can be seen."""

    def __init__(self, goanna: Any, program: dict[str, Any]) -> None:
        self.goanna = goanna
        self.seen: list[Any] = []
        self.depth = 0
        errors = program["errors"]
        self.hub = goanna.Dispatcher(errors=self.note_error if errors == "call" else errors)
        self.classes: list[Any] = []
        for number, one in enumerate(program["events"]):
            self.attempt("define", lambda one=one, number=number: self.classes.append(self.define(number, one)))
        self.listeners = [self.listener(number, one) for number, one in enumerate(program["listeners"])]
        self.registrations: list[Any] = []

    def define(self, number: int, one: dict[str, Any]) -> Any:
        base = self.classes[one["base"]] if 0 <= one["base"] < len(self.classes) else self.goanna.Event
        namespace: dict[str, Any] = {"__annotations__": {}, "__module__": __name__, "__qualname__": f"E{number}"}
        for spec in one["fields"]:
            namespace["__annotations__"][spec["name"]] = int
            kw_only = {"kw_only": True} if spec["kw_only"] else {}
            if spec["default"] == "value":
                namespace[spec["name"]] = self.goanna.field(default=7, **kw_only)
            elif spec["default"] == "factory":
                namespace[spec["name"]] = self.goanna.field(default_factory=list, **kw_only)
            elif spec["default"] == "mutable":
                namespace[spec["name"]] = []
            elif kw_only:
                namespace[spec["name"]] = self.goanna.field(**kw_only)
        return type(self.goanna.Event)(f"E{number}", (base,), namespace, eq=one["eq"], kw_only=one["kw_only"])

    def listener(self, number: int, one: dict[str, Any]) -> Any:
        takes = [self.classes[index] for index in sorted(one["takes"]) if 0 <= index < len(self.classes)]
        takes = takes or [self.goanna.Event]
        does = iter(one["does"])
        last = one["does"][-1]

        def called(this: Any, event: Any) -> None:
            self.seen.append(("called", number, self.show(event)))
            self.act(number, next(does, last), event)

        def idle(this: Any, event: Any) -> None: ...

        method = self.goanna.handles(*takes)(idle if one["idle"] else called)
        return type(f"L{number}", (self.goanna.Listener,), {"on": method, "__repr__": lambda this: f"L{number}"})()

    def show(self, event: Any) -> str:
        assert type(event).__name__ in {cls.__name__ for cls in self.classes}
        return f"{event!r} {[getattr(event, one.name) for one in self.goanna.fields(event)]}"

    def note_error(self, error: Exception, listener: Any, event: Any) -> None:
        self.seen.append(("error", repr(error), repr(listener), self.show(event), sys.exc_info()[1] is error))

    def attempt(self, what: str, action: Any) -> Any:
        try:
            result = action()
        except ExceptionGroup as group:
            self.seen.append((what, str(group), [repr(error) for error in group.exceptions]))
        except (Exception, Stop) as error:
            self.seen.append((what, type(error).__name__, str(error)))
        else:
            return result

    def pick(self, index: int) -> Any:
        return self.registrations[index % len(self.registrations)] if self.registrations else None

    def act(self, number: int, action: tuple[Any, ...], event: Any) -> None:
        kind, *rest = action
        if kind == "raise":
            raise ValueError(number)
        if kind == "skip_out":
            raise Stop(number)
        if kind == "remove_self":
            for one in self.registrations:
                if one.listener is self.listeners[number]:
                    one.remove()
        elif kind == "collect":
            gc.collect()
        elif kind == "publish" and self.depth < 3 and rest[0] < len(self.classes):
            self.depth += 1
            try:
                self.attempt("inner", lambda: self.hub.publisher(self.classes[rest[0]])(*rest[1]))
            finally:
                self.depth -= 1
        elif kind in ("remove", "stats"):
            self.step((kind, *rest))
        elif kind == "add" and len(self.registrations) < 12:
            self.step(("add", rest[0], 0, [], [], False, False))

    def step(self, step: tuple[Any, ...]) -> None:
        kind, *rest = step
        if kind == "add":
            index, priority, before, after, once, weak = rest
            listener = self.listeners[index % len(self.listeners)]
            if listener is None:
                return

            def add() -> None:
                self.registrations.append(
                    self.hub.add(
                        listener,
                        priority=priority,
                        before=[one for one in map(self.pick, before) if one],
                        after=[one for one in map(self.pick, after) if one],
                        once=once,
                        weak=weak,
                    )
                )

            self.attempt("add", add)
        elif kind in ("remove", "refresh"):
            if one := self.pick(rest[0]):
                self.attempt(kind, getattr(one, kind))
        elif kind == "stats":
            if one := self.pick(rest[0]):
                self.seen.append(("stats", repr(one.stats()), one.active, repr(one)))
        elif kind == "patch":
            listener = self.listeners[rest[0] % len(self.listeners)]
            if listener is not None:
                listener.on = lambda event: self.seen.append(("patched", self.show(event)))
        elif kind == "drop":
            self.listeners[rest[0] % len(self.listeners)] = None
            gc.collect()
        elif rest[0] < len(self.classes):
            cls = self.classes[rest[0]]
            if kind == "truth":
                self.seen.append(("truth", bool(self.hub.publisher(cls)), repr(self.hub.publisher(cls))))
            elif kind == "publish":
                args, kwargs = rest[1]
                self.attempt("publish", lambda: self.hub.publisher(cls)(*args, **kwargs))
            else:
                args, kwargs = rest[1]
                event = self.attempt("build", lambda: cls(*args, **kwargs))
                if event is not None:
                    self.seen.append(("built", self.show(event), event == event.__replace__()))
                    self.attempt("publish", lambda: self.hub.publish(event))

    def finish(self) -> None:
        counts = [(repr(one.stats()), one.active, repr(one.listener)) for one in self.registrations]
        self.seen.append(("end", counts, [repr(one.listener) for one in self.hub.registrations]))
        total = sum(one.stats().delivered + one.stats().failed for one in self.registrations)
        calls = sum(1 for one in self.seen if one[0] in ("called", "patched"))
        assert total == calls, "a call that nobody counted, or a count without a call"


def run(copy: Copy, program: dict[str, Any]) -> list[Any]:
    with copy.active():
        one = Run(copy.package, program)
        for step in program["steps"]:
            one.step(step)
        one.finish()
    return one.seen


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(programs)
def test_the_same_program_on_both_cores(both: dict[str, Copy], program: dict[str, Any]) -> None:
    assert run(both["c"], program) == run(both["py"], program)


@pytest.mark.parametrize("which", ["c", "py"])
def test_the_fuzzer_sees_something(both: dict[str, Copy], which: str) -> None:
    """A fixed program through every kind of step, so that the comparison above can't be of empty lists."""
    program = {
        "events": [
            {"base": -1, "fields": [{"name": "p", "default": "none", "kw_only": False}], "eq": True, "kw_only": False},
            {
                "base": 0,
                "fields": [{"name": "q", "default": "mutable", "kw_only": False}],
                "eq": None,
                "kw_only": False,
            },
        ],
        "listeners": [{"takes": {0}, "does": [("raise",), ("publish", 0, [1])], "idle": False}],
        "errors": "call",
        "steps": [
            ("add", 0, 0, [], [], False, False),
            ("truth", 0),
            ("publish", 0, ([3], {})),
            ("publish", 0, ([], {"z": 1})),
            ("build", 0, ([4], {})),
            ("stats", 0),
        ],
    }
    kinds = [one[0] for one in run(both[which], program)]
    assert kinds.count("called") == 5
    assert {"define", "truth", "called", "error", "publish", "built", "stats"} <= set(kinds)
    assert pickle.dumps(kinds)
