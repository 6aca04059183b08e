"""The tables as text for a terminal."""
from __future__ import annotations

from .results import Results
from .tables import Table, budgets_table, part_table


def report(results: Results, parts: list[str]) -> str:
    """The budgets, then the named parts."""
    tables = [budgets_table(results), *(part_table(results.parts[name]) for name in parts)]
    return "\n\n".join(_text(table) for table in tables)


def _text(table: Table) -> str:
    widths = [max(len(row[column]) for row in table.rows) for column in range(len(table.rows[0]))]
    lines = [table.title, *table.note.splitlines(), ""]
    for row in table.rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)
