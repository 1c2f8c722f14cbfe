"""What a queue's options cost, and asking it for its counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.delivery_jobs import every

if TYPE_CHECKING:
    from benchmarks.conftest import Measure

JOBS = {job.name: job for job in every() if job.name in ("documents=", "context=", "stats()")}


@pytest.mark.parametrize(("job", "rival"), [(job, rival) for job in JOBS for rival in JOBS[job].works])
def test_queue_options(measure: Measure, job: str, rival: str) -> None:
    measure(JOBS[job], rival)
