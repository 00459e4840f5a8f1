"""Whether a node has room for another build: a machine without disk or memory left takes its apps down with it."""

from dataclasses import dataclass
from enum import IntEnum

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


class DiskLevel(IntEnum):
    """How much of the disk is left, between the two marks of the node."""

    SCARCE = 0
    """So little that it is cleaned up at once, and gives up more than it usually does."""
    FAIR = 1
    """Neither; what was begun goes on."""
    AMPLE = 2
    """Enough: nothing goes before its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermarks:
    """What is left at the two marks, each the larger of percent of the disk and bytes."""

    scarce_percent: float = 12
    scarce_bytes: int = 3 * _GIB
    ample_percent: float = 15
    ample_bytes: int = 4 * _GIB


def disk_level(room: Room, marks: Watermarks) -> DiskLevel:
    """Return where the disk stands."""
    if room.disk_free < _wanted(room, marks.scarce_percent, marks.scarce_bytes):
        return DiskLevel.SCARCE
    return DiskLevel.FAIR if room.disk_free < _wanted(room, marks.ample_percent, marks.ample_bytes) else DiskLevel.AMPLE


def _wanted(room: Room, percent: float, least: int) -> int:
    return max(least, round(room.disk_total * percent / 100))


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why a node takes no builds now."""

    code: str
    reason: str


def shortage(room: Room, thresholds: Thresholds) -> Shortage | None:
    """Return what the node is short of, if anything."""
    wanted = _wanted(room, thresholds.disk_percent, thresholds.disk_bytes)
    if room.disk_free < wanted:
        free, needed = room.disk_free / _GIB, wanted / _GIB
        reason = (
            f"The node has {free:.1f} GiB of disk left, and begins no build below {needed:.1f} GiB. It deletes "
            "caches and old releases by itself; where that is not enough, free some."
        )
        return Shortage("disk", reason)
    if room.memory_free is not None and room.memory_free < thresholds.memory_bytes:
        free, needed = room.memory_free / _MIB, thresholds.memory_bytes / _MIB
        reason = f"The node has {free:.0f} MiB of memory left, and begins no build below {needed:.0f} MiB."
        return Shortage("memory", reason)
    return None
