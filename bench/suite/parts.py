"""What is measured: the parts that `--only` names."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable

from . import answers, data
from .contenders import Contender, Outcome, Plan, take_turns
from .deployd import Deployd
from .feathers import Feathers
from .floor import Floor
from .load import Load
from .nginx import Nginx
from .workshop import Workshop

SIZE = "100k"  # of the store where none is named


@dataclasses.dataclass(frozen=True)
class Part:
    """Something that is measured on its own."""

    name: str
    title: str
    measure: Callable[[Workshop, Plan], Outcome]
    quick: bool = False  # --quick has it too


def _against_yardsticks(asked: str, original: bool = False, cache_off: bool = True, **load):
    """deployd, with the cache and without, the floor and nginx, asked for the same bytes."""

    def measure(workshop: Workshop, plan: Plan) -> Outcome:
        status, token = load.get("status", 200), load.get("token", True)
        body = answers.file(workshop, SIZE, asked) if token else answers.files(workshop, SIZE) / "errors/401.json"
        # The generator compares the bodies: whoever serves other bytes is no yardstick.
        same = Load(asked, body=body, **load)
        canned = dataclasses.replace(same, status=200)
        rivals = [Contender(Deployd(SIZE), same)]
        if cache_off:
            rivals.append(Contender(Deployd(SIZE, cache=False), same))
        rivals += [Contender(Floor(body), canned, yardstick=True), Contender(Nginx(SIZE), same, yardstick=True)]
        if original:
            # Node compiles what is hot, which takes it some seconds under load.
            for lean in (False, True):
                rivals.append(Contender(Feathers(SIZE, lean), same, yardstick=True, begin_seconds=4))
        return take_turns(workshop, plan, rivals)

    return measure


def _cycling_ids(workshop: Workshop, plan: Plan) -> Outcome:
    load = Load(answers.one(f"{{1..{answers.IDS}}}"))
    body = answers.file(workshop, SIZE, answers.one(1234))
    return take_turns(
        workshop,
        plan,
        [
            Contender(Deployd(SIZE), load),
            Contender(Deployd(SIZE, cache=False), load),
            Contender(Floor(body), load, yardstick=True),
            Contender(Nginx(SIZE), load, yardstick=True),
        ],
    )


PARTS = [
    Part("one", "One deployment", _against_yardsticks(answers.one(), original=True), quick=True),
    Part("ids", f"Deployments 1 to {answers.IDS:,} in turn", _cycling_ids),
    Part(
        "list-100",
        "The 100 deployments of a pattern",
        _against_yardsticks(answers.target(data.pattern_name(1)), original=True),
        quick=True,
    ),
    Part("list-10000", "The 10,000 deployments of a pattern", _against_yardsticks(answers.target(data.LONG_PATTERN))),
    Part(
        "not-found",
        "404: a deployment that does not exist",
        _against_yardsticks(answers.MISSING, status=404),
    ),
    Part(
        "not-authenticated",
        "401: no token",
        _against_yardsticks(answers.one(), status=401, token=False, cache_off=False),
        quick=True,
    ),
    Part("pipelined", "One deployment, 16 requests in flight on a connection",
         _against_yardsticks(answers.one(), pipeline=16), quick=True),
]
