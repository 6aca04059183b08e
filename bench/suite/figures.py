"""The arithmetic: medians, spreads and ratios of the values of rounds."""
from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Figure:
    """The median of the rounds with the lowest and the highest value."""

    median: float
    least: float
    most: float

    @property
    def spread(self) -> float:
        """Half the range as a share of the median: 0.02 for "± 2 %"."""
        return (self.most - self.least) / 2 / abs(self.median) if self.median else 0.0


def figure(values: Sequence[float]) -> Figure:
    """The figure of one or more values."""
    return Figure(statistics.median(values), min(values), max(values))


def ratio(over: Sequence[float], under: Sequence[float]) -> Figure:
    """The ratio of the first to the second in each round, because servers of one round share the state of the machine."""
    pairs = [a / b for a, b in zip(over, under) if b]
    if not pairs:
        raise ValueError("no rounds to compare")
    return figure(pairs)


def difference(minuend: Sequence[float], subtrahend: Sequence[float]) -> Figure:
    """The difference between the first and the second in each round."""
    return figure([a - b for a, b in zip(minuend, subtrahend)])
