"""Call the hooks of request logs as boto 2 does, and boto3 with somebody attached."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import boto_hooks
from benchmarks.boto_calls import measure_calls

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

NAMES = (
    boto_hooks.NOTHING, boto_hooks.ORIGINAL, boto_hooks.COMPILED, boto_hooks.PURE,
    boto_hooks.EVENTS, boto_hooks.PURE_EVENTS,
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_requestlog(benchmark: BenchmarkFixture, name: str, tmp_path: Path) -> None:
    there = boto_hooks.rivals(str(tmp_path))
    if name not in there:
        pytest.skip(f"this interpreter has no {name}")
    rival = there[name]
    request, response = boto_hooks.exchange()
    request.start_time = datetime.now()
    run = rival.loop(request, response)
    benchmark.group = "handle_request_data"
    benchmark.extra_info["calls"] = boto_hooks.BURST
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        run, args=(boto_hooks.BURST,), setup=lambda: rival.drain() and None, rounds=50
    )
    for one in there.values():
        one.close()
    assert name == boto_hooks.NOTHING or rival.count() % boto_hooks.BURST == 0 < rival.count()


def test_whole_calls() -> None:
    measure_calls(rounds=2, calls=3)  # it checks that everybody heard of every call


def test_bursts_and_floods() -> None:
    boto_hooks.measure_hooks(rounds=2, floods=1)  # it checks that every line was written
