"""Servers that take turns under a load (A B C, A B C), so that other activity of the machine affects all alike."""
from __future__ import annotations

import dataclasses

from .load import Load, apply
from .processes import Failed
from .servers import ServerKind
from .workshop import Workshop, say

WARM_UP = 0.2  # seconds of load before each measured load

# For each server and figure, the values of the rounds.
Measurements = dict[str, dict[str, list[float]]]


@dataclasses.dataclass(frozen=True)
class Plan:
    """The duration of a measurement."""

    quick: bool
    rounds: int
    seconds: float  # of a round


@dataclasses.dataclass(frozen=True)
class Contender:
    """A server and its load."""

    kind: ServerKind
    load: Load
    yardstick: bool = False  # skipped if it is not available
    title: str | None = None  # if it differs from the name of the server
    begin_seconds: float = WARM_UP  # of load before the first round

    @property
    def name(self) -> str:
        return self.title or self.kind.name


@dataclasses.dataclass
class Outcome:
    """The results of a part."""

    measured: Measurements = dataclasses.field(default_factory=dict)
    missing: dict[str, str] = dataclasses.field(default_factory=dict)  # skipped servers and the reasons

    def add(self, name: str, figures: dict[str, float]) -> None:
        """Appends the values of a round."""
        of_name = self.measured.setdefault(name, {})
        for figure, value in figures.items():
            of_name.setdefault(figure, []).append(value)


def take_turns(workshop: Workshop, plan: Plan, contenders: list[Contender]) -> Outcome:
    """Measures all of them, round by round."""
    outcome = Outcome()
    ready = [contender for contender in contenders if _begins(workshop, contender, outcome)]
    for number in range(plan.rounds):
        say(f"  round {number + 1} of {plan.rounds}")
        for contender in ready:
            server = workshop.server(contender.kind)
            apply(contender.load, server, workshop, WARM_UP)
            outcome.add(contender.name, apply(contender.load, server, workshop, plan.seconds))
    return outcome


def _begins(workshop: Workshop, contender: Contender, outcome: Outcome) -> bool:
    try:
        apply(contender.load, workshop.server(contender.kind), workshop, contender.begin_seconds)
    except Failed as failure:
        if not contender.yardstick:
            raise
        say(f"  without {contender.name}: {failure}")
        outcome.missing[contender.name] = str(failure)
        return False
    return True
