"""goanna's own ``pymongo.monitoring``, for programs without PyMongo: the same names, behaviour and texts.

This module is the namespace in which the modules of the package look one another up, each time anew, so that a name
that is bound to something else here (``_LISTENERS``, ``_handle_exception``, an event class) is honoured from then on.
"""

from __future__ import annotations

from collections import abc, namedtuple
from typing import TYPE_CHECKING, Any

from goanna.monitoring._standalone import (
    command_events,
    errors,
    event_listeners,
    listeners,
    pool_events,
    redaction,
    registry,
    server_events,
)

__all__ = ["TYPE_CHECKING", "Any", "abc", "annotations", "namedtuple"]  # these PyMongo's module has, too
for _part in command_events, errors, event_listeners, listeners, pool_events, redaction, registry, server_events:
    __all__ += _part.__all__
    for _name in _part.__all__:
        _one = globals()[_name] = getattr(_part, _name)
        if callable(_one):
            _one.__module__ = "goanna.monitoring"  # where programs import it from, and where pickles find it
del _part, _name, _one
