"""The floor, bench/floor.cpp: a program that only waits, reads and writes."""
from __future__ import annotations

import contextlib
import dataclasses
import pathlib
from collections.abc import Iterator

from . import processes
from .servers import Server
from .workshop import Workshop


@dataclasses.dataclass(frozen=True)
class Floor:
    """A floor that answers everything with the bytes of this file."""

    body: pathlib.Path
    name: str = "floor"

    @contextlib.contextmanager
    def serve(self, workshop: Workshop) -> Iterator[Server]:
        port, log = processes.free_port(), workshop.log("floor")
        arguments = [workshop.floor, str(port), self.body]
        with processes.running(arguments, workshop.server_cores, log) as process:
            processes.wait_until_it_listens(process, port, log)
            yield Server(self.name, f"http://127.0.0.1:{port}", "unchecked", process.pid)
