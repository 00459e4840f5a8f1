"""Branches that are gone from the repository, as long as their addresses may still have to go."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import BranchDeleted

_REMEMBERED = 200
"""How many are kept whose time has come."""


class Deletion(BaseModel):
    """A branch was deleted at this sequence; its address stays until then."""

    model_config = ConfigDict(frozen=True)

    sequence: int
    until: datetime


Deletions = Mapping[str, Deletion]
"""By branch, the earliest first."""


def with_deletion(deletions: Deletions, event: BranchDeleted, recorded: Recorded[Event]) -> Deletions:
    """Add a deletion in the place of an earlier one of the branch; of those whose time has come the last are kept.

    What was under way when its branch was deleted may get the address later than that, and has to lose it too.
    """
    at = recorded.metadata.time
    others = {branch: one for branch, one in deletions.items() if branch != event.branch}
    past = [branch for branch, one in others.items() if one.until <= at]
    for forgotten in past[:-_REMEMBERED]:
        del others[forgotten]
    return {**others, event.branch: Deletion(sequence=recorded.sequence, until=at + timedelta(seconds=event.grace_s))}
