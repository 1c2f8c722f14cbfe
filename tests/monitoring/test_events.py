"""Events, built by hand: what they hold and show, what they refuse, and how they behave as objects."""

from __future__ import annotations

import copy
import datetime
import gc
import inspect
import pickle
import pickletools
import sys
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.comparison import outcome, parameters, properties, sample, slots, state, text
from support.pymongo_events import ALL_EVENTS, EVENTS, SAMPLE

MICROSECOND = datetime.timedelta(microseconds=1)

ODD = st.one_of(
    st.none(),
    st.integers(),
    st.text(max_size=8),
    st.sampled_from(["it's", 'say "x"', b"bytes", ("h", 1), ["l"], {"d": 1}, 0.1, -1.5, "{braces}", "%s"]),
)


class Strange:
    """Its str, repr and format differ."""

    def __str__(self):
        return "STR"

    def __repr__(self):
        return "REPR"

    def __format__(self, spec):
        return f"FORMAT{spec!r}"


def arguments(stock, name, values):
    """Positional arguments in which the parameters that may be anything are taken from ``values``."""
    fixed = {"command", "reply", "command_name", "duration"} if name.startswith("Command") else set()
    return [SAMPLE[one] if one in fixed else values.get(one, SAMPLE[one]) for one in parameters(stock, name)]


def assert_equal(ours, theirs):
    assert state(ours) == state(theirs)
    for name in properties(type(theirs)):
        assert getattr(ours, name) == getattr(theirs, name), name
        assert type(getattr(ours, name)) is type(getattr(theirs, name))
    assert text(repr(ours)) == text(repr(theirs))
    assert text(str(ours)) == text(str(theirs))


@pytest.mark.parametrize("name", ALL_EVENTS)
def test_an_event_built_by_position_or_keyword_holds_what_its_model_holds(stock, own, name):
    theirs, ours = getattr(stock, name), getattr(own, name)
    values = sample(stock, name)
    assert_equal(ours(*values), theirs(*values))
    assert len(state(ours(*values))[1]) == len(slots(ours)) > 0
    if not name.endswith("DescriptionChangedEvent"):
        named = dict(zip(parameters(stock, name), values, strict=True))
        assert_equal(ours(**named), theirs(**named))


@pytest.mark.parametrize("name", ALL_EVENTS)
def test_defaults_are_filled_in_as_in_the_model(stock, own, name):
    theirs, ours = getattr(stock, name), getattr(own, name)
    required = [
        SAMPLE[one.name]
        for one in inspect.signature(theirs).parameters.values()
        if one.default is inspect.Parameter.empty and one.kind is not inspect.Parameter.VAR_POSITIONAL
    ]
    if name.endswith("DescriptionChangedEvent"):
        required = sample(stock, name)
    assert_equal(ours(*required), theirs(*required))


@pytest.mark.parametrize("name", ALL_EVENTS)
def test_reprs_are_equal_whatever_the_values(stock, own, name):
    theirs, ours = getattr(stock, name), getattr(own, name)

    @settings(deadline=None)
    @given(st.fixed_dictionaries(dict.fromkeys(parameters(stock, name), ODD)))
    def compare(values):
        chosen = arguments(stock, name, values)
        assert_equal(ours(*chosen), theirs(*chosen))

    compare()
    strange = arguments(stock, name, dict.fromkeys(parameters(stock, name), Strange()))
    assert text(repr(ours(*strange))) == text(repr(theirs(*strange)))


@pytest.mark.parametrize("name", ALL_EVENTS)
def test_a_repr_reads_the_same_properties_and_the_same_slots(stock, own, name):
    def shown(module):
        cls = getattr(module, name)
        overridden = {one: property(lambda self, one=one: f"property {one}") for one in properties(cls)}
        event = type("Renamed", (cls,), overridden)(*sample(stock, name))
        for slot in slots(cls):
            setattr(event, slot, f"slot {slot}")
        return outcome(lambda: repr(event))

    ours = shown(own)
    assert ours == shown(stock)
    assert name == "_CommandEvent" or "Renamed" in ours[1]


