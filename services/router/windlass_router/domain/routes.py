"""What the router decided about a project's addresses and weights, what is confirmed of it, and what is asked for."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.deletions import Deletions, with_deletion
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    BranchDeleted,
    EnvironmentReleased,
    PromotionRequested,
    RestoreRequested,
    RollbackRequested,
    RolloutStopped,
    RoutesApplied,
    RoutesFailed,
    WeightChanged,
    WeightRequested,
)
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.holds import Holds
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId, ProjectId, TeamId
from windlass_contracts.weights import Weights
from windlass_router.domain.pointers import IMMUTABLE, OF_THE_ENVIRONMENT, Pointer, like_its_environment, moved
from windlass_router.domain.requests import (
    Request,
    Requests,
    RequestState,
    unanswered,
    wanted,
    with_decision,
    with_state,
    without,
    without_weights,
)

COMPENSATION = "compensation"
CUTOVER = "cutover"
BRANCH_DELETED = "branch-deleted"
_REMEMBERED = 20


class Change(BaseModel):
    """The last decision; that of a weight says which, and in which environment."""

    model_config = ConfigDict(frozen=True)

    sequence: int
    at: datetime
    why: str
    deployment: DeploymentId | None
    request: EventId | None = None
    environment: EnvironmentId | None = None
    weight: int | None = None


class Routes(BaseModel):
    """The row of a project's routes.

    Of the immutable addresses it keeps those of deployments that answer elsewhere, too; the others are asleep.
    `taken_back` names the last deployments whose cutover was undone; `entered` the one that the last cutover let in,
    until something else is decided: it may be one that takes its environment step by step.
    """

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    pointers: Mapping[str, Pointer] = {}
    requests: Requests = {}
    changed: Change | None = None
    applied: int = 0
    taken_back: tuple[DeploymentId, ...] = ()
    deleted: Deletions = {}
    holds: Holds = Holds()
    weights: Weights = Weights()
    entered: DeploymentId | None = None

    @property
    def awake(self) -> frozenset[DeploymentId]:
        """The deployments that answer somewhere."""
        return _awake(self.pointers.values(), self.weights, self.entered)

    @property
    def unconfirmed(self) -> Change | None:
        """The last decision, unless the proxies confirmed it already."""
        return self.changed if self.changed is not None and self.changed.sequence > self.applied else None

    def held_by(self, deployment: DeploymentId) -> tuple[Pointer, ...]:
        return tuple(one for one in self.pointers.values() if one.current.deployment == deployment)

    def of_environment(self, environment: EnvironmentId) -> tuple[Pointer, ...]:
        """The addresses that go wherever the environment goes."""
        return tuple(
            one
            for one in self.pointers.values()
            if one.alias.environment == environment and one.alias.kind in OF_THE_ENVIRONMENT
        )

    def moved_by(self, request: Request) -> tuple[Pointer, ...]:
        """The addresses of the request's environment that answer with what it asked for, and moved there by it."""
        if request.shares:
            return ()
        return tuple(one for one in self.of_environment(request.environment) if one.current.deployment == request.to)

    def shared_by(self, request: Request) -> bool:
        """Tell whether a weight is as it is by this request."""
        weight = self.weights.now.get(request.environment)
        return request.shares and weight is not None and weight.asked == request.sequence

    def moves_to(self, deployment: DeploymentId, aliases: Iterable[Alias]) -> tuple[AliasMove, ...]:
        """Return the moves that let all these aliases point at a deployment; those that do already are left out."""
        return tuple(
            AliasMove(alias=alias, before=before, after=deployment)
            for alias in aliases
            if (before := self._current(alias)) != deployment
        )

    def _current(self, alias: Alias) -> DeploymentId | None:
        pointer = self.pointers.get(alias.name)
        return None if pointer is None else pointer.current.deployment


def evolve(row: Routes | None, recorded: Recorded[Event]) -> Routes:
    """Fold one event into the row."""
    row = row or Routes(team=recorded.team, project=recorded.project)
    match recorded.event:
        case AliasesChanged() as change:
            return _changed(row, change, recorded)
        case WeightChanged() as change:
            return _weighted(row, change, recorded)
        case RoutesApplied(generation=generation):
            return _applied(row, generation, recorded.metadata.time)
        case RoutesFailed(request=request):
            return _failed(row, request)
        case _:
            return _told(row, recorded)


