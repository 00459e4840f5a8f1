"""What the gateway knows of a project's routes: who answers where, who did before, and which requests are open."""

from collections.abc import Mapping
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
from windlass_contracts.events.routes import AliasMove
from windlass_contracts.holds import Hold, Holds
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId, ProjectId, TeamId
from windlass_contracts.weights import Weights

ENVIRONMENT_ALIAS = "environment"
"""The kind of alias that is an environment's own address."""

DEPLOYMENT_ALIAS = "deployment"
"""The kind of alias that answers with one deployment for as long as that is there, whatever is live."""

BRANCH_ALIAS = "branch"
"""The kind of alias that answers with the newest version of a branch."""

RESTORE = "restore"
"""Why addresses moved that went back to the version before by the monitor's wish."""

_REMEMBERED = 20
"""How many earlier deployments an address remembers: those that a rollback chooses from by itself."""


class AliasState(BaseModel):
    """An address, the deployment that answers there, and those that did before, the latest first."""

    model_config = ConfigDict(frozen=True)

    kind: str
    name: str
    environment: EnvironmentId | None
    current: DeploymentId | None
    before: tuple[DeploymentId, ...] = ()


class SwitchRequest(BaseModel):
    """A rollback, promotion or restoring that has no answer yet; `generation` is set once the router decided it."""

    model_config = ConfigDict(frozen=True)

    to: DeploymentId
    by: str
    requested_at: datetime
    sequence: int
    generation: int | None = None
    shares: EnvironmentId | None = None
    """Of which environment a part is wanted, by a request for a weight."""


class Restoring(BaseModel):
    """The monitor saw a version fail in an environment, and wanted the one before back; `refused` says why it is not.

    `done` is the sequence of the decision by which that took the environment.
    """

    model_config = ConfigDict(frozen=True)

    request: EventId
    environment: EnvironmentId
    failed: DeploymentId
    to: DeploymentId
    code: str
    reason: str
    at: datetime
    done: int | None = None
    refused: str | None = None


class Routes(BaseModel):
    """The row of a project's routes. `awaiting` says whether some request is open, so that those few are found.

    `restorings` are the last ones, the latest first.
    """

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    aliases: tuple[AliasState, ...] = ()
    requests: Mapping[EventId, SwitchRequest] = {}
    awaiting: bool = False
    deleted: Deletions = {}
    holds: Holds = Holds()
    restorings: tuple[Restoring, ...] = ()
    weights: Weights = Weights()

    def hold_of(self, environment: EnvironmentId) -> Hold | None:
        """Return the rollback that keeps pushes from taking the environment, None where none does."""
        return self.holds.of(environment)

    def alias_of(self, environment: EnvironmentId) -> AliasState | None:
        """Return the environment's own address."""
        wanted = (ENVIRONMENT_ALIAS, environment)
        return next((alias for alias in self.aliases if (alias.kind, alias.environment) == wanted), None)

    def pointing_at(self, deployment: DeploymentId) -> tuple[AliasState, ...]:
        """Return the addresses that answer with the deployment, the environment's own first."""
        pointing = (alias for alias in self.aliases if alias.current == deployment)
        return tuple(sorted(pointing, key=lambda alias: alias.kind != ENVIRONMENT_ALIAS))


def evolve(row: Routes | None, recorded: Recorded[Event]) -> Routes | None:
    """Fold one event into the row."""
    row = row or Routes(team=recorded.team, project=recorded.project)
    match recorded.event:
        case AliasesChanged() as change:
            return _changed(row, change, recorded)
        case WeightChanged() as change:
            return _weighted(row, change, recorded.sequence)
        case RoutesApplied(generation=generation):
            open_requests = {
                request: asked
                for request, asked in row.requests.items()
                if asked.generation is None or asked.generation > generation
            }
            applied = row.model_copy(update={"weights": row.weights.applied(generation, recorded.metadata.time)})
            return _with_requests(applied, open_requests)
        case RoutesFailed(request=request, reason=reason):
            answered = _with_requests(row, {one: asked for one, asked in row.requests.items() if one != request})
            return _restoring(answered, request, {"done": None, "refused": reason})
        case _:
            return _told(row, recorded)


