"""nginx, serving deployd's answers as files behind a token check: bench/peers/nginx.conf.in."""
from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import shutil
from collections.abc import Iterator

from . import answers, processes
from .certificates import Certificate, certificate
from .servers import Server
from .workshop import ROOT, Workshop

TEMPLATE = ROOT / "bench" / "peers" / "nginx.conf.in"


@dataclasses.dataclass(frozen=True)
class Nginx:
    """nginx with the responses of deployd for the store of this size."""

    size: str = "100k"
    tls: bool = False
    name: str = "nginx"

    @contextlib.contextmanager
    def serve(self, workshop: Workshop) -> Iterator[Server]:
        program = find("nginx", "nginx")
        files, token = answers.files(workshop, self.size), "dpd_" + "n" * 43
        files_of_tls = certificate(workshop) if self.tls else None
        port, log = processes.free_port(), workshop.log("nginx")
        folder = workshop.scratch / f"nginx-{port}"
        folder.mkdir()
        configuration = folder / "nginx.conf"
        values = {
            "FOLDER": folder,
            "FILES": files,
            "TOKEN": token,
            "PORT": port,
            "SSL": " ssl" if files_of_tls else "",
            "TLS": _tls_lines(files_of_tls) if files_of_tls else "",
            # The nginx worker must be able to read the files.
            "USER": "user root;" if os.geteuid() == 0 else "",
        }
        text = TEMPLATE.read_text()
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        configuration.write_text(text)
        arguments = [program, "-c", configuration, "-p", folder, "-e", "stderr"]
        with processes.running(arguments, workshop.server_cores, log) as process:
            processes.wait_until_it_listens(process, port, log)
            if not files_of_tls:
                yield Server(self.name, f"http://127.0.0.1:{port}", token, process.pid)
            else:
                yield Server(self.name, f"https://127.0.0.1:{port}", token, process.pid, files_of_tls.chain)


def _tls_lines(files: Certificate) -> str:
    # nginx's documentation recommends a session cache in addition to tickets for many handshakes.
    lines = {
        "ssl_certificate": files.chain,
        "ssl_certificate_key": files.key,
        "ssl_protocols": "TLSv1.3",
        "ssl_ecdh_curve": "X25519",
        "ssl_session_cache": "shared:bench:16m",
        "ssl_session_timeout": "1h",
    }
    return "\n    ".join(f"{name} {value};" for name, value in lines.items())


def find(program: str, package: str) -> pathlib.Path:
    """The path of a program. If it is missing, `Failed` names its package."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")
    if not found:
        raise processes.Failed(f"{program} is not installed (package {package})")
    return pathlib.Path(found)
