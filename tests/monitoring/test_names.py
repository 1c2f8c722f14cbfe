"""What is in the module and what each thing there looks like from outside."""

from __future__ import annotations

import inspect
from types import FunctionType, ModuleType

import pytest

from monitoring.comparison import properties
from support.pymongo_events import ALL_EVENTS, LISTENERS

CLASSES = (
    *ALL_EVENTS,
    *LISTENERS,
    "ConnectionCheckOutFailedReason",
    "ConnectionClosedReason",
    "_EventListener",
    "_EventListeners",
    "_Listeners",
)
FUNCTIONS = (
    "_handle_exception",
    "_is_speculative_authenticate",
    "_to_micros",
    "_validate_event_listeners",
    "register",
)


def of_a_module(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def test_the_lists_of_names_here_are_complete(stock):
    classes = {
        name
        for name in dir(stock)
        if isinstance(getattr(stock, name), type) and getattr(stock, name).__module__ == "pymongo.monitoring"
    }
    assert classes == set(CLASSES)
    assert {name for name in dir(stock) if type(getattr(stock, name)) is FunctionType} - {"namedtuple"} == set(
        FUNCTIONS
    )


def test_every_name_of_the_stock_module_is_there_but_the_drivers_reply_class(stock, own, world):
    theirs = {name for name in dir(stock) if not of_a_module(name)}
    assert theirs - set(dir(own)) == {"Hello"}
    assert set(world.namespace.__all__) == theirs - {"Hello"}
    for name in sorted(theirs - {"Hello"}):
        assert type(getattr(own, name)).__name__ == type(getattr(stock, name)).__name__


def test_the_names_of_the_namespace_are_those_that_its_modules_add(world):
    added = ["TYPE_CHECKING", "Any", "abc", "annotations", "namedtuple"]
    for name, value in vars(world.namespace).items():
        if isinstance(value, ModuleType) and name not in ("abc", "kinds", "namespace", "__builtins__"):
            added += value.__all__
    assert sorted(added) == sorted(world.namespace.__all__)


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_looks_like_its_model(stock, own, name):
    theirs, ours = getattr(stock, name), getattr(own, name)
    assert (ours.__name__, ours.__qualname__, ours.__module__) == (name, name, "goanna.monitoring")
    assert [base.__name__ for base in ours.__mro__] == [base.__name__ for base in theirs.__mro__]
    assert ours.__dict__.get("__slots__") == theirs.__dict__.get("__slots__")
    for layout in ("__basicsize__", "__dictoffset__", "__weakrefoffset__"):  # PyPy has none of them
        assert getattr(ours, layout, None) == getattr(theirs, layout, None)
    assert type(ours) is type(theirs)
    assert properties(ours) == properties(theirs)

    def kinds(cls):
        # without what a NamedTuple, annotations and a cache of copyreg add
        added = ("__orig_bases__", "__annotations__", "__slotnames__", "__static_attributes__", "__firstlineno__")
        added += ("__annotate_func__", "__annotations_cache__")  # from 3.14 on
        return {key: type(value) for key, value in vars(cls).items() if key not in added}

    assert kinds(ours) == kinds(theirs)


@pytest.mark.parametrize("name", CLASSES)
def test_what_is_documented_is_documented_in_our_own_words(stock, own, name):
    ours, theirs = getattr(own, name), getattr(stock, name)
    assert ours.__doc__
    assert ours.__doc__ != theirs.__doc__
    for key, value in vars(ours).items():
        if callable(value) and not key.startswith("_"):
            assert value.__doc__, key
            assert value.__doc__ != vars(theirs)[key].__doc__
        if isinstance(value, property):
            assert value.__doc__, key
            # PyPy's named tuples have properties for their fields, of which nobody wrote the documentation.
            assert value.__doc__ != vars(theirs)[key].__doc__ or key in getattr(ours, "_fields", ())


def parameters(function):
    return [(one.name, one.kind, one.default) for one in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("name", CLASSES)
def test_every_method_has_the_signature_of_its_model(stock, own, name):
    theirs, ours = getattr(stock, name), getattr(own, name)
    assert parameters(ours) == parameters(theirs)
    compared = 0
    for key, value in vars(theirs).items():
        if type(value) is FunctionType and key != "_replace":  # a named tuple's own
            assert parameters(vars(ours)[key]) == parameters(value), key
            assert vars(ours)[key].__qualname__ == value.__qualname__
            compared += 1
        if isinstance(value, property) and type(value.fget) is FunctionType:  # PyPy's named tuples have others
            mine = vars(ours)[key]
            assert mine.fget.__qualname__ == value.fget.__qualname__
            assert (mine.fset, mine.fdel) == (value.fset, value.fdel) == (None, None)
            compared += 1
    assert compared or theirs.__dict__.get("__slots__") == () or name.endswith("Reason") or name == "_EventListener"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_the_signature_of_its_model(stock, own, name):
    theirs, ours = getattr(stock, name), getattr(own, name)
    assert type(ours) is FunctionType
    assert ours.__module__ == "goanna.monitoring"
    assert (ours.__name__, ours.__qualname__) == (theirs.__name__, theirs.__qualname__)
    assert parameters(ours) == parameters(theirs)
    assert ours.__doc__
    assert ours.__doc__ != theirs.__doc__


@pytest.mark.parametrize("name", ["ConnectionClosedReason", "ConnectionCheckOutFailedReason", "HelloCompat"])
def test_constants_are_equal(stock, own, name):
    def constants(module):
        return {key: value for key, value in vars(getattr(module, name)).items() if not of_a_module(key)}

    assert constants(own) == constants(stock)
    assert len(constants(own)) >= 3
    assert {type(value) for value in constants(own).values()} == {str}


def test_the_sensitive_commands_are_the_same(stock, own):
    assert own._SENSITIVE_COMMANDS == stock._SENSITIVE_COMMANDS
    assert own._SENSITIVE_COMMANDS is not stock._SENSITIVE_COMMANDS
    assert type(own._SENSITIVE_COMMANDS) is set


def test_the_registry_is_a_named_tuple_of_lists(stock, own):
    assert own._Listeners._fields == stock._Listeners._fields
    assert repr(own._LISTENERS) == repr(stock._LISTENERS)
    assert own._LISTENERS == stock._LISTENERS == ([], [], [], [], [])
    assert [type(one) for one in own._LISTENERS] == [list] * 5
    assert issubclass(own._Listeners, tuple)
