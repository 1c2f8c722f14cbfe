"""Who may listen, who is registered, and what a client's set of listeners is made of."""

from __future__ import annotations

import copy
import weakref
from unittest import mock

import pytest

from monitoring.comparison import outcome, text
from support.pymongo_events import LISTENERS


def everything(module, body=None):
    """A class that implements all interfaces."""
    return type("Everything", tuple(getattr(module, name) for name in LISTENERS), body or {})


def make(module, *names):
    return type("Mine", tuple(getattr(module, name) for name in names), {})()


@pytest.mark.parametrize("name", LISTENERS)
def test_a_method_that_is_left_out_raises_without_a_word(stock, own, name):
    listener = getattr(own, name)()
    methods = [one for one in vars(getattr(stock, name)) if not one.startswith("_")]
    assert methods
    for one in methods:
        with pytest.raises(NotImplementedError) as caught:
            getattr(listener, one)("event")
        assert caught.value.args == ()
        assert outcome(getattr(listener, one)) == outcome(getattr(getattr(stock, name)(), one))
    assert vars(listener) == {}
    assert isinstance(listener, own._EventListener)


@pytest.mark.parametrize("count", range(1, 6))
def test_register_adds_to_every_list_that_fits(stock, own, count):
    def registered(module):
        listener = make(module, *LISTENERS[:count])
        assert module.register(listener) is None
        module.register(listener)
        return [[one is listener for one in each] for each in module._LISTENERS]

    assert registered(own) == registered(stock)
    assert sum(map(len, own._LISTENERS)) == 2 * count


class Impostor:
    """Says that it is a listener."""

    def __init__(self, cls):
        self._cls = cls

    @property
    def __class__(self):
        return self._cls


def test_register_takes_what_says_it_is_a_listener(stock, own):
    def registered(module):
        module.register(Impostor(module.TopologyListener))
        module.register(mock.Mock(spec=module.CommandListener))
        module.register(module._EventListener())
        return [[type(one).__name__ for one in each] for each in module._LISTENERS]

    assert registered(own) == registered(stock) == [["Mock"], [], [], ["Impostor"], []]


NOT_LISTENERS = (None, 5, "text", object(), object, [], ["a"], lambda: None)


@pytest.mark.parametrize("what", NOT_LISTENERS, ids=text)
def test_what_is_no_listener_is_refused_with_the_same_words(stock, own, what):
    ours = outcome(lambda: own.register(what))
    assert ours == outcome(lambda: stock.register(what))
    assert ours[:2] == ("raised", "TypeError")
    ours = outcome(lambda: own._validate_event_listeners("event_listeners", [what]))
    assert ours == outcome(lambda: stock._validate_event_listeners("event_listeners", [what]))
    assert ours[:2] == ("raised", "TypeError")
    assert sum(map(len, own._LISTENERS)) == 0


def test_a_class_of_listeners_and_a_listener_of_the_other_module_are_refused(stock, own):
    assert outcome(lambda: own.register(own.CommandListener)) == outcome(lambda: stock.register(stock.CommandListener))
    with pytest.raises(TypeError, match=",not <class 'pymongo"):
        own.register(stock.CommandListener())


@pytest.mark.parametrize(
    "container", [None, {}, set(), frozenset(), iter([]), (x for x in ()), 5, "", "ab", b"", b"a", range(0), range(2)]
)
def test_only_sequences_of_listeners_are_valid(stock, own, container):
    ours = outcome(lambda: own._validate_event_listeners("option", container) is container)
    assert ours == outcome(lambda: stock._validate_event_listeners("option", container) is container)


def test_a_valid_sequence_comes_back_as_it_is(own):
    for listeners in ([own.CommandListener(), own.ServerListener()], (own._EventListener(),), []):
        assert own._validate_event_listeners("option", listeners) is listeners


def test_wrong_arguments_of_functions_raise_the_same_errors(stock, own):
    for name in ("register", "_validate_event_listeners", "_EventListeners", "_handle_exception", "_to_micros"):
        for args, keywords in (((), {}), ((1,) * 5, {}), ((), {"nope": 1})):
            ours = outcome(lambda: getattr(own, name)(*args, **keywords))
            theirs = outcome(lambda: getattr(stock, name)(*args, **keywords))
            if name == "_handle_exception" and not args and not keywords:
                assert ours == theirs == ("returned", None)
            else:
                assert ours == theirs
                assert ours[:2] == ("raised", "TypeError")


class Watched(list):
    """A list that writes down what is done to it."""

    def __init__(self, name, log, content=()):
        super().__init__(content)
        self.name = name
        self.log = log

    def append(self, one):
        self.log.append(("append", self.name))
        super().append(one)

    def __getitem__(self, index):
        self.log.append(("slice", self.name, index))
        return Watched(f"copy of {self.name}", self.log, super().__getitem__(index))

    def __len__(self):
        self.log.append(("len", self.name))
        return super().__len__()

    def __bool__(self):
        self.log.append(("bool", self.name))
        return super().__len__() > 0

    def __add__(self, other):
        self.log.append(("add", self.name, getattr(other, "name", type(other))))
        return Watched(f"{self.name} + {other.name}", self.log, super().__add__(other))


