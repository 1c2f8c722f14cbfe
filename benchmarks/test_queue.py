"""Hand events to a thread, which sleeps, runs, or can't keep up; with a check that everything arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import delivery_jobs
from benchmarks.delivery_bursts import measure_workers
from benchmarks.delivery_overload import OVERFLOWS, measure_cost, measure_memory
from benchmarks.delivery_rivals import backends
from benchmarks.delivery_sustained import measure_sustained
from goanna.bench import deliveries

if TYPE_CHECKING:
    from benchmarks.conftest import Measure

JOBS = {job.name: job for job in delivery_jobs.every() if job.name.startswith("queue")}
JOBS.update({job.name: job for job in deliveries.every() if job.name == deliveries.QUEUED})


@pytest.mark.parametrize(("job", "rival"), [(job, rival) for job in JOBS for rival in JOBS[job].works])
def test_queue(measure: Measure, job: str, rival: str) -> None:
    measure(JOBS[job], rival)


# These check themselves that no event is missing, and time with a harness of their own.


def test_bursts_to_workers() -> None:
    measure_workers(rounds=1)


def test_sustained() -> None:
    measure_sustained(events=2_000, rounds=1)


@pytest.mark.parametrize("overflow", OVERFLOWS)
@pytest.mark.parametrize("backend", backends().values())
def test_overload(backend: str, overflow: str) -> None:
    measure_cost(backend, overflow, chunks=200)
    measure_memory(backend, overflow, each=500)
