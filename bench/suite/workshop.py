"""The environment of a run: programs, cores, the folder for results, and the running servers."""
from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import typing

from . import processes
from .servers import Server, ServerKind

ROOT = pathlib.Path(__file__).resolve().parents[2]


def say(text: str) -> None:
    """Reports progress on stderr; results go to stdout."""
    print(text, file=sys.stderr, flush=True)


class Workshop:
    """A context manager that ends everything it has started."""

    def __init__(self, quick: bool = False) -> None:
        self.quick = quick  # create nothing that takes minutes
        self.programs = ROOT / "build" / "release" / "bin"
        self.deployd = self.programs / "deployd"
        self.generator = self.programs / "deployd-bench"
        self.floor = self.programs / "bench-floor"
        self.folder = ROOT / "build" / "bench"
        self.all_cores = os.sched_getaffinity(0)
        if len(self.all_cores) < 2:
            raise processes.Failed("a server and its load need one core each, but this machine has only one core")
        first, second = sorted(self.all_cores)[:2]
        self.server_cores, self.generator_cores = {first}, {second}
        self._stack = contextlib.ExitStack()
        self._servers: dict[ServerKind, Server] = {}

    def __enter__(self) -> Workshop:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.scratch = pathlib.Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="deployd-bench-")))
        return self

    def __exit__(self, *problem: typing.Any) -> None:
        self.stop_servers()
        self._stack.close()

    def server(self, kind: ServerKind) -> Server:
        """The server of this kind, started if it is not running."""
        if kind not in self._servers:
            stack = contextlib.ExitStack()
            server = stack.enter_context(kind.serve(self))
            server.stack = stack
            self._servers[kind] = server
        return self._servers[kind]

    def stop(self, kind: ServerKind) -> None:
        """Ends the server of this kind if it runs."""
        server = self._servers.pop(kind, None)
        if server:
            server.stack.close()

    def stop_servers(self) -> None:
        """Ends all servers started by `server`."""
        for kind in list(self._servers):
            self.stop(kind)

    def log(self, name: str) -> pathlib.Path:
        """The log file of a server."""
        return self.scratch / f"{name}-{len(list(self.scratch.iterdir()))}.log"

    def build(self) -> None:
        """Builds the release programs. Raises `Failed` if the build fails."""
        for words in (
            ["cmake", "--preset", "release"],
            ["cmake", "--build", "--preset", "release", "--target", "deployd", "deployd-bench", "bench-floor"],
        ):
            outcome = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if outcome.returncode != 0:
                say(outcome.stdout)
                raise processes.Failed(f"'{' '.join(words)}' failed; see above")
