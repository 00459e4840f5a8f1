"""The one person that an installation starts with."""

from dataclasses import dataclass
from uuid import UUID

from windlass_contracts.ids import TeamId
from windlass_gateway.application.access import EVERYTHING, Caller


@dataclass(frozen=True, slots=True)
class InstallationOwner:
    """`Members` of a team with one member, who may do everything."""

    person: UUID
    team: TeamId

    def caller(self, person: UUID, team: TeamId) -> Caller | None:
        if (person, team) != (self.person, self.team):
            return None
        return Caller(f"person:{person}", team, EVERYTHING)
