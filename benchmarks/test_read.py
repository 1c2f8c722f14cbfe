"""Read a field of an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.jobs import read

if TYPE_CHECKING:
    from benchmarks.conftest import Measure

JOB = read()


@pytest.mark.parametrize("rival", JOB.works)
def test_read(measure: Measure, rival: str) -> None:
    measure(JOB, rival)