@pytest.mark.parametrize("name", ALL_EVENTS)
def test_wrong_arguments_raise_the_same_errors(stock, own, name):
    theirs, ours = getattr(stock, name), getattr(own, name)
    values = sample(stock, name)
    raised = set()
    for count in range(len(values) + 3):
        given_values = (values + [None] * 3)[:count]
        ours_outcome = outcome(lambda: ours(*given_values))
        assert ours_outcome == outcome(lambda: theirs(*given_values)), count
        raised.add(ours_outcome[0])
        for keywords in ({"nope": 1}, {parameters(stock, name)[0]: 1}, {parameters(stock, name)[-1]: 1}):
            ours_outcome = outcome(lambda: ours(*given_values, **keywords))
            assert ours_outcome == outcome(lambda: theirs(*given_values, **keywords)), (count, keywords)
            raised.update(ours_outcome[:2] if ours_outcome[0] == "raised" else ["returned"])
    assert raised == {"raised", "returned", "TypeError"}


class Name(str):
    """A name of a command that writes down what is asked of it."""

    def __new__(cls, value, log):
        self = super().__new__(cls, value)
        self.log = log
        return self

    def lower(self):
        self.log.append("lower")
        return str.lower(self)


class Touched(dict):
    """A document that writes down what is asked of it, as one that is decoded on demand would be decoded."""

    def __init__(self, content, log):
        super().__init__(content)
        self.log = log

    def __contains__(self, key):
        self.log.append(f"contains {key}")
        return dict.__contains__(self, key)

    def __iter__(self):
        self.log.append("iter")
        return dict.__iter__(self)

    def __bool__(self):
        self.log.append("bool")
        return True

    def __getitem__(self, key):
        self.log.append(f"get {key}")
        return dict.__getitem__(self, key)

    def get(self, key, default=None):
        self.log.append(f"get {key}")
        return dict.get(self, key, default)

    def __len__(self):
        self.log.append("len")
        return dict.__len__(self)


COMMANDS = (
    {},
    None,
    0,
    "",
    [],
    ["find"],
    ["saslStart", 1],
    "find",
    "F",
    ("a",),
    {b"find": 1},
    {1: 1},
    {None: 1},
    {("t",): 1},
    {"find": 1},
    {"FIND": 1},
    {"hello": 1},
    {"hello": 1, "speculativeAuthenticate": {}},
    {"HELLO": 1, "speculativeAuthenticate": {}},
    {"isMaster": 1, "speculativeAuthenticate": {}},
    {"ismaster": 1, "speculativeAuthenticate": None},
    {"find": 1, "speculativeAuthenticate": {}},
    {"speculativeAuthenticate": {}, "hello": 1},
    {"hello": 1, "speculativeauthenticate": {}},
    3,
    object(),
    {1},
    {"authenticate", "authenticate"},
)


@pytest.mark.parametrize("command", COMMANDS, ids=text)
def test_any_command_is_taken_or_refused_alike(stock, own, command):
    def event_of(module):
        event = module.CommandStartedEvent.__new__(module.CommandStartedEvent)
        return outcome(lambda: event.__init__(command, "db", 1, ("h", 1), 3, "service", 7)), state(event)

    assert event_of(own) == event_of(stock)


REPLIES = ({}, None, {"ok": 1}, {"ok": 1, "speculativeAuthenticate": {}}, "speculativeAuthenticate", 5, ["ok"])
NAMES = ("find", "hello", "HELLO", "isMaster", "ismaster", "saslStart", "COPYDB", "", None, b"hello", 3, ("t",), ["l"])


@pytest.mark.parametrize("kind", ["CommandSucceededEvent", "CommandFailedEvent"])
@pytest.mark.parametrize("duration", [MICROSECOND, None, 5, "1"], ids=str)
@pytest.mark.parametrize("name", NAMES, ids=str)
@pytest.mark.parametrize("reply", REPLIES, ids=str)
def test_any_reply_is_taken_or_refused_alike(stock, own, kind, duration, name, reply):
    def event_of(module):
        event = getattr(module, kind).__new__(getattr(module, kind))
        return outcome(lambda: event.__init__(duration, reply, name, 1, ("h", 1), 3, "service", "db", 7)), state(event)

    assert event_of(own) == event_of(stock)


SENSITIVE = (
    "authenticate",
    "copydb",
    "copydbgetnonce",
    "copydbsaslstart",
    "createUser",
    "getnonce",
    "saslContinue",
    "saslStart",
    "updateUser",
)


