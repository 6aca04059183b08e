"""A list of a million rows: its rate and the memory for streaming it."""
from __future__ import annotations

import time

from . import accounts, answers, data, processes, stores
from .contenders import Outcome, Plan
from .deployd import Deployd
from .nginx import find
from .workshop import Workshop, say

MIB = 1 << 20


def measure(workshop: Workshop, plan: Plan) -> Outcome:
    """Measures deployd and `sqlite3 -json` with the same query on the same file in turn."""
    outcome = Outcome()
    server = workshop.server(Deployd("10m"))
    for number in range(plan.rounds):
        say(f"  round {number + 1} of {plan.rounds}")
        accounts.forget_peak(server.pid)
        before = accounts.memory([server.pid]).rss
        used = accounts.cpu_time([server.pid])
        seconds, size = _download(workshop, server)
        used = accounts.cpu_time([server.pid]) - used
        growth = (accounts.peak(server.pid) - before) / 1024
        outcome.add(
            "deployd",
            {
                "MB/s": size / seconds / 1e6,
                "MB": size / 1e6,
                "seconds": seconds,
                "CPU seconds": used.total,
                "MiB of memory more": growth,
            },
        )
        seconds, size = _shell(workshop)
        outcome.add("sqlite3 -json", {"MB/s": size / seconds / 1e6, "MB": size / 1e6, "seconds": seconds})
    return outcome


def _download(workshop: Workshop, server) -> tuple[float, int]:
    words = [find("curl", "curl"), "-sS", "-f", "-o", "/dev/null", "-w", "%{time_total} %{size_download}"]
    words += ["-H", f"Authorization: Bearer {server.token}", server.url + answers.target(data.LONGEST_PATTERN)]
    outcome = processes.run(words, workshop.generator_cores)
    if outcome.returncode != 0:
        raise processes.Failed(f"curl: {outcome.stderr.strip()}")
    seconds, size = outcome.stdout.split()
    return float(seconds), int(size)


def _shell(workshop: Workshop) -> tuple[float, int]:
    select = (
        "SELECT id, pattern_id, name FROM deployments WHERE pattern_id = "
        f"(SELECT id FROM patterns WHERE name = '{data.LONGEST_PATTERN}') ORDER BY id"
    )
    began = time.perf_counter()
    file = stores.sqlite_file(workshop, "10m")
    # A pipe to another core, like the response of the server.
    shell = f"taskset -c {min(workshop.server_cores)} sqlite3 -readonly -json '{file}' \"{select}\" | wc -c"
    find("sqlite3", "sqlite3")
    outcome = processes.run(["/bin/sh", "-c", shell], workshop.all_cores)
    if outcome.returncode != 0 or outcome.stderr:
        raise processes.Failed(f"sqlite3: {outcome.stderr.strip()}")
    return time.perf_counter() - began, int(outcome.stdout)
