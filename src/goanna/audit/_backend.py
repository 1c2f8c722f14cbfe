"""Which spans are in use: the compiled ones if goanna runs on its compiled core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goanna.core import BACKEND

__all__ = ["core"]

if TYPE_CHECKING:
    # The pure core is the typed one of the two; a test holds the other to it.
    from goanna.audit import _pure as core
elif BACKEND == "c":
    from goanna.audit import _compiled as core
else:
    from goanna.audit import _pure as core
