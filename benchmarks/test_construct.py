"""Build an event of eight fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.jobs import CONSTRUCTIONS, construct

if TYPE_CHECKING:
    from benchmarks.conftest import Measure

JOBS = {way: construct(way) for way in CONSTRUCTIONS}


@pytest.mark.parametrize("rival", JOBS["keyword"].works)
@pytest.mark.parametrize("way", JOBS)
def test_construct(measure: Measure, way: str, rival: str) -> None:
    measure(JOBS[way], rival)
