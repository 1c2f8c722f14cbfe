"""Publish to listeners behind conditions, which let the event through or keep it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import delivery_jobs
from goanna.bench import deliveries

if TYPE_CHECKING:
    from benchmarks.conftest import Measure

JOBS = {job.name: job for job in delivery_jobs.every() if job.name.startswith(("filtered", "let"))}
JOBS.update(
    {
        job.name: job
        for job in deliveries.every()
        if job.name in (deliveries.PASSED, deliveries.REJECTED, deliveries.UNBUILT)
    }
)


@pytest.mark.parametrize(("job", "rival"), [(job, rival) for job in JOBS for rival in JOBS[job].works])
def test_filter(measure: Measure, job: str, rival: str) -> None:
    measure(JOBS[job], rival)
