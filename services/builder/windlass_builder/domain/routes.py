"""What the builder knows of a project's routes: who is referenced, who no longer is and since when, who is wanted."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    EnvironmentReleased,
    PromotionRequested,
    RestoreRequested,
    RollbackRequested,
    RoutesApplied,
    RoutesFailed,
    WeightChanged,
    WeightRequested,
)
from windlass_contracts.holds import Holds
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId, ProjectId, TeamId
from windlass_contracts.weights import Weights

_MOST_BEFORE = 20
_MOST_CONFIRMATIONS = 20
IMMUTABLE = "deployment"
"""The kind of alias that each deployment has for itself: it keeps nothing running."""
_CUTOVER = "cutover"


class Leaving(BaseModel):
    """Nothing is sent to the deployment since this sequence; once the proxies confirmed that, `idle_since` is set."""

    model_config = ConfigDict(frozen=True)

    sequence: int
    idle_since: datetime | None = None


class Confirmation(BaseModel):
    """Every proxy confirmed the routes as of this sequence."""

    model_config = ConfigDict(frozen=True)

    generation: int
    at: datetime


class Routes(BaseModel):
    """The row of a project's routes."""

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    aliases: Mapping[str, DeploymentId] = {}
    environments: Mapping[EnvironmentId, DeploymentId] = {}
    """What each environment's own address points at."""
    before: Mapping[str, tuple[DeploymentId, ...]] = {}
    """What each address pointed at earlier, the last one first."""
    leaving: Mapping[DeploymentId, Leaving] = {}
    wanted: Mapping[EventId, DeploymentId] = {}
    holds: Holds = Holds()
    weights: Weights = Weights()
    entered: DeploymentId | None = None
    """What the last cutover let in: it may get a weight next, and no other address."""
    confirmations: tuple[Confirmation, ...] = ()
    """The last ones, the latest last."""

    @property
    def referenced(self) -> frozenset[DeploymentId]:
        """The deployments that some alias points at, that get some requests, or that somebody asked to come back."""
        return self.asked | frozenset(self.wanted.values())

    @property
    def asked(self) -> frozenset[DeploymentId]:
        """The deployments that requests are sent to."""
        entered = frozenset[DeploymentId]() if self.entered is None else frozenset({self.entered})
        return frozenset(self.aliases.values()) | self.weights.deployments | entered

    def confirmed(self, sequence: int) -> datetime | None:
        """Return when the proxies confirmed what was said up to the sequence, None as long as they did not."""
        return next((one.at for one in self.confirmations if one.generation >= sequence), None)

    def may_be_asked(self, deployment: DeploymentId) -> bool:
        """Tell whether proxies may send requests to a deployment: addresses are its own, or were until just now."""
        leaving = self.leaving.get(deployment)
        return deployment in self.asked or (leaving is not None and leaving.idle_since is None)


def evolve(row: Routes | None, recorded: Recorded[Event]) -> Routes:
    """Fold one event into the row."""
    row = row or Routes(team=recorded.team, project=recorded.project)
    match recorded.event:
        case AliasesChanged() as change:
            holds = row.holds.changed(change, recorded.metadata.time)
            return _changed(row, change, recorded.sequence).model_copy(update={"holds": holds})
        case WeightChanged() as change:
            return _weighted(row, change, recorded.sequence)
        case RoutesApplied(generation=generation):
            return _applied(row, generation, recorded.metadata.time)
        case _:
            return _told(row, recorded)


def _applied(row: Routes, generation: int, at: datetime) -> Routes:
    leaving = {deployment: _confirmed(leaves, generation, at) for deployment, leaves in row.leaving.items()}
    confirmations = (*row.confirmations, Confirmation(generation=generation, at=at))[-_MOST_CONFIRMATIONS:]
    weights = row.weights.applied(generation, at)
    return row.model_copy(update={"leaving": leaving, "confirmations": confirmations, "weights": weights})


