"""This node: what it is called, what it can build on, and where it may put things."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from windlass_builder.application.intents import Intents, OwnIntents
from windlass_builder.application.locks import Locks, OwnLocks
from windlass_builder.domain.room import DiskLevel, Shortage


def never_short() -> Shortage | None:
    """Answer for a node that nobody measures."""
    return None


def always_ample() -> DiskLevel:
    """Answer for a disk that nobody measures."""
    return DiskLevel.AMPLE


@dataclass(frozen=True, slots=True)
class Node:
    """`runners` maps the contract's names of runners to what the runtime calls them.

    `shared` says that other builders are at work on this node, with the same `locks`.
    `intents` are the notes of what is being deleted.
    `shortage` measures whether it has room for another build, and `disk_level` whether it has to be cleaned up.
    `scratch_bytes` is what each container may write outside of its volumes.
    """

    name: str
    installation: str
    runtime: str
    runners: Mapping[str, str]
    scratch: Path
    build_disk_bytes: int
    locks: Locks = field(default_factory=OwnLocks)
    intents: Intents = field(default_factory=OwnIntents)
    shared: bool = False
    shortage: Callable[[], Shortage | None] = never_short
    scratch_bytes: int = 10 * 2**30
    disk_level: Callable[[], DiskLevel] = always_ample

    def may_write(self, asked: int | None) -> int:
        """Return what a container may write whose project says that much, or nothing."""
        return self.scratch_bytes if asked is None else min(asked, self.scratch_bytes)
