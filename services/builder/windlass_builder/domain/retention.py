"""Which releases of a project stay on a node, and why; all others may go.

A release stays for as long as somebody may need it at once: an address points at it, or did before it was moved; a
container of it exists, or is about to; a command runs in it; or it is among the newest. One that was retired does not
count among the newest: nothing may start from it any more.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from windlass_builder.domain.deployment import Deployment
from windlass_builder.domain.routes import Routes
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import ReleaseRetired, StorageReclaimed
from windlass_contracts.lifecycle import Phase


class Releases(BaseModel):
    """The row of a project's releases: when each was retired; those not known to be deleted, each with its rule."""

    model_config = ConfigDict(frozen=True)

    retired: Mapping[str, int] = {}
    owed: tuple[tuple[str, str], ...] = ()


def evolve(row: Releases | None, recorded: Recorded[Event]) -> Releases | None:
    """Fold one event into the row."""
    row = row or Releases()
    match recorded.event:
        case ReleaseRetired(release=release, why=why):
            owed = (*_without(row.owed, release), (release, why))
            return Releases(retired={**row.retired, release: recorded.sequence}, owed=owed)
        case StorageReclaimed(kind="release", name=release):
            return Releases(retired=row.retired, owed=_without(row.owed, release))
        case _:
            return row


def _without(owed: tuple[tuple[str, str], ...], release: str) -> tuple[tuple[str, str], ...]:
    return tuple(one for one in owed if one[0] != release)


class Rule(StrEnum):
    """What a release stays for; the first that holds is told."""

    ADDRESSED = "addressed"
    """An address points at it, or somebody asked for it to come back."""
    OCCUPIED = "occupied"
    """A container of it runs, or is paused and kept warm."""
    UNDER_WAY = "under-way"
    """A deployment of it has not ended yet."""
    COMMAND = "command"
    """A command runs in it."""
    BUILDING = "building"
    """A build of the project is under way, and may find that it needs just this."""
    PREVIOUS = "previous"
    """An address pointed at it before: it is what a rollback returns to."""
    NEWEST = "newest"
    """It is among the last ones, or among the last ones that were live."""


RETENTION = "retention"
"""Goes: it is older than what the project keeps."""
UNREFERENCED = "unreferenced"
"""Goes: no deployment is of it."""
DISK_FULL = "disk-full"
"""Goes before its time: the disk is short, and nothing points at it."""


@dataclass(frozen=True, slots=True)
class Project:
    """What is known of a project. `commands` are the deployments in whose release a command runs."""

    deployments: Mapping[UUID, Deployment]
    routes: Routes | None = None
    commands: Collection[UUID] = ()
    releases: Releases = field(default_factory=Releases)

    @property
    def keeps(self) -> int:
        """How many of the newest releases stay: as the newest deployment has it."""
        newest = max(self.deployments.values(), key=lambda row: row.requested_sequence, default=None)
        return 10 if newest is None else newest.config.keep_releases

    @property
    def builds(self) -> bool:
        return any(row.phase is Phase.BUILDING for row in self.deployments.values())

    @property
    def has_nothing_left(self) -> bool:
        """Tell whether no release of it has to stay, and none may come."""
        return all(row.phase.ended for row in self.deployments.values()) and not _reasons(self, self.keeps)

    @property
    def sources_of(self) -> Collection[UUID]:
        """The deployments whose source has to stay: under way, of a release that stays, or among the newest."""
        needed = _reasons(self, self.keeps)
        newest = sorted(self.deployments, key=lambda one: self.deployments[one].requested_sequence)[-self.keeps :]
        staying = (one for one, row in self.deployments.items() if row.release in needed or not row.phase.ended)
        return {*newest, *staying}

    def retired(self, release: str) -> bool:
        """Tell whether it was retired since it was built last."""
        built = max((row.built_sequence for row in self.deployments.values() if row.release == release), default=0)
        return self.releases.retired.get(release, 0) > built


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stays of the releases that a node has, and what for; and what may go, by which rule."""

    stay: Mapping[str, Rule]
    go: Mapping[str, str]


def judge(project: Project, present: Iterable[str], keeps: int | None = None) -> Verdict:
    """Decide about the releases that a node has of a project; it may have to keep fewer of the newest than usual."""
    usually = _reasons(project, project.keeps)
    needed = usually if keeps is None else _reasons(project, keeps)
    stay, go = dict[str, Rule](), dict[str, str]()
    named = {row.release for row in project.deployments.values()}
    for release in present:
        if release in needed:
            stay[release] = needed[release]
        elif project.builds:
            stay[release] = Rule.BUILDING
        elif release in usually:
            go[release] = DISK_FULL
        else:
            go[release] = RETENTION if release in named else UNREFERENCED
    return Verdict(stay, go)


def _reasons(project: Project, keeps: int) -> Mapping[str, Rule]:
    """Return the releases that have to stay, each with its strongest reason."""
    reasons: dict[str, Rule] = {}
    for release, rule in _needed(project, keeps):
        reasons.setdefault(release, rule)
    return reasons


def _needed(project: Project, keeps: int) -> Iterator[tuple[str, Rule]]:
    """Yield each release that has to stay, with its reason, the strongest reasons first."""
    rows, routes = project.deployments, project.routes
    referenced = frozenset[UUID]() if routes is None else routes.referenced
    for rule, deployments in (
        (Rule.ADDRESSED, referenced),
        (Rule.OCCUPIED, [one for one, row in rows.items() if row.present]),
        (Rule.UNDER_WAY, [one for one, row in rows.items() if not row.phase.ended]),
        (Rule.COMMAND, project.commands),
        (Rule.PREVIOUS, _previous(project)),
    ):
        for deployment in deployments:
            if (row := rows.get(deployment)) is not None and row.release is not None:
                yield row.release, rule
    newest = sorted(rows.values(), key=lambda row: row.requested_sequence, reverse=True)
    for some in (newest, [row for row in newest if row.phase is Phase.LIVE]):
        releases = (row.release for row in some if row.release is not None and not project.retired(row.release))
        for release in list(dict.fromkeys(releases))[:keeps]:
            yield release, Rule.NEWEST


def _previous(project: Project) -> Iterator[UUID]:
    """Yield what each address pointed at before: the last one that was live, for a failed cutover is no way back."""
    for before in () if project.routes is None else project.routes.before.values():
        live = (one for one in before if (row := project.deployments.get(one)) and row.phase is Phase.LIVE)
        if (previous := next(live, None)) is not None:
            yield previous
