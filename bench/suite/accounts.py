"""CPU time and memory of a server with all its processes, from /proc."""
from __future__ import annotations

import dataclasses
import os
import pathlib

TICKS = os.sysconf("SC_CLK_TCK")
PROC = pathlib.Path("/proc")


@dataclasses.dataclass(frozen=True)
class CpuTime:
    """CPU seconds since a process started."""

    total: float  # exact to nanoseconds
    user: float  # sampled by the kernel
    system: float

    def __sub__(self, earlier: CpuTime) -> CpuTime:
        total, user, system = self.total - earlier.total, self.user - earlier.user, self.system - earlier.system
        scale = total / (user + system) if user + system else 0.0
        return CpuTime(total, user * scale, system * scale)


@dataclasses.dataclass(frozen=True)
class Memory:
    """Resident KiB, and KiB with shared pages divided among the processes that share them."""

    rss: int
    pss: int


def family(root: int) -> list[int]:
    """The process and all its descendants."""
    parents = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it has ended in the meantime
    members = [root]
    for member in members:
        members.extend(pid for pid, parent in parents.items() if parent == member)
    return members


def cpu_time(pids: list[int]) -> CpuTime:
    """The CPU time of all threads of the running processes."""
    total = user = system = 0.0
    for pid in pids:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        user += int(fields[11]) / TICKS
        system += int(fields[12]) / TICKS
        for thread in (PROC / str(pid) / "task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0]) / 1e9
    return CpuTime(total, user, system)


def memory(pids: list[int]) -> Memory:
    """The sum over the processes."""
    rss = pss = 0
    for pid in pids:
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                rss += int(line.split()[1])
            elif line.startswith("Pss:"):
                pss += int(line.split()[1])
    return Memory(rss, pss)


def forget_peak(pid: int) -> None:
    """Resets `peak`."""
    (PROC / str(pid) / "clear_refs").write_text("5")


def peak(pid: int) -> int:
    """The highest resident KiB since `forget_peak`."""
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise OSError(f"process {pid} has no VmHWM")
