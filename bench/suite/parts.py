"""The parts of the suite, as named by `--only`."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable

from . import answers, data, generators, idle_connections, million, open_loop, overload, postgresql, start
from .contenders import Contender, Outcome, Plan, take_turns
from .deployd import Deployd
from .feathers import Feathers
from .floor import Floor
from .load import Load
from .nginx import Nginx
from .workshop import Workshop

SIZE = "100k"  # of the store, if a part names none


@dataclasses.dataclass(frozen=True)
class Part:
    """A measurement with a name."""

    name: str
    title: str
    measure: Callable[[Workshop, Plan], Outcome]
    quick: bool = False  # included in --quick


def _against_yardsticks(asked: str, original: bool = False, cache_off: bool = True, **load):
    """deployd with and without the cache, the floor and nginx, with the same response."""

    def measure(workshop: Workshop, plan: Plan) -> Outcome:
        status, token = load.get("status", 200), load.get("token", True)
        body = answers.file(workshop, SIZE, asked) if token else answers.files(workshop, SIZE) / "errors/401.json"
        # The generator compares the bodies, so a server with other bytes fails.
        same = Load(asked, body=body, **load)
        canned = dataclasses.replace(same, status=200)
        rivals = [Contender(Deployd(SIZE), same)]
        if cache_off:
            rivals.append(Contender(Deployd(SIZE, cache=False), same))
        rivals += [Contender(Floor(body), canned, yardstick=True), Contender(Nginx(SIZE), same, yardstick=True)]
        if original:
            # Node compiles hot code, which takes some seconds under load.
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


def _everything(workshop: Workshop, plan: Plan) -> Outcome:
    # Responses of some MB: a few connections are enough, and the floor does not support such bodies.
    load = Load(answers.EVERYTHING, connections=4, body=answers.file(workshop, SIZE, answers.EVERYTHING))
    rivals = [Contender(Deployd(SIZE), load), Contender(Deployd(SIZE, cache=False), load)]
    return take_turns(workshop, plan, [*rivals, Contender(Nginx(SIZE), load, yardstick=True)])


def _tls(workshop: Workshop, plan: Plan) -> Outcome:
    """Persistent connections, then a handshake per request, full and resumed."""
    kept = Load(answers.one(), body=answers.file(workshop, SIZE, answers.one()))
    each = dataclasses.replace(kept, new_connections=True)
    rivals = []
    for words, load in (
        ("", kept),
        (", a handshake a request", each),
        (", a resumption a request", dataclasses.replace(each, resume=True)),
    ):
        for kind, yardstick in ((Deployd(SIZE, tls=True), False), (Nginx(SIZE, tls=True), True)):
            rivals.append(Contender(kind, load, yardstick, title=kind.name + words))
    return take_turns(workshop, plan, rivals)


def _workers(workshop: Workshop, plan: Plan) -> Outcome:
    # Everything runs on all cores, so the difference is what the workers cost each other.
    load = Load(answers.one(f"{{1..{answers.IDS}}}"), anywhere=True)
    kinds = [Deployd(SIZE), Deployd(SIZE, workers=2), Deployd(SIZE, cache=False), Deployd(SIZE, cache=False, workers=2)]
    return take_turns(workshop, plan, [Contender(kind, load) for kind in kinds])


def _sizes(workshop: Workshop, plan: Plan) -> Outcome:
    """The cost of the store, with the cache off, for the same few rows and for all rows."""
    rivals = []
    for size, rows in (("1k", 1_000), ("10m", 10_000_000)):
        kind = Deployd(size, cache=False)
        targets = {
            "look-ups, the first 1,000": answers.one("{1..1000}"),
            "look-ups, all": answers.one(f"{{1..{rows}}}"),
            "lists of 100, the first 8": answers.target(data.pattern_name("{1..8}")),
            "lists of 100, all": answers.target(data.pattern_name(f"{{1..{data.small_patterns(rows)}}}")),
        }
        rivals += [Contender(kind, Load(asked), title=f"{size}: {what}") for what, asked in targets.items()]
    pairs = [rival for few in zip(rivals[:4], rivals[4:]) for rival in few]
    return take_turns(workshop, plan, pairs)


PARTS = [
    Part("one", "One deployment", _against_yardsticks(answers.one(), original=True), quick=True),
    Part(
        "list-100",
        "The 100 deployments of a pattern",
        _against_yardsticks(answers.target(data.pattern_name(1)), original=True),
        quick=True,
    ),
    Part(
        "pipelined",
        "One deployment, 16 requests in flight on a connection",
        _against_yardsticks(answers.one(), pipeline=16),
        quick=True,
    ),
    Part("ids", f"Deployments 1 to {answers.IDS:,} in turn", _cycling_ids),
    Part("list-10000", "The 10,000 deployments of a pattern", _against_yardsticks(answers.target(data.LONG_PATTERN))),
    Part("list-all", "All 100,000 deployments", _everything),
    Part("not-found", "404: a deployment that does not exist", _against_yardsticks(answers.MISSING, status=404)),
    Part(
        "not-authenticated",
        "401: no token",
        _against_yardsticks(answers.one(), status=401, token=False, cache_off=False),
        quick=True,
    ),
    Part(
        "new-connections",
        "One deployment, a connection for each request",
        _against_yardsticks(answers.one(), new_connections=True, cache_off=False),
        quick=True,
    ),
    Part("tls", "One deployment over TLS 1.3, ECDSA on P-256 and X25519", _tls),
    Part("idle-beside", f"One deployment beside {idle_connections.BESIDE:,} idle connections", idle_connections.beside),
    Part("idle", f"The memory of {idle_connections.HELD:,} idle connections", idle_connections.memory),
    Part("workers", "One worker and two, all on the same cores", _workers),
    Part("sizes", "One thousand and ten million deployments, cache off", _sizes),
    Part("start", "From starting the program to its first answer", start.measure),
    Part("million", "A list of a million deployments, streamed", million.measure),
    Part("open-loop", "Latency at half of deployd's rate, on schedule", open_loop.measure),
    Part("overload", "Three times as many requests as can be answered", overload.measure(overload.SQLITE_CASES)),
    Part(
        "overload-postgresql",
        "Three times as many requests as can be answered from PostgreSQL",
        overload.measure(overload.POSTGRESQL_CASES),
    ),
    Part("postgresql", "One deployment from PostgreSQL, eight sessions", postgresql.measure),
    Part("generator", "deployd-bench and wrk against the floor", generators.measure, quick=True),
]
