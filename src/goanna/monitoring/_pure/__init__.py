"""The publish methods in pure Python: the specification of the compiled ones."""

from __future__ import annotations

from goanna.monitoring._pure.publish_method import publish_method
from goanna.monitoring._pure.resolved import refresh

__all__ = ["publish_method", "refresh"]
