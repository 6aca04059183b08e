"""The rows of the stores. They are always the same for a size.

A hundred deployments have a pattern each, but for one pattern of ten thousand and one of a million where the size allows
them. The rows of a pattern lie scattered over the table, as they do in a store that has grown, so that a list is a
hundred look-ups in different places for SQLite: the harder case.
"""
from collections.abc import Iterator

VERSION = 2  # a store of another version is created again
LONG, LONGEST = 10_000, 1_000_000
STRIDE = 6_180_341  # a prime that divides none of the sizes, so that it visits every row of the table once
STAGES = ("DEV", "TEST", "UAT", "PROD")


def pattern_name(number: int | str) -> str:
    """The name of a pattern with a hundred deployments, counted from 1."""
    return f"CORE_DV_HLS_{number}"


LONG_PATTERN, LONGEST_PATTERN = "ALL_OF_STAGE", "ALL_OF_HISTORY"


def small_patterns(rows: int) -> int:
    """The number of patterns with a hundred deployments in a store with this many rows."""
    return sum(count == 100 for _, count in _patterns(rows))


def _patterns(rows: int) -> Iterator[tuple[str, int]]:
    left = rows
    for name, count in ((LONGEST_PATTERN, LONGEST), (LONG_PATTERN, LONG)):
        if count < rows:
            yield name, count
            left -= count
    for number in range(1, left // 100 + 1):
        yield pattern_name(number), 100


def ndjson(rows: int) -> Iterator[str]:
    """The input of `deployd import`, some thousand lines at a time. `rows` is a multiple of 100."""
    pattern_of_place: list[int] = []
    lines = []
    for pattern, (name, count) in enumerate(_patterns(rows), start=1):
        lines.append(f'{{"pattern":{{"id":{pattern},"name":"{name}"}}}}\n')
        pattern_of_place.extend([pattern] * count)
    for number in range(1, rows + 1):
        pattern = pattern_of_place[number * STRIDE % rows]
        lines.append(
            f'{{"deployment":{{"id":{number},"pattern_id":{pattern},'
            f'"name":"load to {STAGES[number % 4]} {number:08d}"}}}}\n'
        )
        if len(lines) >= 5000:
            yield "".join(lines)
            lines.clear()
    yield "".join(lines)
