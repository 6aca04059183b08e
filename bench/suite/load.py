"""One load of deployd-bench on one server, and its cost."""
import dataclasses
import json
import pathlib
import tempfile

from . import accounts, processes
from .servers import Server
from .workshop import Workshop

Figures = dict[str, float]


@dataclasses.dataclass(frozen=True)
class Load:
    """The requests of a load."""

    target: str
    options: tuple[str, ...] = ()  # further ones of deployd-bench
    status: int = 200
    connections: int = 64
    rate: float | None = None
    token: bool = True
    overload: bool = False  # 503 is not an error
    anywhere: bool = False  # on all cores, with a server on all cores too
    body: pathlib.Path | None = None


def only_unsent(measured: dict) -> bool:
    """True if the only failure is that requests could not be sent in time, which is expected under overload."""
    return bool(measured) and measured["skipped"] > 0 and measured["errors"]["total"] == 0 and measured["requests"] > 0


def apply(load: Load, server: Server, workshop: Workshop, seconds: float) -> Figures:
    """Loads the server for so long. `Failed` when an answer was not right.

    There is no warm-up: everything that is sent is counted, so that the CPU time of the server over the whole run,
    divided by the requests, is exact. Let a short run go before.
    """
    with tempfile.TemporaryDirectory(prefix="deployd-bench-") as folder:
        results = pathlib.Path(folder) / "results.json"
        arguments = [workshop.generator, server.url + load.target, "--threads", "1", "--warmup", "0s", *load.options]
        given = {
            "--duration": f"{seconds * 1000:.0f}ms",
            "--json": results,
            "--connections": load.connections,
            "--expect-status": load.status,
            "--rate": load.rate and f"{load.rate:.0f}",
            "--overload-status": load.overload and 503,
            "--expect-body": load.body,
            "--ca": server.authority,
            "--token": load.token and server.token,
        }
        for name, value in given.items():
            arguments += [name, value] if value else []
        pids = accounts.family(server.pid)
        before = accounts.cpu_time(pids)
        outcome = processes.run(arguments, workshop.all_cores if load.anywhere else workshop.generator_cores)
        used = accounts.cpu_time(pids) - before
        memory = accounts.memory(pids)
        measured = json.loads(results.read_text()) if results.exists() else {}
        if outcome.returncode != 0 and not (load.overload and only_unsent(measured)):
            raise processes.Failed(f"{server.name}, {load.target}: {processes.last_line(outcome.stderr)}")
    overload = measured.get("overload", {})
    each = 1e6 / (measured["requests"] + overload.get("answers", 0))
    figures = {
        "rps": measured["rate_rps"],
        "cpu_us": used.total * each,
        "user_us": used.user * each,
        "system_us": used.system * each,
        "p50_us": measured["latency_us"]["p50"],
        "p99_us": measured["latency_us"]["p99"],
        "p99_9_us": measured["latency_us"]["p99_9"],
        "rss_kib": memory.rss,
        "pss_kib": memory.pss,
        "generator_cpu": measured["generator_cpu"],
        "late": measured["late"],
    }
    if tls := measured.get("tls"):
        figures["resumed"] = tls["resumed"] / tls["handshakes"]
    if overload:
        figures["offered"] = load.rate
        figures["refused"] = overload["answers"] / measured["duration_s"]
        figures["service_p99_us"] = measured["service_us"]["p99"]
    return figures
