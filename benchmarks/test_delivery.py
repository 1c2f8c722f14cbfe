"""Publish to queues and filters, and what their options cost; with threads behind them, that everything arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.delivery_bursts import measure_loops, measure_workers
from benchmarks.delivery_jobs import every
from benchmarks.delivery_overload import OVERFLOWS, measure_cost, measure_memory
from benchmarks.delivery_rivals import backends
from benchmarks.delivery_sustained import measure_sustained

if TYPE_CHECKING:
    from benchmarks.conftest import Measure

JOBS = {job.name: job for job in every()}


@pytest.mark.parametrize(("job", "rival"), [(job.name, rival) for job in JOBS.values() for rival in job.works])
def test_delivery(measure: Measure, job: str, rival: str) -> None:
    measure(JOBS[job], rival)


# These check themselves that no event is missing, and time with a harness of their own.


def test_bursts_to_loops() -> None:
    measure_loops(rounds=2)


def test_bursts_to_workers() -> None:
    measure_workers(rounds=1)


def test_sustained() -> None:
    measure_sustained(events=2_000, rounds=1)


@pytest.mark.parametrize("overflow", OVERFLOWS)
@pytest.mark.parametrize("backend", backends().values())
def test_overload(backend: str, overflow: str) -> None:
    measure_cost(backend, overflow, chunks=200)
    measure_memory(backend, overflow, each=500)
