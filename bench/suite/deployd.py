"""deployd in its configurations."""
from __future__ import annotations

import contextlib
import dataclasses
import pathlib
from collections.abc import Iterator

from . import processes, stores
from .certificates import certificate
from .servers import Server
from .workshop import Workshop


@dataclasses.dataclass(frozen=True)
class Deployd:
    """deployd with a SQLite store of this size."""

    size: str = "100k"
    cache: bool = True
    workers: int = 1
    tls: bool = False

    @property
    def name(self) -> str:
        words = "deployd" if self.cache else "deployd, cache off"
        return words if self.workers == 1 else f"{words}, {self.workers} workers"

    @contextlib.contextmanager
    def serve(self, workshop: Workshop) -> Iterator[Server]:
        store = stores.sqlite_store(workshop, self.size)
        cores = workshop.server_cores if self.workers == 1 else workshop.all_cores
        options = [] if self.cache else ["--cache-bytes", "0"]
        authority = None
        if self.tls:
            files = certificate(workshop)
            options += ["--tls-cert", str(files.chain), "--tls-key", str(files.key)]
            authority = files.chain
        options += ["--workers", str(self.workers)]
        with serving(workshop, self.name, store, cores, options, authority) as server:
            yield server


@contextlib.contextmanager
def serving(
    workshop: Workshop,
    name: str,
    store: stores.Store,
    cores: set[int],
    options: list[str],
    authority: pathlib.Path | None = None,
) -> Iterator[Server]:
    """deployd with any store on a free port, over TLS if `authority` is given."""
    port, log = processes.free_port(), workshop.log("deployd")
    arguments = [workshop.deployd, "serve", "--database", store.database, "--listen", f"127.0.0.1:{port}"]
    arguments += ["--max-connections", "30000", "--idle-timeout", "1h", *options]
    with processes.running(arguments, cores, log) as process:
        processes.wait_until_it_listens(process, port, log)
        scheme = "https" if authority else "http"
        yield Server(name, f"{scheme}://127.0.0.1:{port}", store.token, process.pid, authority)
