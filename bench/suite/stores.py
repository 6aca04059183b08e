"""The SQLite stores, kept between runs, and their tokens."""
import dataclasses
import pathlib
import shutil
import tempfile
import time

from . import data, processes
from .workshop import Workshop, say

SIZES = {"1k": 1_000, "100k": 100_000, "10m": 10_000_000}


@dataclasses.dataclass(frozen=True)
class Store:
    """A store with data and an API token."""

    database: str  # for --database
    token: str


def sqlite_file(workshop: Workshop, size: str) -> pathlib.Path:
    """The path of the store of a size."""
    return workshop.folder / "stores" / f"{size}-v{data.VERSION}" / "deployd.db"


def sqlite_store(workshop: Workshop, size: str) -> Store:
    """The store of one of `SIZES`, created if it is missing."""
    file = sqlite_file(workshop, size)
    token = file.with_name("token")
    if not token.exists():
        # Created under another name and moved, so that it is never incomplete.
        new = file.parent.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        filled = fill(workshop, f"sqlite:{new / file.name}", SIZES[size])
        (new / token.name).write_text(filled.token)
        (new / token.name).chmod(0o600)
        shutil.rmtree(file.parent, ignore_errors=True)
        new.rename(file.parent)
    store = Store(f"sqlite:{file}", token.read_text())
    _deployd(workshop, "migrate", "--database", store.database)
    return store


def fill(workshop: Workshop, database: str, rows: int) -> Store:
    """Imports data with this many rows, and creates a token."""
    say(f"Creating a store of {rows:,} deployments ...")
    began = time.monotonic()
    with tempfile.TemporaryFile("w+", dir=workshop.folder) as lines:
        lines.writelines(data.ndjson(rows))
        lines.seek(0)
        _deployd(workshop, "import", "--database", database, "-", stdin=lines)
    token = _deployd(workshop, "token", "create", "--database", database, "--name", "bench").strip()
    say(f"  took {time.monotonic() - began:.1f} s")
    return Store(database, token)


def _deployd(workshop: Workshop, *words: str, **options) -> str:
    return processes.output_of([workshop.deployd, *words], workshop.all_cores, **options)
