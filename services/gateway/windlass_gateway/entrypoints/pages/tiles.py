"""The environments of a project as tiles: what answers there, since when, and what to go back to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from windlass_contracts.ids import DeploymentId
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.projections import DEPLOYMENTS, RELEASES
from windlass_gateway.domain.comparison import Comparison, compare
from windlass_gateway.domain.container import ContainerState
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import Environment
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.restoring import TakenBack, restored
from windlass_gateway.domain.rolling_back import Candidate, can_return
from windlass_gateway.domain.routes import BRANCH_ALIAS, DEPLOYMENT_ALIAS
from windlass_gateway.entrypoints.pages.lines import SOMEBODY, Around, Line, Lines, by, person_of

_MOST_CANDIDATES = 10
_STAYING = frozenset({BRANCH_ALIAS, DEPLOYMENT_ALIAS})
"""The kinds of addresses that a rollback leaves where they are."""


@dataclass(frozen=True, slots=True)
class Health:
    """How many of its containers answer as they should; `exits` says how often in a row one that loops has ended."""

    healthy: int
    wanted: int
    paused: int
    exits: int

    @property
    def good(self) -> bool:
        return self.healthy >= self.wanted


@dataclass(frozen=True, slots=True)
class Held:
    """A rollback that holds an environment: to what, by whom, and when."""

    to: DeploymentId | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RolledOut:
    """What gets a percentage of an environment's requests; `next_at` is when its next step is due, if one is."""

    deployment: DeploymentId
    percent: int
    next_at: datetime | None
    stopping: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """An environment. `addresses` are all that answer with its deployment, `own` those that go wherever it goes.

    `earlier` is what it can go back to.

    `held` says that pushes do not take it, `waiting` how many did not and are live at their own address.
    """

    environment: Environment
    url: str | None
    line: Line | None
    row: Deployment | None
    health: Health | None
    addresses: tuple[str, ...]
    own: tuple[str, ...]
    earlier: tuple[Line, ...]
    change: Comparison | None
    changed_from: DeploymentId | None
    held: Held | None
    waiting: int
    rolled_out: RolledOut | None
    restored: TakenBack | None
    """What failed here lately, so that the version before answers again."""


async def tiles(lines: Lines, around: Around) -> list[Tile]:
    """Return a project's environments, production first."""
    rows = lines.finder.rows
    ids = {one for alias in around.routes.aliases for one in (alias.current, *alias.before[:_MOST_CANDIDATES]) if one}
    ids |= around.routes.weights.deployments
    found = await rows.get_all(DEPLOYMENTS, ids)
    known = await rows.get(RELEASES, around.project.key)
    shown = await lines.of(list(found.values()), {around.project.key: around})
    names = await lines.personal.names(_who_hold(around))
    gone = Releases() if known is None else known.row
    made = _Tiles(around, lines, found, {line.id: line for line in shown}, gone, names)
    environments = sorted(around.environments.all, key=lambda one: (not one.production, one.name))
    return [made.tile(environment) for environment in environments]


def _who_hold(around: Around) -> list[UUID]:
    """Return the people whose rollbacks hold environments."""
    actors = (hold.by for hold in around.routes.holds.now.values() if hold.by is not None)
    return [person for actor in actors if (person := person_of(actor)) is not None]


@dataclass(frozen=True, slots=True)
class _Tiles:
    around: Around
    lines: Lines
    found: Mapping[UUID, Versioned[Deployment]]
    shown: Mapping[DeploymentId, Line]
    releases: Releases
    names: Mapping[UUID, str]

    def tile(self, environment: Environment) -> Tile:
        current = self.around.current(environment.id)
        found = None if current is None else self.found.get(current)
        before = self._before(environment)
        return Tile(
            environment=environment,
            url=self.around.url(environment.id, self.lines.places),
            line=None if current is None else self.shown.get(current),
            row=None if found is None else found.row,
            health=None if found is None else _health(found.row),
            addresses=self._addresses(current),
            own=self._own(environment, current),
            earlier=self._earlier(environment),
            change=None if found is None or before is None else compare(before.row, found.row),
            changed_from=None if before is None else DeploymentId(before.key),
            held=self._held(environment),
            rolled_out=self._rolled_out(environment),
            restored=restored(environment, self.around.routes),
            waiting=sum(line.held_back for line in self.shown.values() if line.environment == environment.name),
        )

    def _held(self, environment: Environment) -> Held | None:
        hold = self.around.routes.hold_of(environment.id)
        if hold is None:
            return None
        return Held(hold.to, SOMEBODY if hold.by is None else by(hold.by, self.names), hold.at)

    def _rolled_out(self, environment: Environment) -> RolledOut | None:
        weight = self.around.routes.weights.now.get(environment.id)
        if weight is None:
            return None
        found = self.found.get(weight.deployment)
        rollout = None if found is None else found.row.config.rollout
        steps = () if rollout is None else rollout.steps
        lasts = next((step.for_s for step in steps if step.weight == weight.percent), None)
        next_at = None
        if lasts is not None and weight.confirmed_at is not None and not weight.asked:
            next_at = weight.confirmed_at + timedelta(seconds=lasts)
        return RolledOut(weight.deployment, weight.percent, next_at, weight.stop is not None)

    def _addresses(self, current: DeploymentId | None) -> tuple[str, ...]:
        if current is None:
            return ()
        return tuple(self.lines.places.of_alias(alias) for alias in self.around.routes.pointing_at(current))

    def _own(self, environment: Environment, current: DeploymentId | None) -> tuple[str, ...]:
        if current is None:
            return ()
        pointing = self.around.routes.pointing_at(current)
        going = (one for one in pointing if one.environment == environment.id and one.kind not in _STAYING)
        return tuple(self.lines.places.of_alias(alias) for alias in going)

    def _before(self, environment: Environment) -> Versioned[Deployment] | None:
        alias = self.around.routes.alias_of(environment.id)
        return None if alias is None or not alias.before else self.found.get(alias.before[0])

    def _earlier(self, environment: Environment) -> tuple[Line, ...]:
        alias = self.around.routes.alias_of(environment.id)
        before = () if alias is None else alias.before[:_MOST_CANDIDATES]
        return tuple(
            self.shown[one]
            for one in before
            if one in self.found and can_return(environment, alias, Candidate(one, self.found[one].row), self.releases)
        )


def _health(row: Deployment) -> Health:
    paused = sum(container.state is ContainerState.PAUSED for container in row.containers)
    exits = row.looping[0].exits if row.looping else 0
    return Health(row.healthy_containers(), row.replicas, paused, exits)
