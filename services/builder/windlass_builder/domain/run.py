"""What the builder knows of a command that runs once in a release."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.config import Limits
from windlass_contracts.event import Event
from windlass_contracts.events import RunEnded, RunRequested, RunStarted
from windlass_contracts.ids import DeploymentId, ProjectId, SecretId, TeamId


class Run(BaseModel):
    """The row of a command: `node`, `container` and `started_at` once it may have begun."""

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    deployment: DeploymentId
    command: SecretId
    limits: Limits
    deadline_s: int
    node: str | None = None
    container: str | None = None
    started_at: datetime | None = None
    ended: bool = False


def evolve(row: Run | None, recorded: Recorded[Event]) -> Run | None:
    """Fold one event into the row; the first end counts."""
    match recorded.event:
        case RunRequested() as asked:
            return Run(
                team=recorded.team,
                project=recorded.project,
                deployment=asked.deployment,
                command=asked.command,
                limits=asked.limits,
                deadline_s=asked.deadline_s,
            )
        case RunStarted(node=node, container=container) if row is not None:
            started = {"node": node, "container": container, "started_at": recorded.metadata.time}
            return row.model_copy(update=started)
        case RunEnded() if row is not None:
            return row.model_copy(update={"ended": True})
        case _:
            return row