def _told(row: Routes, recorded: Recorded[Event]) -> Routes:
    """Fold what the gateway and the monitor say."""
    match recorded.event:
        case RollbackRequested() | PromotionRequested() | RestoreRequested() | WeightRequested() as asked:
            request = wanted(asked, recorded)
            return row.model_copy(update={"requests": {**row.requests, recorded.metadata.id: request}})
        case RolloutStopped(environment=environment):
            weights = row.weights.stopped(environment, recorded.metadata.id)
            requests = without_weights(row.requests, environment)
            return row.model_copy(update={"weights": weights, "requests": requests})
        case EnvironmentReleased(environment=environment):
            return row.model_copy(update={"holds": row.holds.released(environment, recorded.sequence)})
        case BranchDeleted() as event:
            return row.model_copy(update={"deleted": with_deletion(row.deleted, event, recorded)})
        case _:
            return row


def _applied(row: Routes, generation: int, at: datetime) -> Routes:
    return row.model_copy(
        update={
            "applied": max(row.applied, generation),
            "requests": unanswered(row.requests, generation),
            "weights": row.weights.applied(generation, at),
        }
    )


def _changed(row: Routes, event: AliasesChanged, recorded: Recorded[Event]) -> Routes:
    sequence = recorded.sequence
    request = None if event.request is None else row.requests.get(event.request)
    pointers = dict(row.pointers)
    for move in event.moves:
        pointer = moved(pointers.pop(move.alias.name, None), move, sequence, request)
        if pointer is not None:
            pointers[move.alias.name] = like_its_environment(pointer, pointers.values())
    weights, entered = row.weights.moved(event, sequence), event.deployment if event.why == CUTOVER else None
    awake = _awake(pointers.values(), weights, entered)
    change = Change(
        sequence=sequence,
        at=recorded.metadata.time,
        why=event.why,
        deployment=event.deployment,
        request=event.request,
    )
    return row.model_copy(
        update={
            "pointers": _of(awake, pointers),
            "changed": change,
            "holds": row.holds.changed(event, recorded.metadata.time),
            "weights": weights,
            "entered": entered,
            **_progress(row, event, sequence),
        }
    )


def _weighted(row: Routes, event: WeightChanged, recorded: Recorded[Event]) -> Routes:
    sequence = recorded.sequence
    request = None if event.request is None else row.requests.get(event.request)
    weights = row.weights.changed(event, sequence, 0 if request is None else request.sequence)
    change = Change(
        sequence=sequence,
        at=recorded.metadata.time,
        why=event.why,
        deployment=event.deployment,
        request=event.request,
        environment=event.environment,
        weight=event.weight,
    )
    return row.model_copy(
        update={
            "pointers": _of(_awake(row.pointers.values(), weights, None), row.pointers),
            "changed": change,
            "weights": weights,
            "entered": None,
            **_progress(row, event, sequence),
        }
    )


def _progress(row: Routes, event: AliasesChanged | WeightChanged, sequence: int) -> Mapping[str, object]:
    """Return what the decision means for the request or the deployment that it was made for."""
    shares = isinstance(event, WeightChanged)
    request = None if event.request is None else row.requests.get(event.request)
    if event.request is None or request is None:
        undone = event.why == COMPENSATION and event.deployment is not None and not shares
        return {"taken_back": (*row.taken_back, event.deployment)[-_REMEMBERED:]} if undone else {}
    if event.why != COMPENSATION:
        return {"requests": with_decision(row.requests, event.request, sequence, shares=shares)}
    if request.state is RequestState.GIVEN_UP:
        return {"requests": without(row.requests, event.request)}
    return {"requests": with_state(row.requests, event.request, RequestState.TAKEN_BACK)}


def _failed(row: Routes, identity: EventId) -> Routes:
    request = row.requests.get(identity)
    if request is None:
        return row
    if request.state is RequestState.MOVED and (row.moved_by(request) or row.shared_by(request)):
        return row.model_copy(update={"requests": with_state(row.requests, identity, RequestState.GIVEN_UP)})
    return row.model_copy(update={"requests": without(row.requests, identity)})


def _of(awake: frozenset[DeploymentId], pointers: Mapping[str, Pointer]) -> Mapping[str, Pointer]:
    return {name: one for name, one in pointers.items() if one.current.deployment in awake}


def _awake(pointers: Iterable[Pointer], weights: Weights, entered: DeploymentId | None) -> frozenset[DeploymentId]:
    answering = frozenset(one.current.deployment for one in pointers if one.alias.kind != IMMUTABLE)
    return answering | weights.deployments | (frozenset() if entered is None else {entered})
