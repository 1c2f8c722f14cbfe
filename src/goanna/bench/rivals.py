"""The rivals: how each one registers a listener and publishes, in the way its own documentation shows.

Those that are not installed are left out.
What a hot call site would look up once (a bound ``emit``, a hook) is looked up once. Each publish builds an event.
"""

from __future__ import annotations

import abc
import functools
import importlib
import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

from goanna.bench import cores, listeners
from goanna.bench.loops import own_code
from goanna.bench.orders import POSITIONAL, Sent, goanna_sent

BUILT = f"Sent({POSITIONAL})"


class Rival(abc.ABC):
    """One event to publish, at first without listeners."""

    publishes: ClassVar[str]
    """The statement that builds and publishes an event."""
    registers: ClassVar[str]
    """The statement that adds ``listener`` and removes it."""
    stores: ClassVar[listeners.Method] = listeners.stores
    empty: ClassVar[listeners.Method] = listeners.empty
    bases: tuple[type, ...] = ()
    """The bases of a listener."""

    @abc.abstractmethod
    def add(self, listener: Any) -> None:
        """Register a listener."""

    @abc.abstractmethod
    def names(self) -> dict[str, Any]:
        """Return what the statements refer to."""

    def listener(self, idle: bool = False) -> Any:
        """Return a listener that stores its last event, or one that does nothing."""
        kind = type(self)
        return listeners.listener(kind.empty if idle else kind.stores, self.bases)


class Goanna(Rival):
    publishes = f"publish({POSITIONAL})"
    registers = "add(listener).remove()"

    def __init__(self, goanna: ModuleType) -> None:
        event_type = goanna_sent(goanna)

        class Interface(goanna.Listener):  # type: ignore[misc, name-defined]
            @goanna.handles(event_type)  # type: ignore[untyped-decorator]
            def sent(self, event: Any) -> None: ...

        self.bases = (Interface,)
        self.hub = goanna.Dispatcher(Interface)
        self.publish = self.hub.publisher(event_type)

    def add(self, listener: Any) -> None:
        self.hub.add(listener)

    def names(self) -> dict[str, Any]:
        return {"publish": self.publish, "add": self.hub.add}


class Psygnal(Rival):
    publishes = f"emit({BUILT})"
    registers = "signal.connect(listener.sent); signal.disconnect(listener.sent)"

    def __init__(self, emit: str) -> None:
        psygnal: Any = importlib.import_module("psygnal")

        class Commands:
            sent = psygnal.Signal(object)

        self.commands = Commands()  # the signal refers to it weakly
        self.emit = emit

    def add(self, listener: Any) -> None:
        self.commands.sent.connect(listener.sent)

    def names(self) -> dict[str, Any]:
        return {"emit": getattr(self.commands.sent, self.emit), "signal": self.commands.sent, "Sent": Sent}


class Blinker(Rival):
    publishes = f"send(sender, event={BUILT})"
    registers = "signal.connect(listener.sent); signal.disconnect(listener.sent)"
    stores = listeners.blinker_stores
    empty = listeners.blinker_empty

    def __init__(self) -> None:
        self.signal: Any = importlib.import_module("blinker").Signal()

    def add(self, listener: Any) -> None:
        self.signal.connect(listener.sent)

    def names(self) -> dict[str, Any]:
        return {"send": self.signal.send, "signal": self.signal, "sender": self, "Sent": Sent}


class Pluggy(Rival):
    publishes = f"hook(event={BUILT})"
    registers = "manager.register(listener); manager.unregister(listener)"

    def __init__(self) -> None:
        pluggy: Any = importlib.import_module("pluggy")
        self.implementation = pluggy.HookimplMarker("benchmarks")

        class Specification:
            @pluggy.HookspecMarker("benchmarks")  # type: ignore[untyped-decorator]
            def sent(self, event: Any) -> None: ...

        self.manager = pluggy.PluginManager("benchmarks")
        self.manager.add_hookspecs(Specification)

    def listener(self, idle: bool = False) -> Any:
        method = own_code(listeners.empty if idle else listeners.stores)
        return listeners.listener(self.implementation(method))

    def add(self, listener: Any) -> None:
        self.manager.register(listener)

    def names(self) -> dict[str, Any]:
        return {"hook": self.manager.hook.sent, "manager": self.manager, "Sent": Sent}


class Pyee(Rival):
    publishes = f"emit('sent', {BUILT})"
    registers = "emitter.add_listener('sent', listener.sent); emitter.remove_listener('sent', listener.sent)"

    def __init__(self) -> None:
        self.emitter: Any = importlib.import_module("pyee").EventEmitter()

    def add(self, listener: Any) -> None:
        self.emitter.add_listener("sent", listener.sent)

    def names(self) -> dict[str, Any]:
        return {"emit": self.emitter.emit, "emitter": self.emitter, "Sent": Sent}


class Botocore(Rival):
    publishes = f"emit('sent', event={BUILT})"
    registers = "emitter.register('sent', listener.sent); emitter.unregister('sent', listener.sent)"
    stores = listeners.botocore_stores
    empty = listeners.botocore_empty

    def __init__(self) -> None:
        self.emitter: Any = importlib.import_module("botocore.hooks").HierarchicalEmitter()

    def add(self, listener: Any) -> None:
        self.emitter.register("sent", listener.sent)

    def names(self) -> dict[str, Any]:
        return {"emit": self.emitter.emit, "emitter": self.emitter, "Sent": Sent}


class PlainLoop(Rival):
    """What one writes by hand: no isolation of errors, no counting, no registration worth the name."""

    publishes = f"event = {BUILT}\nfor method in methods:\n    method(event)"
    registers = "methods.append(listener.sent); methods.remove(listener.sent)"

    def __init__(self) -> None:
        self.methods: list[Callable[[Any], None]] = []

    def add(self, listener: Any) -> None:
        self.methods.append(listener.sent)

    def names(self) -> dict[str, Any]:
        return {"methods": self.methods, "Sent": Sent}


GOANNAS: dict[str, Callable[[], Rival]] = {
    name: functools.partial(Goanna, package) for name, package in cores.copies().items()
}


def _installed(rivals: dict[str, Callable[[], Rival]]) -> dict[str, Callable[[], Rival]]:
    return {name: make for name, make in rivals.items() if importlib.util.find_spec(name.partition(" ")[0])}


PURE_PYTHON: dict[str, Callable[[], Rival]] = _installed(
    {"blinker": Blinker, "pluggy": Pluggy, "pyee": Pyee, "botocore": Botocore}
)
"""The rivals that are written in Python, as goanna's pure core is."""
OTHERS: dict[str, Callable[[], Rival]] = {
    **_installed(
        {name: functools.partial(Psygnal, name.partition(" ")[2]) for name in ("psygnal emit", "psygnal emit_fast")}
    ),
    **PURE_PYTHON,
}
"""The rivals that do goanna's job, more or less."""
PLAIN = "plain loop"
RIVALS: dict[str, Callable[[], Rival]] = {**GOANNAS, **OTHERS, PLAIN: PlainLoop}
