"""What the builder knows of a deployment: its source, its release, its containers, and how far it is."""

from datetime import datetime
from enum import StrEnum
from typing import assert_never

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.event import Event
from windlass_contracts.events import (
    BuildStarted,
    BuildSucceeded,
    ContainerLooping,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    CutoverStarted,
    DeploymentRequested,
    PreDeployStarted,
    PreDeploySucceeded,
    RestartFailed,
    RestartRequested,
    RestartSucceeded,
)
from windlass_contracts.events.deployment import Recipe, Source, VariableVersion
from windlass_contracts.ids import EnvironmentId, EventId, ProjectId, TeamId
from windlass_contracts.lifecycle import Phase, transition
from windlass_contracts.replicas import ReplicaSet


class ContainerState(StrEnum):
    """What the log says of a container; the engine is made to agree."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class Container(BaseModel):
    """A container as the log has it; `address` and `port` are where it answers since it was started last, and when.

    `exits` is how often in a row it ended soon after its start, as far as that was told; 0 where it does not loop.
    `starts` is how often it was started from nothing, or after its end.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    node: str
    replica: int
    state: ContainerState
    address: str
    port: int
    started_at: datetime | None = None
    exits: int = 0
    starts: int = 0


class Restart(BaseModel):
    """A restart that somebody asked for, when, and at which sequence."""

    model_config = ConfigDict(frozen=True)

    request: EventId
    asked_at: datetime
    sequence: int


class PreDeploy(BaseModel):
    """The command before the start, once it may have begun: where, in which container, and whether it succeeded."""

    model_config = ConfigDict(frozen=True)

    node: str
    container: str
    started_at: datetime
    succeeded: bool = False


class Deployment(BaseModel):
    """The row of a deployment.

    `claimed_at` is the sequence of the last cutover to it: it may not be retired for what happened before. `occupied`
    says whether some container of it exists, `pending` whether it may still end before its cutover, `changing` whether
    a restart is under way or a container is surplus: so those few are found among all.
    """

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    environment: EnvironmentId
    requested_at: datetime
    requested_sequence: int
    phase: Phase
    trigger: str = ""
    source: Source
    config: DeploymentConfig
    variables: tuple[VariableVersion, ...]
    commit: str | None = None
    attempt: int = 0
    build_started_at: datetime | None = None
    release: str | None = None
    built_sequence: int = 0
    recipe: Recipe | None = None
    pre_deploy: PreDeploy | None = None
    containers: tuple[Container, ...] = ()
    replica_set: ReplicaSet
    restarts: tuple[Restart, ...] = ()
    claimed_at: int = 0
    occupied: bool = False
    pending: bool = True
    changing: bool = False

    @property
    def replicas(self) -> int:
        """How many containers are wanted."""
        return self.replica_set.wanted

    @property
    def running(self) -> tuple[Container, ...]:
        return tuple(container for container in self.containers if container.state is ContainerState.RUNNING)

    @property
    def present(self) -> tuple[Container, ...]:
        """The containers that exist on their nodes: running or paused."""
        return tuple(container for container in self.containers if container.state is not ContainerState.STOPPED)

    def runs_before_start(self, name: str) -> bool:
        """Return whether the container is that of the command before the start, which may be running now."""
        begun = self.pre_deploy
        return begun is not None and begun.container == name and not begun.succeeded and not self.phase.ended

    def container(self, name: str) -> Container | None:
        return next((container for container in self.containers if container.name == name), None)


def evolve(row: Deployment | None, recorded: Recorded[Event]) -> Deployment | None:
    """Fold one event into the row."""
    event = recorded.event
    if isinstance(event, DeploymentRequested):
        return _requested(recorded, event)
    if row is None:
        return None
    phase = transition(row.phase, type(event))
    replicas = row.replica_set.after(recorded)
    changes = {"phase": phase, "pending": phase.cancelable, "replica_set": replicas, **_changes(row, recorded)}
    changed = row.model_copy(update={**changes, "restarts": _restarts(row.restarts, recorded)})
    return changed.model_copy(update={"changing": bool(changed.restarts or replicas.spare)})


