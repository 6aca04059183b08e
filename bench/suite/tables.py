"""The tables of all reports as rows of text: first the budgets, then each part."""
from __future__ import annotations

import dataclasses

from .budgets import verdicts
from .figures import Figure, ratio
from .results import PartResult, Results


@dataclasses.dataclass(frozen=True)
class Table:
    """A heading and rows of cells; the first row has the names of the columns."""

    title: str
    note: str
    rows: list[list[str]]


def budgets_table(results: Results) -> Table:
    """The budgets with their results."""
    rows = [["what", "asked", "measured", "spread", "", "command"]]
    for verdict in verdicts(results):
        measured = verdict.measured
        rows.append(
            [
                verdict.budget.what,
                verdict.budget.asked,
                f"{number(measured.median)} {verdict.budget.unit}".strip() if measured else "not measured",
                spread(measured) if measured else "",
                {True: "kept", False: "MISSED", None: ""}[verdict.kept],
                verdict.command,
            ]
        )
    return Table("Asked and measured", "Ratios are taken round by round; their median and half their range.", rows)


COLUMNS = [
    ("offered", "offered/s", "{:,.0f}"),
    ("rps", "requests/s", "{:,.0f}"),
    ("refused", "503/s", "{:,.0f}"),
    ("cpu_us", "CPU µs", "{:.2f}"),
    ("user_us", "user", "{:.2f}"),
    ("system_us", "system", "{:.2f}"),
    ("p50_us", "p50 µs", "{:,.0f}"),
    ("p99_us", "p99 µs", "{:,.0f}"),
    ("service_p99_us", "p99 µs from sending", "{:,.0f}"),
    ("p99_9_us", "p99.9 µs", "{:,.0f}"),
    ("rss_kib", "RSS MiB", "{:.1f}"),
    ("pss_kib", "PSS MiB", "{:.1f}"),
    ("generator_cpu", "generator", "{:.0%}"),
    ("resumed", "resumed", "{:.0%}"),
]


def part_table(part: PartResult) -> Table:
    """The compared servers, or the other figures of the part."""
    note = f"Medians of {part.rounds} rounds of {part.seconds:g} s. {part.when}, {part.commit}: {part.command}"
    for name, why in part.missing.items():
        note += f"\nWithout {name}: {why}"
    measured = part.measured
    if not any("cpu_us" in figures for figures in measured.values()):
        return Table(part.title, note, _other_rows(part))
    yardstick = "floor" if "floor" in measured else next(iter(measured), None)
    columns = [column for column in COLUMNS if any(column[0] in figures for figures in measured.values())]
    rows = [["", f"CPU / {yardstick}", *(title for _, title, _ in columns)]]
    for name, figures in measured.items():
        cells = [name, ""]
        if "cpu_us" in figures:
            cells[1] = with_spread(ratio(figures["cpu_us"], measured[yardstick]["cpu_us"]), "{:.2f}")
        for key, _, form in columns:
            scale = 1 / 1024 if key.endswith("_kib") else 1
            found = part.figure(name, key)
            if not found:
                cells.append("")
                continue
            scaled = Figure(found.median * scale, found.least * scale, found.most * scale)
            cells.append(with_spread(scaled, form) if key in ("rps", "cpu_us") else form.format(scaled.median))
        rows.append(cells)
    return Table(part.title, note, rows)


def _other_rows(part: PartResult) -> list[list[str]]:
    rows = [["", "figure", "median", "least", "most"]]
    for name, figures in part.measured.items():
        for what in figures:
            found = part.figure(name, what)
            rows.append([name, what, number(found.median), number(found.least), number(found.most)])
    return rows


def with_spread(found: Figure, form: str) -> str:
    """The median with its spread."""
    return f"{form.format(found.median)} {spread(found)}"


def spread(found: Figure) -> str:
    """Formats a spread, for example ± 2 %."""
    return f"± {found.spread * 100:.0f} %" if found.spread * 100 >= 9.5 else f"± {found.spread * 100:.1f} %"


def number(value: float) -> str:
    """Formats a number with three significant digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
