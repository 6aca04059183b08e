"""What becomes of those that are answered when three times as much is asked as can be answered."""
from __future__ import annotations

import dataclasses

from . import answers, data
from .contenders import Outcome, Plan
from .deployd import Deployd
from .load import Load, apply
from .workshop import Workshop, say

SIZE = "100k"
WARM_UP = 1  # second, in which the server finds out that it is too much

UNLOADED, OVERLOADED = "a quarter of what it can", "three times what it can"


def measure(workshop: Workshop, plan: Plan) -> Outcome:
    """The offered load follows from what is answered in a closed loop, here and now."""
    outcome = Outcome()
    for name, kind, load in CASES:
        server = workshop.server(kind)
        apply(load, server, workshop, WARM_UP)
        most = apply(load, server, workshop, plan.seconds)["rps"]
        crowd = dataclasses.replace(load, connections=256, overload=True)
        for number in range(plan.rounds):
            say(f"  {name}: round {number + 1} of {plan.rounds}")
            for words, factor in ((UNLOADED, 0.25), (OVERLOADED, 3)):
                offered = dataclasses.replace(crowd, rate=factor * most)
                apply(offered, server, workshop, WARM_UP)
                figures = apply(offered, server, workshop, 2 * plan.seconds)
                outcome.add(f"{name}: {words}", {"offered": offered.rate, **figures})
        workshop.stop(kind)
    return outcome


CASES = [
    ("list of 100, cache off", Deployd(SIZE, cache=False), Load(answers.target(data.pattern_name(1)))),
    ("one deployment, cache warm", Deployd(SIZE), Load(answers.one())),
    ("list of all, cache off", Deployd(SIZE, cache=False), Load(answers.EVERYTHING, connections=4)),
]
