"""Who asks, and what they may: the one place that says it, whatever they signed in with."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from windlass_contracts.ids import TeamId
from windlass_gateway.domain.refusals import ForbiddenError


class Permission(StrEnum):
    """What can be permitted."""

    READ = "read"
    DEPLOY = "deploy"
    CONFIGURE = "configure"
    ADMINISTER = "administer"
    """Let others in (sign-in links and API tokens), and operate: rebuild, verify, quarantine, dead letters."""


EVERYTHING = frozenset(Permission)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who proved who they are: `actor` is how the log names them, `until` when the proof expires."""

    actor: str
    team: TeamId
    permissions: frozenset[Permission]
    until: datetime | None = None

    def demand(self, permission: Permission) -> None:
        """Let the caller through.

        Raises:
            ForbiddenError: they may not do that.
        """
        if permission not in self.permissions:
            raise ForbiddenError(
                f"This needs the permission to {permission}, which {self.actor} does not have.",
                next_step="Use a token that has it, or ask who runs this installation.",
            )


def webhook_caller(team: TeamId, sender: str) -> Caller:
    """Return who a webhook acts as: whoever knows its secret may deploy, and nothing else."""
    return Caller(f"webhook:{sender}", team, frozenset({Permission.DEPLOY}))


class Access(Protocol):
    """How a bearer token becomes a caller."""

    async def caller(self, token: str) -> Caller | None:
        """Return whose token it is; None where it is nobody's.

        Raises:
            UnauthenticatedError: it was somebody's, and has expired or was revoked.
        """
        ...


class Members(Protocol):
    """Who belongs to a team, and what they may do there."""

    def caller(self, person: UUID, team: TeamId) -> Caller | None:
        """Return the person as a caller; None where they are no member (any more)."""
        ...
