"""The parts of the suite, as named by `--only`."""
import dataclasses
import functools
import re
import socket
import time
from collections.abc import Callable

from . import answers, data, idle_connections, million, open_loop, overload, postgresql, processes, stores
from .contenders import Contender, Outcome, Plan, loaded, take_turns
from .feathers import Feathers
from .load import Load, apply
from .servers import Deployd, Floor, Nginx
from .workshop import Workshop

SIZE = "100k"  # of the store, if a part names none


@dataclasses.dataclass(frozen=True)
class Part:
    """A measurement with a name."""

    name: str
    title: str
    measure: Callable[[Workshop, Plan], Outcome]
    quick: bool = False  # included in --quick


def _against_yardsticks(asked: str, *options: str, original: bool = False, cache_off: bool = True, **load):
    """deployd with and without the cache, the floor and nginx, with the same response."""

    def measure(workshop: Workshop, plan: Plan) -> Outcome:
        files = answers.files(workshop, SIZE)
        body = answers.file(workshop, SIZE, asked) if load.get("token", True) else files / "errors/401.json"
        # The generator compares the bodies, so a server with other bytes fails.
        same = Load(asked, options, body=body, **load)
        rivals = [loaded(workshop, Deployd(SIZE), same)]
        if cache_off:
            rivals.append(loaded(workshop, Deployd(SIZE, cache=False), same))
        rivals.append(loaded(workshop, Floor(body), dataclasses.replace(same, status=200), yardstick=True))
        rivals.append(loaded(workshop, Nginx(files), same, yardstick=True))
        if original:
            # Node compiles hot code, which takes some seconds under load.
            for lean in (False, True):
                rivals.append(loaded(workshop, Feathers(SIZE, lean), same, yardstick=True, begin=4))
        return take_turns(plan, rivals)

    return measure


def _cycling_ids(workshop: Workshop, plan: Plan) -> Outcome:
    load = Load(answers.one(f"{{1..{answers.IDS}}}"))
    rivals = [loaded(workshop, Deployd(SIZE, cache), load) for cache in (True, False)]
    for kind in (Floor(answers.file(workshop, SIZE, answers.one(1234))), Nginx(answers.files(workshop, SIZE))):
        rivals.append(loaded(workshop, kind, load, yardstick=True))
    return take_turns(plan, rivals)


def _everything(workshop: Workshop, plan: Plan) -> Outcome:
    # Responses of some MB: a few connections are enough, and the floor does not support such bodies.
    load = Load(answers.EVERYTHING, connections=4, body=answers.file(workshop, SIZE, answers.EVERYTHING))
    rivals = [loaded(workshop, Deployd(SIZE, cache), load) for cache in (True, False)]
    return take_turns(plan, [*rivals, loaded(workshop, Nginx(answers.files(workshop, SIZE)), load, yardstick=True)])


def _tls(workshop: Workshop, plan: Plan) -> Outcome:
    """Persistent connections, then a handshake per request, full and resumed."""
    kept = Load(answers.one(), body=answers.file(workshop, SIZE, answers.one()))
    nginx = Nginx(answers.files(workshop, SIZE), tls=True)
    rivals = []
    for words, options in (
        ("", ()),
        (", a handshake a request", ("--new-connections",)),
        (", a resumption a request", ("--new-connections", "--resume")),
    ):
        for kind, yardstick in ((Deployd(SIZE, tls=True), False), (nginx, True)):
            load = dataclasses.replace(kept, options=options)
            rivals.append(loaded(workshop, kind, load, yardstick, title=kind.name + words))
    return take_turns(plan, rivals)


def _workers(workshop: Workshop, plan: Plan) -> Outcome:
    # Everything runs on all cores, so the difference is what the workers cost each other.
    load = Load(answers.one(f"{{1..{answers.IDS}}}"), anywhere=True)
    kinds = [Deployd(SIZE, cache, workers) for cache in (True, False) for workers in (1, 2)]
    return take_turns(plan, [loaded(workshop, kind, load) for kind in kinds])


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
        rivals += [loaded(workshop, kind, Load(asked), title=f"{size}: {what}") for what, asked in targets.items()]
    return take_turns(plan, [rival for few in zip(rivals[:4], rivals[4:]) for rival in few])