def _changes(row: Deployment, recorded: Recorded[Event]) -> dict[str, object]:
    match recorded.event:
        case BuildStarted(commit=commit, attempt=attempt):
            return {"commit": commit, "attempt": attempt, "build_started_at": recorded.metadata.time}
        case BuildSucceeded(release=release, recipe=recipe):
            return {"release": release, "recipe": recipe, "built_sequence": recorded.sequence}
        case PreDeployStarted() | PreDeploySucceeded() as about:
            return {"pre_deploy": _pre_deploy(row, about, recorded.metadata.time)}
        case CutoverStarted():
            return {"claimed_at": recorded.sequence}
        case (
            ContainerStarted()
            | ContainerResumed()
            | ContainerPaused()
            | ContainerStopped()
            | ContainerLooping() as about
        ):
            containers = _remembered(_containers(row, about, recorded.metadata.time), row.replica_set.after(recorded))
            occupied = any(container.state is not ContainerState.STOPPED for container in containers)
            return {"containers": containers, "occupied": occupied}
        case _:
            return {}


def _restarts(restarts: tuple[Restart, ...], recorded: Recorded[Event]) -> tuple[Restart, ...]:
    """Return the restarts that have no answer after an event."""
    match recorded.event:
        case RestartRequested():
            asked = Restart(request=recorded.metadata.id, asked_at=recorded.metadata.time, sequence=recorded.sequence)
            return (*restarts, asked)
        case RestartSucceeded(request=request) | RestartFailed(request=request):
            return tuple(one for one in restarts if one.request != request)
        case _:
            return restarts


def _requested(recorded: Recorded[Event], event: DeploymentRequested) -> Deployment:
    return Deployment(
        team=recorded.team,
        project=recorded.project,
        environment=event.environment,
        requested_at=recorded.metadata.time,
        requested_sequence=recorded.sequence,
        phase=transition(None, DeploymentRequested),
        trigger=event.trigger,
        source=event.source,
        config=event.config,
        variables=event.variables,
        replica_set=ReplicaSet(wanted=event.config.replicas),
        commit=getattr(event.source, "commit", None),
    )


def _pre_deploy(row: Deployment, event: PreDeployStarted | PreDeploySucceeded, time: datetime) -> PreDeploy | None:
    if isinstance(event, PreDeployStarted):
        return PreDeploy(node=event.node, container=event.container, started_at=time)
    return None if row.pre_deploy is None else row.pre_deploy.model_copy(update={"succeeded": True})


ContainerEvent = ContainerStarted | ContainerResumed | ContainerPaused | ContainerStopped | ContainerLooping


def _remembered(containers: tuple[Container, ...], replicas: ReplicaSet) -> tuple[Container, ...]:
    """Return the containers without those that are gone and have a successor."""
    return tuple(
        one for one in containers if one.state is not ContainerState.STOPPED or one.name in replicas.containers
    )


def _containers(row: Deployment, event: ContainerEvent, time: datetime) -> tuple[Container, ...]:
    before = row.container(event.container) or _unknown(event)
    changed = before.model_copy(update={"node": event.node, **_happened(event, before, time)})
    others = tuple(container for container in row.containers if container.name != event.container)
    return (*others, changed)


def _unknown(event: ContainerEvent) -> Container:
    return Container(name=event.container, node=event.node, replica=0, state=ContainerState.STOPPED, address="", port=0)


def _happened(event: ContainerEvent, before: Container, time: datetime) -> dict[str, object]:
    match event:
        case ContainerStarted(replica=replica, address=address, port=port):
            # Said of one that runs, it says that it runs on: the loop is over.
            exits = 0 if before.state is ContainerState.RUNNING else before.exits
            where = {"replica": replica, "address": address, "port": port}
            starts = before.starts + (before.state is ContainerState.STOPPED)
            return {"state": ContainerState.RUNNING, "started_at": time, "exits": exits, "starts": starts, **where}
        case ContainerResumed():
            return {"state": ContainerState.RUNNING}
        case ContainerPaused():
            return {"state": ContainerState.PAUSED}
        case ContainerStopped(why=why):
            return {"state": ContainerState.STOPPED, "exits": before.exits if why == ContainerStopped.LOOPING else 0}
        case ContainerLooping(exits=exits):
            return {"exits": exits}
        case _:
            assert_never(event)
