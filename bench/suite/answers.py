"""Responses of deployd as files, which other servers serve and the generator compares with."""
import contextlib
import http.client
import pathlib
import urllib.parse

from . import data
from .processes import Failed
from .servers import Deployd
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
    wanted = {_name(asked): (asked, 200) for asked in _targets(size)}
    wanted |= {_name(MISSING): (MISSING, 404), "errors/401.json": (one(), 401)}
    server = workshop.server(Deployd(size))
    address = urllib.parse.urlsplit(server.url).netloc
    with contextlib.closing(http.client.HTTPConnection(address, timeout=60)) as connection:
        for name, (asked, status) in wanted.items():
            fields = {} if status == 401 else {"Authorization": f"Bearer {server.token}"}
            connection.request("GET", asked, headers=fields)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != status:
                raise Failed(f"deployd answers {asked} with {answer.status}: {body[:200]!r}")
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(body)
    return folder


def file(workshop: Workshop, size: str, asked: str) -> pathlib.Path:
    """The response for one of the targets of `files`."""
    return files(workshop, size) / _name(asked)


def _targets(size: str) -> list[str]:
    lists = {"1k": [EVERYTHING], "100k": [EVERYTHING, target(data.LONG_PATTERN)], "10m": [target(data.LONG_PATTERN)]}
    numbers = range(1, (1_000 if size == "1k" else IDS) + 1)
    return [*map(one, numbers), target(data.pattern_name(1)), *lists[size]]


def _name(asked: str) -> str:
    if asked == MISSING:
        return "errors/404.json"
    path, _, pattern = asked.partition("?pattern=")
    return path[1:] if path != EVERYTHING else f"lists/{pattern or 'all'}.json"