def _start(workshop: Workshop, plan: Plan) -> Outcome:
    """Starts deployd with the largest store repeatedly. The first run loads it into the page cache."""
    store = stores.sqlite_store(workshop, "10m")
    request = f"GET {answers.one()} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {store.token}\r\n\r\n".encode()

    def first_answer(_: float) -> dict[str, float]:
        port, log = processes.free_port(), workshop.log("deployd")
        arguments = [workshop.deployd, "serve", "--database", store.database, "--listen", f"127.0.0.1:{port}"]
        began = time.perf_counter()
        with processes.serving(arguments, port, workshop.all_cores, log):
            with socket.create_connection(("127.0.0.1", port), 10) as connection:
                connection.sendall(request)
                answer = connection.recv(4096)
            took = time.perf_counter() - began
        if b" 200 " not in answer[:16]:
            raise processes.Failed(f"deployd's first response is {answer[:60]!r}")
        return {"first answer after ms": took * 1000}

    contender = Contender("deployd, 10 million deployments", first_answer, warm_up=0)
    return take_turns(dataclasses.replace(plan, rounds=3 * plan.rounds), [contender])


def _generators(workshop: Workshop, plan: Plan) -> Outcome:
    """Compares deployd-bench with wrk: one thread on its own core, with the floor as server."""
    server = workshop.server(Floor(answers.file(workshop, SIZE, answers.one())))
    words = [processes.find("wrk", "wrk"), "-t1", "-c64", "-H", f"Authorization: Bearer {server.token}"]

    def own(seconds: float) -> dict[str, float]:
        return {"requests a second": apply(Load(answers.one()), server, workshop, seconds)["rps"]}

    def wrk(seconds: float) -> dict[str, float]:
        said = processes.output_of([*words, f"-d{seconds:.0f}s", server.url + answers.one()], workshop.generator_cores)
        return {"requests a second": float(re.search(r"^Requests/sec: +([0-9.]+)", said, re.MULTILINE)[1])}

    rivals = [Contender("deployd-bench", own), Contender("wrk", wrk, begin=0, warm_up=0)]
    return take_turns(dataclasses.replace(plan, seconds=max(1, round(plan.seconds))), rivals)


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
        _against_yardsticks(answers.one(), "--pipeline", "16"),
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
        _against_yardsticks(answers.one(), "--new-connections", cache_off=False),
        quick=True,
    ),
    Part("tls", "One deployment over TLS 1.3, ECDSA on P-256 and X25519", _tls),
    Part("idle-beside", f"One deployment beside {idle_connections.BESIDE:,} idle connections", idle_connections.beside),
    Part("idle", f"The memory of {idle_connections.HELD:,} idle connections", idle_connections.memory),
    Part("workers", "One worker and two, all on the same cores", _workers),
    Part("sizes", "One thousand and ten million deployments, cache off", _sizes),
    Part("start", "From starting the program to its first answer", _start),
    Part("million", "A list of a million deployments, streamed", million.measure),
    Part("open-loop", "Latency at half of deployd's rate, on schedule", open_loop.measure),
    Part(
        "overload",
        "Three times as many requests as can be answered",
        functools.partial(overload.measure, cases=overload.SQLITE_CASES),
    ),
    Part(
        "overload-postgresql",
        "Three times as many requests as can be answered from PostgreSQL",
        functools.partial(overload.measure, cases=overload.POSTGRESQL_CASES),
    ),
    Part("postgresql", "One deployment from PostgreSQL, eight sessions", postgresql.measure),
    Part("generator", "deployd-bench and wrk against the floor", _generators, quick=True),
]
