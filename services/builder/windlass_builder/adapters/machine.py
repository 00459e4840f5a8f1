"""What this machine has left: disk by its file systems, memory by the kernel's own estimate."""

import os
from collections.abc import Iterable
from pathlib import Path

from windlass_builder.domain.room import Room

DOCKER_FOLDER = Path("/var/lib/docker")
"""Where an engine keeps everything, unless somebody told it otherwise."""

_MEMORY = Path("/proc/meminfo")


def measured(folders: Iterable[Path], memory: Path = _MEMORY) -> Room:
    """Return the room of the folder that has the smallest share left, of those that are there; 0.1 ms."""
    disks = [os.statvfs(folder) for folder in folders if folder.exists()]
    tightest = min(disks, key=lambda disk: disk.f_bavail / max(1, disk.f_blocks))
    known = _memory(memory)
    return Room(
        disk_free=tightest.f_bavail * tightest.f_frsize,
        disk_total=tightest.f_blocks * tightest.f_frsize,
        memory_free=known.get("MemAvailable"),
        memory_total=known.get("MemTotal"),
    )


def _memory(file: Path) -> dict[str, int]:
    """Return what the kernel says, in bytes; nothing where it is another system's."""
    if not file.exists():
        return {}
    lines = (line.partition(":") for line in file.read_text().splitlines())
    return {name: int(value.split()[0]) * 1024 for name, _, value in lines}
