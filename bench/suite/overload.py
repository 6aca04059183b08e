"""Rate and latency of the responses at three times the capacity."""
import dataclasses

from . import answers, data
from .contenders import Outcome, Plan, loaded, take_turns
from .load import Load, apply
from .postgresql import OverPostgresql
from .servers import Deployd
from .workshop import Kind, Workshop, say

WARM_UP = 1  # second
LONG_QUEUE = 120  # at which deployd detects overload: the warm-up continues until as many can wait

UNLOADED, OVERLOADED = "a quarter of what it can", "three times what it can"

ONE = Load(answers.one())
LIST = Load(answers.target(data.pattern_name(1)))
ALL = Load(answers.EVERYTHING, connections=4)

# A name, a server and its target.
Case = tuple[str, Kind, Load]

SQLITE_CASES: list[Case] = [
    ("list of 100, cache off", Deployd(cache=False), LIST),
    ("one deployment, cache warm", Deployd(), ONE),
    ("list of all, cache off", Deployd(cache=False), ALL),
]

POSTGRESQL_CASES: list[Case] = [
    ("PostgreSQL, list of 100, cache off", OverPostgresql(cache=False), LIST),
    ("PostgreSQL, one deployment, cache off", OverPostgresql(cache=False), ONE),
    ("PostgreSQL, one deployment, cache warm", OverPostgresql(), ONE),
    ("PostgreSQL, list of all, cache off", OverPostgresql(cache=False), ALL),
]


def measure(workshop: Workshop, plan: Plan, cases: list[Case]) -> Outcome:
    """The offered load is derived from the rate of a closed loop, measured first."""
    outcome = Outcome()
    for name, kind, load in cases:
        say(f"  {name}")
        apply(load, workshop.server(kind), workshop, WARM_UP)
        most = apply(load, workshop.server(kind), workshop, plan.seconds)["rps"]
        rivals = []
        for words, rate, warm_up in ((UNLOADED, most / 4, WARM_UP), (OVERLOADED, 3 * most, WARM_UP + LONG_QUEUE / most)):
            crowd = dataclasses.replace(load, connections=256, overload=True, rate=rate)
            rivals.append(loaded(workshop, kind, crowd, title=f"{name}: {words}", begin=warm_up, warm_up=warm_up))
        outcome.measured |= take_turns(dataclasses.replace(plan, seconds=2 * plan.seconds), rivals).measured
        workshop.stop(kind)
    return outcome