def _told(row: Routes, recorded: Recorded[Event]) -> Routes:
    """Fold what the gateway and the monitor say."""
    match recorded.event:
        case RollbackRequested() | PromotionRequested() | RestoreRequested() | WeightRequested() as event:
            asked = SwitchRequest(
                to=event.to,
                by=recorded.metadata.actor,
                requested_at=recorded.metadata.time,
                sequence=recorded.sequence,
                shares=event.environment if isinstance(event, WeightRequested) else None,
            )
            return _with_requests(_restored(row, recorded), {**row.requests, recorded.metadata.id: asked})
        case BranchDeleted() as event:
            return row.model_copy(update={"deleted": with_deletion(row.deleted, event, recorded)})
        case RolloutStopped(environment=environment):
            return row.model_copy(update={"weights": row.weights.stopped(environment, recorded.metadata.id)})
        case EnvironmentReleased(environment=environment):
            return row.model_copy(update={"holds": row.holds.released(environment, recorded.sequence)})
        case _:
            return row


def _restored(row: Routes, recorded: Recorded[Event]) -> Routes:
    """Remember what the monitor saw, if that is who asked."""
    event = recorded.event
    if not isinstance(event, RestoreRequested):
        return row
    restoring = Restoring(
        request=recorded.metadata.id,
        environment=event.environment,
        failed=event.before,
        to=event.to,
        code=event.code,
        reason=event.reason,
        at=recorded.metadata.time,
    )
    return row.model_copy(update={"restorings": (restoring, *row.restorings)[:_REMEMBERED]})


def _restoring(row: Routes, request: EventId, update: Mapping[str, object]) -> Routes:
    """Note how a restoring went, if it was one that was asked for."""
    return row.model_copy(
        update={
            "restorings": tuple(
                one.model_copy(update=update) if one.request == request else one for one in row.restorings
            )
        }
    )


def _changed(row: Routes, change: AliasesChanged, recorded: Recorded[Event]) -> Routes:
    asked = None if change.request is None else row.requests.get(change.request)
    holds = row.holds.changed(change, recorded.metadata.time, None if asked is None else asked.by)
    weights = row.weights.moved(change, recorded.sequence)
    update = {"aliases": _moved(row.aliases, change.moves), "holds": holds, "weights": weights}
    moved = row.model_copy(update=update)
    if change.request is not None and change.why == RESTORE:
        moved = _restoring(moved, change.request, {"done": recorded.sequence})
    return _decided(moved, change.request, recorded.sequence)


def _weighted(row: Routes, change: WeightChanged, sequence: int) -> Routes:
    asked = None if change.request is None else row.requests.get(change.request)
    weights = row.weights.changed(change, sequence, 0 if asked is None else asked.sequence)
    weighted = row.model_copy(update={"weights": weights})
    if change.request is not None:
        weighted = _restoring(weighted, change.request, {"done": sequence})
    return _decided(weighted, change.request, sequence)


def _moved(aliases: tuple[AliasState, ...], moves: tuple[AliasMove, ...]) -> tuple[AliasState, ...]:
    known = {alias.name: alias for alias in aliases}
    for move in moves:
        before = known.get(move.alias.name)
        left = (move.before,) if before is None else (before.current, *before.before)
        known[move.alias.name] = AliasState(
            kind=move.alias.kind,
            name=move.alias.name,
            environment=move.alias.environment,
            current=move.after,
            before=_latest_first(left, without=move.after),
        )
    return tuple(known.values())


def _latest_first(left: tuple[DeploymentId | None, ...], without: DeploymentId | None) -> tuple[DeploymentId, ...]:
    # By their numbers: a UUID is hashed and compared by Python code.
    distinct = {one.int: one for one in reversed(left) if one is not None}
    if without is not None:
        distinct.pop(without.int, None)
    return tuple(reversed(distinct.values()))[:_REMEMBERED]


def _decided(row: Routes, request: EventId | None, generation: int) -> Routes:
    asked = None if request is None else row.requests.get(request)
    if request is None or asked is None:
        return row
    return _with_requests(row, {**row.requests, request: asked.model_copy(update={"generation": generation})})


def _with_requests(row: Routes, requests: Mapping[EventId, SwitchRequest]) -> Routes:
    return row.model_copy(update={"requests": requests, "awaiting": bool(requests)})
