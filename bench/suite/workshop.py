"""The environment of a run: programs, cores, the folder for results, and the running servers."""
from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import typing

from .processes import Failed

ROOT = pathlib.Path(__file__).resolve().parents[2]


def say(text: str) -> None:
    """Reports progress on stderr; results go to stdout."""
    print(text, file=sys.stderr, flush=True)


class Kind(typing.Protocol):
    """Something that runs, with its configuration. Equal values are the same one."""

    def serve(self, workshop: Workshop) -> contextlib.AbstractContextManager: ...

    def __hash__(self) -> int: ...


class Workshop:
    """A context manager that ends everything it has started."""

    def __init__(self, quick: bool = False) -> None:
        self.quick = quick  # create nothing that takes minutes
        programs = ROOT / "build" / "release" / "bin"
        self.deployd = programs / "deployd"
        self.generator = programs / "deployd-bench"
        self.floor = programs / "bench-floor"
        self.folder = ROOT / "build" / "bench"
        self.all_cores = os.sched_getaffinity(0)
        if len(self.all_cores) < 2:
            raise Failed("a server and its load need one core each, but this machine has only one core")
        first, second = sorted(self.all_cores)[:2]
        self.server_cores, self.generator_cores = {first}, {second}
        self._stack = contextlib.ExitStack()
        self._running: dict[Kind, tuple[typing.Any, contextlib.ExitStack]] = {}

    def __enter__(self) -> Workshop:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.scratch = pathlib.Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="deployd-bench-")))
        return self

    def __exit__(self, *problem: typing.Any) -> None:
        self.stop_servers()
        self._stack.close()

    def server(self, kind: Kind) -> typing.Any:
        """What `kind` serves, started if it is not running."""
        if kind not in self._running:
            stack = contextlib.ExitStack()
            self._running[kind] = stack.enter_context(kind.serve(self)), stack
        return self._running[kind][0]

    def stop(self, kind: Kind) -> None:
        """Ends what `kind` serves."""
        _, stack = self._running.pop(kind)
        stack.close()

    def stop_servers(self) -> None:
        """Ends everything started by `server`, the latest first, since it may use an earlier one."""
        for kind in reversed(list(self._running)):
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
                raise Failed(f"'{' '.join(words)}' failed; see above")
