"""Responses of deployd as files, which other servers serve and the generator compares with."""
from __future__ import annotations

import http.client
import pathlib
import urllib.parse

from . import data
from .deployd import Deployd
from .processes import Failed
from .workshop import Workshop

IDS = 5_000  # the deployments for which nginx has files


def target(pattern: str) -> str:
    """The target of the list of a pattern."""
    return f"/api/v1/deployments?pattern={pattern}"


def one(number: int | str = 1) -> str:
    """The target of a deployment."""
    return f"/api/v1/deployments/{number}"


EVERYTHING = "/api/v1/deployments"
MISSING = one(999_999_999)


def files(workshop: Workshop, size: str) -> pathlib.Path:
    """A folder with one file per response, as peers/nginx.conf.in expects them."""
    folder = workshop.scratch / f"answers-{size}"
    if folder.exists():
        return folder
    server = workshop.server(Deployd(size))
    asking = _Asking(server)
    rows = {"1k": 1_000}.get(size, IDS)
    wanted = {f"{one(number)[1:]}": one(number) for number in range(1, rows + 1)}
    wanted["lists/" + data.pattern_name(1) + ".json"] = target(data.pattern_name(1))
    wanted["errors/404.json"] = MISSING
    if size != "1k":
        wanted[f"lists/{data.LONG_PATTERN}.json"] = target(data.LONG_PATTERN)
    if size != "10m":
        wanted["lists/all.json"] = EVERYTHING
    for name, asked in wanted.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(asking.ask(asked))
    (folder / "errors" / "401.json").write_bytes(asking.ask(one(), token=False))
    asking.close()
    return folder


def file(workshop: Workshop, size: str, asked: str) -> pathlib.Path:
    """The response for one of the targets of `files`."""
    folder = files(workshop, size)
    if asked == MISSING:
        return folder / "errors" / "404.json"
    path, _, query = asked.partition("?")
    if path != EVERYTHING:
        return folder / path[1:]
    pattern = urllib.parse.parse_qs(query).get("pattern", ["all"])[0]
    return folder / "lists" / f"{pattern}.json"


class _Asking:
    def __init__(self, server) -> None:
        address = urllib.parse.urlsplit(server.url)
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        self._token = server.token

    def ask(self, asked: str, token: bool = True) -> bytes:
        fields = {"Authorization": f"Bearer {self._token}"} if token else {}
        self._connection.request("GET", asked, headers=fields)
        answer = self._connection.getresponse()
        body = answer.read()
        expected = 200 if token and asked != MISSING else 404 if token else 401
        if answer.status != expected:
            raise Failed(f"deployd answers {asked} with {answer.status}: {body[:200]!r}")
        return body

    def close(self) -> None:
        self._connection.close()
