"""A PostgreSQL server of the suite, with deployd and pgbench."""
from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import pathlib
import pwd
import re
import shutil
import time
from collections.abc import Iterator

from . import answers, deployd, processes, stores
from .contenders import WARM_UP, Outcome, Plan
from .load import Load, apply
from .servers import Server
from .workshop import Workshop, say

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


@contextlib.contextmanager
def cluster(workshop: Workshop, cores: set[int]) -> Iterator[str]:
    """Runs an empty server on a Unix socket until the block is left; gives the folder of the socket."""
    folder = workshop.scratch / "postgresql"
    folder.mkdir(mode=0o755)
    workshop.scratch.chmod(0o755)
    prefix = ["setpriv", "--pdeathsig", "QUIT"]
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        prefix += ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
    data, log = folder / "data", workshop.log("postgresql")
    initdb = [*prefix, programs() / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C"]
    outcome = processes.run([*initdb, "--no-sync"], workshop.all_cores, cwd="/")
    if outcome.returncode != 0:
        raise processes.Failed(f"initdb: {outcome.stderr.strip()}")
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(f"{SETTINGS}unix_socket_directories = '{folder}'\n")
    server = [*prefix, programs() / "postgres", "-D", data]
    with processes.running(server, cores, log, cwd="/"):
        deadline = time.monotonic() + 30
        while processes.run([programs() / "pg_isready", "-q", "-h", folder], workshop.all_cores).returncode != 0:
            if time.monotonic() > deadline:
                raise processes.Failed(f"PostgreSQL does not start: {log.read_text()[-300:]}")
            time.sleep(0.05)
        yield str(folder)
    shutil.rmtree(folder)


def client(workshop: Workshop, socket: str, program: str, *words: str) -> str:
    """Runs one of PostgreSQL's programs on the database and returns its output. Raises `Failed` with its error."""
    arguments = [programs() / program, "-h", socket, "-U", "postgres", *words]
    outcome = processes.run(arguments, workshop.all_cores)
    if outcome.returncode != 0:
        raise processes.Failed(f"{program}: {outcome.stderr.strip()}")
    return outcome.stdout


def filled(workshop: Workshop, socket: str) -> stores.Store:
    """A store of `ROWS` deployments in a new database."""
    client(workshop, socket, "psql", "-qc", "CREATE DATABASE deployd", "postgres")
    database = f"postgresql:///deployd?host={socket}&user=postgres"
    stores.fill(workshop, database, ROWS)
    client(workshop, socket, "psql", "-qc", "VACUUM ANALYZE", "deployd")
    return stores.Store(database, stores.make_token(workshop, database), ROWS)


@dataclasses.dataclass(frozen=True)
class OverPostgresql:
    """deployd and PostgreSQL on the same core."""

    cache: bool = True

    @contextlib.contextmanager
    def serve(self, workshop: Workshop) -> Iterator[Server]:
        cores = workshop.server_cores
        options = ["--workers", "1", "--store-sessions", "8", *([] if self.cache else ["--cache-bytes", "0"])]
        with cluster(workshop, cores) as socket:
            with deployd.serving(workshop, "deployd over PostgreSQL", filled(workshop, socket), cores, options) as server:
                yield server


def measure(workshop: Workshop, plan: Plan) -> Outcome:
    """Measures deployd with and without the cache, and pgbench, in turn, on all cores."""
    outcome = Outcome()
    with contextlib.ExitStack() as stack:
        socket = stack.enter_context(cluster(workshop, workshop.all_cores))
        store = filled(workshop, socket)
        client(workshop, socket, "psql", "-qc", "CREATE DATABASE pgbench", "postgres")
        client(workshop, socket, "pgbench", "-q", "-i", "-s", "1", "pgbench")
        serve = functools.partial(deployd.serving, workshop, store=store, cores=workshop.all_cores)
        options = ["--workers", "1", "--store-sessions", "8"]
        warm = stack.enter_context(serve(name="deployd", options=options))
        off = stack.enter_context(serve(name="deployd, cache off", options=[*options, "--cache-bytes", "0"]))
        one = Load(answers.one(f"{{1..{answers.IDS}}}"), anywhere=True)
        every = dataclasses.replace(one, target=answers.one(f"{{1..{ROWS}}}"))
        turns: list[tuple[Server, Load]] = [(warm, one), (off, every)]
        for server, load in turns:
            apply(load, server, workshop, 5 * WARM_UP)
        for number in range(plan.rounds):
            say(f"  round {number + 1} of {plan.rounds}")
            for server, load in turns:
                apply(load, server, workshop, WARM_UP)
                outcome.add(server.name, apply(load, server, workshop, plan.seconds))
            outcome.add("pgbench -S -M prepared, 8 clients", _pgbench(workshop, socket, plan))
    return outcome


def _pgbench(workshop: Workshop, socket: str, plan: Plan) -> dict[str, float]:
    seconds = str(max(1, round(plan.seconds)))
    said = client(workshop, socket, "pgbench", "-n", "-S", "-M", "prepared", "-c", "8", "-T", seconds, "pgbench")
    return {"rps": float(re.search(r"^tps = ([0-9.]+)", said, re.MULTILINE)[1])}
