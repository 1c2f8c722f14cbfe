"""Publish an event of eight fields to ten listeners whose methods are empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.jobs import publish_to_empty

if TYPE_CHECKING:
    from benchmarks.conftest import Measure

JOB = publish_to_empty()


@pytest.mark.parametrize("rival", JOB.works)
def test_publish_to_empty(measure: Measure, rival: str) -> None:
    measure(JOB, rival)
