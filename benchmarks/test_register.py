"""Add a listener and remove it, beside 0 or 10 others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.jobs import OTHERS_THERE, register

if TYPE_CHECKING:
    from benchmarks.conftest import Measure

JOBS = {others: register(others) for others in OTHERS_THERE}


@pytest.mark.parametrize("rival", JOBS[0].works)
@pytest.mark.parametrize("others", JOBS)
def test_register(measure: Measure, others: int, rival: str) -> None:
    measure(JOBS[others], rival)
