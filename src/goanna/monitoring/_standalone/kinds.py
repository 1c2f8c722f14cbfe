"""What the values are that events carry, as far as that can be said without the driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

__all__ = ["Address", "Description", "Document", "Id"]

Address: TypeAlias = tuple[str, int | None]
"""Host and port of a server; a Unix socket has no port."""

Document: TypeAlias = Mapping[str, Any]
"""A command or a reply, in whatever mapping type the driver was told to decode it to."""

Description: TypeAlias = Any
"""What the driver knows of one server, or of all servers of a deployment, at one time."""

Id: TypeAlias = Any
"""A driver's ObjectId."""
