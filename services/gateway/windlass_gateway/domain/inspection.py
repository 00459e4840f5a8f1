"""What the gateway knows of a look into a repository: what was asked, and what the builder found."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import InspectionFailed, InspectionRequested, SourceInspected
from windlass_contracts.events.deployment import GitSource
from windlass_contracts.ids import TeamId


class InspectionPhase(StrEnum):
    """How far a look into a repository came."""

    REQUESTED = "requested"
    ANSWERED = "answered"
    FAILED = "failed"


class Inspection(BaseModel):
    """The row of an inspection: `answer` once it is answered, `failure` once it failed."""

    model_config = ConfigDict(frozen=True)

    team: TeamId
    source: GitSource
    root: str | None
    requested_at: datetime
    phase: InspectionPhase = InspectionPhase.REQUESTED
    answer: SourceInspected | None = None
    failure: InspectionFailed | None = None


def evolve(row: Inspection | None, recorded: Recorded[Event]) -> Inspection | None:
    """Fold one event into the row; the first end counts."""
    match recorded.event:
        case InspectionRequested(source=source, root=root):
            return Inspection(team=recorded.team, source=source, root=root, requested_at=recorded.metadata.time)
        case SourceInspected() as answer if row is not None and row.phase is InspectionPhase.REQUESTED:
            return row.model_copy(update={"phase": InspectionPhase.ANSWERED, "answer": answer})
        case InspectionFailed() as failure if row is not None and row.phase is InspectionPhase.REQUESTED:
            return row.model_copy(update={"phase": InspectionPhase.FAILED, "failure": failure})
        case _:
            return row
