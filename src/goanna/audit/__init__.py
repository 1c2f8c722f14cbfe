"""Drop-in for ``dbally.audit``: ``from goanna import audit``; and its lifecycle for any asynchronous pipeline.

With db-ally installed the handler's base and the classes of events are db-ally's own, the same objects: a handler
written for one module is a handler for the other. Without it they are goanna's, which look and behave the same.
``EventTracker`` is goanna's own in both cases, a subclass of db-ally's where that is installed; see there for its two
modes. ``install()``, which importing this module does unless ``GOANNA_INSTALL`` is 0, has db-ally's collections use it
in strict mode. That takes no plan: one name is replaced, wherever it stands for db-ally's own class.
"""

from goanna.audit._install import Report, install, uninstall
from goanna.audit._names import (
    Event,
    EventHandler,
    EventSpan,
    ExecutionResult,
    FallbackEvent,
    LLMEvent,
    RequestEnd,
    RequestStart,
    SimilarityEvent,
)
from goanna.audit.default_handlers import event_handlers, use_event_handler
from goanna.audit.tracker import EventTracker, OpenSpan, Request, StrictEventTracker
from goanna.settings import install_on_import

__all__ = [
    "Event",
    "EventHandler",
    "EventSpan",
    "EventTracker",
    "ExecutionResult",
    "FallbackEvent",
    "LLMEvent",
    "OpenSpan",
    "Report",
    "Request",
    "RequestEnd",
    "RequestStart",
    "SimilarityEvent",
    "StrictEventTracker",
    "event_handlers",
    "install",
    "uninstall",
    "use_event_handler",
]

for _one in (EventTracker, StrictEventTracker, Request, OpenSpan, Report):
    _one.__module__ = __name__

if install_on_import():
    install()
