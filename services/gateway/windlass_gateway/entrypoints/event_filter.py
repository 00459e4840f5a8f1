"""Which events somebody wants to see, out of those that are their team's."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event, published_events
from windlass_contracts.ids import TeamId
from windlass_gateway.application.finding import Finder
from windlass_gateway.domain.refusals import InvalidInputError


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Those of a team, of one of its projects if one is named, and of some types."""

    team: TeamId
    project: UUID | None
    types: frozenset[str]

    @classmethod
    async def of(cls, finder: Finder, project: str | None, types: Collection[str] | None) -> Self:
        """Return the filter that is written; no project and no types mean all.

        Raises:
            ProjectNotFoundError: the team has none of that name.
            InvalidInputError: there is no such type.
        """
        key = (await finder.project(project)).key if project else None
        return cls(finder.team, key, known_types(types) if types else frozenset(published_events()))

    @property
    def name(self) -> str:
        """Filters of one name hold the same events."""
        types = "all" if self.types == frozenset(published_events()) else ",".join(sorted(self.types))
        return f"{self.team}/{self.project or '*'}/{types}"

    @property
    def pattern(self) -> str:
        """The subjects under which its events stand, and others."""
        return f"evt.*.{self.team}.{self.project or '*'}.*.*"

    def holds(self, recorded: Recorded[Event]) -> bool:
        is_theirs = recorded.team == self.team and self.project in {None, recorded.key.project}
        return is_theirs and recorded.event.TYPE in self.types


def unversioned(event_type: str) -> str:
    """Return the name of a type for all its versions."""
    return event_type.rsplit(".v", 1)[0]


def known_types(written: Collection[str]) -> frozenset[str]:
    """Return the types that are named, with or without a version.

    Raises:
        InvalidInputError: one of them is not known.
    """
    known = published_events()
    unknown = [one for one in written if not any(one in {name, unversioned(name)} for name in known)]
    if unknown:
        raise InvalidInputError(
            f"There is no event type {unknown[0][:60]!r}.",
            field="type",
            next_step=f"The types are {', '.join(sorted({unversioned(name) for name in known}))}.",
        )
    return frozenset(name for name in known for one in written if one in {name, unversioned(name)})
