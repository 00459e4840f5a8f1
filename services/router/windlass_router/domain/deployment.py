"""What the router knows of a deployment: whose it is, how far it is, and where its containers answer."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import (
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    CutoverStarted,
    DeploymentRequested,
    Healthy,
)
from windlass_contracts.events.deployment import GitSource
from windlass_contracts.ids import EnvironmentId, ProjectId, TeamId
from windlass_contracts.lifecycle import Phase, transition


class Container(BaseModel):
    """Where a container answers. It is routed to once it was seen healthy since it last started to run."""

    model_config = ConfigDict(frozen=True)

    address: str
    port: int
    running: bool
    healthy: bool = False

    @property
    def serving(self) -> bool:
        return self.running and self.healthy


class Deployment(BaseModel):
    """The row of a deployment. `serving` says whether it can be routed to, so that those few are found among all."""

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    environment: EnvironmentId
    branch: str | None
    requested_at: datetime
    requested_sequence: int
    phase: Phase
    replicas: int
    ready_within_s: int
    route_within_s: int
    containers: Mapping[str, Container] = {}
    cutover_at: datetime | None = None
    serving: bool = False

    @property
    def ready(self) -> bool:
        """Whether as many containers serve as should."""
        return sum(container.serving for container in self.containers.values()) >= self.replicas

    @property
    def servers(self) -> tuple[tuple[str, int], ...]:
        """The addresses and ports to route to, in a stable order."""
        return tuple(sorted((one.address, one.port) for one in self.containers.values() if one.serving))


def evolve(row: Deployment | None, recorded: Recorded[Event]) -> Deployment | None:
    """Fold one event into the row."""
    event = recorded.event
    if isinstance(event, DeploymentRequested):
        return _requested(recorded, event)
    if row is None:
        return None
    phase = transition(row.phase, type(event))
    containers = {**row.containers, **_change(row, event)}
    changes = {
        "phase": phase,
        "containers": containers,
        "serving": any(container.serving for container in containers.values()),
    }
    if isinstance(event, CutoverStarted):
        changes["cutover_at"] = recorded.metadata.time
    return row.model_copy(update=changes)


def _change(row: Deployment, event: Event) -> Mapping[str, Container]:
    if isinstance(event, ContainerStarted):
        return {event.container: Container(address=event.address, port=event.port, running=True)}
    known = row.containers.get(getattr(event, "container", ""))
    if known is None:
        return {}
    match event:
        case ContainerResumed(container=name):
            return {name: known.model_copy(update={"running": True, "healthy": False})}
        case ContainerPaused(container=name) | ContainerStopped(container=name):
            return {name: known.model_copy(update={"running": False, "healthy": False})}
        case Healthy(container=name):
            return {name: known.model_copy(update={"healthy": True})}
        case _:
            return {}


def _requested(recorded: Recorded[Event], event: DeploymentRequested) -> Deployment:
    deadlines = event.config.deadlines
    return Deployment(
        team=recorded.team,
        project=recorded.project,
        environment=event.environment,
        branch=event.source.ref if isinstance(event.source, GitSource) else None,
        requested_at=recorded.metadata.time,
        requested_sequence=recorded.sequence,
        phase=transition(None, DeploymentRequested),
        replicas=event.config.replicas,
        ready_within_s=deadlines.start_s + deadlines.health_s,
        route_within_s=deadlines.route_s,
    )
