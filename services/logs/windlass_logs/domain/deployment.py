"""The row of a deployment: whose output is to be read, and which secrets must not stand in it."""

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import ContainerStarted, ContainerStopped, DeploymentRequested
from windlass_contracts.events.deployment import VariableVersion
from windlass_contracts.ids import ProjectId, TeamId

LAST_LINES = timedelta(seconds=60)
"""How long the output of a stopped container is still there to be read."""


class Container(BaseModel):
    """A container, running or paused unless `stopped_at` is known; `since` is the sequence of its last start."""

    model_config = ConfigDict(frozen=True)

    name: str
    node: str
    since: int
    stopped_at: datetime | None = None


class Deployment(BaseModel):
    """`followed` says whether some container of it exists, so that those few are found among all."""

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    variables: tuple[VariableVersion, ...]
    containers: tuple[Container, ...] = ()
    followed: bool = False

    def to_follow(self, node: str, now: datetime) -> tuple[Container, ...]:
        """Return the containers of a node whose output is still to be read."""
        return tuple(
            container
            for container in self.containers
            if container.node == node and (container.stopped_at is None or now < container.stopped_at + LAST_LINES)
        )


def evolve(row: Deployment | None, recorded: Recorded[Event]) -> Deployment | None:
    """Fold one event into the row."""
    match recorded.event:
        case DeploymentRequested(variables=variables):
            return Deployment(team=recorded.team, project=recorded.project, variables=variables)
        case ContainerStarted(container=name, node=node) if row is not None:
            return _with(row, Container(name=name, node=node, since=recorded.sequence))
        case ContainerStopped(container=name) if row is not None:
            known = next((container for container in row.containers if container.name == name), None)
            stopped_at = {"stopped_at": recorded.metadata.time}
            return row if known is None else _with(row, known.model_copy(update=stopped_at))
        case _:
            return row


def _with(row: Deployment, changed: Container) -> Deployment:
    others = (container for container in row.containers if container.name != changed.name)
    containers = (*others, changed)
    followed = any(container.stopped_at is None for container in containers)
    return row.model_copy(update={"containers": containers, "followed": followed})
