"""install() and uninstall() on the installed PyMongo: what is replaced, what is not, and what comes back."""

from __future__ import annotations

import datetime
import os
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pymongo.monitoring as stock
import pytest

from support.programs import python

ADDRESS = ("h", 27017)


@pytest.fixture
def installed(goanna: ModuleType) -> Iterator[Callable[..., Any]]:
    """install(), undone at the end; PyMongo is exactly as before then."""
    before = {cls: dict(vars(cls)) for cls in vars(stock).values() if isinstance(cls, type)}
    yield goanna.install
    goanna.uninstall()
    assert {cls: dict(vars(cls)) for cls in before} == before


class Recorder(stock.CommandListener, stock.ConnectionPoolListener, stock.ServerHeartbeatListener):
    """Keeps what it gets, by the name of the method."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Any]] = []

    def __getattribute__(self, name: str) -> Any:
        if name in ("got", "__class__", "__dict__"):
            return object.__getattribute__(self, name)
        return lambda event: self.got.append((name, event))


def start(listeners: Any, **changed: Any) -> None:
    arguments = {"command": {"find": "x"}, "database_name": "db", "request_id": 1, "connection_id": ADDRESS}
    listeners.publish_command_start(**{**arguments, "server_connection_id": 7, **changed})


def test_everything_in_this_pymongo_is_recognised(goanna: ModuleType, installed: Any, backend: str) -> None:
    report = installed()
    methods = [name for name in vars(stock._EventListeners) if name.startswith("publish_")]
    assert sorted([*report.fast, *report.stock]) == sorted(methods)
    assert len(methods) == 23
    if backend == "c":
        assert report.stock == {}
        assert len(report.readers) == 37
    else:
        assert set(report.stock.values()) == {"in pure Python nothing is faster than its own constructor"}
        assert {"publish_command_start", "publish_command_success", "publish_command_failure"} <= set(report.fast)
        assert report.readers == ()
    assert str(report).startswith("pymongo.monitoring, ")
    assert f"{len(report.fast)} publish methods made fast" in str(report)


def test_install_and_uninstall_are_idempotent(goanna: ModuleType, installed: Any) -> None:
    original = vars(stock._EventListeners)["publish_command_start"]
    first = installed()
    replaced = vars(stock._EventListeners)["publish_command_start"]
    assert replaced is not original
    assert installed().fast == first.fast
    assert vars(stock._EventListeners)["publish_command_start"] is replaced
    assert goanna.uninstall() == {}
    assert vars(stock._EventListeners)["publish_command_start"] is original
    assert goanna.uninstall() == {}


def test_a_replacement_passes_for_what_it_replaces(goanna: ModuleType, installed: Any) -> None:
    import inspect

    original = stock._EventListeners.publish_command_start
    signature, doc = inspect.signature(original), original.__doc__
    installed()
    made = stock._EventListeners.publish_command_start
    assert inspect.signature(made) == signature
    assert (made.__name__, made.__qualname__) == ("publish_command_start", "_EventListeners.publish_command_start")
    assert (made.__doc__, made.__module__, made.__wrapped__) == (doc, "pymongo.monitoring", original)


def test_clients_that_exist_profit(goanna: ModuleType, installed: Any) -> None:
    recorder = Recorder()
    listeners = stock._EventListeners([recorder])
    bound = listeners.publish_pool_ready
    installed()
    start(listeners, op_id=5)
    listeners.publish_connection_checked_out(ADDRESS, 3, 0.25)
    bound(ADDRESS)
    goanna.uninstall()
    start(listeners)
    assert [(name, type(event)) for name, event in recorder.got] == [
        ("started", stock.CommandStartedEvent),
        ("connection_checked_out", stock.ConnectionCheckedOutEvent),
        ("pool_ready", stock.PoolReadyEvent),
        ("started", stock.CommandStartedEvent),
    ]
    event = recorder.got[0][1]
    assert (event.command, event.command_name, event.operation_id, event.server_connection_id) == (
        {"find": "x"}, "find", 5, 7,
    )  # fmt: skip


def test_what_others_have_replaced_is_left_and_reported(
    goanna: ModuleType, installed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    original = stock._EventListeners.publish_pool_cleared

    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        calls.append(args)
        original(self, *args, **kwargs)

    monkeypatch.setattr(stock._EventListeners, "publish_pool_cleared", wrapper)
    monkeypatch.setattr(stock._EventListeners, "publish_pool_closed", types.MethodType(wrapper, 3))
    report = installed()
    assert report.stock["publish_pool_cleared"] == f"it has been replaced by a function of {__name__}"
    assert report.stock["publish_pool_closed"] == "it has been replaced by a method"
    recorder = Recorder()
    stock._EventListeners([recorder]).publish_pool_cleared(ADDRESS, None)
    assert calls == [(ADDRESS, None)]
    assert len(recorder.got) == 1
    assert vars(stock._EventListeners)["publish_pool_cleared"] is wrapper
    goanna.uninstall()
    assert vars(stock._EventListeners)["publish_pool_cleared"] is wrapper
    monkeypatch.undo()


def test_what_others_replace_later_is_left_at_uninstall(
    goanna: ModuleType, installed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = vars(stock._EventListeners)["publish_command_start"]
    installed()
    ours = vars(stock._EventListeners)["publish_command_start"]

    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        ours(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(stock._EventListeners, "publish_command_start", wrapper)
        assert goanna.install().stock["publish_command_start"] == "somebody has replaced it since"
        assert goanna.uninstall() == {"publish_command_start": "somebody has replaced it since"}
        recorder = Recorder()
        start(stock._EventListeners([recorder]))
        assert len(recorder.got) == 1
    setattr(stock._EventListeners, "publish_command_start", original)


def wrapper_of(inner: Any) -> Any:
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        inner(self, *args, **kwargs)

    return wrapper


def test_what_is_unwrapped_after_uninstall_is_known_again(goanna: ModuleType, installed: Any) -> None:
    """Somebody wraps after install() and unwraps after uninstall(), and so puts a publisher of ours there again."""
    cls, name = stock._EventListeners, "publish_command_start"
    original = vars(cls)[name]
    replaced = {name: "somebody has replaced it since"}
    installed()
    ours = vars(cls)[name]
    setattr(cls, name, wrapper_of(ours))
    assert goanna.uninstall() == replaced
    assert goanna.uninstall() == replaced  # it is still so
    setattr(cls, name, ours)
    assert goanna.uninstall() == {}
    assert vars(cls)[name] is original
    setattr(cls, name, ours)  # and once more
    assert name in installed().fast
    recorder = Recorder()
    start(stock._EventListeners([recorder]))
    assert len(recorder.got) == 1
    assert goanna.uninstall() == {}
    assert vars(cls)[name] is original


def test_install_again_takes_what_is_no_longer_in_the_way(goanna: ModuleType, installed: Any) -> None:
    cls, name = stock._EventListeners, "publish_command_start"
    original = vars(cls)[name]
    setattr(cls, name, wrapper_of(original))
    assert name in installed().stock
    setattr(cls, name, original)
    assert name in installed().fast
    setattr(cls, name, original)  # what stood there when somebody looked before us
    assert name in installed().fast
    assert goanna.uninstall() == {}


def test_a_field_that_somebody_else_has_wrapped_is_known_again(goanna: ModuleType, installed: Any) -> None:
    cls = stock.CommandStartedEvent
    original = vars(cls)["command"]
    installed()
    ours = vars(cls)["command"]
    if ours is original:
        assert goanna.BACKEND == "py"
        return
    cls.command = property(lambda self: None)  # type: ignore[misc,assignment,method-assign]
    assert "CommandStartedEvent.command" in installed().stock
    assert goanna.uninstall() == {"CommandStartedEvent.command": "somebody has replaced it since"}
    cls.command = ours
    assert goanna.uninstall() == {}
    assert vars(cls)["command"] is original


def test_nothing_fast_is_told(goanna: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """One warning that says why, and none where something is fast, or there is nothing to be."""
    for name in [name for name in vars(stock._EventListeners) if name.startswith("publish_")]:
        monkeypatch.setattr(stock._EventListeners, name, wrapper_of(vars(stock._EventListeners)[name]))
    with pytest.warns(RuntimeWarning) as caught:
        report = goanna.install()
    assert report.fast == ()
    [one] = caught
    assert str(one.message) == (
        "goanna's install() has made nothing of pymongo.monitoring fast: "
        f"it has been replaced by a function of {__name__}"
    )
    assert one.filename == __file__
    goanna.uninstall()


@pytest.mark.parametrize("broken", ["no class", "not a class"])
def test_a_module_like_none_that_we_know_is_left_alone(goanna: ModuleType, broken: str) -> None:
    from goanna.monitoring import _install

    module = types.ModuleType("strange")
    if broken == "not a class":
        module._EventListeners = 3  # type: ignore[attr-defined]
    with pytest.warns(RuntimeWarning, match="made nothing of strange fast: there is no such class in this version"):
        report = _install.install(module)
    assert report.fast == ()
    assert report.stock == {"_EventListeners": "there is no such class in this version"}
    assert _install.uninstall(module) == {}


def test_methods_that_do_something_else_are_left(goanna: ModuleType) -> None:
    from goanna.monitoring import _install

    module = types.ModuleType("strange")
    source = """
