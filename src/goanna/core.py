"""The core that is loaded, compiled or pure: what events and dispatchers are made of, for authors of other dispatchers.

Most programs never need it. ``goanna.BACKEND`` says which of the two it is.
"""

from __future__ import annotations

from goanna._backend import core, ring
from goanna._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "BUCKETS",
    "REASONS",
    "Account",
    "Call",
    "Channel",
    "Inlet",
    "Maker",
    "Ring",
    "Sieve",
    "Table",
    "enter_report",
    "in_report",
    "leave_report",
    "reader",
    "sampled",
]

BUCKETS = ring.BUCKETS
REASONS = ring.REASONS
Account = core.Account
Call = core.Call
Channel = core.Channel
Inlet = ring.Inlet
Maker = core.Maker
Ring = ring.Ring
Sieve = core.Sieve
Table = core.Table
enter_report: Callable[[], bool] = ring.enter_report
in_report: Callable[[], bool] = ring.in_report
leave_report: Callable[[], None] = ring.leave_report
reader: Callable[..., Any] = core.reader
sampled: Callable[[Any, int], bool] = core.sampled
