"""Where the suite works: the programs, the cores, the folder for what it keeps, and the servers that run now."""
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
    """Tells the user what goes on; results stand on stdout."""
    print(text, file=sys.stderr, flush=True)


class Workshop:
    """To be used as a context: what it has started has ended when the block is left."""

    def __init__(self, quick: bool = False) -> None:
        self.quick = quick  # nothing that takes minutes is made for this run
        self.programs = ROOT / "build" / "release" / "bin"
        self.deployd = self.programs / "deployd"
        self.generator = self.programs / "deployd-bench"
        self.floor = self.programs / "bench-floor"
        self.folder = ROOT / "build" / "bench"
        self.all_cores = os.sched_getaffinity(0)
        if len(self.all_cores) < 2:
            raise processes.Failed("a server and its load need a core each, and there is only one here")
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
        """The server of this kind, started unless it runs already."""
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
        """Ends all that `server` has started."""
        for kind in list(self._servers):
            self.stop(kind)

    def log(self, name: str) -> pathlib.Path:
        """A file for what a server says."""
        return self.scratch / f"{name}-{len(list(self.scratch.iterdir()))}.log"

    def build(self) -> None:
        """Builds the release programs. `Failed` when that does not work."""
        for words in (
            ["cmake", "--preset", "release"],
            ["cmake", "--build", "--preset", "release", "--target", "deployd", "deployd-bench", "bench-floor"],
        ):
            outcome = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if outcome.returncode != 0:
                say(outcome.stdout)
                raise processes.Failed(f"'{' '.join(words)}' failed; its words stand above")