class OddEvent:
    __slots__ = ("__address", "__when")
    def __init__(self, address, when):
        self.__address = address
        self.__when = when
class OddSlotEvent(int):
    __slots__ = ()
    __doc__ = "no plain object"
    address = property(lambda self: self)
class DictEvent:
    def __init__(self, address): self.address = address
class _EventListeners:
    def __init__(self, listeners): self.__odd_listeners = []
    def publish_counting(self, address):
        self.count = getattr(self, "count", 0) + 1
        for one in self.__odd_listeners: one.odd(OddEvent(address, object()))
    def publish_twice(self, address):
        for one in self.__odd_listeners: one.odd(1), one.odd(2)
    def publish_raising(self, address): raise KeyError(address)
    def publish_dict(self, address):
        for one in self.__odd_listeners: one.odd(DictEvent(address))
    def publish_keywords(self, *, address): pass
    def publish_fine(self, address):
        event = OddEvent(address, None)
        for one in self.__odd_listeners:
            try: one.odd(event)
            except Exception: _handle_exception()
def _handle_exception(): pass
"""
    exec(source, vars(module))
    report = _install.install(module, "registration")
    assert report.fast == ("publish_fine",)
    fields = [name for name in report.stock if name.startswith("the fields of")]
    assert fields == (["the fields of OddSlotEvent"] if goanna.BACKEND == "c" else [])
    assert sorted(set(report.stock) - set(fields)) == [
        "publish_counting", "publish_dict", "publish_keywords", "publish_raising", "publish_twice",
    ]  # fmt: skip
    assert "it called 2 methods of one listener" in report.stock["publish_twice"]
    assert "it raised KeyError" in report.stock["publish_raising"]
    assert "have more than slots" in report.stock["publish_dict"]
    _install.uninstall(module)


def test_fields_are_read_only_as_before(goanna: ModuleType, installed: Any) -> None:
    event = stock.CommandStartedEvent({"find": 1}, "db", 1, ADDRESS, 2)
    doc = stock.CommandStartedEvent.command.__doc__
    installed()
    assert (event.command, event.database_name, event.request_id) == ({"find": 1}, "db", 1)
    assert stock.CommandStartedEvent.command.__doc__ == doc
    for attempt in (lambda: setattr(event, "command", {}), lambda: delattr(event, "command")):
        with pytest.raises(AttributeError):
            attempt()
    assert event.command == {"find": 1}


def test_an_unknown_resolve_is_an_error(goanna: ModuleType) -> None:
    with pytest.raises(ValueError, match='resolve is \'later\'; it must be "publish" or "registration"'):
        goanna.install(resolve="later")


class Plain(stock.CommandListener):
    def __init__(self, log: list[Any], name: str) -> None:
        self.log = log
        self.name = name

    def started(self, event: Any) -> None:
        self.log.append((self.name, event.command_name))

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


class TestResolvedAtRegistration:
    def test_the_same_events_in_the_same_order(self, goanna: ModuleType, installed: Any) -> None:
        assert installed(resolve="registration").resolve == "registration"
        log: list[Any] = []
        listeners = stock._EventListeners([Plain(log, "a"), Plain(log, "b")])
        start(listeners)
        start(listeners, command={"saslStart": 1})
        assert log == [("a", "find"), ("b", "find"), ("a", "saslStart"), ("b", "saslStart")]

    def test_a_patch_needs_a_refresh(self, goanna: ModuleType, installed: Any) -> None:
        installed(resolve="registration")
        log: list[Any] = []
        one = Plain(log, "a")
        listeners = stock._EventListeners([one])
        start(listeners)
        one.started = lambda event: log.append("patched")  # type: ignore[method-assign]
        start(listeners)
        assert log == [("a", "find"), ("a", "find")]
        goanna.refresh()
        start(listeners)
        assert log[2:] == ["patched"]

    def test_a_change_of_the_list_is_seen(self, goanna: ModuleType, installed: Any) -> None:
        installed(resolve="registration")
        log: list[Any] = []
        listeners: Any = stock._EventListeners([Plain(log, "a")])
        start(listeners)
        listeners._EventListeners__command_listeners.append(Plain(log, "b"))
        start(listeners)
        listeners._EventListeners__command_listeners[0] = Plain(log, "c")
        start(listeners)
        listeners._EventListeners__command_listeners = []
        start(listeners)
        assert [name for name, _ in log] == ["a", "a", "b", "c", "b"]

    def test_clients_do_not_get_each_others_events(self, goanna: ModuleType, installed: Any) -> None:
        installed(resolve="registration")
        log: list[Any] = []
        clients = [stock._EventListeners([Plain(log, name)]) for name in "ab"]
        for number in (0, 1, 0, 0, 1):
            start(clients[number])
        assert [name for name, _ in log] == ["a", "b", "a", "a", "b"]

    def test_methods_that_do_nothing_are_left_out_and_nothing_is_built(
        self, goanna: ModuleType, installed: Any
    ) -> None:
        installed(resolve="registration")
        listeners = stock._EventListeners([Plain([], "a")])
        duration = datetime.timedelta(seconds=1)
        listeners.publish_command_success(duration, {}, "find", 1, ADDRESS, None)
        # Not even the wrong duration is looked at.
        listeners.publish_command_success(None, {}, "find", 1, ADDRESS, None)
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'server_connection_id'"):
            listeners.publish_command_success(duration, {}, "find", 1, ADDRESS)

    def test_errors_go_where_they_went(
        self, goanna: ModuleType, installed: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        installed(resolve="registration")
        log: list[Any] = []

        class Raises(Plain):
            def started(self, event: Any) -> None:
                raise LookupError("no")

            @property
            def failed(self) -> Any:
                raise AttributeError("no method here")

        listeners = stock._EventListeners([Raises(log, "a"), Plain(log, "b")])
        start(listeners)
        listeners.publish_command_failure(datetime.timedelta(0), {}, "find", 1, ADDRESS, None)
        assert log == [("b", "find")]
        text = capsys.readouterr().err
        assert "LookupError: no\n" in text
        assert "AttributeError: no method here\n" in text

    def test_switching_back(self, goanna: ModuleType, installed: Any) -> None:
        log: list[Any] = []
        one = Plain(log, "a")
        listeners = stock._EventListeners([one])
        installed(resolve="registration")
        start(listeners)
        again = installed()  # as anything may call it, such as an import of the drop-in
        assert again.resolve == "registration"
        assert "methods are looked up at registration" in str(again)
        back = installed(resolve="publish")
        assert back.resolve == "publish"
        assert "methods are looked up at each publish" in str(back)
        one.started = lambda event: log.append("patched")  # type: ignore[method-assign]
        start(listeners)
        assert log == [("a", "find"), "patched"]


def test_installing_while_others_publish(goanna: ModuleType, installed: Any) -> None:
    recorder = Recorder()
    listeners = stock._EventListeners([recorder])
    done = threading.Event()
    errors: list[BaseException] = []

    def publish() -> None:
        number = 0
        try:
            while not done.is_set() or number < 500:
                number += 1
                start(listeners, request_id=number)
                listeners.publish_connection_checked_out(ADDRESS, number, 0.5)
        except BaseException as error:
            errors.append(error)
        counts.append(number)

    counts: list[int] = []
    threads = [threading.Thread(target=publish) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        installed()
        installed(resolve="registration")
        goanna.uninstall()
    done.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(recorder.got) == 2 * sum(counts)


PROGRAM = """
import sys
from pymongo import monitoring
print(__name__, sys.argv[1:], monitoring._EventListeners.publish_command_start.__wrapped__.__name__)
"""


def test_a_program_runs_with_goanna_installed(tmp_path: Path, backend: str) -> None:
    (tmp_path / "app.py").write_text(PROGRAM)
    expected = "__main__ ['-m', 'x'] publish_command_start\n"
    done = python("-m", "goanna", "run", str(tmp_path / "app.py"), "-m", "x", GOANNA_BACKEND=backend)
    assert (done.stdout, done.stderr) == (expected, "")
    done = python("-m", "goanna", "run", "-m", "app", "-m", "x", GOANNA_BACKEND=backend, PYTHONPATH=str(tmp_path))
    assert (done.stdout, done.stderr) == (expected, "")


CHILDREN = """
import multiprocessing, os, subprocess, sys
SHOW = "from pymongo import monitoring; print(hasattr(monitoring._EventListeners.publish_command_start, '__wrapped__'))"
def show():
    exec(SHOW)
    sys.stdout.flush()
