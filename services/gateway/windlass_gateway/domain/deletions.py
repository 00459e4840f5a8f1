"""Branches that are gone from the repository, as long as their addresses may still have to go."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import BranchDeleted

_REMEMBERED = 200


class Deletion(BaseModel):
    """A branch was deleted at this sequence; its address goes then, unless the branch was pushed again behind it."""

    model_config = ConfigDict(frozen=True)

    sequence: int
    until: datetime


Deletions = Mapping[str, Deletion]
"""By branch, the earliest first."""


def with_deletion(deletions: Deletions, event: BranchDeleted, recorded: Recorded[Event]) -> Deletions:
    """Add a deletion in the place of an earlier one of the branch; of very many the earliest are forgotten."""
    until = recorded.metadata.time + timedelta(seconds=event.grace_s)
    others = [(branch, one) for branch, one in deletions.items() if branch != event.branch]
    return dict([*others, (event.branch, Deletion(sequence=recorded.sequence, until=until))][-_REMEMBERED:])


def still_due(deletions: Deletions, at: datetime) -> Deletions:
    """Return those whose time had not come when addresses were given up: of the others nothing is left to show."""
    return {branch: one for branch, one in deletions.items() if one.until > at}
