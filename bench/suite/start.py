"""The time from starting the program to its first response."""
from __future__ import annotations

import socket
import time

from . import answers, processes, stores
from .contenders import Outcome, Plan
from .workshop import Workshop


def measure(workshop: Workshop, plan: Plan) -> Outcome:
    """Starts deployd with the largest store repeatedly."""
    outcome = Outcome()
    store = stores.sqlite_store(workshop, "10m")
    request = f"GET {answers.one()} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {store.token}\r\n\r\n".encode()
    for _ in range(1 + 3 * plan.rounds):
        port, log = processes.free_port(), workshop.log("deployd")
        arguments = [workshop.deployd, "serve", "--database", store.database, "--listen", f"127.0.0.1:{port}"]
        began = time.perf_counter()
        with processes.running(arguments, workshop.all_cores, log) as process:
            while True:
                try:
                    connection = socket.create_connection(("127.0.0.1", port), 10)
                    break
                except ConnectionRefusedError:
                    if process.poll() is not None:
                        raise processes.Failed(f"deployd does not serve: {log.read_text().strip()}") from None
                    time.sleep(0.0002)
            with connection:
                connection.sendall(request)
                answer = connection.recv(4096)
            took = time.perf_counter() - began
        if b" 200 " not in answer[:16]:
            raise processes.Failed(f"deployd's first response is {answer[:60]!r}")
        outcome.add("deployd, 10 million deployments", {"first answer after ms": took * 1000})
    # The first run loads the program and the store into the page cache.
    outcome.measured["deployd, 10 million deployments"]["first answer after ms"].pop(0)
    return outcome
