"""bench/RESULTS.md: the tables with the machine that they come from."""
from __future__ import annotations

from .results import Results
from .tables import Table, budgets_table, part_table


def report(results: Results) -> str:
    """The whole page."""
    lines = [
        "# What deployd costs, measured",
        "",
        "Made by `./dev bench`, which measures all of it again; `./dev bench --help` says how. Server and generator have a core",
        "each; those that are compared take turns round by round. CPU is the server's time for a request, user and system.",
        "",
        "| machine | |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in results.machine.items()),
    ]
    for table in (budgets_table(results), *(part_table(part) for part in results.parts.values())):
        lines += ["", *_section(table)]
    return "\n".join(lines) + "\n"


def _section(table: Table) -> list[str]:
    head, *rows = table.rows
    return [
        f"## {table.title}",
        "",
        *table.note.splitlines(),
        "",
        _row(head),
        "| --- " + "| ---: " * (len(head) - 1) + "|",
        *(_row(row) for row in rows),
    ]


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
