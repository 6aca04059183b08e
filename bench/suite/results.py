"""What was measured, kept in build/bench/results.json from run to run; a part that runs again replaces itself."""
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
    """A part as it was measured once."""

    title: str
    command: str
    commit: str
    when: str
    rounds: int
    seconds: float
    measured: Measurements
    missing: dict[str, str]

    def values(self, name: str, what: str) -> list[float] | None:
        """The values of the rounds, where they were measured."""
        return self.measured.get(name, {}).get(what)

    def figure(self, name: str, what: str) -> Figure | None:
        """Their median and extremes."""
        values = self.values(name, what)
        return figure(values) if values else None


@dataclasses.dataclass
class Results:
    """All parts that were measured on this machine."""

    machine: dict[str, str]
    parts: dict[str, PartResult] = dataclasses.field(default_factory=dict)

    def add(self, name: str, title: str, plan: Plan, outcome: Outcome) -> None:
        """Puts a part in the place of an earlier one of the same name."""
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
        """Those parts by themselves."""
        return Results(self.machine, {name: self.parts[name] for name in names})

    def write(self, file: pathlib.Path) -> None:
        """Writes all of it as JSON."""
        file.write_text(json.dumps({"version": VERSION, **dataclasses.asdict(self)}, indent=1) + "\n")


def read(file: pathlib.Path) -> Results:
    """What earlier runs left; nothing of another machine or another version of the suite."""
    now = machine.description()
    try:
        kept = json.loads(file.read_text())
        if kept["version"] == VERSION and kept["machine"] == now:
            return Results(now, {name: PartResult(**part) for name, part in kept["parts"].items()})
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return Results(now)


def commit() -> str:
    """The commit that is measured, with a + where the tree differs from it in more than the results themselves."""
    known = _git("rev-parse", "--short=10", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)bench/RESULTS.md")
    return (known or "no commit") + ("+" if changed else "")


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()
