"""Every job under pytest-benchmark, with a check that the events arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import commands, threads
from benchmarks.suites import SUITES
from goanna.bench import request_jobs
from goanna.bench.jobs import Job, nothing

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

pytestmark = pytest.mark.benchmark(disable_gc=True)

CALLS = 200
"""How often one round does the work; the times that pytest-benchmark shows are for all of them.

They are raw: a floor shows with its scaffold, see ``Work``, which ``python -m benchmarks`` takes off.
"""

ROUNDS = 100
"""How many rounds there are of a work that must be settled after each."""

JOBS = [
    (suite, job)
    for suite, batches in SUITES.items()
    for batch in batches(True)
    for group in batch.groups
    for job in group.jobs
] + [("requestlog", job) for job in request_jobs.every()]


@pytest.mark.parametrize(
    ("job", "rival"),
    [pytest.param(job, rival, id=f"{suite}: {job.name}: {rival}") for suite, job in JOBS for rival in job.works],
)
def test_job(benchmark: BenchmarkFixture, job: Job, rival: str) -> None:
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


# These check themselves that no event is missing, and time with a harness of their own.


def test_whole_commands() -> None:
    assert [len(one.costs) for one in commands.ping(rounds=2, calls=3)] in ([], [6])


def test_memory() -> None:
    assert list(threads.memory(500))


def test_no_two_jobs_have_one_name() -> None:
    names = [job.name for _, job in JOBS]
    assert len(set(names)) == len(names)
