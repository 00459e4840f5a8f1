"""What the router has decided about a project's addresses, what the proxies confirmed, and what is asked for."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    PromotionRequested,
    RollbackRequested,
    RoutesApplied,
    RoutesFailed,
)
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId, ProjectId, TeamId

IMMUTABLE = "deployment"
_OF_THE_ENVIRONMENT = frozenset({"environment", "environment-id", "domain"})


class Pointer(BaseModel):
    """Where an alias points, and where it pointed before."""

    model_config = ConfigDict(frozen=True)

    alias: Alias
    current: DeploymentId
    previous: DeploymentId | None = None


class Wanted(BaseModel):
    """A rollback or promotion that was asked for and is not decided yet."""

    model_config = ConfigDict(frozen=True)

    why: str
    environment: EnvironmentId
    to: DeploymentId
    asked_at: datetime


class Change(BaseModel):
    """The last decision: at this sequence, because of this request or deployment, these aliases moved."""

    model_config = ConfigDict(frozen=True)

    sequence: int
    at: datetime
    why: str
    deployment: DeploymentId | None
    request: EventId | None
    moves: tuple[AliasMove, ...]


class Routes(BaseModel):
    """The row of a project's routes."""

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    pointers: Mapping[str, Pointer] = {}
    wanted: Mapping[EventId, Wanted] = {}
    last: Change | None = None
    applied: int = 0

    @property
    def awake(self) -> frozenset[DeploymentId]:
        """The deployments that some alias other than their own immutable one points at."""
        return frozenset(one.current for one in self.pointers.values() if one.alias.kind != IMMUTABLE)

    @property
    def unconfirmed(self) -> Change | None:
        """The last decision, unless the proxies confirmed it already."""
        return self.last if self.last is not None and self.last.sequence > self.applied else None

    def of_environment(self, environment: EnvironmentId) -> tuple[Pointer, ...]:
        """The addresses that go wherever the environment goes."""
        return tuple(
            one
            for one in self.pointers.values()
            if one.alias.environment == environment and one.alias.kind in _OF_THE_ENVIRONMENT
        )

    def moves_to(self, deployment: DeploymentId, aliases: Iterable[Alias]) -> tuple[AliasMove, ...]:
        """Return the moves that let all these aliases point at a deployment; those that do already are left out."""
        return tuple(
            AliasMove(alias=alias, before=before, after=deployment)
            for alias in aliases
            if (before := self._current(alias)) != deployment
        )

    def _current(self, alias: Alias) -> DeploymentId | None:
        pointer = self.pointers.get(alias.name)
        return None if pointer is None else pointer.current


def undone(moves: Iterable[AliasMove]) -> tuple[AliasMove, ...]:
    """Return the moves that take these back."""
    return tuple(AliasMove(alias=move.alias, before=move.after, after=move.before) for move in moves)


def evolve(row: Routes | None, recorded: Recorded[Event]) -> Routes:
    """Fold one event into the row."""
    row = row or Routes(team=recorded.team, project=recorded.project)
    match recorded.event:
        case AliasesChanged() as change:
            return _changed(row, change, recorded)
        case RoutesApplied(generation=generation):
            return row.model_copy(update={"applied": max(row.applied, generation)})
        case RollbackRequested(environment=environment, to=to):
            return _asked(row, recorded, Wanted(why="rollback", environment=environment, to=to, asked_at=_at(recorded)))
        case PromotionRequested(environment=environment, to=to):
            return _asked(
                row, recorded, Wanted(why="promotion", environment=environment, to=to, asked_at=_at(recorded))
            )
        case RoutesFailed(request=request):
            return row.model_copy(update={"wanted": _without(row.wanted, request)})
        case _:
            return row


def _at(recorded: Recorded[Event]) -> datetime:
    return recorded.metadata.time


def _asked(row: Routes, recorded: Recorded[Event], wanted: Wanted) -> Routes:
    return row.model_copy(update={"wanted": {**row.wanted, recorded.metadata.id: wanted}})


def _without(wanted: Mapping[EventId, Wanted], request: EventId) -> dict[EventId, Wanted]:
    return {identity: one for identity, one in wanted.items() if identity != request}


def _changed(row: Routes, change: AliasesChanged, recorded: Recorded[Event]) -> Routes:
    pointers = dict(row.pointers)
    for move in change.moves:
        if move.after is None:
            pointers.pop(move.alias.name, None)
        else:
            pointers[move.alias.name] = Pointer(alias=move.alias, current=move.after, previous=move.before)
    last = Change(
        sequence=recorded.sequence,
        at=_at(recorded),
        why=change.why,
        deployment=change.deployment,
        request=change.request,
        moves=change.moves,
    )
    wanted = row.wanted if change.request is None else _without(row.wanted, change.request)
    return row.model_copy(update={"pointers": pointers, "last": last, "wanted": wanted})
