"""The SQLite stores, kept between runs, and their tokens."""
from __future__ import annotations

import dataclasses
import pathlib
import shutil
import subprocess
import time

from . import data, processes
from .workshop import Workshop, say

SIZES = {"1k": 1_000, "100k": 100_000, "10m": 10_000_000}


@dataclasses.dataclass(frozen=True)
class Store:
    """A store with data and an API token."""

    database: str  # for --database
    token: str
    rows: int


def sqlite_file(workshop: Workshop, size: str) -> pathlib.Path:
    """The path of the store of a size."""
    return workshop.folder / "stores" / f"{size}-v{data.VERSION}" / "deployd.db"


def sqlite_store(workshop: Workshop, size: str) -> Store:
    """The store of one of `SIZES`, created if it is missing."""
    file = sqlite_file(workshop, size)
    folder = file.parent
    token = folder / "token"
    database = f"sqlite:{file}"
    if not token.exists():
        # Created under another name and moved, so that it is never incomplete.
        new = folder.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        fill(workshop, f"sqlite:{new / file.name}", SIZES[size])
        (new / token.name).write_text(make_token(workshop, f"sqlite:{new / file.name}"))
        (new / token.name).chmod(0o600)
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
    deployd(workshop, "migrate", "--database", database)
    return Store(database, token.read_text().strip(), SIZES[size])


def fill(workshop: Workshop, database: str, rows: int) -> None:
    """Imports data with this many rows."""
    say(f"Creating a store of {rows:,} deployments ...")
    began = time.monotonic()
    importing = subprocess.Popen(
        [workshop.deployd, "import", "--database", database, "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        for lines in data.ndjson(rows):
            importing.stdin.write(lines)
        _, err = importing.communicate()
    except BrokenPipeError:
        err = importing.stderr.read()
        importing.wait()
    finally:
        processes.end(importing)
    if importing.returncode != 0:
        raise processes.Failed(f"deployd import: {err.strip()}")
    say(f"  took {time.monotonic() - began:.1f} s")


def make_token(workshop: Workshop, database: str) -> str:
    """Creates an API token in the store."""
    return deployd(workshop, "token", "create", "--database", database, "--name", "bench").strip()


def deployd(workshop: Workshop, *words: str) -> str:
    """Runs a command of deployd and returns its output. Raises `Failed` with its error."""
    outcome = processes.run([workshop.deployd, *words], workshop.all_cores)
    if outcome.returncode != 0:
        raise processes.Failed(f"deployd {words[0]}: {outcome.stderr.strip()}")
    return outcome.stdout
