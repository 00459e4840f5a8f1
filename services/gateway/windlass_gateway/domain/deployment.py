"""What the gateway knows of a deployment: what was asked for, how far it came and when, and how it ended."""

from collections.abc import Mapping
from datetime import datetime
from typing import cast

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
    DeploymentCanceled,
    DeploymentLive,
    DeploymentRequested,
    DeploymentScaled,
    DeploymentSuperseded,
    Failed,
    Healthy,
    PreDeployStarted,
    PreDeploySucceeded,
    RestartFailed,
    RestartRequested,
    RestartSucceeded,
    Unhealthy,
)
from windlass_contracts.events.deployment import GitSource, LogRange, Recipe, Source, Stage, VariableVersion
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId, NoteId, PersonId, ProjectId, TeamId
from windlass_contracts.lifecycle import Phase, transition
from windlass_contracts.replicas import ReplicaSet
from windlass_contracts.subjects import Service
from windlass_gateway.domain.container import STATE_AFTER, Container, ContainerEvent, ContainerState, containers_after
from windlass_gateway.domain.restart import Restart, RestartEnd, restarts_after

SHORTEST_PREFIX = 4
"""How many hex digits of a deployment's id one must give at least."""


class Failure(BaseModel):
    """Why a deployment failed, and who says so."""

    model_config = ConfigDict(frozen=True)

    stage: Stage
    code: str
    reason: str
    service: Service
    exit_code: int | None = None
    log: LogRange | None = None


class Cancellation(BaseModel):
    """The rule of the project that ended a deployment, and what it found."""

    model_config = ConfigDict(frozen=True)

    code: str
    reason: str


class Deployment(BaseModel):
    """The row of a deployment.

    `prefix` (the first hex digits of the id), `branch` (or tag) and `ended` are there to be looked up by. `moments`
    says when each phase was first reached; `since`, from when on the present phase's deadline counts. `restarting` says
    whether a restart has no answer yet.
    """

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    environment: EnvironmentId
    prefix: str
    ended: bool
    phase: Phase
    requested_sequence: int
    correlation: EventId
    actor: str
    trigger: str
    source: Source
    config: DeploymentConfig
    variables: tuple[VariableVersion, ...]
    moments: Mapping[Phase, datetime]
    since: datetime
    based_on: DeploymentId | None = None
    author: PersonId | None = None
    note: NoteId | None = None
    branch: str | None = None
    commit: str | None = None
    attempt: int = 0
    release: str | None = None
    digest: str | None = None
    built_sequence: int = 0
    recipe: Recipe | None = None
    cache_hit: bool | None = None
    pre_deploy_began: bool = False
    pre_deployed_at: datetime | None = None
    containers: tuple[Container, ...] = ()
    replica_set: ReplicaSet
    restarts: tuple[Restart, ...] = ()
    restarting: bool = False
    last_restart: RestartEnd | None = None
    failure: Failure | None = None
    superseded_by: DeploymentId | None = None
    cancellation: Cancellation | None = None

    @property
    def was_skipped(self) -> bool:
        """Whether it was a push that changed nothing which the project deploys for."""
        return self.cancellation is not None and self.cancellation.code == "unchanged"

    @property
    def was_live(self) -> bool:
        return Phase.LIVE in self.moments

    @property
    def waits_for_pre_deploy(self) -> bool:
        """Whether the command before the start comes next, or runs."""
        has_one = self.config.pre_deploy_command is not None
        return self.phase is Phase.BUILT and has_one and self.pre_deployed_at is None

    @property
    def requested_at(self) -> datetime:
        return self.moments[Phase.REQUESTED]

    @property
    def looping(self) -> tuple[Container, ...]:
        """The containers that end again and again, the worst first."""
        return tuple(sorted((one for one in self.containers if one.exits), key=lambda one: (-one.exits, one.name)))

    @property
    def replicas(self) -> int:
        """How many containers are wanted."""
        return self.replica_set.wanted

    @property
    def is_down(self) -> bool:
        """Whether none of its containers answered its probe since they were started last, if they run at all."""
        return all(one.state in {ContainerState.STOPPED, ContainerState.STARTED} for one in self.containers)

    def healthy_containers(self) -> int:
        """Return how many containers answer their probe, without the surplus ones that get no requests."""
        spare = self.replica_set.spare
        return sum(one.state is ContainerState.HEALTHY and one.name not in spare for one in self.containers)


