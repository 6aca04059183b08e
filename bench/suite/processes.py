"""Processes on given cores, which end with the suite."""
import contextlib
import ctypes
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

Words = Sequence[str | os.PathLike]


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
def running(arguments: Words, cores: set[int], log: pathlib.Path, **options) -> Iterator[subprocess.Popen]:
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
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def serving(arguments: Words, port: int, cores: set[int], log: pathlib.Path, **options) -> Iterator[subprocess.Popen]:
    """A process as of `running` that accepts connections on this port of 127.0.0.1."""
    with running(arguments, cores, log, **options) as process:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{arguments[0]} does not serve: {last_line(log.read_text(errors='replace'))}")
            time.sleep(0.0002)
        yield process


def run(arguments: Words, cores: set[int], **options) -> subprocess.CompletedProcess:
    """Runs a process and returns its status and its output as text."""
    words = [str(word) for word in arguments]
    options = {"stdin": subprocess.DEVNULL, **options}
    return subprocess.run(words, capture_output=True, text=True, preexec_fn=_prepare(cores), **options)


def output_of(arguments: Words, cores: set[int], **options) -> str:
    """Runs a process and returns its output. Raises `Failed` with the last line of its errors if it fails."""
    outcome = run(arguments, cores, **options)
    if outcome.returncode != 0:
        raise Failed(f"{pathlib.Path(arguments[0]).name}: {last_line(outcome.stderr or outcome.stdout)}")
    return outcome.stdout


def last_line(text: str) -> str:
    """The last line with text."""
    return (text.strip().splitlines() or ["it prints nothing"])[-1]


def find(program: str, package: str) -> pathlib.Path:
    """The path of a program. If it is missing, `Failed` names its package."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")
    if not found:
        raise Failed(f"{program} is not installed (package {package})")
    return pathlib.Path(found)


def free_port() -> int:
    """A free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
