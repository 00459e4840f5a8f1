"""What an event says, in words: the sentence goes on behind who did it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    ApiTokenCreated,
    ApiTokenRevoked,
    BranchDeleted,
    BuildStarted,
    BuildSucceeded,
    ContainerLooping,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    CredentialRemoved,
    CredentialSet,
    CutoverStarted,
    DeploymentCanceled,
    DeploymentLive,
    DeploymentRequested,
    DeploymentScaled,
    DeploymentSuperseded,
    DomainAssigned,
    DomainRemoved,
    EnvironmentConfigured,
    EnvironmentCreated,
    EnvironmentReleased,
    Failed,
    Healthy,
    InspectionFailed,
    InspectionRequested,
    PreDeployStarted,
    PreDeploySucceeded,
    ProjectConfigured,
    ProjectCreated,
    PromotionRequested,
    ReactionAbandoned,
    ReactionDiscarded,
    ReactionRecovered,
    ReactionRetried,
    ReleaseRetired,
    RestartFailed,
    RestartRequested,
    RestartSucceeded,
    RestoreRequested,
    RollbackRequested,
    RolloutStopped,
    RoutesApplied,
    RoutesFailed,
    RunEnded,
    RunRequested,
    RunStarted,
    SourceInspected,
    StorageReclaimed,
    Unhealthy,
    VariableRemoved,
    VariableSet,
    WeightChanged,
    WeightRequested,
)
from windlass_contracts.events.deployment import GitSource
from windlass_contracts.ids import DeploymentId
from windlass_gateway.entrypoints.pages import storage_words
from windlass_gateway.entrypoints.pages.words import duration, short

_SHOWN_BRANCHES = 5


@dataclass(frozen=True, slots=True)
class Change:
    """Something that had one value and has another now; None is none."""

    what: str
    before: DeploymentId | None
    after: DeploymentId | None


Environments = Mapping[UUID, str]
"""The names of environments, by id."""


def sentence(event: Event, environments: Environments) -> str:
    """Return what happened."""
    tell = _SENTENCES.get(type(event))
    return event.TYPE if tell is None else tell(event, environments)


def changes(event: Event) -> Sequence[Change]:
    """Return what had another value before."""
    match event:
        case AliasesChanged(moves=moves):
            return [Change(move.alias.name, move.before, move.after) for move in moves]
        case (
            RollbackRequested(alias=alias, before=before, to=to) | PromotionRequested(alias=alias, before=before, to=to)
        ):
            return [Change(alias, before, to)]
        case RestoreRequested(before=before, to=to):
            return [Change("what answers", before, to)]
        case DeploymentSuperseded(by=by):
            return [Change("superseded by", None, by)]
        case _:
            return []


def _where(environments: Environments, identity: UUID | None) -> str:
    return "every environment" if identity is None else environments.get(identity, short(identity))


def _requested(event: DeploymentRequested, environments: Environments) -> str:
    source = event.source
    what = (source.ref or source.commit or "the default branch") if isinstance(source, GitSource) else source.kind
    return f"requested a deployment of {what} to {_where(environments, event.environment)}, by {event.trigger}"


_WHY_STOPPED = {
    "scratch-full": "it wrote more outside of its volumes than it may",
    "scaled": "the version was scaled down",
    "replaced": "a fresh one took its place",
    "not-healthy": "it was not healthy in time",
    "unseen": "it had ended while nobody watched",
}


def _containers(count: int) -> str:
    return f"{count} container{'' if count == 1 else 's'}"


def _moved(event: AliasesChanged) -> str:
    if event.why == "branch-deleted":
        return "gave up the address of a deleted branch"
    if event.why == "restore":
        return "took a failing version back: the one before answers again"
    return f"moved addresses, for a {event.why}"


def _stopped(event: ContainerStopped) -> str:
    code = "" if event.exit_code is None else f", exit code {event.exit_code}"
    memory = ", out of memory" if event.out_of_memory else ""
    why = _WHY_STOPPED.get(event.why, event.why)
    return f"stopped a container: {why}{code}{memory}"


def _built(event: BuildSucceeded) -> str:
    took = duration(event.duration_ms)
    return f"found the release in {took}: it was there already" if event.cache_hit else f"built a release in {took}"


def _configured(event: EnvironmentConfigured, environments: Environments) -> str:
    shown = ", ".join(event.branches[:_SHOWN_BRANCHES]) or "no branches"
    more = len(event.branches) - _SHOWN_BRANCHES
    return f"lets {shown}{f' and {more} more' if more > 0 else ''} go to {_where(environments, event.environment)}"


_SENTENCES: Mapping[type[Event], Callable[[Any, Environments], str]] = {
    ProjectCreated: lambda event, _: f"created the project {event.slug}",
    ProjectConfigured: lambda *_: "changed the settings",
    EnvironmentCreated: lambda event, _: f"added the environment {event.name}",
    EnvironmentConfigured: _configured,
    VariableSet: lambda event, names: f"set the variable {event.name} for {_where(names, event.environment)}",
    VariableRemoved: lambda event, names: f"removed the variable {event.name} from {_where(names, event.environment)}",
    CredentialSet: lambda event, _: f"set the credential {event.kind} for {event.host}",
    CredentialRemoved: lambda event, _: f"removed the credential {event.kind} for {event.host}",
    DomainAssigned: lambda event, names: f"gave the domain {event.host} to {_where(names, event.environment)}",
    DomainRemoved: lambda event, _: f"removed the domain {event.host}",
    DeploymentRequested: _requested,
    DeploymentCanceled: lambda event, _: "skipped it" if event.code == "unchanged" else "canceled it",
    DeploymentSuperseded: lambda *_: "ended it for a later request",
    BuildStarted: lambda event, _: f"took it on {event.node}, attempt {event.attempt}",
    BuildSucceeded: lambda event, _: _built(event),
    PreDeployStarted: lambda event, _: f"began the command before the start on {event.node}",
    PreDeploySucceeded: lambda event, _: f"ran the command before the start in {duration(event.duration_ms)}",
    CutoverStarted: lambda *_: "began the cutover",
    DeploymentLive: lambda event, _: f"made it live, {duration(event.duration_ms)} after the request",
    DeploymentScaled: lambda event, _: f"scaled it to {_containers(event.replicas)}",
    RestartRequested: lambda *_: "asked for a restart, container by container",
    RestartSucceeded: lambda event, _: f"restarted {_containers(event.replaced)} in {duration(event.duration_ms)}",
    RestartFailed: lambda event, _: f"broke off a restart after {_containers(event.replaced)}: {event.reason}",
    Failed: lambda event, _: f"ended it as failed at the stage {event.stage}: {event.reason}",
    ContainerStarted: lambda event, _: f"started a container on {event.node} in {duration(event.duration_ms)}",
    ContainerPaused: lambda *_: "paused a container and keeps it warm",
    ContainerResumed: lambda *_: "resumed a container",
    ContainerStopped: lambda event, _: _stopped(event),
    ContainerLooping: lambda event, _: f"saw a container end {event.exits} times in a row, and waits longer each time",
    Healthy: lambda event, _: f"got a good answer to the {event.probe} probe",
    Unhealthy: lambda event, _: f"got {event.failures} bad answers to the {event.probe} probe: {event.code}",
    AliasesChanged: lambda event, _: _moved(event),
    BranchDeleted: lambda event, _: f"learned that the branch {event.branch} was deleted",
    RollbackRequested: lambda event, names: f"asked for the way back of {_where(names, event.environment)}",
    RestoreRequested: lambda event, names: (
        f"saw {_where(names, event.environment)} fail, and wants the version before: {event.reason}"
    ),
    PromotionRequested: lambda event, names: f"asked for a promotion to {_where(names, event.environment)}",
    WeightRequested: lambda event, names: f"asked for {event.weight} % of {_where(names, event.environment)} for it",
    RolloutStopped: lambda event, names: f"stopped the rollout in {_where(names, event.environment)}",
    WeightChanged: lambda event, names: f"gives it {event.weight} % of {_where(names, event.environment)}: {event.why}",
    EnvironmentReleased: lambda event, names: f"released {_where(names, event.environment)}: it takes pushes again",
    RoutesApplied: lambda event, _: f"had the routes confirmed by every proxy in {duration(event.duration_ms)}",
    RoutesFailed: lambda event, _: f"could not move the addresses: {event.reason}",
    ReleaseRetired: lambda event, _: storage_words.retired(event),
    StorageReclaimed: lambda event, _: storage_words.reclaimed(event),
    RunRequested: lambda *_: "asked for a one-off command",
    RunStarted: lambda event, _: f"began a one-off command on {event.node}",
    RunEnded: lambda event, _: f"ended a one-off command: {event.code}",
    ApiTokenCreated: lambda event, _: f"made the API token {event.name}, which may {', '.join(event.permissions)}",
    ApiTokenRevoked: lambda *_: "revoked an API token",
    InspectionRequested: lambda event, _: f"asked to look into {event.source.repository}",
    SourceInspected: lambda event, _: f"looked into the repository in {duration(event.duration_ms)}",
    InspectionFailed: lambda event, _: f"could not look into the repository: {event.reason}",
    ReactionAbandoned: lambda event, _: f"gave up {event.reactor} on event {event.sequence}: {event.error}",
    ReactionRetried: lambda *_: "had a dead letter tried again",
    ReactionDiscarded: lambda *_: "discarded a dead letter",
    ReactionRecovered: lambda *_: "dealt with a dead letter",
}
