"""Drop-in for ``pymongo.monitoring``: ``from goanna import monitoring``.

With PyMongo installed every name here is PyMongo's own, the same object: a listener written for one module is a
listener for the other. Without it the names are those of goanna's implementation, which behaves the same.

A name that is set or deleted here is set or deleted there, where the code that publishes events looks it up::

    monitoring._LISTENERS = monitoring._Listeners([], [], [], [], [])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from goanna.monitoring import _install, _names
from goanna.settings import install_on_import

if TYPE_CHECKING:
    from goanna.monitoring._standalone.command_events import *
    from goanna.monitoring._standalone.errors import *
    from goanna.monitoring._standalone.event_listeners import *
    from goanna.monitoring._standalone.listeners import *
    from goanna.monitoring._standalone.pool_events import *
    from goanna.monitoring._standalone.redaction import *
    from goanna.monitoring._standalone.registry import *
    from goanna.monitoring._standalone.server_events import *

_names.open_window(__name__)

if install_on_import():
    _install.install()
