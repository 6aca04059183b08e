"""The original's stack, bench/peers/feathers/app.mjs, installed into the build tree from its lock file."""
import contextlib
import dataclasses
import hashlib
import os
import pathlib
import shutil
import time
from collections.abc import Iterator

from . import processes, stores
from .processes import find
from .servers import Server
from .workshop import ROOT, Workshop, say

SOURCE = ROOT / "bench" / "peers" / "feathers"
APP, *NEEDED = ("app.mjs", "package.json", "package-lock.json")


@dataclasses.dataclass(frozen=True)
class Feathers:
    """The app with the SQLite store of this size. Lean: without everything that a response does not need."""

    size: str = "100k"
    lean: bool = False

    @property
    def name(self) -> str:
        return "Feathers, lean" if self.lean else "Feathers"

    @contextlib.contextmanager
    def serve(self, workshop: Workshop) -> Iterator[Server]:
        node = find("node", "nodejs")
        app = installed(workshop)
        stores.sqlite_store(workshop, self.size)
        port, log = processes.free_port(), workshop.log("feathers")
        arguments = [node, app, str(port), stores.sqlite_file(workshop, self.size), *(["--lean"] if self.lean else [])]
        environment = {**os.environ, "NODE_ENV": "production"}
        with processes.serving(arguments, port, workshop.server_cores, log, env=environment) as process:
            yield Server(self.name, f"http://127.0.0.1:{port}", _token(log), process.pid)


def _token(log: pathlib.Path) -> str:
    """The first line that it prints."""
    deadline = time.monotonic() + 10
    while not (text := log.read_text()).endswith("\n"):
        if time.monotonic() > deadline:
            raise processes.Failed("Feathers prints no token")
        time.sleep(0.01)
    return text.splitlines()[0]


def installed(workshop: Workshop) -> pathlib.Path:
    """The app with its npm packages, which are installed if they are missing."""
    hashed = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in NEEDED)).hexdigest()[:16]
    folder = workshop.folder / f"feathers-{hashed}"
    if not folder.exists():
        if workshop.quick:
            raise processes.Failed("it is not installed yet; run './dev bench --only one', which takes some minutes")
        new = workshop.folder / "feathers.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        _install(workshop, new)
        new.rename(folder)
    return pathlib.Path(shutil.copy(SOURCE / APP, folder))


def _install(workshop: Workshop, folder: pathlib.Path) -> None:
    say("  installing the original's stack from npm; better-sqlite3 is compiled, which takes some minutes ...")
    npm, node = find("npm", "npm"), find("node", "nodejs")
    for name in NEEDED:
        shutil.copy(SOURCE / name, folder)
    # The library is compiled here against the headers of this Node, instead of downloading a prebuilt one.
    prefix = pathlib.Path(os.path.realpath(node)).parents[1]
    for words in (
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        ["rebuild", "better-sqlite3", f"--nodedir={prefix}", "--build-from-source"],
    ):
        processes.output_of([npm, *words], workshop.all_cores, cwd=folder)
    if not (folder / "node_modules/better-sqlite3/build/Release/better_sqlite3.node").exists():
        raise processes.Failed("npm did not compile better-sqlite3; it needs Node's headers, make and a C++ compiler")
