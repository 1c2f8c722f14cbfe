"""install(), uninstall() and refresh(): the front door to the drop-in for PyMongo.

They are PyMongo's alone; ``goanna.audit.install()`` serves db-ally and ``goanna.requestlog.attach()`` botocore. Nothing
is imported before it is asked for; ``import goanna`` knows no library.
"""

from __future__ import annotations

from goanna.core.base import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal

    from goanna.monitoring._install import Report

__all__ = ["install", "refresh", "uninstall"]


def install(*, resolve: Literal["publish", "registration"] | None = None) -> Report:
    """Make the monitoring of PyMongo fast, in this process, for clients that exist and clients to come.

    It is PyMongo's, and does nothing to another library: db-ally has :func:`goanna.audit.install`, and boto3, of which
    nothing is replaced, :func:`goanna.requestlog.attach`.

    The ``publish_*`` methods of ``pymongo.monitoring`` are replaced in place, and the fields of its events become
    readable at the speed of slots. Events, listeners and all that can be observed stay the same, apart from frames in
    tracebacks and the text of the AttributeError for setting a field. Without PyMongo it does the same to goanna's own
    module. Calling it again changes nothing, unless it names another ``resolve``, or what was in the way is gone.
    Calling it while other threads publish is safe.

    Args:
        resolve: "publish" looks listeners' methods up at each publish, as PyMongo does. "registration" looks them up
            once for each client, and again when its listeners change or after :func:`refresh`; methods that do nothing
            are then not called, and an event that nobody wants is not built. None, the default, is "publish", or what
            an earlier call said.

    Returns:
        A report of what was made fast, what was left as it is, and why. ``str()`` of it is for people.

    Raises:
        ValueError: another ``resolve``.

    Warns:
        RuntimeWarning: nothing was made fast; the text says why.
    """
    from goanna.monitoring import _install

    return _install.install(resolve=resolve)


def uninstall() -> dict[str, str]:
    """Put back what :func:`install` has replaced.

    Returns:
        What could not be put back because somebody else has replaced it since, and why; empty if all is as before. It
        is put back by the next call after that somebody has gone.
    """
    from goanna.monitoring import _install

    return _install.uninstall()


def refresh() -> None:
    """After ``install(resolve="registration")``: have listeners' methods looked up again at the next publish."""
    from goanna.monitoring import _install

    _install.refresh()
