"""goanna: the compiled event dispatcher for Python client libraries.

::

    import goanna


    class OrderPlaced(goanna.Event):
        order_id: int
        total: float = 0.0


    class OrderListener(goanna.Listener):
        @goanna.handles(OrderPlaced)
        def placed(self, event): ...


    class Audit(OrderListener):
        def placed(self, event):
            print(event)


    hub = goanna.Dispatcher(OrderListener)
    hub.add(Audit())
    publish = hub.publisher(OrderPlaced)
    publish(order_id=1, total=9.5)  # prints OrderPlaced(order_id=1, total=9.5)
"""

from __future__ import annotations

from goanna.core import BACKEND, require_compiled
from goanna.core.base import MISSING, TYPE_CHECKING
from goanna.core.build import __version__
from goanna.core.fields import Field, field
from goanna.dispatch.dispatcher import Dispatcher
from goanna.dispatch.registration import Registration
from goanna.events import Event, fields, replace
from goanna.install import install, refresh, uninstall
from goanna.listeners import Listener, handles
from goanna.silence import muted
from goanna.stats import Stats, Time

if TYPE_CHECKING:
    from typing import Any

    from goanna.delivery.at_exit import close, flush
    from goanna.delivery.events_lost import EventsLost
    from goanna.delivery.on_loop import on_loop
    from goanna.delivery.paired import Operation, paired
    from goanna.delivery.queued import queued
    from goanna.delivery.where import where
    from goanna.dispatch.publisher import Publisher

__all__ = [
    "BACKEND",
    "MISSING",
    "Dispatcher",
    "Event",
    "EventsLost",
    "Field",
    "Listener",
    "Operation",
    "Publisher",
    "Registration",
    "Stats",
    "Time",
    "__version__",
    "close",
    "field",
    "fields",
    "flush",
    "handles",
    "install",
    "muted",
    "on_loop",
    "paired",
    "queued",
    "refresh",
    "replace",
    "require_compiled",
    "uninstall",
    "where",
]

for _one in (
    *(Dispatcher, Event, Field, Listener, Registration, Stats, Time, type(MISSING)),
    *(field, fields, handles, install, muted, refresh, replace, require_compiled, uninstall),
):
    _one.__module__ = __name__  # where programs import it from, and where pickles find it

_DELIVERY = ("EventsLost", "Operation", "close", "delivery", "flush", "on_loop", "paired", "queued", "where")


def __getattr__(name: str) -> Any:
    """Import what takes time when it is first asked for: delivery, with asyncio, and Publisher, with typing."""
    if name in _DELIVERY:
        import goanna.delivery as delivery  # not "from goanna", which would ask this function first

        globals().update({one: getattr(delivery, one) for one in _DELIVERY if one != "delivery"})
    elif name == "Publisher":
        from goanna.dispatch.publisher import Publisher

        globals()[name] = Publisher
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *_DELIVERY, "Publisher"})
