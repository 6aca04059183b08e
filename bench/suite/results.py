"""The results, kept in build/bench/results.json between runs. A part that runs again replaces its result."""
from __future__ import annotations

import dataclasses
import datetime
import json
import pathlib
import subprocess

from . import machine
from .contenders import Measurements, Outcome, Plan
from .figures import Figure, figure
from .workshop import ROOT

VERSION = 1


@dataclasses.dataclass
class PartResult:
    """The result of a part."""

    title: str
    command: str
    commit: str
    when: str
    rounds: int
    seconds: float
    measured: Measurements
    missing: dict[str, str]

    def values(self, name: str, what: str) -> list[float] | None:
        """The values of the rounds, if they were measured."""
        return self.measured.get(name, {}).get(what)

    def figure(self, name: str, what: str) -> Figure | None:
        """Their median and extremes."""
        values = self.values(name, what)
        return figure(values) if values else None


@dataclasses.dataclass
class Results:
    """All results of this machine."""

    machine: dict[str, str]
    parts: dict[str, PartResult] = dataclasses.field(default_factory=dict)

    def add(self, name: str, title: str, plan: Plan, outcome: Outcome) -> None:
        """Adds a part, or replaces the one with the same name."""
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

    def only(self, names: list[str]) -> Results:
        """Only these parts."""
        return Results(self.machine, {name: self.parts[name] for name in names})

    def write(self, file: pathlib.Path) -> None:
        """Writes the results as JSON."""
        file.write_text(json.dumps({"version": VERSION, **dataclasses.asdict(self)}, indent=1) + "\n")


def read(file: pathlib.Path) -> Results:
    """The results of earlier runs, except those of another machine or another version of the suite."""
    now = machine.description()
    try:
        kept = json.loads(file.read_text())
        if kept["version"] == VERSION and kept["machine"] == now:
            return Results(now, {name: PartResult(**part) for name, part in kept["parts"].items()})
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return Results(now)


def commit() -> str:
    """The measured commit, with a + if files other than the results differ from it."""
    known = _git("rev-parse", "--short=10", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)bench/RESULTS.md")
    return (known or "no commit") + ("+" if changed else "")


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()
