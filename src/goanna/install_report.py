"""InstallReport: what the install() of any drop-in returns, and how it reads."""

from __future__ import annotations

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

    def __repr__(self) -> str:
        return f"<Report on {self._library()}: {len(self.fast)} fast, {len(self.stock)} stock>"
