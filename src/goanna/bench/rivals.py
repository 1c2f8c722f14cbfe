"""The rivals: how each one registers a listener and publishes, in the way its own documentation shows.

Those that are not installed are left out.
What a hot call site would look up once (a bound ``emit``, a hook) is looked up once. Each publish builds an event.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from goanna.bench import cores, listeners
from goanna.bench.loops import own_code
from goanna.bench.orders import POSITIONAL, Sent, goanna_sent

BUILT = f"Sent({POSITIONAL})"


@dataclass(kw_only=True)
class Rival:
    """One event to publish, at first without listeners.

    Args:
        publishes: the statement that builds and publishes an event.
        registers: the statement that adds ``listener`` and removes it.
        names: what the statements refer to.
        add: registers a listener.
        stores, empty: the method of a listener that stores its last event, and of one that does nothing.
        bases: the bases of a listener.
    """

    publishes: str
    registers: str
    names: dict[str, Any]
    add: Callable[[Any], object]
    stores: listeners.Method = listeners.stores
    empty: listeners.Method = listeners.empty
    bases: tuple[type, ...] = ()

    def listener(self, idle: bool = False) -> Any:
        """Return a listener that stores its last event, or one that does nothing."""
        return listeners.listener(self.empty if idle else self.stores, self.bases)


class Goanna(Rival):
    """A Dispatcher of one copy of goanna."""

    def __init__(self, goanna: ModuleType) -> None:
        event_type = goanna_sent(goanna)

        class Interface(goanna.Listener):  # type: ignore[misc, name-defined]
            @goanna.handles(event_type)  # type: ignore[untyped-decorator]
            def sent(self, event: Any) -> None: ...

        self.hub = goanna.Dispatcher(Interface)
        self.publish = self.hub.publisher(event_type)
        super().__init__(
            publishes=f"publish({POSITIONAL})",
            registers="add(listener).remove()",
            names={"publish": self.publish, "add": self.hub.add},
            add=self.hub.add,
            bases=(Interface,),
        )


def psygnal(emit: str) -> Rival:
    module: Any = importlib.import_module("psygnal")

    class Commands:
        sent = module.Signal(object)

    commands = Commands()  # the signal refers to it weakly
    signal = commands.sent
    return Rival(
        publishes=f"emit({BUILT})",
        registers="signal.connect(listener.sent); signal.disconnect(listener.sent)",
        names={"emit": getattr(signal, emit), "signal": signal, "owner": commands, "Sent": Sent},
        add=lambda listener: signal.connect(listener.sent),
    )


def blinker() -> Rival:
    signal: Any = importlib.import_module("blinker").Signal()
    return Rival(
        publishes=f"send(sender, event={BUILT})",
        registers="signal.connect(listener.sent); signal.disconnect(listener.sent)",
        names={"send": signal.send, "signal": signal, "sender": object(), "Sent": Sent},
        add=lambda listener: signal.connect(listener.sent),
        stores=listeners.blinker_stores,
        empty=listeners.blinker_empty,
    )


def pluggy() -> Rival:
    module: Any = importlib.import_module("pluggy")
    marked = module.HookimplMarker("benchmarks")

    class Specification:
        @module.HookspecMarker("benchmarks")  # type: ignore[untyped-decorator]
        def sent(self, event: Any) -> None: ...

    manager = module.PluginManager("benchmarks")
    manager.add_hookspecs(Specification)
    return Rival(
        publishes=f"hook(event={BUILT})",
        registers="manager.register(listener); manager.unregister(listener)",
        names={"hook": manager.hook.sent, "manager": manager, "Sent": Sent},
        add=manager.register,
        stores=marked(own_code(listeners.stores)),
        empty=marked(own_code(listeners.empty)),
    )


def pyee() -> Rival:
    emitter: Any = importlib.import_module("pyee").EventEmitter()
    return Rival(
        publishes=f"emit('sent', {BUILT})",
        registers="emitter.add_listener('sent', listener.sent); emitter.remove_listener('sent', listener.sent)",
        names={"emit": emitter.emit, "emitter": emitter, "Sent": Sent},
        add=lambda listener: emitter.add_listener("sent", listener.sent),
    )


def botocore() -> Rival:
    emitter: Any = importlib.import_module("botocore.hooks").HierarchicalEmitter()
    return Rival(
        publishes=f"emit('sent', event={BUILT})",
        registers="emitter.register('sent', listener.sent); emitter.unregister('sent', listener.sent)",
        names={"emit": emitter.emit, "emitter": emitter, "Sent": Sent},
        add=lambda listener: emitter.register("sent", listener.sent),
        stores=listeners.botocore_stores,
        empty=listeners.botocore_empty,
    )


def plain_loop() -> Rival:
    """What one writes by hand: no isolation of errors, no counting, no registration worth the name."""
    methods: list[Callable[[Any], None]] = []
    return Rival(
        publishes=f"event = {BUILT}\nfor method in methods:\n    method(event)",
        registers="methods.append(listener.sent); methods.remove(listener.sent)",
        names={"methods": methods, "Sent": Sent},
        add=lambda listener: methods.append(listener.sent),
    )


def _installed(rivals: dict[str, Callable[[], Rival]]) -> dict[str, Callable[[], Rival]]:
    return {name: make for name, make in rivals.items() if importlib.util.find_spec(name.partition(" ")[0])}


PURE_PYTHON = _installed({"blinker": blinker, "pluggy": pluggy, "pyee": pyee, "botocore": botocore})
"""The rivals that are written in Python, as goanna's pure core is."""
OTHERS = {
    **_installed({f"psygnal {emit}": partial(psygnal, emit) for emit in ("emit", "emit_fast")}),
    **PURE_PYTHON,
}
"""The rivals that do goanna's job, more or less."""
PLAIN = "plain loop"
RIVALS: dict[str, Callable[[], Rival]] = {
    **{name: partial(Goanna, package) for name, package in cores.copies().items()},
    **OTHERS,
    PLAIN: plain_loop,
}
