"""The cost of connections that were used once and then wait, for the server and for active connections."""
import contextlib
import selectors
import socket
import time
import urllib.parse
from collections.abc import Iterator

from . import accounts, answers, processes
from .contenders import Contender, Outcome, Plan, loaded, take_turns
from .load import Load
from .servers import Deployd, Floor, Nginx, Server
from .workshop import Kind, Workshop, say

HELD, BESIDE = 20_000, 5_000
SPARE_FILES = 300  # of a process, in addition to its connections
IP_BIND_ADDRESS_NO_PORT = 24  # from <netinet/in.h>; not in Python's socket module
PER_SOURCE = 10_000  # connections per local address, which has about 28,000 ports


@contextlib.contextmanager
def held(server: Server, number: int, workshop: Workshop) -> Iterator[None]:
    """Opens this many connections, each used once, until the block is left."""
    port = urllib.parse.urlsplit(server.url).port
    request = f"GET {answers.one()} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {server.token}\r\n\r\n".encode()
    connections: list[socket.socket] = []
    try:
        with processes.on(workshop.generator_cores):
            for count in range(number):
                connection = socket.socket()
                connections.append(connection)
                connection.settimeout(10)
                # The port is selected on connecting, so that ports in TIME_WAIT from an earlier round can be used.
                connection.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
                connection.bind((f"127.0.0.{1 + count // PER_SOURCE}", 0))
                connection.connect(("127.0.0.1", port))
                connection.sendall(request)
                answer = connection.recv(65536)
                if b" 200 " not in answer[:16]:
                    raise processes.Failed(f"{server.name} answers connection {count + 1:,} with {answer[:60]!r}")
        yield
        _require_open(server, connections)
    finally:
        for connection in connections:
            connection.close()


def _require_open(server: Server, connections: list[socket.socket]) -> None:
    with selectors.EpollSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        ended = len(selector.select(0))
    if ended:
        raise processes.Failed(f"{server.name} has closed {ended:,} of {len(connections):,} idle connections")


def beside(workshop: Workshop, plan: Plan) -> Outcome:
    """Requests one deployment while thousands of connections wait."""
    body = answers.file(workshop, "100k", answers.one())
    load = Load(answers.one(), body=body)
    with contextlib.ExitStack() as stack:

        def rival(kind: Kind, yardstick: bool = False) -> Contender:
            with contextlib.suppress(processes.Failed):  # `take_turns` reports these failures
                stack.enter_context(held(workshop.server(kind), BESIDE, workshop))
            return loaded(workshop, kind, load, yardstick)

        nginx = Nginx(answers.files(workshop, "100k"))
        return take_turns(plan, [rival(Deployd()), rival(Floor(body), True), rival(nginx, True)])


def memory(workshop: Workshop, plan: Plan) -> Outcome:
    """The memory of a connection in the server, and what remains after all are closed."""
    # Server and client need this many open files, and not every machine lets root raise the limit.
    number = min(HELD, processes.allow_many_files() - SPARE_FILES)
    if number < HELD:
        say(f"  {number:,} connections: the limit on open files is too low (ulimit -Hn)")

    def rival(kind: Kind, yardstick: bool = False) -> Contender:
        def measure(_: float) -> dict[str, float]:
            figures = _memory_round(workshop, workshop.server(kind), number)
            workshop.stop(kind)
            return figures

        return Contender(kind.name, measure, yardstick, begin=0, warm_up=0)

    return take_turns(plan, [rival(Deployd()), rival(Nginx(answers.files(workshop, "100k")), True)])


def _memory_round(workshop: Workshop, server: Server, number: int) -> dict[str, float]:
    with held(server, 100, workshop):
        pids = accounts.family(server.pid)
    before = _settled(pids)
    with held(server, number, workshop):
        full = _settled(pids)
    after = _settled(pids)
    return {
        "connections held": number,
        "bytes a connection (PSS)": (full.pss - before.pss) * 1024 / number,
        "bytes a connection (RSS)": (full.rss - before.rss) * 1024 / number,
        "MiB before (RSS)": before.rss / 1024,
        "MiB with them (RSS)": full.rss / 1024,
        "MiB after (RSS)": after.rss / 1024,
        "after / before": after.rss / before.rss,
    }


def _settled(pids: list[int]) -> accounts.Memory:
    """The memory after it has not changed for one second, or after ten seconds."""
    deadline = time.monotonic() + 10
    last, since = accounts.memory(pids), time.monotonic()
    while time.monotonic() < min(since + 1, deadline):
        time.sleep(0.1)
        now = accounts.memory(pids)
        if now.rss != last.rss:
            last, since = now, time.monotonic()
    return last
