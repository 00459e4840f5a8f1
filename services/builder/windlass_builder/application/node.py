"""This node: what it is called, what it can build on, and where it may put things."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from windlass_builder.application.locks import Locks, OwnLocks
from windlass_builder.domain.room import Shortage


def never_short() -> Shortage | None:
    """Answer for a node that nobody measures."""
    return None


@dataclass(frozen=True, slots=True)
class Node:
    """`runners` maps the contract's names of runners to what the runtime calls them.

    `shared` says that other builders are at work on this node, with the same `locks`.
    `shortage` measures whether it has room for another build. `scratch_bytes` is what each container may write outside
    of its volumes.
    """

    name: str
    installation: str
    runtime: str
    runners: Mapping[str, str]
    scratch: Path
    build_disk_bytes: int
    locks: Locks = field(default_factory=OwnLocks)
    shared: bool = False
    shortage: Callable[[], Shortage | None] = never_short
    scratch_bytes: int = 10 * 2**30

    def may_write(self, asked: int | None) -> int:
        """Return what a container may write whose project says that much, or nothing."""
        return self.scratch_bytes if asked is None else min(asked, self.scratch_bytes)
