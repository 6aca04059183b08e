"""The machine on which the figures were measured."""
from __future__ import annotations

import os
import pathlib
import platform
import re
import subprocess


def description() -> dict[str, str]:
    """The properties that matter when figures are compared."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "unknown"),
        "compiler": _first_line("c++", "--version"),
        "nginx": _first_line("nginx", "-v"),
        "node": _first_line("node", "--version"),
        "postgresql": _first_line("pgbench", "--version"),
        "wrk": _first_line("wrk", "-v"),
    }


def _processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _first_line(*words: str) -> str:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    try:
        outcome = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PATH": path}, timeout=20)
    except OSError:
        return "not installed"
    lines = (outcome.stdout + outcome.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"
