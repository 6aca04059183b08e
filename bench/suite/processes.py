"""Processes on given cores, which end with the suite."""
from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """Something that the suite needs did not work. The message is shown to the user."""


FILES = 65_536  # limit on open files, if it can be raised


def _prepare(cores: set[int]):
    def prepare() -> None:
        os.sched_setaffinity(0, cores)
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        allow_many_files()

    return prepare


def allow_many_files() -> int:
    """Raises the limit on open files to `FILES`, or as far as permitted, and returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limits in ((max(soft, FILES), max(hard, FILES)), (hard, hard)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            return limits[0]
    return soft


@contextlib.contextmanager
def on(cores: set[int]) -> Iterator[None]:
    """Runs the suite on these cores while it acts as a client."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def running(
    arguments: Sequence[str | os.PathLike], cores: set[int], log: pathlib.Path, **options
) -> Iterator[subprocess.Popen]:
    """A process, with its output in a file, that is ended with SIGTERM (after 20 s with SIGKILL) when the block is left.

    It has a process group of its own, so that a Ctrl-C reaches the suite alone and the suite ends it in order.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_prepare(cores),
            **options,
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen) -> None:
    """Ends a process and its group."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run(arguments: Sequence[str | os.PathLike], cores: set[int], **options) -> subprocess.CompletedProcess:
    """Runs a process and returns its output as text. The caller checks the exit status."""
    process = subprocess.Popen(
        [str(word) for word in arguments],
        stdin=options.pop("stdin", subprocess.DEVNULL),
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_prepare(cores),
        text=True,
        **options,
    )
    try:
        out, err = process.communicate()
    except BaseException:
        end(process)
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def free_port() -> int:
    """A free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_listens(process: subprocess.Popen, port: int, log: pathlib.Path, seconds: float = 30) -> None:
    """Waits until the port of 127.0.0.1 accepts connections. Raises `Failed` with the last line of the log."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            lines = log.read_text(errors="replace").strip().splitlines()
            raise Failed(f"{process.args[0]} does not serve: {lines[-1] if lines else 'its log is empty'}")
        time.sleep(0.01)
