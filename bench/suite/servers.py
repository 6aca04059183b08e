"""deployd in its configurations, nginx, and the floor."""
import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Iterator

from . import processes, stores
from .workshop import ROOT, Workshop

NGINX = ROOT / "bench" / "peers" / "nginx.conf.in"


@dataclasses.dataclass(frozen=True)
class Server:
    """A running server with its `url`."""

    name: str
    url: str
    token: str
    pid: int  # the parent of all its processes
    authority: pathlib.Path | None = None  # trusted by its clients, if it uses TLS


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

    def serve(self, workshop: Workshop) -> contextlib.AbstractContextManager[Server]:
        store = stores.sqlite_store(workshop, self.size)
        cores = workshop.server_cores if self.workers == 1 else workshop.all_cores
        options = ["--workers", str(self.workers), *([] if self.cache else ["--cache-bytes", "0"])]
        return deployd(workshop, self.name, store, cores, options, certificate(workshop) if self.tls else None)


@contextlib.contextmanager
def deployd(
    workshop: Workshop,
    name: str,
    store: stores.Store,
    cores: set[int],
    options: list[str],
    authority: pathlib.Path | None = None,
) -> Iterator[Server]:
    """deployd with any store on a free port, over TLS if `authority` is given."""
    port = processes.free_port()
    arguments = [workshop.deployd, "serve", "--database", store.database, "--listen", f"127.0.0.1:{port}", *options]
    arguments += ["--max-connections", "30000", "--idle-timeout", "1h"]
    if authority:
        arguments += ["--tls-cert", authority, "--tls-key", authority]
    with processes.serving(arguments, port, cores, workshop.log("deployd")) as process:
        scheme = "https" if authority else "http"
        yield Server(name, f"{scheme}://127.0.0.1:{port}", store.token, process.pid, authority)


@dataclasses.dataclass(frozen=True)
class Floor:
    """bench/floor.cpp, which answers everything with the bytes of this file."""

    body: pathlib.Path
    name: str = "floor"

    @contextlib.contextmanager
    def serve(self, workshop: Workshop) -> Iterator[Server]:
        port = processes.free_port()
        arguments = [workshop.floor, str(port), self.body]
        with processes.serving(arguments, port, workshop.server_cores, workshop.log("floor")) as process:
            yield Server(self.name, f"http://127.0.0.1:{port}", "unchecked", process.pid)


@dataclasses.dataclass(frozen=True)
class Nginx:
    """nginx, which serves deployd's responses as `files` behind a token check."""

    files: pathlib.Path
    tls: bool = False
    name: str = "nginx"

    @contextlib.contextmanager
    def serve(self, workshop: Workshop) -> Iterator[Server]:
        program, port, token = processes.find("nginx", "nginx"), processes.free_port(), "dpd_" + "n" * 43
        authority = certificate(workshop) if self.tls else None
        folder = workshop.scratch / f"nginx-{port}"
        folder.mkdir()
        values = {
            "FOLDER": folder,
            "FILES": self.files,
            "TOKEN": token,
            "PORT": port,
            "SSL": " ssl" if authority else "",
            "CERTIFICATE": f"ssl_certificate {authority}; ssl_certificate_key {authority};" if authority else "",
            # The nginx worker must be able to read the files.
            "USER": "user root;" if os.geteuid() == 0 else "",
        }
        text = NGINX.read_text()
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        configuration = folder / "nginx.conf"
        configuration.write_text(text)
        arguments = [program, "-c", configuration, "-p", folder, "-e", "stderr"]
        with processes.serving(arguments, port, workshop.server_cores, workshop.log("nginx")) as process:
            scheme = "https" if authority else "http"
            yield Server(self.name, f"{scheme}://127.0.0.1:{port}", token, process.pid, authority)


def certificate(workshop: Workshop) -> pathlib.Path:
    """A file with a self-signed certificate for 127.0.0.1 and its P-256 key, created once per run."""
    file = workshop.scratch / "certificate.pem"
    if not file.exists():
        words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench".split()
        words += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "-"]
        file.write_text(processes.output_of(["openssl", *words], workshop.all_cores))
    return file
