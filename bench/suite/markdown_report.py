"""bench/RESULTS.md: the tables, and the machine on which they were measured.

The page is its own memory: a run puts what it has measured in the place of what stands there and leaves the rest, so that
it does not take build/bench, nor a run of everything, to bring one part up to date.
"""
from __future__ import annotations

import re

from .budgets import verdicts
from .results import Results
from .tables import Table, budgets_table, part_table


class OtherMachine(Exception):
    """The page has figures of another machine that would not be replaced."""


def report(results: Results, titles: list[str], before: str = "") -> str:
    """The whole page: of the parts with these titles, in this order, what `results` has, and what stood there `before`.

    Raises `OtherMachine` rather than show figures of two machines as those of one.
    """
    sections = {part.title: _section(part_table(part)) for part in results.parts.values()}
    old_sections = _sections_of(before)
    machine = _machine(results)
    if machine not in before and any(title in old_sections and title not in sections for title in titles):
        raise OtherMachine
    shown = [found for title in titles if (found := sections.get(title) or old_sections.get(title))]
    budgets = _section(_with_old_rows(results, before))
    return "\n\n".join([HEAD, machine, budgets, *shown]) + "\n"


HEAD = """# What deployd costs, measured

Made by `./dev bench`, which measures all of it again; `./dev bench --help` says how. Server and generator have a core
each; those that are compared take turns round by round. CPU is the server's time for a request, user and system."""


def _machine(results: Results) -> str:
    return "\n".join(["| machine | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in results.machine.items())])


def _sections_of(page: str) -> dict[str, str]:
    """The sections of an earlier page by their titles."""
    return {text[: text.index("\n")]: f"## {text.strip()}" for text in re.split("^## ", page, flags=re.MULTILINE)[1:]}


def _with_old_rows(results: Results, page: str) -> Table:
    """The budgets, those of parts that `results` does not have as they stand on an earlier page."""
    table = budgets_table(results)
    head, *rows = table.rows
    lines = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    old_rows = {tuple(row[:2]): row for row in lines if len(row) == len(head)}
    for index, verdict in enumerate(verdicts(results)):
        if verdict.budget.part not in results.parts:
            rows[index] = old_rows.get(tuple(rows[index][:2]), rows[index])
    return Table(table.title, table.note, [head, *rows])


def _section(table: Table) -> str:
    head, *rows = table.rows
    return "\n".join(
        [
            f"## {table.title}",
            "",
            *table.note.splitlines(),
            "",
            _row(head),
            "| --- " + "| ---: " * (len(head) - 1) + "|",
            *(_row(row) for row in rows),
        ]
    )


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
