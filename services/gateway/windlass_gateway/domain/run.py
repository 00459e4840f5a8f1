"""What the gateway knows of a command that runs once in a release."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import RunEnded, RunRequested, RunStarted
from windlass_contracts.ids import DeploymentId, ProjectId, SecretId, TeamId
from windlass_gateway.domain.refusals import RunOverError


class Run(BaseModel):
    """The row of a command; `by` asked for it, and `end` says how it ended once it has.

    `terminal` tells whether it has one; its line lies under `command`, until it has ended.
    """

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    deployment: DeploymentId
    command: SecretId
    terminal: bool = False
    by: str
    requested_at: datetime
    started_at: datetime | None = None
    end: RunEnded | None = None


def evolve(row: Run | None, recorded: Recorded[Event]) -> Run | None:
    """Fold one event into the row; the first end counts."""
    match recorded.event:
        case RunRequested() as asked:
            return Run(
                team=recorded.team,
                project=recorded.project,
                deployment=asked.deployment,
                command=asked.command,
                terminal=asked.terminal,
                by=recorded.metadata.actor,
                requested_at=recorded.metadata.time,
            )
        case RunStarted() if row is not None:
            return row.model_copy(update={"started_at": recorded.metadata.time})
        case RunEnded() as end if row is not None and row.end is None:
            return row.model_copy(update={"end": end})
        case _:
            return row


def decide_cancel(row: Run) -> RunEnded:
    """Return the event that ends a command.

    Raises:
        RunOverError: it has ended.
    """
    if row.end is not None:
        raise RunOverError(row.end.code)
    return RunEnded(code="canceled")
