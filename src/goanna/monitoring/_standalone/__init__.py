"""goanna's own ``pymongo.monitoring``, for programs without PyMongo: the same names, behaviour and texts.

This module is the namespace in which the modules of the package look one another up, each time anew, so that a name
that is bound to something else here (``_LISTENERS``, ``_handle_exception``, an event class) is honoured from then on.
"""

from __future__ import annotations

from collections import abc, namedtuple
from typing import TYPE_CHECKING, Any

from goanna.monitoring._standalone.command_events import *
from goanna.monitoring._standalone.errors import *
from goanna.monitoring._standalone.event_listeners import *
from goanna.monitoring._standalone.listeners import *
from goanna.monitoring._standalone.pool_events import *
from goanna.monitoring._standalone.redaction import *
from goanna.monitoring._standalone.registry import *
from goanna.monitoring._standalone.server_events import *

__all__ = [
    "TYPE_CHECKING",
    "_LISTENERS",
    "_SENSITIVE_COMMANDS",
    "Any",
    "CommandFailedEvent",
    "CommandListener",
    "CommandStartedEvent",
    "CommandSucceededEvent",
    "ConnectionCheckOutFailedEvent",
    "ConnectionCheckOutFailedReason",
    "ConnectionCheckOutStartedEvent",
    "ConnectionCheckedInEvent",
    "ConnectionCheckedOutEvent",
    "ConnectionClosedEvent",
    "ConnectionClosedReason",
    "ConnectionCreatedEvent",
    "ConnectionPoolListener",
    "ConnectionReadyEvent",
    "HelloCompat",
    "PoolClearedEvent",
    "PoolClosedEvent",
    "PoolCreatedEvent",
    "PoolReadyEvent",
    "ServerClosedEvent",
    "ServerDescriptionChangedEvent",
    "ServerHeartbeatFailedEvent",
    "ServerHeartbeatListener",
    "ServerHeartbeatStartedEvent",
    "ServerHeartbeatSucceededEvent",
    "ServerListener",
    "ServerOpeningEvent",
    "TopologyClosedEvent",
    "TopologyDescriptionChangedEvent",
    "TopologyEvent",
    "TopologyListener",
    "TopologyOpenedEvent",
    "_CommandEvent",
    "_ConnectionDurationEvent",
    "_ConnectionEvent",
    "_ConnectionIdEvent",
    "_EventListener",
    "_EventListeners",
    "_Listeners",
    "_PoolEvent",
    "_ServerEvent",
    "_ServerHeartbeatEvent",
    "_handle_exception",
    "_is_speculative_authenticate",
    "_to_micros",
    "_validate_event_listeners",
    "abc",
    "annotations",
    "namedtuple",
    "register",
]

for _one in list(globals().values()):
    if callable(_one) and _one.__module__.startswith(f"{__name__}."):
        _one.__module__ = "goanna.monitoring"  # where programs import it from, and where pickles find it
del _one
