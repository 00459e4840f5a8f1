"""The control group in which the engine runs the steps of Dockerfiles, held back as a whole.

BuildKit inside of an engine takes no limits for one build, but puts all steps below one group: what is written there
bounds all of them together, and lets them give way to apps. That takes root, and an engine of this machine that manages
its groups itself (`cgroupfs`); one that leaves them to systemd has no group that is for builds alone.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import structlog

_log = structlog.get_logger(__name__)

_ROOT = Path("/sys/fs/cgroup")
_GROUP = "docker/buildkit"
_PERIOD_US = 100_000
# An app has 1024 shares, or a weight of 100.
_SHARES, _WEIGHT = 128, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildShare:
    """What the steps of all Dockerfiles may use together: bytes of memory, CPUs, and processes at once.

    `cores` names the ones that all builds run on, in the engine's words; without any they run on all.
    """

    memory: int
    cpus: float
    processes: int
    cores: str = ""

    @classmethod
    def of_this_machine(cls, spare: int = 1) -> "BuildShare":
        """Return half of the memory, and all cores but `spare` ones, as long as one is left."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        own = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
        cores = ",".join(map(str, own[spare:])) if spare else ""
        return cls(memory=memory // 2, cpus=os.cpu_count() or 1, processes=4_096, cores=cores)


class BuildGroup:
    """Sets the limits; the engine may have been started anew, or the machine, so that it is done before each build."""

    def __init__(self, share: BuildShare, root: Path = _ROOT) -> None:
        self._share = share
        self._root = root
        self._told = False

    def hold_back(self) -> bool:
        """Set the limits; return whether they hold. Why not is logged once."""
        try:
            for file, value in self._unified() if self._is_unified else self._divided():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(value)
        except OSError as error:
            if not self._told:
                _log.warning("dockerfiles.not_limited", why=f"{error.strerror}: {error.filename}")
                self._told = True
            return False
        return True

    @property
    def _is_unified(self) -> bool:
        return (self._root / "cgroup.controllers").exists()

    @property
    def _quota(self) -> int:
        return round(self._share.cpus * _PERIOD_US)

    def _unified(self) -> list[tuple[Path, str]]:
        group, controllers = self._root / _GROUP, "+cpu +cpuset +memory +pids"
        return [
            *((folder / "cgroup.subtree_control", controllers) for folder in (self._root, group.parent)),
            (group / "cpu.weight", str(_WEIGHT)),
            (group / "cpu.max", f"{self._quota} {_PERIOD_US}"),
            (group / "memory.max", str(self._share.memory)),
            (group / "memory.swap.max", "0"),
            (group / "pids.max", str(self._share.processes)),
            (group / "cpuset.cpus", self._share.cores),
        ]

    def _divided(self) -> list[tuple[Path, str]]:
        """Return the files of cgroup v1, in which memory alone is never above memory and swap."""
        cpu, memory, pids = (self._root / controller / _GROUP for controller in ("cpu", "memory", "pids"))
        most, limit = memory / "memory.memsw.limit_in_bytes", str(self._share.memory)
        counts_swap = (self._root / "memory" / most.name).exists()
        return [
            (cpu / "cpu.shares", str(_SHARES)),
            (cpu / "cpu.cfs_period_us", str(_PERIOD_US)),
            (cpu / "cpu.cfs_quota_us", str(self._quota)),
            *([(most, "-1")] if counts_swap else []),
            (memory / "memory.limit_in_bytes", limit),
            *([(most, limit)] if counts_swap else []),
            (pids / "pids.max", str(self._share.processes)),
            *self._divided_cores(),
        ]

    def _divided_cores(self) -> list[tuple[Path, str]]:
        """Return nothing before the engine's own group has cores, which it gets with its first container."""
        group = self._root / "cpuset" / _GROUP
        above = group.parent / "cpuset.cpus"
        has_cores = above.exists() and above.read_text().strip()
        return [(group / "cpuset.cpus", self._share.cores)] if has_cores and self._share.cores else []
