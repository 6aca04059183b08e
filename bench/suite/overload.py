"""Rate and latency of the responses at three times the capacity."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable

from . import answers, data
from .contenders import Outcome, Plan
from .deployd import Deployd
from .load import Load, apply
from .postgresql import OverPostgresql
from .servers import ServerKind
from .workshop import Workshop, say

SIZE = "100k"
WARM_UP = 1  # second
LONG_QUEUE = 120  # at which deployd detects overload: the warm-up continues until as many can wait

UNLOADED, OVERLOADED = "a quarter of what it can", "three times what it can"


# A name, a server and its target.
Case = tuple[str, ServerKind, Load]


def measure(cases: list[Case]) -> Callable[[Workshop, Plan], Outcome]:
    """The offered load is derived from the rate of a closed loop, measured first."""

    def measure_cases(workshop: Workshop, plan: Plan) -> Outcome:
        outcome = Outcome()
        for case in cases:
            _measure_case(workshop, plan, case, outcome)
        return outcome

    return measure_cases


def _measure_case(workshop: Workshop, plan: Plan, case: Case, outcome: Outcome) -> None:
    name, kind, load = case
    server = workshop.server(kind)
    apply(load, server, workshop, WARM_UP)
    most = apply(load, server, workshop, plan.seconds)["rps"]
    crowd = dataclasses.replace(load, connections=256, overload=True)
    for number in range(plan.rounds):
        say(f"  {name}: round {number + 1} of {plan.rounds}")
        for words, rate, warm_up in ((UNLOADED, most / 4, WARM_UP), (OVERLOADED, 3 * most, WARM_UP + LONG_QUEUE / most)):
            offered = dataclasses.replace(crowd, rate=rate)
            apply(offered, server, workshop, warm_up)
            figures = apply(offered, server, workshop, 2 * plan.seconds)
            outcome.add(f"{name}: {words}", {"offered": rate, **figures})
    workshop.stop(kind)


ONE = Load(answers.one())
LIST = Load(answers.target(data.pattern_name(1)))
ALL = Load(answers.EVERYTHING, connections=4)

SQLITE_CASES: list[Case] = [
    ("list of 100, cache off", Deployd(SIZE, cache=False), LIST),
    ("one deployment, cache warm", Deployd(SIZE), ONE),
    ("list of all, cache off", Deployd(SIZE, cache=False), ALL),
]

POSTGRESQL_CASES: list[Case] = [
    ("PostgreSQL, list of 100, cache off", OverPostgresql(cache=False), LIST),
    ("PostgreSQL, one deployment, cache off", OverPostgresql(cache=False), ONE),
    ("PostgreSQL, one deployment, cache warm", OverPostgresql(), ONE),
    ("PostgreSQL, list of all, cache off", OverPostgresql(cache=False), ALL),
]
