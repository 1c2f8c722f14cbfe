"""install() and uninstall(): goanna's tracker where db-ally makes its own, and back.

db-ally's modules import the class EventTracker by name. install() binds that name to StrictEventTracker in all of them
but ``dbally.audit`` itself, where the original stays for programs that import it.
"""

from __future__ import annotations

import sys
from typing import Any, Final, final

from goanna.audit._names import DBALLY, StockTracker
from goanna.audit.tracker import StrictEventTracker
from goanna.core.forks import ForkLock
from goanna.install_report import InstallReport

__all__ = ["Report", "install", "uninstall"]

NAME: Final = "EventTracker"

_LOCK = ForkLock()

_replaced: dict[str, Any] = {}
"""The modules in which the name is bound to goanna's class by us, by their names."""


@final
class Report(InstallReport):
    """What install() has done to db-ally.

    Attributes:
        version: of db-ally; None where it is not installed.
        fast: the modules that make their trackers from goanna's class now.
        stock: those that do not, and why.
    """

    __slots__ = ("version",)

    def __init__(self, version: str | None, fast: tuple[str, ...], stock: dict[str, str]) -> None:
        super().__init__(fast, stock)
        self.version: str | None = version

    def _library(self) -> str:
        return f"db-ally {self.version}"

    def _summary(self) -> str:
        others = f", {len(self.stock)} do not" if self.stock else ""
        return f"{len(self.fast)} modules use goanna's tracker{others}"

    def __str__(self) -> str:
        if self.version is None:
            return "db-ally is not installed; goanna.audit is goanna's own"
        return super().__str__()


def install() -> Report:
    """Have db-ally's collections hand their events to the handlers by goanna's tracker, in strict mode.

    Requests that are under way keep the tracker that they have. Calling it again adds what has been imported since.
    Without db-ally it does nothing.

    Returns:
        A report of which modules use goanna's tracker now, and which do not. ``str()`` of it is for people.

    Warns:
        RuntimeWarning: none does, though some have a tracker.
    """
    with _LOCK.now:
        if not DBALLY:
            return Report(None, (), {})
        for name, module in _modules():
            found = vars(module).get(NAME)
            if found is StockTracker:
                setattr(module, NAME, StrictEventTracker)
                _replaced[name] = module
        fast, stock = [], {}
        for name, module in _modules():
            found = vars(module).get(NAME)
            if found is StrictEventTracker:
                fast.append(name)
            elif found is not None:
                stock[name] = f"its {NAME} is {found!r}, which is not db-ally's"
        import dbally

        report = Report(getattr(dbally, "__version__", "of an unknown version"), tuple(fast), stock)
    report.warn_if_idle()
    return report


def uninstall() -> dict[str, str]:
    """Put back what :func:`install` has replaced.

    Returns:
        What could not be put back because somebody else has replaced it since, and why; empty if all is as before.
    """
    with _LOCK.now:
        left = {}
        for name, module in list(_replaced.items()):
            found = vars(module).get(NAME)
            if found is StrictEventTracker:
                setattr(module, NAME, StockTracker)
            elif found is not StockTracker:
                left[f"{name}.{NAME}"] = "somebody has replaced it since"
                continue  # what somebody else has put aside may come back
            del _replaced[name]
        return left


def _modules() -> list[tuple[str, Any]]:
    """Return db-ally's modules that have been imported, without ``dbally.audit`` and what is in it."""
    return [
        (name, module)
        for name, module in sorted(sys.modules.items())
        if name.startswith("dbally.") and not f"{name}.".startswith("dbally.audit.") and hasattr(module, "__dict__")
    ]
