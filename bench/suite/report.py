"""The results as Markdown: the budgets, then a table for each part.

bench/RESULTS.md is its own memory: a run replaces what it has measured and keeps the rest.
"""
import dataclasses
import re

from .budgets import BUDGETS
from .results import Figure, PartResult, Results, figure, ratio


@dataclasses.dataclass(frozen=True)
class Table:
    """A heading and rows of cells; the first row has the names of the columns."""

    title: str
    note: str
    rows: list[list[str]]


class OtherMachine(Exception):
    """The page has figures of another machine that would not be replaced."""


def page(results: Results, titles: list[str], before: str = "") -> str:
    """The whole page: of the parts with these titles, in this order, what `results` has, and what stood there `before`.

    Raises `OtherMachine` rather than show figures of two machines as those of one.
    """
    sections = {part.title: _section(part_table(part)) for part in results.parts.values()}
    old_sections = {text[: text.index("\n")]: f"## {text.strip()}" for text in re.split("^## ", before, flags=re.MULTILINE)[1:]}
    machine = _table([["machine", ""], *map(list, results.machine.items())])
    if machine not in before and any(title in old_sections and title not in sections for title in titles):
        raise OtherMachine
    shown = [found for title in titles if (found := sections.get(title) or old_sections.get(title))]
    return "\n\n".join([HEAD, machine, _section(budgets_table(results, before)), *shown]) + "\n"


HEAD = """# What deployd costs, measured

Made by `./dev bench`, which measures all of it again; `./dev bench --help` says how. Server and generator have a core
each; those that are compared take turns round by round. CPU is the server's time for a request, user and system."""


def budgets_table(results: Results, before: str = "") -> Table:
    """The budgets with their results; those of parts that were not measured as they stand on an earlier page."""
    rows = [["what", "asked", "measured", "spread", "", "command"]]
    lines = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in before.splitlines() if line.startswith("| ")]
    old_rows = {tuple(row[:2]): row for row in lines if len(row) == len(rows[0])}
    for budget in BUDGETS:
        part = results.parts.get(budget.part)
        measured = budget.measured(part) if part else None
        row = [budget.what, budget.asked, "not measured", "", "", part.command if part else f"./dev bench --only {budget.part}"]
        if measured:
            row[2:5] = [f"{number(measured.median)} {budget.unit}", spread(measured), "kept" if budget.kept(measured) else "MISSED"]
        rows.append(row if part else old_rows.get(tuple(row[:2]), row))
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
    yardstick = "floor" if "floor" in measured else next(iter(measured))
    columns = [column for column in COLUMNS if any(column[0] in figures for figures in measured.values())]
    rows = [["", f"CPU / {yardstick}", *(title for _, title, _ in columns)]]
    for name, figures in measured.items():
        cells = [name, ""]
        if "cpu_us" in figures:
            cells[1] = with_spread(ratio(figures["cpu_us"], measured[yardstick]["cpu_us"]), "{:.2f}")
        for key, _, form in columns:
            if key not in figures:
                cells.append("")
                continue
            scale = 1 / 1024 if key.endswith("_kib") else 1
            found = figure([value * scale for value in figures[key]])
            cells.append(with_spread(found, form) if key in ("rps", "cpu_us") else form.format(found.median))
        rows.append(cells)
    return Table(part.title, note, rows)


def _other_rows(part: PartResult) -> list[list[str]]:
    rows = [["", "figure", "median", "least", "most"]]
    for name, figures in part.measured.items():
        for what, values in figures.items():
            found = figure(values)
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


def _section(table: Table) -> str:
    return f"## {table.title}\n\n{table.note}\n\n{_table(table.rows)}"


def _table(rows: list[list[str]]) -> str:
    """A Markdown table whose columns are aligned, so that it can be read on a terminal."""
    rows = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(3, *map(len, column)) for column in zip(*rows)]
    rows.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    lines = ([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
