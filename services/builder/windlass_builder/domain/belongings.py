"""What a node keeps for a project beside releases and volumes, and can make again: it goes when nothing is left of it.

Where the disk is short, what only saves time goes earlier: caches first, and then releases that nothing points at.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from uuid import UUID

from windlass_builder.domain.retention import DISK_FULL, UNREFERENCED, Project

JUST_UPLOADED = timedelta(days=1)
"""So long an upload stays that no deployment names: it comes before the request that does."""
FORGOTTEN = timedelta(days=30)
"""So long a mirror stays unused that no project names: a submodule's, or of a repository that was only looked into."""


class Thrift(IntEnum):
    """How much a node gives up, in order of least loss; each includes those before it."""

    USUAL = 0
    """What nothing needs."""
    CACHES = 1
    """Also what only makes the next build quicker."""
    HALF = 2
    """Also releases that nothing points at: a project keeps half as many of the newest as it wants to."""
    QUARTER = 3
    LAST = 4
    """All but the last one."""

    def keeps(self, wanted: int) -> int:
        """Return how many of the newest releases stay of a project that wants to keep so many."""
        return 1 if self is Thrift.LAST else max(1, wanted // max(1, 2 ** (self - 1)))


class BelongingKind(StrEnum):
    CACHE = "cache"
    """What builds share."""
    NETWORK = "network"
    IMAGE = "image"
    """A left-over of a build that was cut short: an image without a name."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """Something that a node keeps for a project; `size` is in bytes, None where it was not measured."""

    kind: BelongingKind
    name: str
    project: UUID
    size: int | None = None


def spared(project: Project, belongings: Iterable[Belonging], thrift: Thrift) -> Iterator[tuple[Belonging, str]]:
    """Yield what may go of a project, with its rule; nothing while it builds."""
    if project.builds:
        return
    nothing_left = project.has_nothing_left
    for one in belongings:
        if nothing_left or one.kind is BelongingKind.IMAGE:
            yield one, UNREFERENCED
        elif one.kind is BelongingKind.CACHE and thrift >= Thrift.CACHES:
            yield one, DISK_FULL


class SourceKind(StrEnum):
    MIRROR = "mirror"
    """A repository's commits, as they were fetched."""
    UPLOAD = "upload"
    """An archive that was uploaded."""


@dataclass(frozen=True, slots=True)
class StoredSource:
    """A source as it is kept: projects share it where they name the same. `since` is when it was last used, or put."""

    kind: SourceKind
    name: str
    size: int | None
    since: datetime

    def rule(self, *, named: bool, wanted: bool, thrift: Thrift, now: datetime) -> str | None:
        """Return by which rule it may go, None where it stays.

        It is `named` where any deployment was ever made from it, and `wanted` where one of those has to keep it.
        """
        age = now - self.since
        if self.kind is SourceKind.UPLOAD:
            return None if wanted or age < JUST_UPLOADED else UNREFERENCED
        if not wanted and (named or age >= FORGOTTEN):
            return UNREFERENCED
        return DISK_FULL if thrift >= Thrift.CACHES else None
