"""Where the names of db-ally come from: db-ally itself if it is installed, else goanna's own."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from goanna.audit import _standalone

__all__ = ["DBALLY"]
__all__ += _standalone.__all__

DBALLY: bool
"""Whether db-ally is installed."""

if TYPE_CHECKING:
    from goanna.audit._standalone import *  # noqa: F403
else:
    try:
        import dbally.audit.event_tracker
    except ModuleNotFoundError as error:
        if error.name not in ("dbally", "dbally.audit", "dbally.audit.event_tracker"):
            raise  # db-ally is there, and something that it needs is not
        DBALLY = False
        globals().update({name: getattr(_standalone, name) for name in _standalone.__all__})
    else:
        DBALLY = True
        StockTracker = dbally.audit.event_tracker.EventTracker
        # Releases before 0.5.0 have the events elsewhere and fewer of them. The module of the tracker has always
        # imported those that it needs itself.
        _modules = [dbally.audit.event_tracker]
        with contextlib.suppress(ModuleNotFoundError):
            import dbally.audit.events

            _modules.append(dbally.audit.events)
        with contextlib.suppress(ModuleNotFoundError):
            import dbally.collection.results

            _modules.append(dbally.collection.results)
        for _name in _standalone.__all__:
            if _name != "StockTracker":
                _found = [vars(one)[_name] for one in _modules if _name in vars(one)]
                globals()[_name] = _found[0] if _found else getattr(_standalone, _name)
