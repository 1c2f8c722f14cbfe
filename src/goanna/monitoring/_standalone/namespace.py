"""The namespace of the package, for the modules in it: where they look one another up, each time anew.

A name that is bound to something else there is honoured from then on, as in PyMongo's one module.
"""

from __future__ import annotations

import sys
from typing import Any, Final

__all__ = ["names"]

names: Final[Any] = sys.modules[__name__.rpartition(".")[0]]
"""The package itself. It is looked up and not imported, because it imports the modules that use this."""
