"""The event loggers: each record, and what is read from an event to write it."""

from __future__ import annotations

import importlib
import inspect
import logging

import pytest

from monitoring.comparison import outcome, sample
from support.pymongo_events import LISTENERS, publishers

LOGGERS = {
    "CommandLogger": "CommandListener",
    "ConnectionPoolLogger": "ConnectionPoolListener",
    "HeartbeatLogger": "ServerHeartbeatListener",
    "ServerLogger": "ServerListener",
    "TopologyLogger": "TopologyListener",
}

METHODS = [
    (logger, method, event)
    for logger, interface in LOGGERS.items()
    for told, method, event in publishers().values()
    if told == interface
]


class Recording(logging.Handler):
    """Writes each record down in a list that others write to as well."""

    def __init__(self, log):
        super().__init__()
        self.log = log

    def emit(self, record):
        self.log.append((record.name, record.levelname, record.msg, record.args, record.funcName, record.exc_info))


class Probe:
    """An event that writes down what is read from it."""

    def __init__(self, name, log, same_type, has_servers):
        self._name = name
        self._log = log
        self._same_type = same_type
        self._has_servers = has_servers

    def __getattr__(self, attribute):
        name = f"{self._name}.{attribute}"
        self._log.append(name)
        return Probe(name, self._log, self._same_type, self._has_servers)

    def __format__(self, spec):
        self._log.append(f"format {self._name} {spec!r}")
        return f"<{self._name} %s {{}}>"

    def __eq__(self, other):
        self._log.append(f"{self._name} == {other._name}")
        return self._same_type

    def __call__(self):
        self._log.append(f"{self._name}()")
        return self._has_servers


@pytest.fixture
def root(monkeypatch):
    """The root logger, letting everything through to nobody."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", logging.DEBUG)
    root.manager._clear_cache()
    yield root
    monkeypatch.undo()
    root.manager._clear_cache()


def records(root, call):
    log = []
    root.handlers[:] = [Recording(log)]
    log.append(outcome(lambda: call(log)))
    return log


def test_the_lists_here_are_complete(stock, stock_loggers, world):
    assert {name for name, value in vars(stock_loggers).items() if isinstance(value, type)} == set(LOGGERS)
    assert set(world.loggers.__all__) == set(LOGGERS)
    assert set(LOGGERS.values()) == set(LISTENERS)
    for name in LOGGERS:
        theirs = [one for one in vars(getattr(stock_loggers, name)) if not one.startswith("_")]
        assert sorted(theirs) == sorted(method for logger, method, _ in METHODS if logger == name)
        ours = [one for one in vars(getattr(world.loggers, name)) if not one.startswith("_")]
        assert sorted(ours) == sorted(theirs)


@pytest.mark.parametrize("name", LOGGERS)
def test_a_logger_is_a_listener_of_the_module_that_publishes(stock, stock_loggers, own, world, name):
    ours, theirs = getattr(world.loggers, name), getattr(stock_loggers, name)
    assert ours.__bases__ == (getattr(own, LOGGERS[name]),)
    assert theirs.__bases__ == (getattr(stock, LOGGERS[name]),)
    assert ours.__doc__
    assert ours.__doc__ != theirs.__doc__
    for key, value in vars(theirs).items():
        if inspect.isfunction(value):
            mine = vars(ours)[key]
            assert list(inspect.signature(mine).parameters) == list(inspect.signature(value).parameters)
            assert mine.__doc__
    own.register(ours())


@pytest.mark.parametrize("name", LOGGERS)
def test_with_pymongo_there_a_logger_is_a_listener_of_pymongos(goanna, stock, name):
    loggers = importlib.import_module("goanna.monitoring.loggers")
    assert getattr(loggers, name).__bases__ == (getattr(stock, LOGGERS[name]),)
    stock.register(getattr(loggers, name)())


@pytest.mark.parametrize("same_type", [True, False])
@pytest.mark.parametrize("has_servers", [True, False])
@pytest.mark.parametrize(("name", "method", "event"), METHODS)
def test_a_logger_reads_and_logs_the_same(root, stock_loggers, world, name, method, event, same_type, has_servers):
    def logged(module):
        logger = getattr(module, name)()
        return records(root, lambda log: getattr(logger, method)(Probe("event", log, same_type, has_servers)))

    ours = logged(world.loggers)
    assert ours == logged(stock_loggers)
    assert ours[-1] == ("returned", None)
    messages = [one for one in ours if isinstance(one, tuple) and one[0] == "root"]
    assert messages or (name, method, same_type) == ("ServerLogger", "description_changed", True)
    assert {one[3] for one in messages} <= {()}


@pytest.mark.parametrize(("name", "method", "event"), METHODS)
def test_the_events_of_each_module_are_logged_the_same(root, stock, stock_loggers, own, world, name, method, event):
    if event.endswith("DescriptionChangedEvent") or event == "ServerHeartbeatSucceededEvent":
        values = [Probe(one, [], False, False) for one in map(str, sample(stock, event))]
    else:
        values = sample(stock, event)

    def logged(module, loggers):
        logger = getattr(loggers, name)()
        return records(root, lambda log: getattr(logger, method)(getattr(module, event)(*values)))

    ours = logged(own, world.loggers)
    assert ours == logged(stock, stock_loggers)
    assert ours[-1] == ("returned", None)
    assert len(ours) > 1


def test_what_is_not_logged_is_not_logged_by_level_and_messages_are_read_all_the_same(root, world, stock_loggers):
    root.setLevel(logging.WARNING)
    logs = [
        records(root, lambda log: module.TopologyLogger().description_changed(Probe("event", log, False, False)))
        for module in (world.loggers, stock_loggers)
    ]
    assert logs[0] == logs[1]
    assert [one[2] for one in logs[0] if one[0] == "root"] == [
        "No writable servers available.",
        "No readable servers available.",
    ]
