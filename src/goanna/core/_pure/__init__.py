"""The core in pure Python, which is its specification: the same names as in the compiled half, part by part."""

from __future__ import annotations

from goanna.core._pure.account import Account
from goanna.core._pure.channel import Channel
from goanna.core._pure.filter import Filter, sampled
from goanna.core._pure.inlet import Inlet
from goanna.core._pure.maker import Maker, reader
from goanna.core._pure.reporting import close_block, enter_report, in_block, in_report, leave_report, open_block
from goanna.core._pure.ring import Ring
from goanna.core._pure.ring_slot import BUCKETS, REASONS
from goanna.core._pure.table import Call, Table

__all__ = [
    "BUCKETS",
    "REASONS",
    "Account",
    "Call",
    "Channel",
    "Filter",
    "Inlet",
    "Maker",
    "Ring",
    "Table",
    "close_block",
    "enter_report",
    "in_block",
    "in_report",
    "leave_report",
    "open_block",
    "reader",
    "sampled",
]