def test_the_registry_is_used_in_the_same_order(stock, own):
    def done(module):
        log = []
        with pytest.MonkeyPatch.context() as patch:
            watched = module._Listeners(*(Watched(name, log) for name in module._Listeners._fields))
            patch.setattr(module, "_LISTENERS", watched)
            module.register(everything(module)())
            listeners = module._EventListeners([everything(module)()])
            flat = listeners.event_listeners()
        return log, len(flat), flat.name

    ours = done(own)
    assert ours == done(stock)
    assert ours[1] == 10
    assert len(ours[0]) > 20


def describe(listeners):
    """What a set of listeners holds, with each listener replaced by its name."""

    def name(value):
        return [one.name for one in value] if isinstance(value, list) else value

    enabled = [
        getattr(listeners, f"enabled_for_{kind}")
        for kind in ("commands", "server", "server_heartbeat", "topology", "cmap")
    ]
    return [(key, name(value)) for key, value in vars(listeners).items()], enabled, name(listeners.event_listeners())


def named(module, *specs):
    made = []
    for name, *bases in specs:
        listener = make(module, *bases) if bases else type("Other", (), {})()
        listener.name = name
        made.append(listener)
    return made


CLIENTS = (
    (),
    (("a", "CommandListener"),),
    (("a", "ServerListener"), ("other",), ("b", "ServerListener")),
    (("a", "CommandListener", "ServerHeartbeatListener"), ("b", "TopologyListener"), ("c", "ConnectionPoolListener")),
    (("all", *LISTENERS), ("all again", *LISTENERS)),
    (("other",),),
)


@pytest.mark.parametrize("registered", CLIENTS, ids=repr)
@pytest.mark.parametrize("mine", CLIENTS, ids=repr)
@pytest.mark.parametrize("container", [list, tuple, iter])
def test_a_clients_listeners_are_those_of_all_and_then_its_own(stock, own, registered, mine, container):
    def held(module):
        for listener in named(module, *registered):
            if isinstance(listener, module._EventListener):
                module.register(listener)
        return describe(module._EventListeners(container(named(module, *mine))))

    ours = held(own)
    assert ours == held(stock)
    assert len(ours[0]) == 10


def test_no_listeners_of_its_own_and_what_cannot_be_iterated(stock, own):
    for module in (stock, own):
        listener = make(module, *LISTENERS)
        listener.name = "registered"
        module.register(listener)
    assert describe(own._EventListeners(None)) == describe(stock._EventListeners(None))
    assert outcome(lambda: own._EventListeners(5)) == outcome(lambda: stock._EventListeners(5))


def test_what_is_registered_or_patched_later_does_not_reach_a_client(stock, own):
    def held(module):
        listeners = module._EventListeners([])
        late = make(module, *LISTENERS)
        late.name = "late"
        module.register(late)
        before = describe(listeners)
        for kind in ("command", "server", "server_heartbeat", "topology", "cmap"):
            getattr(listeners, f"_EventListeners__{kind}_listeners").append(late)
        assert not any(describe(listeners)[1])
        listeners._EventListeners__enabled_for_commands = True
        assert listeners.enabled_for_commands is True
        return before, describe(listeners), len(module._LISTENERS.command_listeners)

    ours = held(own)
    assert ours == held(stock)
    assert ours[0] != ours[1]
    assert ours[2] == 1


def test_a_set_of_listeners_is_an_ordinary_object(stock, own):
    listeners = own._EventListeners([make(own, *LISTENERS)])
    assert weakref.ref(listeners)() is listeners
    listeners.extra = 1
    assert copy.copy(listeners).event_listeners() == listeners.event_listeners()
    assert copy.copy(listeners) != listeners
    theirs = stock._EventListeners([])
    for name in ("commands", "server", "server_heartbeat", "topology", "cmap"):
        ours = outcome(lambda: setattr(listeners, f"enabled_for_{name}", 1))
        assert ours == outcome(lambda: setattr(theirs, f"enabled_for_{name}", 1))
        assert ours[1] == "AttributeError"
    listeners._EventListeners__command_listeners = ()
    theirs._EventListeners__command_listeners = ()
    assert outcome(listeners.event_listeners) == outcome(theirs.event_listeners)


@pytest.mark.parametrize("name", [*LISTENERS, "_EventListener"])
def test_interfaces_are_looked_up_at_each_use(stock, own, name):
    def used(module):
        class Another:
            name = "another"

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, name, Another)
            usual = make(module, "CommandListener") if name != "CommandListener" else make(module, "ServerListener")
            usual.name = "usual"
            return (
                outcome(lambda: module.register(Another())),
                outcome(lambda: module.register(usual)),
                outcome(lambda: len(module._validate_event_listeners("option", [Another()]))),
                outcome(lambda: len(module._validate_event_listeners("option", [usual]))),
                [[one.name for one in each] for each in module._LISTENERS],
                describe(module._EventListeners([Another(), usual])),
            )

    ours = used(own)
    assert ours == used(stock)
    assert "another" in str(ours[5]) or name == "_EventListener"
