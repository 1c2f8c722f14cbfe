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

from goanna._backend import BACKEND, require_compiled
from goanna._common import MISSING
from goanna._fields import Field, field
from goanna.dispatcher import Dispatcher, Publisher
from goanna.events import Event, fields, replace
from goanna.installation import install, refresh, uninstall
from goanna.listeners import Listener, handles
from goanna.registration import Registration, Stats

__all__ = [
    "BACKEND",
    "MISSING",
    "Dispatcher",
    "Event",
    "Field",
    "Listener",
    "Publisher",
    "Registration",
    "Stats",
    "__version__",
    "field",
    "fields",
    "handles",
    "install",
    "refresh",
    "replace",
    "require_compiled",
    "uninstall",
]

__version__ = "0.1.0"
