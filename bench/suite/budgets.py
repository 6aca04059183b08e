"""The budgets of deployd, and how they are read from the results."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable

from . import overload
from .figures import Figure, difference, ratio
from .results import PartResult, Results


@dataclasses.dataclass(frozen=True)
class Budget:
    """A bound on a figure of a part."""

    part: str
    what: str
    bound: float
    unit: str
    of: Callable[[PartResult], Figure | None]
    at_least: bool = False

    @property
    def asked(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g} {self.unit}".strip()

    def kept(self, measured: Figure) -> bool:
        """True if the median is within the bound."""
        return measured.median >= self.bound if self.at_least else measured.median <= self.bound


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A budget and its result, if it was measured."""

    budget: Budget
    measured: Figure | None
    command: str

    @property
    def kept(self) -> bool | None:
        return None if self.measured is None else self.budget.kept(self.measured)


def verdicts(results: Results) -> list[Verdict]:
    """All budgets, including those whose part was not measured."""
    found = []
    for budget in BUDGETS:
        part = results.parts.get(budget.part)
        command = part.command if part else f"./dev bench --only {budget.part}"
        found.append(Verdict(budget, budget.of(part) if part else None, command))
    return found


def compared(what: str, name: str, yardstick: str) -> Callable[[PartResult], Figure | None]:
    """A figure of one server as a multiple of that of another."""

    def of(part: PartResult) -> Figure | None:
        over, under = part.values(name, what), part.values(yardstick, what)
        return ratio(over, under) if over and under else None

    return of


def cpu(name: str, yardstick: str) -> Callable[[PartResult], Figure | None]:
    """The CPU time of a request as a multiple of that of another server."""
    return compared("cpu_us", name, yardstick)


def rate(name: str, yardstick: str) -> Callable[[PartResult], Figure | None]:
    """The requests per second as a multiple of those of another server."""
    return compared("rps", name, yardstick)


def alone(name: str, what: str) -> Callable[[PartResult], Figure | None]:
    """A figure by itself."""
    return lambda part: part.figure(name, what)


def more(what: str, name: str, other: str, scale: float) -> Callable[[PartResult], Figure | None]:
    """The difference between the figures of two servers."""

    def of(part: PartResult) -> Figure | None:
        over, under = part.values(name, what), part.values(other, what)
        return difference([a * scale for a in over], [b * scale for b in under]) if over and under else None

    return of


WARM, OFF = "deployd", "deployd, cache off"
PULLED, START = "deployd, a million rows pulled beside", "deployd, 10 million deployments"
SHAKEN, RESUMED = ", a handshake a request", ", a resumption a request"
PGBENCH = "pgbench -S -M prepared, 8 clients"


def _overload(part: str, cases: list[overload.Case]) -> list[Budget]:
    rows = []
    for name, _, _ in cases:
        of = compared("service_p99_us", f"{name}: {overload.OVERLOADED}", f"{name}: {overload.UNLOADED}")
        rows.append(Budget(part, f"{name}: p99 of those answered at three times what it can", 5, "×", of))
    return rows


def _sizes() -> list[Budget]:
    rows = []
    for asked in ("look-ups, the first 1,000", "look-ups, all", "lists of 100, the first 8", "lists of 100, all"):
        of = rate(f"10m: {asked}", f"1k: {asked}")
        rows.append(Budget("sizes", f"{asked}: rate with 10 million rows of that with 1,000", 0.9, "×", of, True))
    return rows


BUDGETS = [
    Budget("one", "one deployment, cache warm: CPU a request of the floor's", 1.2, "×", cpu(WARM, "floor")),
    Budget("one", "one deployment, cache warm: CPU a request of nginx's", 0.9, "×", cpu(WARM, "nginx")),
    Budget("one", "one deployment, cache off: CPU a request of the floor's", 2, "×", cpu(OFF, "floor")),
    Budget("list-100", "list of 100, cache warm: CPU a request of the floor's", 1.25, "×", cpu(WARM, "floor")),
    Budget("list-100", "list of 100, cache warm: CPU a request of nginx's", 0.85, "×", cpu(WARM, "nginx")),
    Budget("list-100", "list of 100, cache off: CPU a request of the floor's", 8, "×", cpu(OFF, "floor")),
    Budget("pipelined", "pipelined 16 deep, cache warm: CPU a request of nginx's", 0.25, "×", cpu(WARM, "nginx")),
    Budget("one", "one deployment, cache warm: rate of the original's stack", 40, "×", rate(WARM, "Feathers"), True),
    Budget("one", "one deployment, cache off: rate of the original's stack", 30, "×", rate(OFF, "Feathers"), True),
    Budget("list-100", "list of 100, cache warm: rate of the original's stack", 40, "×", rate(WARM, "Feathers"), True),
    Budget("list-100", "list of 100, cache off: rate of the original's stack", 30, "×", rate(OFF, "Feathers"), True),
    Budget("new-connections", "a connection for each request: rate of nginx's", 1, "×", rate(WARM, "nginx"), True),
    Budget("new-connections", "a connection for each request: CPU of nginx's", 1, "×", cpu(WARM, "nginx")),
    Budget("tls", "one deployment over TLS: CPU a request of nginx's", 1, "×", cpu(WARM, "nginx")),
    Budget("tls", "a TLS handshake a request: CPU of nginx's", 1.1, "×", cpu(WARM + SHAKEN, "nginx" + SHAKEN)),
    Budget("tls", "a TLS resumption a request: CPU of nginx's", 1.1, "×", cpu(WARM + RESUMED, "nginx" + RESUMED)),
    *_sizes(),
    Budget("million", "list of a million rows: rate", 100, "MB/s", alone("deployd", "MB/s"), True),
    Budget("million", "list of a million rows: rate of sqlite3 -json", 1, "×", compared("MB/s", "deployd", "sqlite3 -json"), True),
    Budget("million", "list of a million rows: memory more", 16, "MiB", alone("deployd", "MiB of memory more")),
    Budget("idle", "an idle connection", 4096, "bytes", alone("deployd", "bytes a connection (PSS)")),
    Budget("idle", "memory when 20,000 have left of that before", 1.1, "×", alone("deployd", "after / before")),
    Budget("start", "start to first answer, 10 million rows", 50, "ms", alone(START, "first answer after ms")),
    Budget("open-loop", "open loop at half the rate: p99.9 of nginx's", 1.5, "×", compared("p99_9_us", WARM, "nginx")),
    Budget("open-loop", "the same while a million rows are pulled: p99.9 more", 3, "ms", more("p99_9_us", PULLED, WARM, 1e-3)),
    *_overload("overload", overload.SQLITE_CASES),
    *_overload("overload-postgresql", overload.POSTGRESQL_CASES),
    Budget("workers", "two workers, cache warm: CPU a request of one's", 1.1, "×", cpu(f"{WARM}, 2 workers", WARM)),
    Budget("workers", "two workers, cache off: CPU a request of one's", 1.1, "×", cpu(f"{OFF}, 2 workers", OFF)),
    Budget("postgresql", "PostgreSQL, cache off: rate of pgbench's", 0.7, "×", rate(OFF, PGBENCH), True),
    Budget(
        "generator", "deployd-bench: rate of wrk's", 1, "×", compared("requests a second", "deployd-bench", "wrk"), True
    ),
]