def _told(row: Routes, recorded: Recorded[Event]) -> Routes:
    """Fold what others than the router say."""
    match recorded.event:
        case EnvironmentReleased(environment=environment):
            return row.model_copy(update={"holds": row.holds.released(environment, recorded.sequence)})
        case RollbackRequested(to=to) | PromotionRequested(to=to) | RestoreRequested(to=to) | WeightRequested(to=to):
            return row.model_copy(update={"wanted": {**row.wanted, recorded.metadata.id: to}})
        case RoutesFailed(request=request):
            return _given_up(row, request, recorded)
        case _:
            return row


def _changed(row: Routes, change: AliasesChanged, sequence: int) -> Routes:
    aliases = dict(row.aliases)
    for move in change.moves:
        if move.alias.kind == IMMUTABLE:
            continue
        if move.after is None:
            aliases.pop(move.alias.name, None)
        else:
            aliases[move.alias.name] = move.after
    environments = {**row.environments, **_environments(change)}
    changed = row.model_copy(
        update={
            "aliases": aliases,
            "before": _before(row, aliases),
            "environments": {environment: after for environment, after in environments.items() if after is not None},
            "weights": row.weights.moved(change, sequence),
            "entered": change.deployment if change.why == _CUTOVER else None,
        }
    )
    return _left(row, changed, change.request, sequence)


def _weighted(row: Routes, change: WeightChanged, sequence: int) -> Routes:
    weights = row.weights.changed(change, sequence)
    changed = row.model_copy(update={"weights": weights, "entered": None})
    return _left(row, changed, change.request, sequence)


def _left(before: Routes, now: Routes, request: EventId | None, sequence: int) -> Routes:
    """Return the row after a decision, with what it left behind, and without the request that it answers."""
    leaving = {deployment: leaves for deployment, leaves in now.leaving.items() if deployment not in now.asked}
    leaving |= {deployment: Leaving(sequence=sequence) for deployment in before.asked - now.asked}
    wanted = now.wanted if request is None else _without(now.wanted, request)
    return now.model_copy(update={"leaving": leaving, "wanted": wanted})


def _before(row: Routes, aliases: Mapping[str, DeploymentId]) -> dict[str, tuple[DeploymentId, ...]]:
    """Return what each address pointed at before it points at what it does now."""
    found = dict[str, tuple[DeploymentId, ...]]()
    for name, now in aliases.items():
        left, earlier = row.aliases.get(name, now), row.before.get(name, ())
        found[name] = tuple(one for one in dict.fromkeys((left, *earlier)) if one != now)[:_MOST_BEFORE]
    return found


def _environments(change: AliasesChanged) -> dict[EnvironmentId, DeploymentId | None]:
    return {
        move.alias.environment: move.after
        for move in change.moves
        if move.alias.kind == "environment" and move.alias.environment is not None
    }


def _given_up(row: Routes, request: EventId, recorded: Recorded[Event]) -> Routes:
    """Let what was woken up in vain go again: nothing points at it.

    One that had addresses when it was asked for, and left them meanwhile, still waits for the proxies to confirm that.
    """
    wanted = _without(row.wanted, request)
    target = row.wanted.get(request)
    if target is None or row.may_be_asked(target):
        return row.model_copy(update={"wanted": wanted})
    idle = Leaving(sequence=recorded.sequence, idle_since=recorded.metadata.time)
    return row.model_copy(update={"wanted": wanted, "leaving": {**row.leaving, target: idle}})


def _without(wanted: Mapping[EventId, DeploymentId], request: EventId) -> dict[EventId, DeploymentId]:
    return {event: deployment for event, deployment in wanted.items() if event != request}


def _confirmed(leaves: Leaving, generation: int, at: datetime) -> Leaving:
    if leaves.idle_since is None and leaves.sequence <= generation:
        return leaves.model_copy(update={"idle_since": at})
    return leaves