@pytest.mark.parametrize("name", [*SENSITIVE, *(one.upper() for one in SENSITIVE)])
def test_secrets_are_left_out_of_commands_and_replies_but_not_of_failures(own, name):
    document = {name: 1, "secret": 2}
    started = own.CommandStartedEvent(document, "db", 1, ("h", 1), 3)
    again = own.CommandStartedEvent(document, "db", 1, ("h", 1), 3)
    succeeded = own.CommandSucceededEvent(MICROSECOND, document, name, 1, ("h", 1), 3)
    failed = own.CommandFailedEvent(MICROSECOND, document, name, 1, ("h", 1), 3)
    assert started.command == succeeded.reply == {}
    assert type(started.command) is type(succeeded.reply) is dict
    assert started.command is not again.command
    assert failed.failure is document
    assert started.command_name == succeeded.command_name == failed.command_name == name


@pytest.mark.parametrize("name", ["hello", "HELLO", "ismaster", "isMaster"])
def test_a_handshake_is_left_out_only_with_credentials_in_it(own, name):
    with_them, without = {name: 1, "speculativeAuthenticate": {}}, {name: 1}
    assert own.CommandStartedEvent(with_them, "db", 1, ("h", 1), 3).command == {}
    assert own.CommandStartedEvent(without, "db", 1, ("h", 1), 3).command is without
    assert own.CommandSucceededEvent(MICROSECOND, with_them, name, 1, ("h", 1), 3).reply == {}
    assert own.CommandSucceededEvent(MICROSECOND, without, name, 1, ("h", 1), 3).reply is without


@pytest.mark.parametrize("name", ["find", "hello", "isMaster", "saslStart"])
def test_names_and_documents_are_asked_no_more_than_in_the_model(stock, own, name):
    def asked(module):
        log = []
        started = module.CommandStartedEvent(Touched({Name(name, log): 1}, log), "db", 1, ("h", 1), 3)
        log.append("--")
        reply = Touched({"ok": 1}, log)
        module.CommandSucceededEvent(MICROSECOND, reply, Name(name, log), 1, ("h", 1), 3)
        log.append("--")
        module.CommandFailedEvent(MICROSECOND, reply, Name(name, log), 1, ("h", 1), 3)
        return log, type(started.command_name)

    log, kind = asked(own)
    assert (log, kind) == asked(stock)
    assert kind is Name
    assert ("contains speculativeAuthenticate" in log) == (name in ("hello", "isMaster"))


def test_the_helpers_of_redaction_and_time_are_looked_up_at_each_event(stock, own, monkeypatch):
    def calls(module):
        log = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_is_speculative_authenticate", lambda *args: log.append(args) or "yes")
            patch.setattr(module, "_to_micros", lambda *args: log.append(args) or "micros")
            started = module.CommandStartedEvent({"FIND": 1}, "db", 1, ("h", 1), 3)
            succeeded = module.CommandSucceededEvent(MICROSECOND, {"a": 1}, "FIND", 1, ("h", 1), 3)
            failed = module.CommandFailedEvent(MICROSECOND, {"a": 1}, "FIND", 1, ("h", 1), 3)
        return log, state(started), state(succeeded), state(failed)

    ours = calls(own)
    assert ours == calls(stock)
    assert len(ours[0]) == 4
    assert ours[1][1]["_CommandStartedEvent__cmd"] == {}


@pytest.mark.parametrize("how", ["rebound", "cleared", "extended"])
def test_the_set_of_sensitive_commands_is_honoured_as_it_is_now(stock, own, how):
    def events(module):
        with pytest.MonkeyPatch.context() as patch:
            before = module._SENSITIVE_COMMANDS
            held = set(before)
            if how == "rebound":
                patch.setattr(module, "_SENSITIVE_COMMANDS", {"find"})
            elif how == "cleared":
                before.clear()
            else:
                before.add("find")
            try:
                return [
                    state(build)
                    for name in ("find", "saslStart")
                    for build in (
                        module.CommandStartedEvent({name: 1}, "db", 1, ("h", 1), 3),
                        module.CommandSucceededEvent(MICROSECOND, {"a": 1}, name, 1, ("h", 1), 3),
                    )
                ]
            finally:
                before.clear()
                before.update(held)

    ours = events(own)
    assert ours == events(stock)
    redacted = [held["_CommandStartedEvent__cmd"] == {} for _, held in (ours[0], ours[2])]
    assert redacted == {"rebound": [True, False], "cleared": [False, False], "extended": [True, True]}[how]


