"""A replaced version goes step by step, and never while somebody needs it."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass_builder.domain import deployment as deployments
from windlass_builder.domain import routes as routes_row
from windlass_builder.domain.deployment import Deployment
from windlass_builder.domain.retirement import LookAgain, Pause, StayAsItIs, Step, Stop, next_step
from windlass_builder.domain.routes import Routes
from windlass_contracts.cloudevent import Metadata, Recorded
from windlass_contracts.config import DeploymentConfig, Limits
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    BuildStarted,
    BuildSucceeded,
    ContainerPaused,
    ContainerStarted,
    CutoverStarted,
    DeploymentLive,
    DeploymentRequested,
    Healthy,
    RollbackRequested,
    RoutesApplied,
    RoutesFailed,
)
from windlass_contracts.events.deployment import GitSource, Recipe, Stage
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId, ProjectId, TeamId
from windlass_contracts.subjects import Aggregate, AggregateKey, Service

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TEAM, PROJECT, ENVIRONMENT = TeamId(uuid4()), ProjectId(uuid4()), EnvironmentId(uuid4())
OLD, NEW = DeploymentId(uuid4()), DeploymentId(uuid4())
PRODUCTION = Alias(kind="environment", name="shop", environment=ENVIRONMENT)


class History:
    """Given these events, in this order, at noon and later; then the rows are what they are."""

    def __init__(self) -> None:
        self.sequence = 0
        self.deployment: Deployment | None = None
        self.routes: Routes | None = None

    def to_deployment(self, event: Event, service: Service = Service.BUILDER) -> "History":
        self.deployment = deployments.evolve(self.deployment, self._recorded(event, service, Aggregate.DEPLOYMENT, OLD))
        return self

    def with_containers(self, names: Collection[str]) -> "History":
        for replica, name in enumerate(names):
            self.to_deployment(
                ContainerStarted(
                    node="one",
                    container=name,
                    replica=replica,
                    address="10.0.0.2",
                    port=8000,
                    limits=Limits(),
                    runtime="docker",
                    duration_ms=1,
                )
            )
        return self

    def to_routes(self, event: Event, at: datetime = NOON, identity: UUID | None = None) -> "History":
        recorded = self._recorded(event, Service.ROUTER, Aggregate.ROUTES, PROJECT, at, identity)
        self.routes = routes_row.evolve(self.routes, recorded)
        return self

    def then(self, now: datetime, busy: Collection[str] = ()) -> Step:
        assert self.deployment is not None
        assert self.routes is not None
        return next_step(OLD, self.deployment, self.routes, now, busy)

    def _recorded(
        self,
        event: Event,
        service: Service,
        aggregate: Aggregate,
        about: UUID,
        at: datetime = NOON,
        identity: UUID | None = None,
    ) -> Recorded[Event]:
        self.sequence += 1
        meta = Metadata(EventId(identity or uuid4()), at, "service:test", EventId(uuid4()))
        key = AggregateKey(TEAM, PROJECT, aggregate, about)
        return Recorded(self.sequence, "0" * 8, service, key, event, meta)


def live(*containers: str) -> History:
    source = GitSource(repository="https://example.org/shop.git", ref="main")
    recipe = Recipe(runner="python", start_command="./run")
    return (
        History()
        .to_deployment(
            DeploymentRequested(environment=ENVIRONMENT, source=source, trigger="api", config=DeploymentConfig())
        )
        .to_deployment(BuildStarted(node="one", attempt=1))
        .to_deployment(
            BuildSucceeded(
                node="one",
                release="shop:1",
                digest="sha256:" + "0" * 64,
                recipe=recipe,
                cache_hit=False,
                duration_ms=1,
            )
        )
        .with_containers(containers or ("shop-1",))
        .to_deployment(Healthy(container="shop-1", probe="http", tries=1, duration_ms=1))
        .to_deployment(CutoverStarted(containers=("shop-1",)))
        .to_routes(AliasesChanged(why="cutover", moves=(AliasMove(alias=PRODUCTION, after=OLD),)))
        .to_routes(RoutesApplied(generation=7, proxies=("one",), duration_ms=1))
        .to_deployment(DeploymentLive(generation=7, duration_ms=1))
    )


def replaced(*containers: str, confirmed: bool = True) -> History:
    history = live(*containers).to_routes(
        AliasesChanged(why="cutover", moves=(AliasMove(alias=PRODUCTION, before=OLD, after=NEW),))
    )
    if confirmed:
        history.to_routes(RoutesApplied(generation=history.sequence, proxies=("one",), duration_ms=1))
    return history


def test_what_an_alias_points_at_stays() -> None:
    assert live().then(NOON + timedelta(days=9)) == StayAsItIs()


@pytest.mark.parametrize(("kind", "why"), [("branch", "branch-deleted"), ("domain", "domain")])
def test_what_loses_its_last_address_to_nobody_goes_as_what_is_replaced_does(kind: str, why: str) -> None:
    last = Alias(kind=kind, name="shop.feature", environment=ENVIRONMENT)
    history = live().to_routes(AliasesChanged(why="cutover", moves=(AliasMove(alias=last, after=OLD),)))
    history.to_routes(
        AliasesChanged(why="cutover", moves=(AliasMove(alias=PRODUCTION, before=OLD, after=NEW),))
    ).to_routes(RoutesApplied(generation=history.sequence, proxies=("one",), duration_ms=1))
    assert history.then(NOON + timedelta(days=9)) == StayAsItIs()
    history.to_routes(AliasesChanged(why=why, moves=(AliasMove(alias=last, before=OLD),)))
    history.to_routes(RoutesApplied(generation=history.sequence, proxies=("one",), duration_ms=1))
    assert history.then(NOON + timedelta(seconds=31)) == Pause(("shop-1",))
    assert history.then(NOON + timedelta(days=9)) == Stop(("shop-1",))


def test_nothing_goes_before_the_proxies_confirmed_that_they_left_it() -> None:
    assert replaced(confirmed=False).then(NOON + timedelta(days=9)) == StayAsItIs()


def test_a_replaced_version_finishes_what_it_was_asked_before_it_is_paused() -> None:
    assert replaced().then(NOON + timedelta(seconds=30)) == LookAgain(NOON + timedelta(seconds=31))
    assert replaced().then(NOON + timedelta(seconds=31)) == Pause(("shop-1",))


def test_what_is_in_use_goes_on_and_is_looked_at_again_soon() -> None:
    assert replaced().then(NOON + timedelta(seconds=31), {"shop-1"}) == LookAgain(NOON + timedelta(seconds=33))
    assert replaced().then(NOON + timedelta(seconds=500), {"shop-1"}) == LookAgain(NOON + timedelta(seconds=502))


def test_what_is_still_in_use_when_it_would_be_cold_is_stopped_then() -> None:
    assert replaced().then(NOON + timedelta(seconds=930), {"shop-1"}) == LookAgain(NOON + timedelta(seconds=931))
    assert replaced().then(NOON + timedelta(seconds=931), {"shop-1"}) == Stop(("shop-1",))


@given(seconds=st.integers(0, 2_000), present=st.sets(st.sampled_from(["a", "b", "c"]), min_size=1), data=st.data())
def test_nothing_in_use_is_ever_paused_and_nothing_is_forgotten(
    seconds: int, present: set[str], data: st.DataObject
) -> None:
    busy = data.draw(st.sets(st.sampled_from(sorted(present))))
    now = NOON + timedelta(seconds=seconds)
    match replaced(*sorted(present)).then(now, busy):
        case Pause(containers=containers):
            assert set(containers) == present - busy
        case Stop(containers=containers):
            assert now >= NOON + timedelta(seconds=931)
            assert set(containers) == present
        case LookAgain(at=at):
            assert now < at <= NOON + timedelta(seconds=931)
        case StayAsItIs():
            raise AssertionError("somebody has to come back to what is left")


def test_a_paused_version_is_kept_warm_and_then_stopped() -> None:
    paused = replaced().to_deployment(ContainerPaused(node="one", container="shop-1"))
    assert paused.then(NOON + timedelta(seconds=60)) == LookAgain(NOON + timedelta(seconds=931))
    assert paused.then(NOON + timedelta(seconds=931)) == Stop(("shop-1",))


@pytest.mark.parametrize("later", [timedelta(seconds=31), timedelta(days=1)])
def test_what_somebody_asked_to_come_back_stays(later: timedelta) -> None:
    history = replaced().to_routes(RollbackRequested(environment=ENVIRONMENT, alias="shop", to=OLD))
    assert history.then(NOON + later) == StayAsItIs()


def test_what_a_cutover_claimed_stays_until_the_claim_came_to_nothing() -> None:
    request = uuid4()
    history = (
        replaced()
        .to_routes(RollbackRequested(environment=ENVIRONMENT, alias="shop", to=OLD), identity=request)
        .to_deployment(CutoverStarted(containers=("shop-1",)), Service.ROUTER)
    )
    assert history.then(NOON + timedelta(days=1)) == StayAsItIs()
    history.to_routes(
        RoutesFailed(request=EventId(request), stage=Stage.ROUTE, code="unconfirmed", reason="No proxy answered."),
        NOON + timedelta(seconds=50),
    )
    assert history.then(NOON + timedelta(seconds=60)) == LookAgain(NOON + timedelta(seconds=81))


def test_what_came_back_stays() -> None:
    history = replaced().to_routes(
        AliasesChanged(why="rollback", moves=(AliasMove(alias=PRODUCTION, before=NEW, after=OLD),))
    )
    assert history.then(NOON + timedelta(days=9)) == StayAsItIs()


def test_its_own_immutable_address_keeps_nothing_running() -> None:
    own = Alias(kind="deployment", name="shop--0123abcd")
    history = replaced().to_routes(AliasesChanged(why="cutover", moves=(AliasMove(alias=own, after=OLD),)))
    assert history.then(NOON + timedelta(seconds=31)) == Pause(("shop-1",))
