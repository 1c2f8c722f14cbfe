"""Publishing: what reaches whom, in which order, and what happens when a listener, or printing its error, fails."""

from __future__ import annotations

import datetime
import inspect
import io
import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.comparison import outcome, state, text
from support.pymongo_events import EVENTS, LISTENERS, SAMPLE, publishers

PUBLISHERS = publishers()
METHODS = {name: (event, method) for name, (_, method, event) in PUBLISHERS.items()}
METHODS_OF_LISTENERS = sorted({method for _, method in METHODS.values()})


def interface(name):
    """The interface whose listeners a publish method calls."""
    return PUBLISHERS[name][0]


def parameters(stock, name):
    return list(inspect.signature(getattr(stock._EventListeners, name)).parameters)[1:]


def sample(stock, name):
    return [SAMPLE[one] for one in parameters(stock, name)]


class Halt(BaseException):
    """Not an Exception, as CancelledError isn't."""


RAISED = {"ValueError": ValueError, "NotImplementedError": NotImplementedError, "Halt": Halt, "SystemExit": SystemExit}


def listener(module, name, log, bases=LISTENERS, raises=None, without=()):
    """A listener that writes down what it gets and raises what it is told to; ``without`` are left as inherited."""

    def take(method):
        def taken(self, event):
            log.append((name, method, state(event), id(event)))
            if raises is not None:
                raise RAISED[raises](f"{name} failed")

        return taken

    body = {method: take(method) for method in METHODS_OF_LISTENERS if method not in without}
    return type("Mine", tuple(getattr(module, base) for base in bases), body)()


class Stream(io.StringIO):
    """A standard error that is there, or not, or fails."""

    def __init__(self, error=None):
        super().__init__()
        self.error = error

    def write(self, written):
        if self.error is not None:
            raise self.error("no writing here")
        return super().write(written)


OWN_FRAME = re.compile(r'File "[^"\n]*(?:pymongo/monitoring|goanna/monitoring/_standalone/\w+)\.py", line \d+')


def printed(stream):
    """What went to standard error, with the file and line of the module's own frames made the same."""
    return text(OWN_FRAME.sub("File MONITORING", stream.getvalue()))


def test_every_event_is_published_by_a_method():
    assert len(METHODS) >= 23
    assert {event for event, _ in METHODS.values()} == set(EVENTS) - {"TopologyEvent"}


@pytest.mark.parametrize("name", METHODS)
def test_an_event_reaches_the_listeners_of_its_kind_and_no_others(stock, own, name):
    def published(module):
        log = []
        each = [listener(module, base, log, [base]) for base in LISTENERS]
        listeners = module._EventListeners([*each, listener(module, "all", log)])
        assert getattr(listeners, name)(*sample(stock, name)) is None
        return log

    ours = published(own)
    assert [one[:3] for one in ours] == [one[:3] for one in published(stock)]
    event, method = METHODS[name]
    assert [(who, called, held[0]) for who, called, held, _ in ours] == [
        (interface(name), method, event),
        ("all", method, event),
    ]
    assert ours[0][3] == ours[1][3]  # one event for all


@pytest.mark.parametrize("name", METHODS)
def test_wrong_arguments_raise_the_same_errors(stock, own, name):
    ours, theirs = (getattr(module._EventListeners([]), name) for module in (own, stock))
    values = sample(stock, name)
    results = set()
    for count in range(len(values) + 2):
        given_values = [*values, None][:count]
        for keywords in ({}, {"nope": 1}, {parameters(stock, name)[0]: values[0]}, {parameters(stock, name)[-1]: 1}):
            our_outcome = outcome(lambda: ours(*given_values, **keywords))
            assert our_outcome == outcome(lambda: theirs(*given_values, **keywords)), (count, keywords)
            results.add(our_outcome[0])
    assert results == {"raised", "returned"}


@pytest.mark.parametrize("name", METHODS)
def test_events_are_built_with_the_same_arguments_from_the_class_that_is_there_now(stock, own, name):
    def built(module):
        log = []

        def patched(event):
            def build(*args, **keywords):
                log.append((event, args, keywords))
                return "built"

            return build

        with pytest.MonkeyPatch.context() as patch:
            for event in EVENTS:
                patch.setattr(module, event, patched(event))
            got = []
            method = METHODS[name][1]
            body = {method: lambda self, event: got.append(event)}
            listeners = module._EventListeners([type("Mine", (getattr(module, interface(name)),), body)()])
            getattr(listeners, name)(*parameters(stock, name))
        return log, got

    ours = built(own)
    assert ours == built(stock)
    assert ours[0][0][0] == METHODS[name][0]
    assert ours[1] == ["built"]


