"""``goanna replay --speed``: when events are published, by a clock that goes on only when it is waited on."""

from __future__ import annotations

from typing import Any

import pytest

from goanna.recording import replay
from goanna.recording.calls import Call


class Clock:
    """Stands in for the module ``time``."""

    def __init__(self) -> None:
        self.now = 5_000.0

    def perf_counter_ns(self) -> int:
        return round(self.now)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds * 1e9


class Listeners:
    """Keeps when what was published, and takes some time for it."""

    def __init__(self, clock: Clock, takes: float = 0.0) -> None:
        self.clock = clock
        self.takes = takes
        self.got: list[tuple[float, Any]] = []

    def publish(self, argument: Any) -> None:
        self.got.append((self.clock.now - 5_000, argument))
        self.clock.now += self.takes


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(replay, "time", found)
    return found


CALLS = [Call(at, "Event", "publish", (number,)) for number, at in enumerate([700, 700, 1_700, 9_700])]


@pytest.mark.parametrize(
    ("factor", "when"),
    [(None, [0, 0, 0, 0]), (1.0, [0, 0, 1_000, 9_000]), (2.0, [0, 0, 500, 4_500]), (0.5, [0, 0, 2_000, 18_000])],
)
def test_events_are_published_when_they_are_due(clock: Clock, factor: float | None, when: list[float]) -> None:
    there = Listeners(clock)
    replay.publish(there, CALLS, factor)
    assert [number for _, number in there.got] == [0, 1, 2, 3]
    assert [one for one, _ in there.got] == pytest.approx(when, abs=2)


def test_a_slow_listener_is_not_waited_for_on_top(clock: Clock) -> None:
    there = Listeners(clock, takes=3_000)
    replay.publish(there, CALLS, 1.0)
    assert [one for one, _ in there.got] == pytest.approx([0, 3_000, 6_000, 9_000], abs=2)


def test_nothing_is_published_at_any_speed(clock: Clock) -> None:
    there = Listeners(clock)
    replay.publish(there, [], 1.0)
    assert there.got == []
