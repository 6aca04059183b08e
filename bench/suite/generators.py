"""Compares deployd-bench with wrk: one thread on its own core, with the floor as server."""
from __future__ import annotations

import re

from . import answers, processes
from .contenders import WARM_UP, Outcome, Plan
from .floor import Floor
from .load import Load, apply
from .nginx import find
from .workshop import Workshop, say


def measure(workshop: Workshop, plan: Plan) -> Outcome:
    """Measures both in turn."""
    outcome = Outcome()
    server = workshop.server(Floor(answers.file(workshop, "100k", answers.one())))
    wrk = find("wrk", "wrk")
    seconds = max(1, round(plan.seconds))
    words = [wrk, "-t1", "-c64", f"-d{seconds}s", "-H", f"Authorization: Bearer {server.token}", server.url + answers.one()]
    load = Load(answers.one())
    apply(load, server, workshop, WARM_UP)
    for number in range(plan.rounds):
        say(f"  round {number + 1} of {plan.rounds}")
        outcome.add("deployd-bench", {"requests a second": apply(load, server, workshop, seconds)["rps"]})
        said = processes.run(words, workshop.generator_cores)
        found = re.search(r"^Requests/sec: +([0-9.]+)", said.stdout, re.MULTILINE)
        if not found:
            raise processes.Failed(f"wrk: {(said.stderr or said.stdout).strip()}")
        outcome.add("wrk", {"requests a second": float(found[1])})
    return outcome