@pytest.mark.parametrize("name", METHODS)
def test_an_event_is_built_even_if_nobody_listens(stock, own, name):
    for module in (stock, own):
        built = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, METHODS[name][0], lambda *args, **keywords: built.append(1))
            getattr(module._EventListeners(None), name)(*sample(stock, name))
        assert built == [1]


@pytest.mark.parametrize("error", [ValueError, Halt])
@pytest.mark.parametrize("name", METHODS)
def test_an_error_in_building_reaches_the_publisher(stock, own, name, error):
    def published(module):
        def fail(*args, **keywords):
            raise error("no event")

        log = []
        listeners = module._EventListeners([listener(module, "a", log)])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, METHODS[name][0], fail)
            return outcome(lambda: getattr(listeners, name)(*sample(stock, name))), log

    assert published(own) == published(stock) == (("raised", error.__name__, "no event"), [])


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("publish_command_start", {"command": {}}),
        ("publish_command_start", {"command": None}),
        ("publish_command_start", {"command": {1: 1}}),
        ("publish_command_success", {"duration": None}),
        ("publish_command_success", {"command_name": None}),
        ("publish_command_success", {"command_name": "hello", "reply": None}),
        ("publish_command_success", {"command_name": "hello", "reply": None, "speculative_hello": True}),
        ("publish_command_success", {"command_name": None, "speculative_hello": 1}),
        ("publish_command_success", {"speculative_hello": "yes"}),
        ("publish_command_success", {"speculative_hello": 0}),
        ("publish_command_failure", {"duration": None}),
        ("publish_command_failure", {"command_name": None}),
        *((name, {"op_id": op_id}) for name in METHODS if "_command_" in name for op_id in (None, 0, False, "", 5)),
    ],
    ids=repr,
)
def test_particular_commands_are_published_or_refused_alike(stock, own, name, changes):
    def published(module):
        log = []
        listeners = module._EventListeners([listener(module, "a", log, ["CommandListener"])])
        arguments = {one: SAMPLE[one] for one in parameters(stock, name)} | changes
        result = outcome(lambda: getattr(listeners, name)(**arguments))
        return result, [one[:3] for one in log]

    ours = published(own)
    assert ours == published(stock)
    assert bool(ours[1]) == (ours[0][0] == "returned")


def test_without_an_operation_id_it_is_the_request_id(own):
    log = []
    listeners = own._EventListeners([listener(own, "a", log)])
    listeners.publish_command_start({"find": 1}, "db", 11, ("h", 1), None)
    listeners.publish_command_success(datetime.timedelta(1), {}, "find", 12, ("h", 1), None)
    listeners.publish_command_failure(datetime.timedelta(1), {}, "find", 13, ("h", 1), None, op_id=0)
    assert [held["_CommandEvent__op_id"] for _, _, (_, held), _ in log] == [11, 12, 0]


def test_a_speculative_hello_leaves_its_reply_out(own):
    log = []
    listeners = own._EventListeners([listener(own, "a", log)])
    reply = {"ok": 1}
    listeners.publish_command_success(datetime.timedelta(1), reply, "find", 1, ("h", 1), None, speculative_hello=True)
    listeners.publish_command_success(datetime.timedelta(1), reply, "find", 1, ("h", 1), None, speculative_hello=False)
    replies = [held["_CommandSucceededEvent__reply"] for _, _, (_, held), _ in log]
    assert replies == [{}, {"ok": 1}]
    assert replies[1] is reply
    assert reply == {"ok": 1}


