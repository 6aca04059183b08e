"""The budgets of deployd, and how they are read from the results."""
import dataclasses

from . import overload
from .results import Figure, PartResult, figure, ratio


@dataclasses.dataclass(frozen=True)
class Budget:
    """A bound on a figure of a part: of `name` alone, or compared with `yardstick`."""

    part: str
    what: str
    bound: float
    unit: str
    name: str
    figure: str
    yardstick: str | None = None
    at_least: bool = False
    difference: bool = False  # in thousands, instead of the ratio

    @property
    def asked(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g} {self.unit}"

    def measured(self, part: PartResult) -> Figure | None:
        """The figure in the results of the part, if it was measured."""
        values = part.values(self.name, self.figure)
        others = part.values(self.yardstick, self.figure) if self.yardstick else None
        if not values or (self.yardstick and not others):
            return None
        if self.difference:
            return figure([(a - b) / 1000 for a, b in zip(values, others)])
        return ratio(values, others) if others else figure(values)

    def kept(self, measured: Figure) -> bool:
        """True if the median is within the bound."""
        return measured.median >= self.bound if self.at_least else measured.median <= self.bound


WARM, OFF = "deployd", "deployd, cache off"
PULLED, START = "deployd, a million rows pulled beside", "deployd, 10 million deployments"
SHAKEN, RESUMED = ", a handshake a request", ", a resumption a request"
PGBENCH = "pgbench -S -M prepared, 8 clients"


def _overload(part: str, cases: list[overload.Case]) -> list[Budget]:
    what = "p99 of those answered at three times what it can"
    return [
        Budget(part, f"{name}: {what}", 5, "×", f"{name}: {overload.OVERLOADED}", "service_p99_us", f"{name}: {overload.UNLOADED}")
        for name, _, _ in cases
    ]


def _sizes() -> list[Budget]:
    what = "rate with 10 million rows of that with 1,000"
    return [
        Budget("sizes", f"{asked}: {what}", 0.9, "×", f"10m: {asked}", "rps", f"1k: {asked}", at_least=True)
        for asked in ("look-ups, the first 1,000", "look-ups, all", "lists of 100, the first 8", "lists of 100, all")
    ]


BUDGETS = [
    Budget("one", "one deployment, cache warm: CPU a request of the floor's", 1.2, "×", WARM, "cpu_us", "floor"),
    Budget("one", "one deployment, cache warm: CPU a request of nginx's", 0.9, "×", WARM, "cpu_us", "nginx"),
    Budget("one", "one deployment, cache off: CPU a request of the floor's", 2, "×", OFF, "cpu_us", "floor"),
    Budget("list-100", "list of 100, cache warm: CPU a request of the floor's", 1.25, "×", WARM, "cpu_us", "floor"),
    Budget("list-100", "list of 100, cache warm: CPU a request of nginx's", 0.85, "×", WARM, "cpu_us", "nginx"),
    Budget("list-100", "list of 100, cache off: CPU a request of the floor's", 8, "×", OFF, "cpu_us", "floor"),
    Budget("pipelined", "pipelined 16 deep, cache warm: CPU a request of nginx's", 0.25, "×", WARM, "cpu_us", "nginx"),
    Budget("one", "one deployment, cache warm: rate of the original's stack", 40, "×", WARM, "rps", "Feathers", at_least=True),
    Budget("one", "one deployment, cache off: rate of the original's stack", 30, "×", OFF, "rps", "Feathers", at_least=True),
    Budget("list-100", "list of 100, cache warm: rate of the original's stack", 40, "×", WARM, "rps", "Feathers", at_least=True),
    Budget("list-100", "list of 100, cache off: rate of the original's stack", 30, "×", OFF, "rps", "Feathers", at_least=True),
    Budget("new-connections", "a connection for each request: rate of nginx's", 1, "×", WARM, "rps", "nginx", at_least=True),
    Budget("new-connections", "a connection for each request: CPU of nginx's", 1, "×", WARM, "cpu_us", "nginx"),
    Budget("tls", "one deployment over TLS: CPU a request of nginx's", 1, "×", WARM, "cpu_us", "nginx"),
    Budget("tls", "a TLS handshake a request: CPU of nginx's", 1.1, "×", WARM + SHAKEN, "cpu_us", "nginx" + SHAKEN),
    Budget("tls", "a TLS resumption a request: CPU of nginx's", 1.1, "×", WARM + RESUMED, "cpu_us", "nginx" + RESUMED),
    *_sizes(),
    Budget("million", "list of a million rows: rate", 100, "MB/s", "deployd", "MB/s", at_least=True),
    Budget("million", "list of a million rows: rate of sqlite3 -json", 1, "×", "deployd", "MB/s", "sqlite3 -json", at_least=True),
    Budget("million", "list of a million rows: memory more", 16, "MiB", "deployd", "MiB of memory more"),
    Budget("idle", "an idle connection", 4096, "bytes", "deployd", "bytes a connection (PSS)"),
    Budget("idle", "memory when 20,000 have left of that before", 1.1, "×", "deployd", "after / before"),
    Budget("start", "start to first answer, 10 million rows", 50, "ms", START, "first answer after ms"),
    Budget("open-loop", "open loop at half the rate: p99.9 of nginx's", 1.5, "×", WARM, "p99_9_us", "nginx"),
    Budget("open-loop", "the same while a million rows are pulled: p99.9 more", 3, "ms", PULLED, "p99_9_us", WARM, difference=True),
    *_overload("overload", overload.SQLITE_CASES),
    *_overload("overload-postgresql", overload.POSTGRESQL_CASES),
    Budget("workers", "two workers, cache warm: CPU a request of one's", 1.1, "×", f"{WARM}, 2 workers", "cpu_us", WARM),
    Budget("workers", "two workers, cache off: CPU a request of one's", 1.1, "×", f"{OFF}, 2 workers", "cpu_us", OFF),
    Budget("postgresql", "PostgreSQL, cache off: rate of pgbench's", 0.7, "×", OFF, "rps", PGBENCH, at_least=True),
    Budget("generator", "deployd-bench: rate of wrk's", 1, "×", "deployd-bench", "requests a second", "wrk", at_least=True),
]
