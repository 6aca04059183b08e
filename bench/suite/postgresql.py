"""A PostgreSQL server of the suite, with deployd and pgbench."""
import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import time
from collections.abc import Iterator

from . import answers, processes, servers, stores
from .contenders import WARM_UP, Contender, Outcome, Plan, loaded, take_turns
from .load import Load
from .workshop import Workshop

ROWS = 100_000  # the size of pgbench's table at scale 1
SETTINGS = """
listen_addresses = ''
unix_socket_permissions = 0777
shared_buffers = 256MB
fsync = off
autovacuum = off
max_connections = 60
"""


def programs() -> pathlib.Path:
    """The folder with the programs of the newest installed PostgreSQL."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: float(file.parts[-3]))
    if not found:
        raise processes.Failed("PostgreSQL is not installed (package postgresql)")
    return found[-1].parent


@dataclasses.dataclass(frozen=True)
class Database:
    """A running PostgreSQL server with a store of `ROWS` deployments."""

    socket: pathlib.Path  # the folder of its Unix socket
    pid: int
    store: stores.Store


@dataclasses.dataclass(frozen=True)
class Postgresql:
    """PostgreSQL on all cores, or on that of the servers."""

    everywhere: bool

    @contextlib.contextmanager
    def serve(self, workshop: Workshop) -> Iterator[Database]:
        folder = workshop.scratch / "postgresql"
        folder.mkdir(mode=0o755)
        workshop.scratch.chmod(0o755)
        user = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(folder, "postgres", "postgres")
            user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        data, log = folder / "data", workshop.log("postgresql")
        initdb = [programs() / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C"]
        processes.output_of([*initdb, "--no-sync"], workshop.all_cores, cwd="/", **user)
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(f"{SETTINGS}unix_socket_directories = '{folder}'\n")
        cores = workshop.all_cores if self.everywhere else workshop.server_cores
        with processes.running([programs() / "postgres", "-D", data], cores, log, cwd="/", **user) as process:
            deadline = time.monotonic() + 30
            while processes.run([programs() / "pg_isready", "-q", "-h", folder], workshop.all_cores).returncode != 0:
                if time.monotonic() > deadline:
                    raise processes.Failed(f"PostgreSQL does not start: {log.read_text()[-300:]}")
                time.sleep(0.05)
            client(workshop, folder, "psql", "-qc", "CREATE DATABASE deployd", "postgres")
            store = stores.fill(workshop, f"postgresql:///deployd?host={folder}&user=postgres", ROWS)
            client(workshop, folder, "psql", "-qc", "VACUUM ANALYZE", "deployd")
            yield Database(folder, process.pid, store)
        shutil.rmtree(folder)


def client(workshop: Workshop, socket: pathlib.Path, program: str, *words: str) -> str:
    """Runs one of PostgreSQL's programs on the database and returns its output."""
    return processes.output_of([programs() / program, "-h", socket, "-U", "postgres", *words], workshop.all_cores)


@dataclasses.dataclass(frozen=True)
class OverPostgresql:
    """deployd and PostgreSQL, both on all cores or on the same core."""

    cache: bool = True
    everywhere: bool = False

    @property
    def name(self) -> str:
        return "deployd" if self.cache else "deployd, cache off"

    def serve(self, workshop: Workshop) -> contextlib.AbstractContextManager[servers.Server]:
        cores = workshop.all_cores if self.everywhere else workshop.server_cores
        options = ["--workers", "1", "--store-sessions", "8", *([] if self.cache else ["--cache-bytes", "0"])]
        store = workshop.server(Postgresql(self.everywhere)).store
        return servers.deployd(workshop, self.name, store, cores, options)


def measure(workshop: Workshop, plan: Plan) -> Outcome:
    """Measures deployd with and without the cache, and pgbench, in turn, on all cores."""
    socket = workshop.server(Postgresql(everywhere=True)).socket
    client(workshop, socket, "psql", "-qc", "CREATE DATABASE pgbench", "postgres")
    client(workshop, socket, "pgbench", "-q", "-i", "-s", "1", "pgbench")

    def pgbench(seconds: float) -> dict[str, float]:
        words = ["-n", "-S", "-M", "prepared", "-c", "8", "-T", str(max(1, round(seconds)))]
        said = client(workshop, socket, "pgbench", *words, "pgbench")
        return {"rps": float(re.search(r"^tps = ([0-9.]+)", said, re.MULTILINE)[1])}

    one = Load(answers.one(f"{{1..{answers.IDS}}}"), anywhere=True)
    every = dataclasses.replace(one, target=answers.one(f"{{1..{ROWS}}}"))
    return take_turns(
        plan,
        [
            loaded(workshop, OverPostgresql(everywhere=True), one, begin=5 * WARM_UP),
            loaded(workshop, OverPostgresql(cache=False, everywhere=True), every, begin=5 * WARM_UP),
            Contender("pgbench -S -M prepared, 8 clients", pgbench, begin=0, warm_up=0),
        ],
    )
