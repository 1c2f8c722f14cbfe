"""InstallReport: what the install() of any drop-in returns, and how it reads."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

from goanna.core import BACKEND

__all__ = ["InstallReport"]


class InstallReport:
    """What an install() has done to a library; each drop-in adds what else there is to know.

    Attributes:
        fast: the names of what was replaced.
        stock: the names of what was not, and why.
    """

    __slots__ = ("fast", "stock")

    def __init__(self, fast: tuple[str, ...], stock: dict[str, str]) -> None:
        self.fast: tuple[str, ...] = fast
        self.stock: dict[str, str] = stock

    def _library(self) -> str:
        """Return what was installed into."""
        raise NotImplementedError

    def _summary(self) -> str:
        """Return in a few words what was done to it."""
        raise NotImplementedError

    def __str__(self) -> str:
        core_name = "compiled" if BACKEND == "c" else "pure"
        head = f"{self._library()}, {core_name} core: {self._summary()}"
        return "\n".join([head, *(f"  {name} was left: {why}" for name, why in self.stock.items())])

    def warn_if_idle(self) -> None:
        """Warn, with why, where there was something to replace and nothing is.

        The warning is a RuntimeWarning; one that is made an error comes when all else is done.
        """
        if self.fast or not self.stock:
            return
        why = set(self.stock.values())
        each = why.pop() if len(why) == 1 else "; ".join(f"{name}: {reason}" for name, reason in self.stock.items())
        level = 1
        while _is_of_goanna(sys._getframe(level)):
            level += 1
        text = f"goanna's install() has made nothing of {self._library()} fast: {each}"
        warnings.warn(text, RuntimeWarning, stacklevel=level + 1)

    def __repr__(self) -> str:
        return f"<Report on {self._library()}: {len(self.fast)} fast, {len(self.stock)} stock>"


def _is_of_goanna(frame: FrameType) -> bool:
    """Return whether a frame is goanna's own, or of an import that has run it, and has a caller."""
    name = str(frame.f_globals.get("__name__"))
    return frame.f_back is not None and name.partition(".")[0] in ("goanna", "importlib")
