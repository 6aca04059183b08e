"""build/bench/report.html: the budgets, and a plot and a table for each part, in one file without network access."""
from __future__ import annotations

import html

from .budgets import Verdict, verdicts
from .figures import Figure
from .results import PartResult, Results
from .tables import Table, number, part_table, spread

STYLE = """
:root { color-scheme: light dark; --ink: #1b2430; --soft: #66717f; --paper: #fff; --line: #e3e7ec; --tile: #f5f7f9;
  --user: #0b6bcb; --system: #8db9e8; --bad: #cc2936; --good: #1a7f4b; --bar: #7b8794; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf0; --soft: #98a3b1; --paper: #14181d; --line: #2b323b;
  --tile: #1d232a; --user: #5aa9f5; --system: #2f5f92; --bad: #ff6b75; --good: #5fcf92; --bar: #7b8794; } }
body { margin: 0 auto; max-width: 1080px; padding: 28px 20px 60px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 40px 0 2px; } p { margin: 4px 0 10px; }
.soft { color: var(--soft); } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; margin-top: 10px; }
td, th { padding: 3px 12px 3px 0; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
td:first-child, th:first-child { text-align: left; } th { color: var(--soft); font-weight: 500; }
.kept { color: var(--good); font-weight: 600; } .missed { color: var(--bad); font-weight: 600; }
svg { display: block; width: 100%; height: auto; margin: 8px 0; } svg text { fill: var(--ink); font-size: 13px; }
svg .soft { fill: var(--soft); } .user { fill: var(--user); } .system { fill: var(--system); } .bar { fill: var(--bar); }
.fill-kept { fill: var(--good); } .fill-missed { fill: var(--bad); }
.rule { stroke: var(--line); } .bound { stroke: var(--ink); stroke-width: 2; stroke-dasharray: 4 3; }
.whisker { stroke: var(--ink); stroke-width: 1.5; } .key { display: inline-block; width: 12px; height: 12px; margin: 0 4px 0 14px; }
"""
WIDTH, LEFT, RIGHT, ROW = 1040, 300, 150, 26
BUDGETS_LEFT = 490  # the descriptions need space


def report(results: Results) -> str:
    """The whole page."""
    found = verdicts(results)
    measured = [verdict for verdict in found if verdict.kept is not None]
    kept = sum(verdict.kept for verdict in measured)
    parts = "".join(_part(part) for part in results.parts.values())
    machine = ", ".join((results.machine["processor"], f"{results.machine['cores']} cores", results.machine["kernel"]))
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>What deployd costs</title>\n<style>{STYLE}</style>\n<h1>What deployd costs, measured</h1>\n"
        f'<p class="soft">{html.escape(machine)}. Server and load have a core each; those that are compared take turns, round '
        "by round. Whoever is compared serves the same bytes.</p>\n"
        f"<p><b>{kept} of {len(measured)} budgets are kept.</b> The dashed line is what is asked, a bar what was measured, as a "
        "share of it: where less is asked for, a bar that ends before the line keeps it; where more is asked for (≥), one "
        "that passes it. The thin line is the range of the rounds.</p>\n"
        f"{_budgets_plot(measured)}{_not_measured(found)}{parts}"
        f"<h2>Where this comes from</h2>\n{_machine(results)}</html>\n"
    )


def _budgets_plot(measured: list[Verdict]) -> str:
    scale = (WIDTH - BUDGETS_LEFT - RIGHT - 100) / 2  # twice the bound is the full width
    begin = BUDGETS_LEFT + 100
    at_bound = begin + scale
    height = ROW * len(measured) + 10
    svg = [f'<line class="bound" x1="{at_bound}" x2="{at_bound}" y1="0" y2="{height}"/>']
    for row, verdict in enumerate(measured):
        share = [min(max(value / verdict.budget.bound, 0), 2) for value in _values(verdict.measured)]
        words = f"{number(verdict.measured.median)} {verdict.budget.unit}  {spread(verdict.measured)}"
        colour = "fill-kept" if verdict.kept else "fill-missed"
        svg.append(
            _text(begin - 10, row, verdict.budget.asked, "end")
            + _text(0, row, verdict.budget.what)
            + _bar(begin, row, 0, share[0] * scale, colour)
            + _whisker(begin + share[1] * scale, begin + share[2] * scale, row)
            + _text(WIDTH - RIGHT + 8, row, words)
        )
    return _svg(height, svg)


def _part(part: PartResult) -> str:
    table = part_table(part)
    notes = "".join(f'<p class="soft">{html.escape(line)}</p>\n' for line in table.note.splitlines())
    return f"<h2>{html.escape(part.title)}</h2>\n{notes}{_cpu_plot(part)}{_table(table)}"


def _cpu_plot(part: PartResult) -> str:
    rows = [(name, part.figure(name, "cpu_us")) for name in part.measured if part.figure(name, "cpu_us")]
    if not rows:
        return ""
    # A server that costs many times as much as the others is cut off at the edge, so that the others stay visible.
    costs = sorted(found.median for _, found in rows)
    most = min(costs[-1], costs[len(costs) // 2] * 6) * 1.08
    scale = (WIDTH - LEFT - RIGHT) / most
    svg = []
    for row, (name, found) in enumerate(rows):
        user, system = part.figure(name, "user_us").median, part.figure(name, "system_us").median
        share = found.median / (user + system) if user + system else 1
        width = min(found.median, most) * scale
        parted = min(user * share * scale, width)
        svg.append(
            _text(LEFT - 8, row, name, "end")
            + _bar(LEFT, row, 0, parted, "user")
            + _bar(LEFT, row, parted, width - parted, "system")
            + _whisker(LEFT + min(found.least, most) * scale, LEFT + min(found.most, most) * scale, row)
            + _text(LEFT + max(width, min(found.most, most) * scale) + 8, row, f"{number(found.median)} µs")
        )
    key = (
        '<p class="soft">CPU of the server for a request:<span class="key" style="background:var(--user)"></span>user'
        '<span class="key" style="background:var(--system)"></span>kernel</p>\n'
    )
    return key + _svg(ROW * len(rows) + 6, svg)


def _values(found: Figure) -> tuple[float, float, float]:
    return found.median, found.least, found.most


def _text(x: float, row: int, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{row * ROW + 18}" text-anchor="{anchor}">{html.escape(words)}</text>'


def _bar(left: float, row: int, begin: float, width: float, colour: str) -> str:
    return f'<rect class="{colour}" x="{left + begin:.1f}" y="{row * ROW + 6}" width="{max(width, 0):.1f}" height="15"/>'


def _whisker(begin: float, end: float, row: int) -> str:
    y = row * ROW + 13.5
    return f'<line class="whisker" x1="{begin:.1f}" x2="{end:.1f}" y1="{y}" y2="{y}"/>'


def _svg(height: float, pieces: list[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{"".join(pieces)}</svg>\n'


def _not_measured(found: list[Verdict]) -> str:
    missing = [verdict.budget.what for verdict in found if verdict.kept is None]
    return f'<p class="soft">Not measured: {html.escape("; ".join(missing))}.</p>\n' if missing else ""


def _table(table: Table) -> str:
    head, *rows = table.rows
    lines = ["".join(f"<th>{html.escape(cell)}</th>" for cell in head)]
    lines += ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows]
    return '<div class="wide"><table>' + "".join(f"<tr>{line}</tr>\n" for line in lines) + "</table></div>\n"


def _machine(results: Results) -> str:
    rows = [["", ""], *([name, value] for name, value in results.machine.items())]
    return _table(Table("", "", rows))
