"""goanna.monitoring as a module: what it stands for, with PyMongo and without, and what setting a name there does."""

from __future__ import annotations

import importlib
import os
import pickle
import subprocess
import sys
from unittest import mock

import pytest

from monitoring.comparison import sample, state
from support.pymongo_events import EVENTS


@pytest.fixture
def monitoring(goanna):
    """goanna.monitoring over the core under test, with PyMongo there."""
    return importlib.import_module("goanna.monitoring")


@pytest.fixture(params=["stock", "own"])
def window(request, monitoring, stock, world):
    """goanna.monitoring and the module that it stands for: PyMongo's, or ours."""
    return (monitoring, stock) if request.param == "stock" else (world.monitoring, world.namespace)


def run(backend, code, *path):
    """What a new interpreter prints, with ``path`` before anything that is installed."""
    source = os.path.dirname(os.path.dirname(importlib.import_module("goanna").__file__))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "GOANNA_BACKEND": backend, "PYTHONPATH": os.pathsep.join([*map(str, path), source])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def test_importing_goanna_does_not_import_pymongo(backend):
    code = "import sys, goanna; print('pymongo' in sys.modules, 'goanna.monitoring' in sys.modules)"
    assert run(backend, code) == "False False"


def test_with_pymongo_there_its_names_are_the_names(monitoring, stock):
    names = [name for name in dir(stock) if not (name.startswith("__") and name.endswith("__"))]
    assert len(names) > 50
    for name in names:
        assert getattr(monitoring, name) is getattr(stock, name), name
    assert set(names) <= set(dir(monitoring))


def test_a_listener_written_for_one_is_a_listener_for_the_other(monitoring, stock):
    class Mine(monitoring.CommandListener):
        def started(self, event):
            assert type(event) is stock.CommandStartedEvent

    listener = Mine()
    assert stock._validate_event_listeners("event_listeners", [listener])
    monitoring.register(listener)
    assert stock._LISTENERS.command_listeners == [listener]


def test_a_client_takes_it(monitoring):
    import pymongo

    listener = monitoring.CommandListener()
    client = pymongo.MongoClient(connect=False, event_listeners=[listener])
    try:
        assert client.options.event_listeners == [listener]
    finally:
        client.close()


def test_without_pymongo_our_own_are_the_names(backend):
    code = """
import sys
sys.modules["pymongo"] = None
from goanna import monitoring
from goanna.monitoring import CommandListener, loggers
class Mine(CommandListener):
    def started(self, event): print(event, type(event))
monitoring.register(Mine())
monitoring.register(loggers.CommandLogger())
monitoring._EventListeners(None).publish_command_start({"find": 1}, "db", 1, ("h", 1), 2)
"""
    assert run(backend, code) == (
        "<CommandStartedEvent ('h', 1) db: 'db', command: 'find', operation_id: 1, service_id: None, "
        "server_connection_id: 2> <class 'goanna.monitoring.CommandStartedEvent'>"
    )


def test_a_pymongo_that_is_there_and_broken_is_not_passed_over(backend, tmp_path):
    package = tmp_path / "pymongo"
    package.mkdir()
    (package / "__init__.py").write_text("import a_module_that_is_missing\n")
    printed = run(backend, "import goanna.monitoring", tmp_path)
    assert printed == "ModuleNotFoundError: No module named 'a_module_that_is_missing'"
    (package / "__init__.py").write_text("raise RuntimeError('broken')\n")
    assert run(backend, "import goanna.monitoring", tmp_path) == "RuntimeError: broken"


def test_a_folder_called_pymongo_is_no_pymongo(backend):
    code = """
import sys, types
sys.modules["pymongo"] = folder = types.ModuleType("pymongo")
folder.__path__ = []
import goanna.monitoring
print(goanna.monitoring.CommandListener.__module__)
"""
    assert run(backend, code) == "goanna.monitoring"


def test_a_name_that_is_set_is_set_where_it_is_read(window):
    monitoring, source = window
    fresh = source._Listeners([], [], [], [], [])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(monitoring, "_LISTENERS", fresh)
        assert source._LISTENERS is fresh
        assert monitoring._LISTENERS is fresh
        listener = source.TopologyListener()
        monitoring.register(listener)
        assert fresh.topology_listeners == [listener]
    assert source._LISTENERS is monitoring._LISTENERS is not fresh


def test_a_name_that_is_set_there_is_seen_here(window):
    monitoring, source = window
    fresh = source._Listeners([], [], [], [], [])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "_LISTENERS", fresh)
        assert monitoring._LISTENERS is fresh
    assert monitoring._LISTENERS is not fresh


def test_names_can_be_patched_and_put_back_in_the_usual_ways(window):
    monitoring, source = window
    handler = source._handle_exception
    with mock.patch.object(monitoring, "_handle_exception") as patched:
        assert source._handle_exception is patched
        failing = type("Failing", (source.ConnectionPoolListener,), {})()
        source._EventListeners([failing]).publish_pool_closed(("h", 1))
        patched.assert_called_once_with()
    assert source._handle_exception is monitoring._handle_exception is handler
    with mock.patch.multiple(monitoring, _handle_exception=1, register=2):
        assert (source._handle_exception, source.register) == (1, 2)
    assert source._handle_exception is handler
    del monitoring._handle_exception
    try:
        assert not hasattr(source, "_handle_exception")
        with pytest.raises(AttributeError, match=r"module 'goanna\.monitoring' has no attribute '_handle_exception'"):
            _ = monitoring._handle_exception
    finally:
        monitoring._handle_exception = handler
    assert source._handle_exception is handler


def test_what_each_module_has_for_itself_is_its_own(window):
    monitoring, source = window
    assert monitoring.__name__ == monitoring.__spec__.name == "goanna.monitoring"
    assert monitoring.__file__ != source.__file__
    assert monitoring.__doc__ != source.__doc__
    assert "pymongo.monitoring" in monitoring.__doc__
    monitoring.something_else = 1
    try:
        assert not hasattr(source, "something_else")
    finally:
        del monitoring.something_else
    with pytest.raises(AttributeError, match=r"module 'goanna\.monitoring' has no attribute 'nothing'"):
        _ = monitoring.nothing


def test_submodules_belong_to_this_package_only(monitoring, stock, world):
    loggers = importlib.import_module("goanna.monitoring.loggers")
    assert monitoring.loggers is loggers
    assert not hasattr(stock, "loggers")
    assert not hasattr(world.namespace, "loggers")
    for name in ("listeners", "errors", "kinds"):
        assert hasattr(world.namespace, name)
        assert not hasattr(world.monitoring, name)


def test_a_star_import_brings_the_public_names(window):
    monitoring, source = window
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "goanna.monitoring", monitoring)
        patch.setitem(sys.modules, "goanna", sys.modules.get("goanna") or mock.Mock())
        names = {}
        exec("from goanna.monitoring import *", names)
    del names["__builtins__"]
    assert set(names) == {name for name in dir(source) if not name.startswith("_")} - {
        "command_events", "errors", "event_listeners", "kinds", "listeners", "namespace", "pool_events", "redaction",
        "registry", "server_events",
    }  # fmt: skip
    assert names["CommandListener"] is source.CommandListener
    assert len(names) > 31


@pytest.mark.parametrize("number", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", EVENTS)
def test_pickles_of_our_events_are_read_as_pymongos_where_that_is_there(own, stock, world, monitoring, name, number):
    event = getattr(own, name)(*sample(stock, name))
    with world.active():
        pickled = pickle.dumps(event, number)
    loaded = pickle.loads(pickled)
    assert type(loaded) is getattr(stock, name)
    assert state(loaded) == state(event)
