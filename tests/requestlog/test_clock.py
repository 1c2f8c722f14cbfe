"""Durations that begin at a time of the wall clock, when that clock is set."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
NOON = 1_700_000_000.0


class World:
    """True time, and a wall clock that may be set."""

    def __init__(self) -> None:
        from goanna.requestlog._clock import Clock

        self.clock = Clock()
        self.true = 1000.0
        self.offset = NOON

    def start(self) -> datetime:
        return datetime.fromtimestamp(self.true + self.offset)

    def end(self, started: datetime) -> float:
        return self.clock.since(started, self.true + self.offset, self.true)

    def request(self, took: float) -> float:
        started = self.start()
        self.true += took
        return self.end(started)


@pytest.fixture
def world(backend: str) -> Any:
    return World()


@shared
@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 10_000))))
def test_as_long_as_nobody_sets_it(backend: str, requests: list[tuple[float, float]]) -> None:
    world = World()
    for took, pause in requests:
        assert world.request(took) == pytest.approx(took, abs=2e-6)
        world.true += pause


@shared
@given(st.floats(-1e6, 1e6).filter(lambda one: abs(one) > 20), st.floats(0, 10))
def test_set_while_a_request_is_under_way(backend: str, step: float, took: float) -> None:
    world = World()
    world.request(1)
    started = world.start()
    world.true += took
    world.offset += step
    assert world.end(started) == pytest.approx(took, abs=2e-6)
    assert world.request(2) == pytest.approx(2, abs=2e-6)


@shared
@given(st.floats(-1e6, 1e6).filter(lambda one: abs(one) > 20), st.floats(0, 10))
def test_set_between_two_requests(backend: str, step: float, took: float) -> None:
    world = World()
    world.request(1)
    world.offset += step
    assert world.request(took) == pytest.approx(took, abs=2e-6)


def test_the_first_request_ends_before_it_begins(world: World) -> None:
    started = world.start()
    world.offset -= 3600
    world.true += 5
    assert world.end(started) == 0, "nothing is known but that it can't be negative"
    assert world.request(2) == pytest.approx(2, abs=2e-6)


def test_a_clock_that_is_slewed(world: World) -> None:
    for _ in range(10):
        world.true += 3600
        world.offset += 3600 * 0.0005
        assert world.request(0.01) == pytest.approx(0.01, abs=2e-6)


def test_a_start_with_a_zone(world: World) -> None:
    started = datetime.fromtimestamp(world.true + world.offset, UTC)
    world.true += 0.5
    assert world.end(started) == 0.5
