"""Programs that are measured in turn (A B C, A B C), so that other activity of the machine affects all alike."""
import dataclasses
from collections.abc import Callable

from .load import Figures, Load, apply
from .processes import Failed
from .workshop import Kind, Workshop, say

WARM_UP = 0.2  # seconds of load before each measured load


@dataclasses.dataclass(frozen=True)
class Plan:
    """The duration of a measurement."""

    quick: bool
    rounds: int
    seconds: float  # of a round


@dataclasses.dataclass(frozen=True)
class Contender:
    """What is measured under a name, by a function of the seconds that a round lasts."""

    name: str
    measure: Callable[[float], Figures]
    yardstick: bool = False  # left out if it is not available
    begin: float = WARM_UP  # seconds of load before the first round
    warm_up: float = WARM_UP  # the same before each other round


@dataclasses.dataclass
class Outcome:
    """The results of a part."""

    measured: dict[str, dict[str, list[float]]] = dataclasses.field(default_factory=dict)  # by name and figure
    missing: dict[str, str] = dataclasses.field(default_factory=dict)  # what was left out, and the reasons


def loaded(workshop: Workshop, kind: Kind, load: Load, yardstick: bool = False, title: str = "", **times) -> Contender:
    """A server under a load."""
    return Contender(
        title or kind.name,
        lambda seconds: apply(load, workshop.server(kind), workshop, seconds),
        yardstick,
        **times,
    )


def take_turns(plan: Plan, contenders: list[Contender]) -> Outcome:
    """Measures all of them, round by round."""
    outcome = Outcome()
    for number in range(plan.rounds):
        say(f"  round {number + 1} of {plan.rounds}")
        for contender in contenders:
            if contender.name in outcome.missing:
                continue
            try:
                figures = _turn(contender, contender.begin if number == 0 else contender.warm_up, plan.seconds)
            except Failed as failure:
                if not contender.yardstick:
                    raise
                say(f"  without {contender.name}: {failure}")
                outcome.missing[contender.name] = str(failure)
                outcome.measured.pop(contender.name, None)
                continue
            of_name = outcome.measured.setdefault(contender.name, {})
            for figure, value in figures.items():
                of_name.setdefault(figure, []).append(value)
    return outcome


def _turn(contender: Contender, warm_up: float, seconds: float) -> Figures:
    if warm_up:
        contender.measure(warm_up)
    return contender.measure(seconds)
