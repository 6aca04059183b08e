"""Latency in an open loop at half of deployd's capacity: alone, compared with nginx, and during a long list."""
import contextlib
import dataclasses
from collections.abc import Iterator

from . import answers, data, processes
from .contenders import Contender, Outcome, Plan, loaded, take_turns
from .load import Load, apply
from .servers import Deployd, Nginx, Server
from .workshop import Workshop, say

WARM_UP = 1  # second, because an idle core is slow at first


def measure(workshop: Workshop, plan: Plan) -> Outcome:
    """The rate is half of that of deployd in a closed loop, measured first."""
    kind = Deployd("10m")  # a store with a pattern of a million rows
    deployd = workshop.server(kind)
    apply(Load(answers.one()), deployd, workshop, WARM_UP)
    rate = apply(Load(answers.one()), deployd, workshop, plan.seconds)["rps"] / 2
    say(f"  at {rate:,.0f} requests a second")
    load, times = Load(answers.one(), rate=rate), {"begin": WARM_UP, "warm_up": WARM_UP}

    def beside(seconds: float) -> dict[str, float]:
        with pulling(workshop, deployd):
            return apply(load, deployd, workshop, seconds)

    rivals = [
        loaded(workshop, kind, load, **times),
        loaded(workshop, Nginx(answers.files(workshop, "100k")), load, yardstick=True, **times),
        Contender("deployd, a million rows pulled beside", beside, **times),
    ]
    return take_turns(dataclasses.replace(plan, seconds=2 * plan.seconds), rivals)


@contextlib.contextmanager
def pulling(workshop: Workshop, server: Server) -> Iterator[None]:
    """Runs one client that requests a list of a million rows repeatedly."""
    url = server.url + answers.target(data.LONGEST_PATTERN)
    # It shares the generator's core at a lower priority.
    script = 'while nice -n 19 "$0" -sS -f -o /dev/null -H "$1" "$2"; do :; done'
    curl = processes.find("curl", "curl")
    words = ["/bin/sh", "-c", script, curl, f"Authorization: Bearer {server.token}", url]
    log = workshop.log("pulling")
    with processes.running(words, workshop.generator_cores, log) as process:
        yield
        if process.poll() is not None:
            raise processes.Failed(f"the client of the long list ended: {log.read_text().strip()}")
