"""Publish an event of eight fields to listeners of as many classes; with 0 nobody listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.jobs import LISTENERS, publish

if TYPE_CHECKING:
    from benchmarks.conftest import Measure

JOBS = {count: publish(count) for count in LISTENERS}


@pytest.mark.parametrize("rival", JOBS[1].works)
@pytest.mark.parametrize("count", JOBS)
def test_publish(measure: Measure, count: int, rival: str) -> None:
    measure(JOBS[count], rival)
