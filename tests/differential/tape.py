"""What a tape can hold: hypothesis strategies for random programs over one ``_EventListeners``.

A tape is plain data (dictionaries, tuples, strings, numbers), so that one tape can be played any number of times, each
time with objects of its own, on any release: a method, a parameter or a module global which a release doesn't have
leaves its step out. ``differential.player`` plays it.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

from hypothesis import strategies as st
from pymongo import monitoring

from support.pymongo_events import publishers

Tape = dict[str, Any]
Step = tuple[Any, ...]
Value = tuple[Any, ...]

KINDS = {
    "command": "CommandListener",
    "server": "ServerListener",
    "server_heartbeat": "ServerHeartbeatListener",
    "topology": "TopologyListener",
    "cmap": "ConnectionPoolListener",
}
"""Kind, as in the name of the list of an ``_EventListeners``: the base class of its listeners."""


def _parameters(name: str) -> tuple[str, ...]:
    found = list(inspect.signature(getattr(monitoring._EventListeners, name)).parameters)[1:]
    return tuple("micros" if one == "duration" and "_command_" in name else one for one in found)


PUBLISH: dict[str, tuple[str, str, tuple[str, ...]]] = {
    name: (next(kind for kind, base in KINDS.items() if base == interface), event, _parameters(name))
    for name, (interface, _, event) in publishers().items()
}
"""Name: kind of the listeners, name of the event class, parameters, all as this release of PyMongo has them (``micros``
stands for the ``duration`` of a command, a timedelta; the others are numbers)."""

METHODS = {
    kind: tuple(name for name in vars(getattr(monitoring, base)) if not name.startswith("_"))
    for kind, base in KINDS.items()
}

SENSITIVE = (
    "authenticate",
    "saslStart",
    "saslContinue",
    "getnonce",
    "createUser",
    "updateUser",
    "copydbgetnonce",
    "copydbsaslstart",
    "copydb",
)
HELLO = ("hello", "HeLLo", "ismaster", "isMaster", "ISMASTER")
NAMES = (
    *("find", "ping", "insert", "FIND", "", "hellO ", "AUTHENT\u0130CATE"),
    *HELLO,
    *SENSITIVE,
    *(name.upper() for name in SENSITIVE),
    *(name.lower() for name in SENSITIVE),
)

MICROS = (0, 1, 249, 250, 251, 1_000_001, 1_000_500, 2_000_003, -1, -249, -1_500_000, 86_400_000_000 * 400, 33)
"""Durations: some which the float arithmetic of stock makes one too small, and the signs around zero."""


def _one_of_names(*kinds: str) -> st.SearchStrategy[Value]:
    return st.tuples(st.sampled_from(kinds), st.sampled_from(NAMES))


documents: st.SearchStrategy[Value] = st.one_of(
    _one_of_names("dict", "dict", "speculative", "raw", "raw_speculative"),
    _one_of_names("son", "ordered", "subclass", "deleted", "list", "tuple", "str", "iterator", "spy", "str_subclass"),
    st.tuples(st.just("spy_raises"), st.sampled_from(["__bool__", "__iter__", "__contains__", "first"])),
    st.sampled_from([("empty",), ("none",), ("bytes_key",), ("int_key",), ("none_key",), ("number",)]),
)
command_names: st.SearchStrategy[Value] = st.one_of(
    _one_of_names("plain", "plain", "plain", "str_subclass"),
    st.sampled_from([("none",), ("plain", b"SASLstart"), ("number",), ("raises_lower",)]),
)
durations: st.SearchStrategy[Value] = st.one_of(
    st.tuples(st.just("micros"), st.one_of(st.sampled_from(MICROS), st.integers(-(10**13), 10**13))),
    st.tuples(st.just("micros"), st.integers(0, 300_000)),
    st.tuples(st.just("lasts"), st.sampled_from([0.00025, -0.5, float("nan"), float("inf"), None, 3, "x", b"ab"])),
    st.sampled_from([("none",), ("plain", 0.5)]),
)
plain: st.SearchStrategy[Value] = st.one_of(
    st.just(("token",)),
    st.tuples(st.just("plain"), st.sampled_from([0, 1, 7, -1, 2**70, 0.25, "x", "", True, False, ("h", 27017)])),
    st.just(("none",)),
)
truths: st.SearchStrategy[Value] = st.one_of(
    st.tuples(st.just("plain"), st.sampled_from([False, False, True, 0, 1, "", "yes"])),
    st.just(("raises_bool",)),
    st.just(("none",)),
)
SPECIAL = {
    "command": documents,
    "failure": documents,
    "micros": durations,
    "command_name": command_names,
    "speculative_hello": truths,
    "op_id": st.one_of(st.just(("none",)), st.just(("equals_none",)), plain),
    "options": st.one_of(_one_of_names("dict"), plain),
    "reason": st.one_of(st.tuples(st.just("plain"), st.sampled_from(["stale", "timeout"])), plain),
}

FLAWS = ("missing", "extra", "unknown", "twice", "not_str", "self_twice")
if sys.implementation.name == "pypy":  # the text of its TypeError for this one has the address of what is called in it
    FLAWS = tuple([one for one in FLAWS if one != "not_str"])

shapes = st.fixed_dictionaries(
    {
        # How many arguments go by position, counted from the required ones; the rest of the required go by keyword.
        "extra": st.sampled_from([0, 0, 0, 1, 2, 9, -1, -2, -9]),
        # Which of the optional ones that didn't go by position go by keyword.
        "optional": st.sampled_from(["none", "all", "service_id", "odd", "database_name"]),
        "flaw": st.sampled_from([None] * 14 + list(FLAWS)),
        # Keywords as equal strings that aren't the interned ones, and out of order.
        "uninterned": st.booleans(),
    }
)


@st.composite
def _publishes(draw: Any) -> Step:
    name = draw(st.sampled_from(sorted(PUBLISH)))
    kind, _, parameters = PUBLISH[name]
    values = {}
    for parameter in parameters:
        strategy = SPECIAL.get(parameter, plain)
        if parameter == "reply" and kind == "command":
            strategy = documents
        values["duration" if parameter == "micros" else parameter] = draw(strategy)
    return ("publish", name, draw(shapes), values)


@st.composite
def _command_publishes(draw: Any) -> Step:
    """Commands in the shapes that get as far as the listeners, which is where most can go wrong."""
    name = draw(st.sampled_from(["publish_command_start", "publish_command_success", "publish_command_failure"]))
    values = {
        parameter: draw(st.sampled_from([("token",), ("plain", 7), ("plain", 2**40)]))
        for parameter in PUBLISH[name][2]
        if parameter != "micros"
    }
    values["op_id"] = draw(st.sampled_from([("none",), ("plain", 3), ("plain", 0), ("equals_none",)]))
    values["speculative_hello"] = ("plain", draw(st.booleans()))
    values["duration"] = ("micros", draw(st.integers(0, 300_000)))
    values["command_name"] = ("plain", draw(st.sampled_from(NAMES)))
    document = draw(_one_of_names("dict", "speculative", "raw", "raw_speculative"))
    values["command"] = values["reply"] = values["failure"] = document
    shape = {
        "extra": draw(st.sampled_from([0, 1, 2, 9])),
        "optional": draw(st.sampled_from(["none", "all", "service_id"])),
        "flaw": None,
        "uninterned": False,
    }
    return ("publish", name, shape, values)


publishes: st.SearchStrategy[Step] = st.one_of(_publishes(), _command_publishes())

ERRORS = ("ValueError", "KeyError", "group", "chained", "unprintable", "StopIteration", "MemoryError", "AttributeError")
STOPS = ("Stop", "KeyboardInterrupt", "SystemExit", "GeneratorExit")
STREAMS = ("capture", "none", "missing", "falsy", "oserror", "flaky", "valueerror", "no_write", "stop")

patches: st.SearchStrategy[Step] = st.one_of(
    st.tuples(
        st.just("sensitive"),
        st.sampled_from(["empty", "find", "list", "frozen", "clear", "add", "spy", "raises", "none"]),
    ),
    st.tuples(st.just("handler"), st.sampled_from(["note", "raise", "stop", "none", "missing"])),
    st.tuples(
        st.just("class"),
        st.sampled_from(sorted(event for _, event, _ in PUBLISH.values())),
        st.sampled_from(["subclass", "subclass_init", "callable", "none", "missing", "raises"]),
    ),
    st.tuples(
        st.just("in_place"),
        st.sampled_from(
            ["CommandStartedEvent", "CommandSucceededEvent", "_CommandEvent", "_PoolEvent", "PoolReadyEvent"]
        ),
    ),
    st.tuples(st.just("function"), st.sampled_from(["_to_micros", "_is_speculative_authenticate"])),
    st.tuples(st.just("method"), st.sampled_from(sorted(PUBLISH)), st.sampled_from(["class", "instance", "missing"])),
)
lists: st.SearchStrategy[Step] = st.tuples(
    st.just("list"),
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(["same", "tuple", "generator", "none", "missing", "iterable", "subclass", "raises", "reversed"]),
)

actions: st.SearchStrategy[Step] = st.one_of(
    st.just(("nothing",)),
    st.tuples(st.just("raise"), st.sampled_from(ERRORS)),
    st.tuples(st.just("stop"), st.sampled_from(STOPS)),
    st.tuples(st.just("insert"), st.integers(0, 4), st.integers(0, 3)),
    st.tuples(st.just("publish"), publishes),
    st.tuples(st.just("patch"), patches),
    lists,
    st.sampled_from(
        [
            ("same_error",),
            ("patch_self",),
            ("patch_class",),
            ("unpatch_class",),
            ("remove_self",),
            ("remove_next",),
            ("clear",),
            ("disable",),
            ("mutate",),
            ("write_slots",),
            ("raise_after_catching",),
            ("hide_error",),
        ]
    ),
    st.tuples(st.just("stderr"), st.sampled_from(STREAMS)),
)

MAKES = (
    *("plain", "plain", "plain", "plain"),
    *("counting", "lacks", "stray", "getattr", "getattribute", "getattribute_stop", "property", "property_stop"),
    *("builtin", "not_callable", "arity", "static", "callable", "class_as_method", "partial"),
)
"""How a listener is made; ``counting`` writes down every look-up of its methods."""

listeners = st.fixed_dictionaries(
    {
        "kinds": st.one_of(
            st.just(sorted(KINDS)),
            st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3, unique=True),
        ),
        "make": st.sampled_from(MAKES),
        "does": st.lists(actions, min_size=1, max_size=3),
    }
)

steps: st.SearchStrategy[Step] = st.one_of(
    publishes,
    publishes,
    publishes,
    publishes,
    st.tuples(st.sampled_from(["handling", "lifetime", "cycle", "unbound", "queued"]), publishes),
    st.tuples(st.just("patch"), patches),
    lists,
    st.just(("restore",)),
    st.tuples(st.just("stderr"), st.sampled_from(STREAMS)),
)

tapes: st.SearchStrategy[Tape] = st.fixed_dictionaries(
    {
        "listeners": st.lists(listeners, min_size=1, max_size=4),
        # Indexes into "listeners": those registered for all, then those of the client; a listener may come twice.
        "register": st.lists(st.integers(0, 3), max_size=2),
        "client": st.lists(st.integers(0, 3), min_size=1, max_size=4),
        "instance": st.sampled_from(["plain", "plain", "plain", "subclass", "property", "copy"]),
        "steps": st.lists(steps, min_size=6, max_size=16),
    }
)
