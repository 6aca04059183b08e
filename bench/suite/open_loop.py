"""Latency in an open loop at half of deployd's capacity: alone, compared with nginx, and during a long list."""
from __future__ import annotations

import contextlib
from collections.abc import Iterator

from . import answers, data, processes
from .contenders import Outcome, Plan
from .deployd import Deployd
from .load import Load, apply
from .nginx import Nginx, find
from .servers import Server
from .workshop import Workshop, say

WARM_UP = 1  # second, because an idle core is slow at first
SIZE = "10m"  # a store with a pattern of a million rows


def measure(workshop: Workshop, plan: Plan) -> Outcome:
    """The rate is half of that of deployd in a closed loop, measured first."""
    outcome = Outcome()
    deployd = workshop.server(Deployd(SIZE))
    apply(Load(answers.one()), deployd, workshop, WARM_UP)
    rate = apply(Load(answers.one()), deployd, workshop, plan.seconds)["rps"] / 2
    say(f"  at {rate:,.0f} requests a second")
    load, seconds = Load(answers.one(), rate=rate), 2 * plan.seconds
    try:
        nginx = workshop.server(Nginx())
    except processes.Failed as failure:
        outcome.missing["nginx"] = str(failure)
        nginx = None
    for number in range(plan.rounds):
        say(f"  round {number + 1} of {plan.rounds}")
        for server, name in ((deployd, "deployd"), (nginx, "nginx")):
            if server:
                apply(load, server, workshop, WARM_UP)
                outcome.add(name, apply(load, server, workshop, seconds))
        with pulling(workshop, deployd):
            apply(load, deployd, workshop, WARM_UP)
            outcome.add("deployd, a million rows pulled beside", apply(load, deployd, workshop, seconds))
    return outcome


@contextlib.contextmanager
def pulling(workshop: Workshop, server: Server) -> Iterator[None]:
    """Runs one client that requests a list of a million rows repeatedly."""
    curl = find("curl", "curl")
    url = server.url + answers.target(data.LONGEST_PATTERN)
    # It shares the generator's core at a lower priority.
    script = 'while nice -n 19 "$0" -sS -f -o /dev/null -H "$1" "$2"; do :; done'
    words = ["/bin/sh", "-c", script, curl, f"Authorization: Bearer {server.token}", url]
    log = workshop.log("pulling")
    with processes.running(words, workshop.generator_cores, log) as process:
        yield
        if process.poll() is not None:
            raise processes.Failed(f"the client of the long list ended: {log.read_text().strip()}")
