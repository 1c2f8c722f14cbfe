"""What the benchmarks share under pytest-benchmark."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from benchmarks.jobs import Job, nothing

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

CALLS = 200
"""How often one round does the work; the times that pytest-benchmark shows are for all of them.

They are raw: a floor shows with its scaffold, see ``jobs.Work``, which ``python -m benchmarks`` takes off.
"""

ROUNDS = 100
"""How many rounds there are of a work that must be settled after each."""

Measure = Callable[[Job, str], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.benchmark(disable_gc=True))


@pytest.fixture
def measure(benchmark: BenchmarkFixture) -> Measure:
    """Time one rival at one job, then check that it did the job."""

    def measured(job: Job, rival: str) -> None:
        work = job.works[rival]()
        calls = work.calls or CALLS
        benchmark.group = job.name
        benchmark.extra_info["calls"] = calls
        try:
            if work.settle is nothing:
                benchmark(work.run, calls)
            else:
                benchmark.pedantic(  # type: ignore[no-untyped-call]
                    work.run, (calls,), setup=lambda: work.settle() and None, rounds=ROUNDS
                )
            work.check()
        finally:
            work.close()

    return measured