if __name__ == "__main__":
    for method in sys.argv[1:]:
        process = multiprocessing.get_context(method).Process(target=show)
        process.start()
        process.join()
    subprocess.run([sys.executable, "-c", SHOW], check=True)
    os.environ["PYTHONPATH"] = os.pathsep.join([os.environ["LAUNCHER"], os.environ["PYTHONPATH"]])
    os.execl(sys.executable, sys.executable, "-c", SHOW)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are other ways to start processes elsewhere")
def test_processes_that_a_program_starts_and_becomes_have_goanna_installed(tmp_path: Path, backend: str) -> None:
    """Also where a launcher, as ddtrace-run does, puts a sitecustomize of its own in front."""
    (tmp_path / "app.py").write_text(CHILDREN)
    (tmp_path / "launcher").mkdir()
    (tmp_path / "launcher" / "sitecustomize.py").write_text("print('launched', flush=True)")
    settings = {"GOANNA_BACKEND": backend, "LAUNCHER": str(tmp_path / "launcher")}
    done = python("-m", "goanna", "run", str(tmp_path / "app.py"), "spawn", "forkserver", "fork", **settings)
    assert (done.stdout.split(), done.stderr) == (["True"] * 4 + ["launched", "True"], "")


@pytest.mark.parametrize(("value", "wrapped"), [("0", False), ("1", True), ("", True)])
def test_importing_the_drop_in_installs_it_unless_told_not_to(value: str, wrapped: bool, backend: str) -> None:
    code = (
        "from goanna import monitoring; print(hasattr(monitoring._EventListeners.publish_command_start, '__wrapped__'))"
    )
    assert python("-c", code, GOANNA_INSTALL=value, GOANNA_BACKEND=backend).stdout.strip() == str(wrapped)
    assert python("-c", "import goanna, sys; print('pymongo' in sys.modules)").stdout.strip() == "False"


def test_another_value_is_an_error() -> None:
    done = python("-c", "from goanna import monitoring", GOANNA_INSTALL="no")
    assert done.stderr.splitlines()[-1] == "ImportError: GOANNA_INSTALL is 'no'; it must be 0 or 1"


def test_doctor_tells_of_pymongo(backend: str) -> None:
    done = python("-m", "goanna", "doctor", GOANNA_BACKEND=backend)
    assert "PyMongo 4.20" in done.stdout
    assert "publish methods made fast" in done.stdout
