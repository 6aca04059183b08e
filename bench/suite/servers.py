"""What a server is to the suite."""
from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import typing


@dataclasses.dataclass
class Server:
    """One that runs and answers at `url`."""

    name: str
    url: str
    token: str
    pid: int  # of the process that all its others descend from
    authority: pathlib.Path | None = None  # whom its clients trust, where it speaks TLS
    stack: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)


class ServerKind(typing.Protocol):
    """A server and how it is configured; equal ones are the same server."""

    def serve(self, workshop) -> contextlib.AbstractContextManager[Server]: ...

    def __hash__(self) -> int: ...