@pytest.mark.parametrize("name", ["find", "hello", "Hello", "ISMASTER", "", b"hello", None])
@pytest.mark.parametrize("document", [{}, {"speculativeAuthenticate": 0}, "speculativeAuthenticate", None, 3], ids=str)
def test_speculative_authentication_is_recognised_alike(stock, own, name, document):
    ours = outcome(lambda: own._is_speculative_authenticate(name, document))
    assert ours == outcome(lambda: stock._is_speculative_authenticate(name, document))


def test_durations_are_cut_off_as_in_the_model(stock, own):
    durations = [datetime.timedelta(microseconds=micros) for micros in range(200_000)]
    ours = [own._to_micros(duration) for duration in durations]
    assert ours == [stock._to_micros(duration) for duration in durations]
    assert sum(micros != exact for exact, micros in enumerate(ours)) == 2884
    assert (ours[249], ours[251]) == (248, 250)


@settings(deadline=None)
@given(st.timedeltas())
def test_any_duration_is_cut_off_as_in_the_model(stock, own, duration):
    ours = own._to_micros(duration)
    assert ours == stock._to_micros(duration)
    assert type(ours) is int
    for kind in ("CommandSucceededEvent", "CommandFailedEvent"):
        event = getattr(own, kind)(duration, {}, "find", 1, ("h", 1), 3)
        assert event.duration_micros == ours


@pytest.mark.parametrize("duration", [-MICROSECOND * 251, MICROSECOND * 1_000_001, None, 1.5, 3], ids=str)
def test_particular_durations(stock, own, duration):
    assert outcome(lambda: own._to_micros(duration)) == outcome(lambda: stock._to_micros(duration))


# The object protocol


def tracked(event):
    """Whether the collector follows an event; PyPy's has no such question."""
    return gc.is_tracked(event) if hasattr(gc, "is_tracked") else None


@pytest.mark.parametrize("name", ALL_EVENTS)
def test_attributes_can_be_set_and_deleted_where_they_can_in_the_model(stock, own, name):
    def tried(module):
        event = getattr(module, name)(*sample(stock, name))
        seen = [hasattr(event, "__dict__"), outcome(lambda: type(weakref.ref(event))), tracked(event)]
        for one in properties(type(event)):
            seen.append(outcome(lambda: setattr(event, one, 1)))
            seen.append(outcome(lambda: delattr(event, one)))
        seen.append(outcome(lambda: setattr(event, "zz", 1)))
        seen.append(outcome(lambda: event.zz))
        for slot in slots(type(event)):
            setattr(event, slot, f"now {slot}")
        seen.append(state(event))
        seen.append([outcome(lambda one=one: getattr(event, one)) for one in properties(type(event))])
        for slot in slots(type(event)):
            delattr(event, slot)
        seen.append([outcome(lambda one=one: getattr(event, one)) for one in properties(type(event))])
        seen.append(outcome(lambda: repr(event)))
        return seen

    ours = tried(own)
    assert ours == tried(stock)
    assert ours[0] is False
    if sys.implementation.name == "cpython":  # PyPy has weak references to all objects
        assert ours[1][:2] == ("raised", "TypeError")


@pytest.mark.parametrize("name", ALL_EVENTS)
def test_an_event_can_be_initialised_again_and_left_uninitialised(stock, own, name):
    cls = getattr(own, name)
    event = cls(*sample(stock, name))
    blank = cls.__new__(cls)
    assert state(blank)[1] == {}
    blank.__init__(*sample(stock, name))
    assert state(blank) == state(event)
    other = [one if isinstance(one, (dict, datetime.timedelta)) else "other" for one in sample(stock, name)]
    blank.__init__(*other)
    assert state(blank) == state(cls(*other)) != state(event)
    their_blank = getattr(stock, name).__new__(getattr(stock, name))
    for one in properties(cls):
        empty = cls.__new__(cls)
        assert outcome(lambda: getattr(empty, one)) == outcome(lambda: getattr(their_blank, one))


