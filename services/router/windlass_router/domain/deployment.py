"""What the router knows of a deployment: whose it is, how far it is, and where its containers answer."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import (
    ContainerLooping,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    CutoverStarted,
    DeploymentRequested,
    Healthy,
    Unhealthy,
)
from windlass_contracts.events.deployment import GitSource, Source
from windlass_contracts.ids import EnvironmentId, ProjectId, TeamId
from windlass_contracts.lifecycle import Phase, transition

_MEANING: Mapping[type[Event], Mapping[str, bool]] = {
    ContainerPaused: {"running": False, "healthy": False},
    ContainerStopped: {"running": False, "healthy": False},
    ContainerResumed: {"running": True},
    Healthy: {"healthy": True, "proven": True},
    Unhealthy: {"healthy": False},
    ContainerLooping: {"healthy": False},
}
_ENDED_WITHOUT_WINNING = frozenset({Phase.FAILED, Phase.CANCELED, Phase.SUPERSEDED})
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Container(BaseModel):
    """Where a container answers; `proven` says that it was seen healthy there, `healthy` that it is now."""

    model_config = ConfigDict(frozen=True)

    address: str
    port: int
    running: bool = True
    proven: bool = False
    healthy: bool = False


class Deployment(BaseModel):
    """The row of a deployment. `routable` says whether requests can go to it, so that those few are found among all."""

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    environment: EnvironmentId
    branch: str | None
    trigger: str
    requested_at: datetime
    requested_sequence: int
    phase: Phase
    replicas: int
    ready_within: timedelta
    route_within: timedelta
    healthy_at: datetime | None = None
    claimed: int = 0
    containers: Mapping[str, Container] = {}
    routable: bool = False

    @property
    def healthy_containers(self) -> tuple[str, ...]:
        """The names of the containers that answer their probe now."""
        return tuple(sorted(name for name, one in self.containers.items() if one.running and one.healthy))

    @property
    def ready(self) -> bool:
        """Whether as many containers are healthy as should be."""
        return len(self.healthy_containers) >= self.replicas

    @property
    def servers(self) -> tuple[tuple[str, int], ...]:
        """Where requests go, in a stable order: to the healthy containers.

        While none is, they go to all that were seen healthy before: an app that restarts takes them as soon as it
        listens, and one that fails its probe may still answer.
        """
        proven = [one for one in self.containers.values() if one.running and one.proven]
        best = [one for one in proven if one.healthy] or proven
        return tuple(sorted((one.address, one.port) for one in best))

    @property
    def lost(self) -> bool:
        """Whether it ended without winning, or will: its addresses are to be taken back, whatever the proxies say."""
        return self.phase in _ENDED_WITHOUT_WINNING or (self.phase is Phase.CUTOVER and not self.servers)


def evolve(row: Deployment | None, recorded: Recorded[Event]) -> Deployment | None:
    """Fold one event into the row."""
    event = recorded.event
    if isinstance(event, DeploymentRequested):
        return _requested(recorded, event)
    if row is None:
        return None
    changes: dict[str, object] = {
        "phase": transition(row.phase, type(event)),
        "containers": _containers(row.containers, event),
    }
    if isinstance(event, CutoverStarted):
        changes["claimed"] = recorded.sequence
    if row.healthy_at is None and changes["phase"] is Phase.HEALTHY:
        changes["healthy_at"] = recorded.metadata.time
    changed = row.model_copy(update=changes)
    return changed.model_copy(update={"routable": bool(changed.servers)})


def _containers(containers: Mapping[str, Container], event: Event) -> Mapping[str, Container]:
    match event:
        case ContainerStarted():
            return {**containers, event.container: _started(containers.get(event.container), event)}
        case (
            ContainerPaused(container=name)
            | ContainerStopped(container=name)
            | ContainerResumed(container=name)
            | Healthy(container=name)
            | Unhealthy(container=name)
            | ContainerLooping(container=name)
        ):
            return _changed(containers, name, _MEANING[type(event)])
        case _:
            return containers


def _started(known: Container | None, event: ContainerStarted) -> Container:
    """Return a container that runs from now on; one that was restarted where it was remains proven."""
    proven = known is not None and known.proven and (known.address, known.port) == (event.address, event.port)
    return Container(address=event.address, port=event.port, proven=proven)


def _changed(containers: Mapping[str, Container], name: str, update: Mapping[str, bool]) -> Mapping[str, Container]:
    known = containers.get(name)
    return containers if known is None else {**containers, name: known.model_copy(update=update)}


def _requested(recorded: Recorded[Event], event: DeploymentRequested) -> Deployment:
    deadlines = event.config.deadlines
    return Deployment(
        team=recorded.team,
        project=recorded.project,
        environment=event.environment,
        branch=_branch(event.source),
        trigger=event.trigger,
        requested_at=recorded.metadata.time,
        requested_sequence=recorded.sequence,
        phase=transition(None, DeploymentRequested),
        replicas=event.config.replicas,
        ready_within=timedelta(seconds=deadlines.start_s + deadlines.health_s),
        route_within=timedelta(seconds=deadlines.route_s),
    )


def _branch(source: Source) -> str | None:
    """Return what was asked for by name; a commit has no name that could move on."""
    ref = source.ref if isinstance(source, GitSource) else None
    return None if ref is None or _COMMIT.fullmatch(ref) else ref.removeprefix("refs/heads/")
