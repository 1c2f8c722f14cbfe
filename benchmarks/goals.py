"""The goals that goanna has set itself, as ratios within one run; they inform and fail nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks._cores import NAMES
from benchmarks.jobs import FLOOR
from benchmarks.measure import Time
from benchmarks.rivals import PURE_PYTHON

Results = Mapping[str, Mapping[str, Time]]
"""Times by job and rival."""

COMPILED, PURE = NAMES["c"], NAMES["py"]


@dataclass(frozen=True)
class Goal:
    """A ratio and its bound.

    Args:
        text: what it says.
        job: where.
        who: the core that it is about.
        above: the floor, or the rivals of which the fastest counts.
        bound: for the floor the most that ``who`` may cost relative to it; for rivals the least that the fastest of
            them must cost relative to ``who``.
    """

    text: str
    job: str
    who: str
    above: tuple[str, ...]
    bound: float

    def ratio(self, results: Results, of: Callable[[Time], float]) -> float | None:
        """Return the ratio in these results, None where this interpreter lacks the core."""
        times = results[self.job]
        if self.who not in times:
            return None
        mine, theirs = of(times[self.who]), min(of(times[one]) for one in self.above)
        return mine / theirs if self.above == (FLOOR,) else theirs / mine

    def reached(self, ratio: float) -> bool:
        return ratio <= self.bound if self.above == (FLOOR,) else ratio >= self.bound


GOALS = (
    Goal("1 listener: cost relative to the floor, at most", "publish to 1", COMPILED, (FLOOR,), 1.4),
    Goal("1 listener: times faster than psygnal emit_fast", "publish to 1", COMPILED, ("psygnal emit_fast",), 3.5),
    Goal("10 listeners: cost relative to the floor, at most", "publish to 10", COMPILED, (FLOOR,), 1.35),
    Goal("10 listeners: times faster than psygnal emit_fast", "publish to 10", COMPILED, ("psygnal emit_fast",), 4.0),
    Goal("nobody listens: relative to a do-nothing call, at most", "publish to 0", COMPILED, (FLOOR,), 1.3),
    Goal("read a field: relative to a plain slot, at most", "read a field", COMPILED, (FLOOR,), 1.5),
    Goal("pure, 1 listener: fastest pure-Python rival by goanna", "publish to 1", PURE, tuple(PURE_PYTHON), 1.0),
    Goal("pure, 10 listeners: fastest pure-Python rival by goanna", "publish to 10", PURE, tuple(PURE_PYTHON), 1.0),
)
