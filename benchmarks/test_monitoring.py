"""Publish as PyMongo's driver does, stock and installed, and read the events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.commands import measure_commands
from benchmarks.monitoring_jobs import every

if TYPE_CHECKING:
    from benchmarks.conftest import Measure

JOBS = {job.name: job for job in every()}


@pytest.mark.parametrize(("job", "rival"), [(job.name, rival) for job in JOBS.values() for rival in job.works])
def test_monitoring(measure: Measure, job: str, rival: str) -> None:
    measure(JOBS[job], rival)


def test_whole_commands() -> None:
    measure_commands(rounds=2, calls=3)  # it checks that every listener saw every command
