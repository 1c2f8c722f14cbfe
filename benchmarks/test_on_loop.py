"""Hand events to an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.delivery_bursts import measure_loops
from goanna.bench import deliveries

if TYPE_CHECKING:
    from benchmarks.conftest import Measure

JOBS = {job.name: job for job in deliveries.every() if job.name == deliveries.ON_LOOP}


@pytest.mark.parametrize(("job", "rival"), [(job, rival) for job in JOBS for rival in JOBS[job].works])
def test_on_loop(measure: Measure, job: str, rival: str) -> None:
    measure(JOBS[job], rival)


def test_bursts_to_loops() -> None:
    measure_loops(rounds=2)  # it checks that no event is missing
