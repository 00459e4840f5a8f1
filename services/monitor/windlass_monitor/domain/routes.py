"""What the monitor knows of a project's routes: what answers at each environment, since when, and what did before."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import AliasesChanged, RestoreRequested, RoutesApplied, WeightChanged
from windlass_contracts.events.routes import AliasMove
from windlass_contracts.ids import DeploymentId, EnvironmentId, ProjectId, TeamId

_OWN_ADDRESS = "environment"
_COMPENSATION = "compensation"
_REMEMBERED = 20


class Turn(BaseModel):
    """A version has an environment, or a part of its requests, by the decision at `sequence`.

    `since` is the time when the proxies confirmed that, None before. `before` had the environment until then, and it
    `shared` the requests with that if it had a part of them already.
    """

    model_config = ConfigDict(frozen=True)

    version: DeploymentId
    sequence: int
    why: str
    before: DeploymentId | None = None
    since: datetime | None = None
    shared: bool = False


Turns = Mapping[EnvironmentId, Turn]


class Routes(BaseModel):
    """The row of a project's routes.

    `turns` says who has each environment, `parts` who gets some of its requests besides, and `taken_back` for which
    versions it was asked already that the environment leaves them.
    """

    model_config = ConfigDict(frozen=True)

    team: TeamId
    project: ProjectId
    turns: Turns = {}
    parts: Turns = {}
    taken_back: Mapping[EnvironmentId, tuple[DeploymentId, ...]] = {}

    @property
    def current(self) -> Mapping[EnvironmentId, DeploymentId]:
        """What has each environment's addresses."""
        return {environment: turn.version for environment, turn in self.turns.items()}

    @property
    def weighted(self) -> Mapping[EnvironmentId, DeploymentId]:
        """What gets a part of each environment's requests besides."""
        return {environment: part.version for environment, part in self.parts.items()}

    @property
    def named(self) -> frozenset[DeploymentId]:
        """The versions that something might be asked about."""
        turns = (*self.turns.values(), *self.parts.values())
        return frozenset(one for turn in turns for one in (turn.version, turn.before) if one is not None)


def evolve(row: Routes | None, recorded: Recorded[Event]) -> Routes | None:
    """Fold one event into the row."""
    known = row or Routes(team=recorded.team, project=recorded.project)
    match recorded.event:
        case AliasesChanged() as change:
            return _moved(known, change, recorded.sequence)
        case WeightChanged() as change:
            return known.model_copy(update={"parts": _weighted(known.parts, change, recorded.sequence)})
        case RoutesApplied(generation=generation):
            at = recorded.metadata.time
            confirmed = {"turns": _confirmed(known.turns, generation, at)}
            return known.model_copy(update={**confirmed, "parts": _confirmed(known.parts, generation, at)})
        case RestoreRequested(environment=environment, before=failed):
            earlier = known.taken_back.get(environment, ())
            taken_back = {**known.taken_back, environment: (*earlier, failed)[-_REMEMBERED:]}
            return known.model_copy(update={"taken_back": taken_back})
        case _:
            return row


def _moved(row: Routes, change: AliasesChanged, sequence: int) -> Routes:
    turns, parts = dict(row.turns), dict(row.parts)
    for environment, move in _own_addresses(change):
        before = turns.pop(environment, None)
        left = move.before if before is None else before.version
        if move.after is None:
            parts.pop(environment, None)
        elif before is not None and move.after == left:
            turns[environment] = before  # it has another name from now on
        else:
            shared = environment in parts and parts[environment].version == move.after
            if shared:
                del parts[environment]
            turns[environment] = Turn(version=move.after, sequence=sequence, why=change.why, before=left, shared=shared)
            if change.why == _COMPENSATION and before is not None and before.shared:
                parts[environment] = Turn(version=before.version, sequence=sequence, why=change.why)
    return row.model_copy(update={"turns": turns, "parts": parts})


def _own_addresses(change: AliasesChanged) -> Iterator[tuple[EnvironmentId, AliasMove]]:
    for move in change.moves:
        if move.alias.kind == _OWN_ADDRESS and move.alias.environment is not None:
            yield move.alias.environment, move


def _weighted(parts: Turns, change: WeightChanged, sequence: int) -> Turns:
    others = {environment: part for environment, part in parts.items() if environment != change.environment}
    if change.weight == 0:
        return others
    known = parts.get(change.environment)
    if known is not None and known.version == change.deployment:
        return parts  # only how much it gets is another
    return {**others, change.environment: Turn(version=change.deployment, sequence=sequence, why=change.why)}


def _confirmed(turns: Turns, generation: int, at: datetime) -> Turns:
    return {
        environment: turn.model_copy(update={"since": at}) if _is_news(turn, generation) else turn
        for environment, turn in turns.items()
    }


def _is_news(turn: Turn, generation: int) -> bool:
    return turn.since is None and turn.sequence <= generation
