"""The results of a run, and the arithmetic: medians, spreads and ratios of the values of rounds."""
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
from collections.abc import Sequence

from .contenders import Outcome, Plan
from .workshop import ROOT


@dataclasses.dataclass(frozen=True)
class Figure:
    """The median of the rounds with the lowest and the highest value."""

    median: float
    least: float
    most: float

    @property
    def spread(self) -> float:
        """Half the range as a share of the median: 0.02 for "± 2 %"."""
        return (self.most - self.least) / 2 / abs(self.median) if self.median else 0.0


def figure(values: Sequence[float]) -> Figure:
    """The figure of one or more values."""
    return Figure(statistics.median(values), min(values), max(values))


def ratio(over: Sequence[float], under: Sequence[float]) -> Figure:
    """The ratio of the first to the second in each round, because servers of one round share the state of the machine."""
    pairs = [a / b for a, b in zip(over, under) if b]
    if not pairs:
        raise ValueError("no rounds to compare")
    return figure(pairs)


@dataclasses.dataclass
class PartResult:
    """The result of a part."""

    title: str
    command: str
    commit: str
    when: str
    rounds: int
    seconds: float
    measured: dict[str, dict[str, list[float]]]  # by name and figure
    missing: dict[str, str]

    def values(self, name: str, what: str) -> list[float] | None:
        """The values of the rounds, if they were measured."""
        return self.measured.get(name, {}).get(what)


@dataclasses.dataclass
class Results:
    """The results of a run on this machine."""

    machine: dict[str, str]
    parts: dict[str, PartResult] = dataclasses.field(default_factory=dict)

    def add(self, name: str, title: str, plan: Plan, outcome: Outcome) -> None:
        """Adds a part."""
        self.parts[name] = PartResult(
            title=title,
            command=f"./dev bench{' --quick' if plan.quick else ''} --only {name}",
            commit=commit(),
            when=datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            rounds=plan.rounds,
            seconds=plan.seconds,
            measured=outcome.measured,
            missing=outcome.missing,
        )

    def write(self, file: pathlib.Path) -> None:
        """Writes the results as JSON."""
        file.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")


def commit() -> str:
    """The measured commit, with a + if files other than the results differ from it."""
    known = _said("git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD")
    files = ["--untracked-files=no", "--", ".", ":(exclude)bench/RESULTS.md"]
    return known + ("+" if _said("git", "-C", str(ROOT), "status", "--porcelain", *files) else "")


def this_machine() -> dict[str, str]:
    """The properties that matter when figures are compared."""
    processor = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {
        "processor": processor[1] if processor else platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "unknown"),
        "compiler": _said("c++", "--version"),
        "nginx": _said("nginx", "-v"),
        "node": _said("node", "--version"),
        "postgresql": _said("pgbench", "--version"),
        "wrk": _said("wrk", "-v"),
    }


def _said(*words: str) -> str:
    """The first line that a program prints."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    try:
        outcome = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PATH": path}, timeout=20)
    except OSError:
        return "not installed"
    return (outcome.stdout + outcome.stderr).strip().partition("\n")[0]
