"""Ids: random or derived UUIDs, opaque, and of one type for each kind of thing."""

from enum import Enum, auto
from typing import Annotated, NewType
from uuid import UUID, uuid5

from pydantic import Field

from windlass_contracts.privacy import PersonalData

EventId = NewType("EventId", UUID)
TeamId = NewType("TeamId", UUID)
ProjectId = NewType("ProjectId", UUID)
EnvironmentId = NewType("EnvironmentId", UUID)
DeploymentId = NewType("DeploymentId", UUID)
InspectionId = NewType("InspectionId", UUID)
TokenId = NewType("TokenId", UUID)
ReactionId = NewType("ReactionId", UUID)
RunId = NewType("RunId", UUID)


class KeptIn(Enum):
    """Which bucket keeps what an id of an event stands for; readers find such fields by it."""

    PEOPLE = auto()
    NOTES = auto()
    SECRETS = auto()


PersonId = Annotated[UUID, PersonalData.PSEUDONYM, KeptIn.PEOPLE]
"""Somebody whose name and addresses lie in the bucket `PEOPLE`."""

NoteId = Annotated[UUID, PersonalData.PSEUDONYM, KeptIn.NOTES]
"""A text that a person wrote (a commit's subject line, a reason): it lies in the bucket `NOTES`, deletable there."""

SecretId = Annotated[UUID, PersonalData.PSEUDONYM, KeptIn.SECRETS]
"""One version of a variable's value, a credential or a command line, encrypted in the bucket `SECRETS`.

Deleting it there shreds it.
"""

InstallationId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}$"), PersonalData.NONE]

# Frozen: every derived id of every installation depends on it.
NAMESPACE = UUID("6f1c2f0e-97a5-5d0c-8a55-3d7a8f1b9c42")


def derived(*parts: UUID | str) -> UUID:
    """Return the UUIDv5 of the parts; the same parts give the same id on every machine, for ever.

    Each part is preceded by its length in characters, so that no two lists of parts read alike.
    """
    return uuid5(NAMESPACE, "".join(f"{len(text)}:{text}" for text in map(str, parts)))


def team_id(installation: str) -> TeamId:
    """Return the id of the team that every installation starts with."""
    return TeamId(derived("team", installation))


def deployment_id(request_key: str, project: ProjectId, environment: EnvironmentId) -> DeploymentId:
    """Return the id that the same request (a webhook's delivery, a client's key) gets each time it arrives."""
    return DeploymentId(derived("deployment", request_key, project, environment))


def caused_event_id(cause: EventId, event_type: str, *parts: str) -> EventId:
    """Return the id of what a reactor appends because of `cause`, the same when it decides again after a crash."""
    return EventId(derived("event", cause, event_type, *parts))


def reaction_id(service: str, reactor: str, event: EventId) -> ReactionId:
    """Return the id of one service's reaction to an event, which a dead letter is about."""
    return ReactionId(derived("reaction", service, reactor, event))
