"""Call the hooks of request logs as boto 2 does, and boto3 with somebody attached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.boto_calls import measure_calls
from benchmarks.boto_hooks import measure_hooks
from benchmarks.request_jobs import every

if TYPE_CHECKING:
    from benchmarks.conftest import Measure

JOBS = {job.name: job for job in every()}


@pytest.mark.parametrize(("job", "rival"), [(job.name, rival) for job in JOBS.values() for rival in job.works])
def test_requestlog(measure: Measure, job: str, rival: str) -> None:
    measure(JOBS[job], rival)


def test_whole_calls() -> None:
    measure_calls(rounds=2, calls=3)  # it checks that everybody heard of every call


def test_bursts_and_floods() -> None:
    measure_hooks(rounds=2, floods=1)  # it checks that every line was written
