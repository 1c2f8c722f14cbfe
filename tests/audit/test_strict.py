"""Strict mode is db-ally's own tracker to the letter: the same scripts on both, everything observable compared."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import Any

import pytest

from audit_play import Player

SEEDS = 1500


def first_difference(ours: list[Any], theirs: list[Any]) -> str:
    for number, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        if one != other:
            return f"step {number}: {one} instead of {other}, after {theirs[max(0, number - 5) : number]}"
    return f"{len(ours)} steps instead of {len(theirs)}: {ours[len(theirs) :] or theirs[len(ours) :]}"


@pytest.mark.parametrize("part", range(4))
def test_random_scripts(audit: ModuleType, stock: ModuleType, part: int) -> None:
    from dbally.audit import events

    names = type("names", (), {**vars(events), "EventHandler": stock.EventHandler})
    for seed in range(part * SEEDS, part * SEEDS + SEEDS):
        theirs = Player(names, stock.EventTracker, seed).play()
        ours = Player(names, audit.StrictEventTracker, seed).play()
        assert ours == theirs, f"seed {seed}: {first_difference(ours, theirs)}"
