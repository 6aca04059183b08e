"""A list of a million rows: its rate and the memory for streaming it."""
import time

from . import accounts, answers, data, stores
from .contenders import Contender, Outcome, Plan, take_turns
from .processes import find, output_of
from .servers import Deployd
from .workshop import Workshop


def measure(workshop: Workshop, plan: Plan) -> Outcome:
    """Measures deployd and `sqlite3 -json` with the same query on the same file in turn."""
    server = workshop.server(Deployd("10m"))
    words = [find("curl", "curl"), "-sS", "-f", "-o", "/dev/null", "-w", "%{time_total} %{size_download}"]
    words += ["-H", f"Authorization: Bearer {server.token}", server.url + answers.target(data.LONGEST_PATTERN)]

    def download(_: float) -> dict[str, float]:
        accounts.forget_peak(server.pid)
        before, used = accounts.memory([server.pid]).rss, accounts.cpu_time([server.pid])
        seconds, size = map(float, output_of(words, workshop.generator_cores).split())
        used = accounts.cpu_time([server.pid]) - used
        growth = (accounts.peak(server.pid) - before) / 1024
        return {**_rate(size, seconds), "CPU seconds": used.total, "MiB of memory more": growth}

    def shell(_: float) -> dict[str, float]:
        select = (
            "SELECT id, pattern_id, name FROM deployments WHERE pattern_id = "
            f"(SELECT id FROM patterns WHERE name = '{data.LONGEST_PATTERN}') ORDER BY id"
        )
        file = stores.sqlite_file(workshop, "10m")
        # A pipe to another core, like the response of the server.
        core = min(workshop.server_cores)
        script = f"taskset -c {core} {find('sqlite3', 'sqlite3')} -readonly -json '{file}' \"{select}\" | wc -c"
        began = time.perf_counter()
        size = int(output_of(["/bin/sh", "-c", script], workshop.all_cores))
        return _rate(size, time.perf_counter() - began)

    return take_turns(
        plan,
        [
            Contender("deployd", download, begin=0, warm_up=0),
            Contender("sqlite3 -json", shell, yardstick=True, begin=0, warm_up=0),
        ],
    )


def _rate(size: float, seconds: float) -> dict[str, float]:
    return {"MB/s": size / seconds / 1e6, "MB": size / 1e6, "seconds": seconds}