def evolve(row: Deployment | None, recorded: Recorded[Event]) -> Deployment | None:
    """Fold one event into the row."""
    event = recorded.event
    if isinstance(event, DeploymentRequested):
        return _requested(recorded, event)
    if row is None:
        return None
    phase = transition(row.phase, type(event))
    entered = phase is not row.phase
    changes: dict[str, object] = {"phase": phase, "ended": phase.ended, **_changes(row, recorded)}
    if type(event) in ABOUT_REPLICAS:
        changes |= _of_replicas(row, recorded)
    if entered:
        changes["moments"] = {phase: recorded.metadata.time, **row.moments}
    went_down = phase is Phase.CUTOVER and isinstance(event, ContainerStopped) and event.from_outside
    if entered or went_down or type(event) in _RESTARTS_DEADLINE:
        changes["since"] = recorded.metadata.time
    return row.model_copy(update=changes)


def _requested(recorded: Recorded[Event], event: DeploymentRequested) -> Deployment:
    return Deployment(
        team=recorded.team,
        project=recorded.project,
        environment=event.environment,
        prefix=recorded.key.id.hex[:SHORTEST_PREFIX],
        ended=False,
        phase=transition(None, DeploymentRequested),
        requested_sequence=recorded.sequence,
        correlation=recorded.metadata.correlation,
        actor=recorded.metadata.actor,
        trigger=event.trigger,
        source=event.source,
        config=event.config,
        variables=event.variables,
        replica_set=ReplicaSet(wanted=event.config.replicas),
        moments={Phase.REQUESTED: recorded.metadata.time},
        since=recorded.metadata.time,
        based_on=event.based_on,
        author=event.author,
        note=event.note,
        branch=event.source.ref if isinstance(event.source, GitSource) else None,
        commit=event.source.commit if isinstance(event.source, GitSource) else None,
    )


def _changes(row: Deployment, recorded: Recorded[Event]) -> dict[str, object]:
    event = recorded.event
    if (state := STATE_AFTER.get(type(event))) is not None:
        containers = containers_after(row.containers, cast("ContainerEvent", event), state, recorded)
        known = row.replica_set.after(recorded).containers  # without those that are gone and have a successor
        return {"containers": tuple(one for one in containers if one.name in known)}
    return {} if type(event) in _SAY_NO_MORE_THAN_A_PHASE else _details(row, recorded)


def _of_replicas(row: Deployment, recorded: Recorded[Event]) -> dict[str, object]:
    """Return what an event means for the number of containers, and for restarts."""
    restarts = restarts_after(row.restarts, recorded)
    found = {"replica_set": row.replica_set.after(recorded), "restarts": restarts, "restarting": bool(restarts)}
    match recorded.event:
        case RestartSucceeded(replaced=replaced):
            return {**found, "last_restart": RestartEnd(at=recorded.metadata.time, replaced=replaced)}
        case RestartFailed(replaced=replaced, code=code, reason=reason):
            end = RestartEnd(at=recorded.metadata.time, replaced=replaced, code=code, reason=reason)
            return {**found, "last_restart": end}
        case _:
            return found


def _details(row: Deployment, recorded: Recorded[Event]) -> dict[str, object]:
    match recorded.event:
        case BuildStarted(commit=commit, attempt=attempt):
            return {"commit": commit or row.commit, "attempt": attempt}
        case BuildSucceeded(release=release, digest=digest, recipe=recipe, cache_hit=hit):
            built = {"release": release, "digest": digest, "recipe": recipe, "cache_hit": hit}
            return {**built, "built_sequence": recorded.sequence}
        case PreDeployStarted() | PreDeploySucceeded() as about:
            over = type(about) is PreDeploySucceeded
            return {"pre_deploy_began": True, "pre_deployed_at": recorded.metadata.time if over else None}
        case _:
            return _end(recorded)


def _end(recorded: Recorded[Event]) -> dict[str, object]:
    match recorded.event:
        case DeploymentSuperseded(by=by):
            return {"superseded_by": by}
        case DeploymentCanceled(code=str() as code, reason=reason):
            return {"cancellation": Cancellation(code=code, reason=reason or code)}
        case Failed() as failed:
            return {"failure": _failure(failed, recorded.service)}
        case _:
            return {}


def _failure(event: Failed, service: Service) -> Failure:
    return Failure(
        stage=event.stage,
        code=event.code,
        reason=event.reason,
        service=service,
        exit_code=event.exit_code,
        log=event.log,
    )


_RESTARTS_DEADLINE: frozenset[type[Event]] = frozenset(
    {BuildStarted, PreDeployStarted, PreDeploySucceeded, ContainerStarted}
)
_SAY_NO_MORE_THAN_A_PHASE: frozenset[type[Event]] = frozenset({CutoverStarted, DeploymentLive})

ABOUT_REPLICAS: frozenset[type[Event]] = frozenset(
    {
        ContainerStarted,
        ContainerResumed,
        ContainerPaused,
        ContainerStopped,
        ContainerLooping,
        Healthy,
        Unhealthy,
        DeploymentScaled,
        RestartRequested,
        RestartSucceeded,
        RestartFailed,
    }
)
