"""Figures: the median of many turns with its confidence interval, and how far the machine can be trusted."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["FLOOR", "NOISY", "TOO_NOISY", "Figure", "figure", "spread", "verdict"]

FLOOR = "floor"
"""What every job has as a rival: the part of the work that can't be avoided."""

NOISY, TOO_NOISY = 0.10, 0.30
"""From which spread of the floors on the machine is called noisy, and too noisy to tell."""

_NORMAL = 1.96


@dataclass(frozen=True)
class Figure:
    """What a call costs, in nanoseconds.

    Args:
        best: the least of all turns.
        median: of all turns.
        low, high: the confidence interval of the median, at 95 % or, for fewer than six turns, all there is.
    """

    best: float
    median: float
    low: float
    high: float

    def apart(self, other: Figure) -> bool:
        """Return whether the intervals leave no doubt which of two figures is the lesser."""
        return self.high < other.low or other.high < self.low


def figure(costs: Sequence[float]) -> Figure:
    """Return the figure of the costs of all turns.

    The interval is that between two of the ordered costs, by the binomial distribution of how many of them lie below
    the true median; nothing is assumed about how they are distributed.
    """
    ordered = sorted(costs)
    count = len(ordered)
    half = _NORMAL * math.sqrt(count) / 2
    low = max(math.floor(count / 2 - half), 0)
    high = min(math.ceil(count / 2 + half), count - 1)
    return Figure(ordered[0], statistics.median(ordered), ordered[low], ordered[high])


def spread(floors: Iterable[Sequence[float]]) -> float:
    """Return how much floors vary from turn to turn: the middle half of the turns over the median, of the median floor.

    A floor does the same work each time, so what varies is the machine.
    """
    found = []
    for costs in floors:
        quarters = statistics.quantiles(costs, n=4)
        if quarters[1] > 0:
            found.append((quarters[2] - quarters[0]) / quarters[1])
    return statistics.median(found) if found else 0.0


def verdict(found: float) -> str:
    """Return what a spread means: "quiet", "noisy" or "too noisy"."""
    if found >= TOO_NOISY:
        return "too noisy"
    return "noisy" if found >= NOISY else "quiet"
