"""Enter and leave a span of a tracker."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if sys.version_info >= (3, 12):  # the group test has it for 3.11
    pytest.importorskip("dbally", reason="db-ally is not installed; on Python 3.12 and later `make dbally` puts it in")

from benchmarks.audit_jobs import every

if TYPE_CHECKING:
    from benchmarks.conftest import Measure

JOBS = {job.name: job for job in every()}


@pytest.mark.parametrize(("job", "rival"), [(job.name, rival) for job in JOBS.values() for rival in job.works])
def test_audit(measure: Measure, job: str, rival: str) -> None:
    measure(JOBS[job], rival)