@pytest.mark.parametrize("name", ALL_EVENTS)
def test_equality_is_identity_and_subclasses_are_ordinary(stock, own, name):
    cls = getattr(own, name)
    first, second = cls(*sample(stock, name)), cls(*sample(stock, name))
    assert first == first
    assert first != second
    assert hash(first) == object.__hash__(first)
    assert len({first, second}) == 2
    sub = type("Sub", (cls,), {})(*sample(stock, name))
    sub.extra = 1
    assert weakref.ref(sub)() is sub
    assert state(sub)[1] == state(first)[1]
    cls.patched = 5
    try:
        assert first.patched == 5
    finally:
        del cls.patched


def test_the_class_of_an_event_can_be_changed_where_it_can_in_the_model(stock, own):
    def tried(module):
        results = []
        for name in EVENTS:
            for other in EVENTS:
                event = getattr(module, name).__new__(getattr(module, name))
                results.append((name, other, outcome(lambda: setattr(event, "__class__", getattr(module, other)))))
        return results

    ours = tried(own)
    assert ours == tried(stock)
    assert {result[0] for _, _, result in ours} == {"raised", "returned"}


@pytest.mark.parametrize("name", ALL_EVENTS)
def test_pickles_are_those_of_the_model_but_for_the_modules_name(stock, own, world, name, protocol):
    values = [MICROSECOND if isinstance(one, datetime.timedelta) else one for one in sample(stock, name)]

    def pickled(module):
        return pickle.dumps(getattr(module, name)(*values), protocol)

    with world.active():
        ours = outcome(lambda: pickled(own))
    theirs = outcome(lambda: pickled(stock))
    if theirs[0] == "raised":
        assert ours == theirs
        assert protocol < 2
        return
    assert opcodes(ours[1]) == opcodes(theirs[1])
    with world.active():
        loaded = pickle.loads(ours[1])
    assert type(loaded) is getattr(own, name)
    assert state(loaded) == state(pickle.loads(theirs[1]))


def opcodes(pickled):
    """The instructions of a pickle, without the lengths of frames."""
    return [
        (opcode.name, text(argument) if isinstance(argument, str) else argument)
        for opcode, argument, _ in pickletools.genops(pickled)
        if opcode.name != "FRAME"
    ]


@pytest.mark.parametrize("name", ALL_EVENTS)
@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
def test_copies_hold_the_same_and_are_not_equal(stock, own, name, how):
    event = getattr(own, name)(*sample(stock, name))
    copied = how(event)
    assert copied is not event
    assert copied != event
    assert state(copied) == state(event)
    assert len(state(copied)[1]) == len(slots(type(event)))
    documents = [(getattr(event, slot), getattr(copied, slot)) for slot in slots(type(event))]
    assert all((a is b) == (how is copy.copy) for a, b in documents if isinstance(a, dict))


@pytest.mark.parametrize(
    ("name", "base", "attribute"),
    [
        ("CommandStartedEvent", "_CommandEvent", "database_name"),
        ("ServerHeartbeatSucceededEvent", "_ServerHeartbeatEvent", "awaited"),
        ("ServerHeartbeatFailedEvent", "_ServerHeartbeatEvent", "awaited"),
    ],
)
def test_some_properties_ask_those_of_the_base_class(stock, own, name, base, attribute):
    for module in (stock, own):
        event = getattr(module, name)(*sample(stock, name))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(getattr(module, base), attribute, property(lambda self: "the base's"))
            assert getattr(event, attribute) == "the base's"


@pytest.mark.parametrize("name", ALL_EVENTS)
def test_events_hold_the_very_objects_that_they_were_given(stock, own, name):
    values = {one: object() for one in parameters(stock, name)}
    if name.startswith("Command"):
        values.update(command={"find": 1}, reply={"ok": 1}, duration=MICROSECOND, command_name="find")
    cls = getattr(own, name)
    event = cls(*(values[one] for one in parameters(stock, name)))
    compared = 0
    for one in properties(cls):
        if one in values:
            # PyPy keeps the texts of a dict, and no objects; each reading makes another.
            same = getattr(event, one) is values[one]
            assert same or (sys.implementation.name == "pypy" and getattr(event, one) == "find"), one
            compared += 1
    assert compared


def test_a_failed_check_out_has_no_connection_and_so_the_number_zero(own):
    assert own.ConnectionCheckOutFailedEvent(("h", 1), "timeout", 0.5).connection_id == 0
