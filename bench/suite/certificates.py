"""The certificate that all compared servers use."""
from __future__ import annotations

import dataclasses
import pathlib

from . import processes
from .workshop import Workshop


@dataclasses.dataclass(frozen=True)
class Certificate:
    """The files of certificate and key, and the authority for clients."""

    chain: pathlib.Path
    key: pathlib.Path


def certificate(workshop: Workshop) -> Certificate:
    """Creates a self-signed certificate for 127.0.0.1 with a P-256 key for this run."""
    made = Certificate(workshop.scratch / "certificate.pem", workshop.scratch / "key.pem")
    if made.chain.exists():
        return made
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench".split()
    words += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", made.key, "-out", made.chain]
    outcome = processes.run(["openssl", *words], workshop.all_cores)
    if outcome.returncode != 0:
        raise processes.Failed(f"openssl cannot make a certificate: {outcome.stderr.strip()}")
    return made
