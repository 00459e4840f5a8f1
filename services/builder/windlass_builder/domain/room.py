"""Whether a node has room for another build: a machine without disk or memory left takes its apps down with it."""

from dataclasses import dataclass

_GIB = 1024**3
_MIB = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a node has, in bytes; memory is None where the system does not say."""

    disk_free: int
    disk_total: int
    memory_free: int | None = None
    memory_total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What has to be free before a build begins: percent of the disk and bytes."""

    disk_percent: float = 10
    disk_bytes: int = 2 * _GIB
    memory_bytes: int = 256 * _MIB


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why a node takes no builds now."""

    code: str
    reason: str


def shortage(room: Room, thresholds: Thresholds) -> Shortage | None:
    """Return what the node is short of, if anything."""
    wanted = max(thresholds.disk_bytes, round(room.disk_total * thresholds.disk_percent / 100))
    if room.disk_free < wanted:
        free, needed = room.disk_free / _GIB, wanted / _GIB
        reason = f"The node has {free:.1f} GiB of disk left, and begins no build below {needed:.1f} GiB: free some."
        return Shortage("disk", reason)
    if room.memory_free is not None and room.memory_free < thresholds.memory_bytes:
        free, needed = room.memory_free / _MIB, thresholds.memory_bytes / _MIB
        reason = f"The node has {free:.0f} MiB of memory left, and begins no build below {needed:.0f} MiB."
        return Shortage("memory", reason)
    return None
