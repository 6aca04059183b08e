"""What is asked of deployd, and how it is read from what was measured."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable

from .figures import Figure, ratio
from .results import PartResult, Results


@dataclasses.dataclass(frozen=True)
class Budget:
    """A bound on a figure of a part."""

    part: str
    what: str
    bound: float
    unit: str
    of: Callable[[PartResult], Figure | None]
    at_least: bool = False

    @property
    def asked(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g} {self.unit}".strip()

    def kept(self, measured: Figure) -> bool:
        """Whether the median is within the bound."""
        return measured.median >= self.bound if self.at_least else measured.median <= self.bound


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A budget and what was measured for it, if anything."""

    budget: Budget
    measured: Figure | None
    command: str

    @property
    def kept(self) -> bool | None:
        return None if self.measured is None else self.budget.kept(self.measured)


def verdicts(results: Results) -> list[Verdict]:
    """All budgets, whether their part was measured or not."""
    found = []
    for budget in BUDGETS:
        part = results.parts.get(budget.part)
        command = part.command if part else f"./dev bench --only {budget.part}"
        found.append(Verdict(budget, budget.of(part) if part else None, command))
    return found


def compared(what: str, name: str, yardstick: str) -> Callable[[PartResult], Figure | None]:
    """A figure of one as a multiple of another's."""

    def of(part: PartResult) -> Figure | None:
        over, under = part.values(name, what), part.values(yardstick, what)
        return ratio(over, under) if over and under else None

    return of


def cpu(name: str, yardstick: str) -> Callable[[PartResult], Figure | None]:
    """The CPU time of a request as a multiple of another's."""
    return compared("cpu_us", name, yardstick)


def rate(name: str, yardstick: str) -> Callable[[PartResult], Figure | None]:
    """The requests a second as a multiple of another's."""
    return compared("rps", name, yardstick)


WARM, OFF = "deployd", "deployd, cache off"

BUDGETS = [
    Budget("one", "one deployment, cache warm: CPU a request of the floor's", 1.2, "×", cpu(WARM, "floor")),
    Budget("one", "one deployment, cache warm: CPU a request of nginx's", 0.9, "×", cpu(WARM, "nginx")),
    Budget("one", "one deployment, cache off: CPU a request of the floor's", 2, "×", cpu(OFF, "floor")),
    Budget("list-100", "list of 100, cache warm: CPU a request of the floor's", 1.25, "×", cpu(WARM, "floor")),
    Budget("list-100", "list of 100, cache warm: CPU a request of nginx's", 0.85, "×", cpu(WARM, "nginx")),
    Budget("list-100", "list of 100, cache off: CPU a request of the floor's", 8, "×", cpu(OFF, "floor")),
    Budget("pipelined", "pipelined 16 deep, cache warm: CPU a request of nginx's", 0.25, "×", cpu(WARM, "nginx")),
    Budget("one", "one deployment, cache warm: rate of the original's stack", 40, "×", rate(WARM, "Feathers"), True),
    Budget("one", "one deployment, cache off: rate of the original's stack", 30, "×", rate(OFF, "Feathers"), True),
    Budget("list-100", "list of 100, cache warm: rate of the original's stack", 40, "×", rate(WARM, "Feathers"), True),
    Budget("list-100", "list of 100, cache off: rate of the original's stack", 30, "×", rate(OFF, "Feathers"), True),
]
