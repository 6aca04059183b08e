"""The servers of the suite."""
from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import typing


@dataclasses.dataclass
class Server:
    """A running server with its `url`."""

    name: str
    url: str
    token: str
    pid: int  # the parent of all its processes
    authority: pathlib.Path | None = None  # trusted by its clients, if it uses TLS
    stack: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)


class ServerKind(typing.Protocol):
    """A server and its configuration. Equal values are the same server."""

    def serve(self, workshop) -> contextlib.AbstractContextManager[Server]: ...

    def __hash__(self) -> int: ...