# Errors


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("raises", RAISED)
def test_an_exception_is_printed_and_the_others_still_called_but_nothing_else_is_held_up(stock, own, name, raises):
    def published(module):
        log, stream = [], Stream()
        listeners = module._EventListeners(
            [
                listener(module, "first", log, raises="ValueError"),
                listener(module, "raising", log, raises=raises),
                listener(module, "last", log),
            ]
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stderr", stream)
            result = outcome(lambda: getattr(listeners, name)(*sample(stock, name)))
        return result, [one[:3] for one in log], printed(stream)

    ours = published(own)
    assert ours == published(stock)
    ordinary = issubclass(RAISED[raises], Exception)
    assert ours[0][0] == ("returned" if ordinary else "raised")
    assert [who for who, _, _ in ours[1]] == ["first", "raising", "last"][: 3 if ordinary else 2]
    assert ours[2].count("Traceback (most recent call last):\n  File MONITORING, in " + name) == 1 + ordinary
    assert "ValueError: first failed" in ours[2]


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_looked_up_at_each_publish_and_an_error_in_that_is_the_listeners_own(stock, own, name):
    method = METHODS[name][1]

    def published(module):
        log, stream = [], Stream()
        base = getattr(module, interface(name))

        def fail(self):
            raise LookupError("no such thing")

        class Bare(base):
            pass

        class Raising(base):
            pass

        class Searching(base):
            def __getattribute__(self, attribute):
                log.append(attribute)
                return super().__getattribute__(attribute)

        setattr(Raising, method, property(fail))
        bare, plain = Bare(), Bare()
        listeners = module._EventListeners([bare, Raising(), Searching(), plain])
        log.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stderr", stream)
            getattr(listeners, name)(*sample(stock, name))
            setattr(bare, method, lambda event: log.append(("instance", state(event))))
            getattr(listeners, name)(*sample(stock, name))
            setattr(Bare, method, lambda self, event: log.append(("class", state(event))))
            getattr(listeners, name)(*sample(stock, name))
            setattr(plain, method, 5)
            getattr(listeners, name)(*sample(stock, name))
            del listeners._EventListeners__cmap_listeners[:]
            getattr(listeners, name)(*sample(stock, name))
        return log, printed(stream)

    ours = published(own)
    assert ours == published(stock)
    assert ours[0].count(method) == (4 if interface(name) == "ConnectionPoolListener" else 5)
    assert {one[0] for one in ours[0] if isinstance(one, tuple)} == {"instance", "class"}
    for expected in ("NotImplementedError", "LookupError: no such thing", "'int' object is not callable"):
        assert expected in ours[1]


@pytest.mark.parametrize("name", METHODS)
def test_the_handler_of_errors_is_the_one_that_is_there_now(stock, own, name):
    def published(module):
        handled, log = [], []
        listeners = module._EventListeners(
            [listener(module, "a", log, raises="ValueError"), listener(module, "b", log, raises="ValueError")]
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_handle_exception", lambda *args: handled.append((args, text(sys.exc_info()[1]))))
            getattr(listeners, name)(*sample(stock, name))

            def refuse():
                raise KeyError("handler")

            patch.setattr(module, "_handle_exception", refuse)
            result = outcome(lambda: getattr(listeners, name)(*sample(stock, name)))
        return handled, result, [one[:3] for one in log]

    ours = published(own)
    assert ours == published(stock)
    assert ours[0] == [((), "a failed"), ((), "b failed")]
    assert ours[1] == ("raised", "KeyError", "'handler'")
    assert len(ours[2]) == 3


@pytest.mark.parametrize("stream", [lambda: None, lambda: Stream(OSError), lambda: Stream(ValueError), Stream])
def test_a_standard_error_that_is_missing_or_broken(stock, own, stream):
    def published(module):
        log, error = [], stream()
        listeners = module._EventListeners(
            [listener(module, "a", log, raises="ValueError"), listener(module, "b", log)]
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stderr", error)
            result = outcome(lambda: listeners.publish_pool_closed(("h", 1)))
        return result, [one[0] for one in log], error and printed(error)

    assert published(own) == published(stock)


def test_a_falsy_standard_error_is_none_at_all(stock, own):
    class Falsy(Stream):
        def __bool__(self):
            return False

    for module in (stock, own):
        stream = Falsy()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stderr", stream)
            module._EventListeners([listener(module, "a", [], raises="ValueError")]).publish_pool_closed(("h", 1))
        assert stream.getvalue() == ""


def test_causes_and_notes_are_printed_and_the_handler_can_be_called_without_an_error(stock, own):
    def published(module):
        def fail(self, event):
            try:
                {}["missing"]
            except KeyError as error:
                error.add_note("a note")
                raise RuntimeError("because") from error

        stream = Stream()
        mine = type("Mine", (module.ConnectionPoolListener,), {"pool_closed": fail})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stderr", stream)
            module._EventListeners([mine()]).publish_pool_closed(("h", 1))
            module._handle_exception()
        return printed(stream)

    ours = published(own)
    assert ours == published(stock)
    assert "a note" in ours
    assert "The above exception was the direct cause" in ours
    assert ours.endswith("NoneType: None\n")


# Lists that change


@pytest.mark.parametrize("change", ["append", "remove", "clear"])
def test_a_list_that_changes_while_it_is_called_is_followed(stock, own, change):
    def published(module):
        log = []
        others = [listener(module, name, log) for name in ("b", "c")]

        def pool_closed(self, event):
            log.append(("changing", state(event)))
            live = listeners._EventListeners__cmap_listeners
            if change == "append" and len(log) < 5:
                live.append(others[0])
            elif change == "remove":
                live.remove(self)
            elif change == "clear":
                live.clear()

        changing = type("Changing", (module.ConnectionPoolListener,), {"pool_closed": pool_closed})()
        listeners = module._EventListeners([changing, *others])
        listeners.publish_pool_closed(("h", 1))
        listeners.publish_pool_closed(("h", 1))
        return [one[0] for one in log]

    ours = published(own)
    assert ours == published(stock)
    assert ours[0] == "changing"


def test_a_listener_may_publish(stock, own):
    def published(module):
        log = []

        def pool_closed(self, event):
            log.append(("in", state(event)))
            if len(log) < 3:
                listeners.publish_pool_closed(("h", len(log)))
            log.append(("out", state(event)))

        listeners = module._EventListeners(
            [type("A", (module.ConnectionPoolListener,), {"pool_closed": pool_closed})()]
        )
        listeners.publish_pool_closed(("h", 0))
        return log

    ours = published(own)
    assert ours == published(stock)
    assert len(ours) == 6


# Everything at once

VALUES = {
    "command": st.sampled_from(
        [{"find": 1}, {"FIND": 1}, {"saslStart": 1}, {"hello": 1, "speculativeAuthenticate": 1}, {}]
    ),
    "reply": st.sampled_from([{"ok": 1}, {"speculativeAuthenticate": 1}, None]),
    "command_name": st.sampled_from(["find", "getMore", "saslStart", "hello", "isMaster", None]),
    "op_id": st.sampled_from([None, 0, 5]),
    "speculative_hello": st.booleans(),
    "duration": st.timedeltas(),
}
OTHER = st.sampled_from([None, 0, 1, "text", ("h", 1)])


@st.composite
def steps(draw):
    """One call: the method, its arguments by name, how many go by position, and which defaults are left out."""
    name = draw(st.sampled_from(sorted(METHODS)))
    import pymongo.monitoring

    signature = inspect.signature(getattr(pymongo.monitoring._EventListeners, name))
    arguments = {}
    for one in list(signature.parameters.values())[1:]:
        if one.default is not inspect.Parameter.empty and draw(st.booleans()):
            continue
        arguments[one.name] = draw(VALUES.get(one.name, OTHER))
    names = list(signature.parameters)[1:]
    positional = 0
    most = draw(st.integers(0, len(names)))
    while positional < most and names[positional] in arguments:
        positional += 1
    return name, [arguments.pop(one) for one in names[:positional]], arguments


SPECS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(LISTENERS), min_size=1, max_size=5, unique=True),
        st.sampled_from([None, None, None, "ValueError", "NotImplementedError", "Halt", "SystemExit"]),
        st.sets(st.sampled_from(METHODS_OF_LISTENERS), max_size=3),
    ),
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(registered=SPECS, mine=SPECS, tape=st.lists(steps(), min_size=1, max_size=12))
def test_the_same_tape_has_the_same_effects(stock, own, registered, mine, tape):
    def played(module):
        log, results, stream = [], [], Stream()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_LISTENERS", module._Listeners([], [], [], [], []))
            patch.setattr(sys, "stderr", stream)
            for number, spec in enumerate(registered):
                module.register(listener(module, f"registered {number}", log, *spec))
            listeners = module._EventListeners(
                [listener(module, f"mine {number}", log, *spec) for number, spec in enumerate(mine)]
            )
            for name, args, keywords in tape:
                results.append(outcome(lambda: getattr(listeners, name)(*args, **keywords)))
                log.append("--")
        return results, [one if one == "--" else one[:3] for one in log], printed(stream)

    ours = played(own)
    assert ours == played(stock)
    assert len(ours[0]) == ours[1].count("--") == len(tape)
