"""The arithmetic: medians, spreads and ratios of the values of rounds."""
from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Figure:
    """A median over rounds with the least and the largest value."""

    median: float
    least: float
    most: float

    @property
    def spread(self) -> float:
        """Half the distance of the extremes, as a share of the median: 0.02 for "± 2 %"."""
        return (self.most - self.least) / 2 / abs(self.median) if self.median else 0.0


def figure(values: Sequence[float]) -> Figure:
    """The figure of at least one value."""
    return Figure(statistics.median(values), min(values), max(values))


def ratio(over: Sequence[float], under: Sequence[float]) -> Figure:
    """What the first is to the second: the ratio of each round, since rounds of one turn share the machine's mood."""
    pairs = [a / b for a, b in zip(over, under) if b]
    if not pairs:
        raise ValueError("no rounds to compare")
    return figure(pairs)


def difference(minuend: Sequence[float], subtrahend: Sequence[float]) -> Figure:
    """How much more the first is than the second, round by round."""
    return figure([a - b for a, b in zip(minuend, subtrahend)])
