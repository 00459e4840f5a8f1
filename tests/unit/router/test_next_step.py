"""What the router decides: given these events, at this moment, this is the next step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

import pytest

from support import router_events as say
from support.router_events import PREVIEW, PRODUCTION, PROJECT, TEAM, container_of, deployment_number
from windlass_contracts.cloudevent import Metadata, Recorded
from windlass_contracts.config import Deadlines, DeploymentConfig
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    CutoverStarted,
    DeploymentLive,
    DeploymentSuperseded,
    Failed,
    RoutesApplied,
    RoutesFailed,
)
from windlass_contracts.events.deployment import Stage
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EventId, derived
from windlass_contracts.subjects import AggregateKey
from windlass_router.domain import deployment, place, routes
from windlass_router.domain.deployment import Deployment
from windlass_router.domain.next_step import next_step
from windlass_router.domain.place import Place
from windlass_router.domain.routes import Routes
from windlass_router.domain.situation import Situation
from windlass_router.domain.steps import AppendToDeployment, AppendToRoutes, ConfirmRoutes, Rest, Step, WaitUntil

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
A, B = deployment_number(1), deployment_number(2)
ALIASES = {"shop": "environment", "shop--env--000000030000": "environment-id", "shop--git--main": "branch"}


@dataclass
class Given:
    """The rows after some events, all told at noon."""

    place: Place | None = None
    routes: Routes = field(default_factory=lambda: Routes(team=TEAM, project=PROJECT))
    deployments: dict[DeploymentId, Deployment] = field(default_factory=dict)
    sequence: int = 0

    def __post_init__(self) -> None:
        self.told(PROJECT, *say.founding())

    def told(self, about: UUID, *events: Event) -> Self:
        for event in events:
            self.sequence += 1
            identity = EventId(derived("test", str(self.sequence)))
            key = AggregateKey(TEAM, PROJECT, event.AGGREGATE, about)
            (service, *_) = sorted(event.APPENDED_BY)
            metadata = Metadata(identity, NOON, "token:test", identity)
            self._fold(about, Recorded(self.sequence, "0a1b2c3d", service, key, event, metadata))
        return self

    def _fold(self, about: UUID, recorded: Recorded[Event]) -> None:
        self.place = place.evolve(self.place, recorded)
        if recorded.key.aggregate == "routes":
            self.routes = routes.evolve(self.routes, recorded)
        if recorded.key.aggregate == "deployment":
            row = deployment.evolve(self.deployments.get(DeploymentId(about)), recorded)
            assert row is not None
            self.deployments[DeploymentId(about)] = row

    def healthy(self, one: DeploymentId, config: DeploymentConfig | None = None) -> Self:
        self.told(one, say.requested(config=config), *say.built())
        return self.told(one, say.started(one), say.healthy(one))

    def cutting_over(self, one: DeploymentId) -> Self:
        return self.healthy(one).told(one, CutoverStarted(containers=(container_of(one),)))

    def moved(self, one: DeploymentId, before: DeploymentId | None = None) -> Self:
        return self.told(PROJECT, moved(one, before))

    def live(self, one: DeploymentId, before: DeploymentId | None = None) -> Self:
        self.cutting_over(one).moved(one, before).applied()
        return self.told(one, DeploymentLive(generation=self.sequence, duration_ms=0))

    def applied(self) -> Self:
        return self.told(PROJECT, RoutesApplied(generation=self.sequence, proxies=("one",), duration_ms=1))

    @property
    def last_id(self) -> EventId:
        return EventId(derived("test", str(self.sequence)))

    def when(self, seconds: float = 0, refusals: Mapping[int, str] | None = None) -> Step:
        assert self.place is not None
        now = NOON + timedelta(seconds=seconds)
        return next_step(Situation(self.place, self.routes, self.deployments, now, refusals or {}))


def moved(one: DeploymentId, before: DeploymentId | None = None, why: str = "cutover") -> AliasesChanged:
    shared = [Alias(kind=kind, name=name, environment=PRODUCTION) for name, kind in ALIASES.items()]
    moves = [AliasMove(alias=alias, before=before, after=one) for alias in shared]
    own = AliasMove(alias=Alias(kind="deployment", name=f"shop--id--{one.hex[:12]}"), after=one)
    return AliasesChanged(why=why, deployment=one, moves=(*moves, own))


def test_nothing_is_due_where_nothing_happened() -> None:
    assert Given().when() == Rest()


def test_nothing_is_due_before_a_deployment_is_healthy() -> None:
    assert Given().told(A, say.requested(), *say.built(), say.started(A)).when() == Rest()


def test_a_healthy_deployment_begins_its_cutover() -> None:
    assert Given().healthy(A).when() == AppendToDeployment(A, CutoverStarted(containers=(container_of(A),)))


def test_a_cutover_moves_all_its_addresses_at_once() -> None:
    assert Given().cutting_over(A).when() == AppendToRoutes(moved(A))


def test_moved_addresses_are_confirmed_within_the_deadline_of_the_deployment() -> None:
    given = Given().cutting_over(A).moved(A)
    assert given.when() == ConfirmRoutes(given.sequence, NOON, NOON + timedelta(seconds=30))


def test_a_confirmed_cutover_is_live() -> None:
    given = Given().cutting_over(A).moved(A)
    generation = given.sequence
    assert given.applied().when(2.5) == AppendToDeployment(A, DeploymentLive(generation=generation, duration_ms=2_500))


def test_what_is_live_needs_nothing_more() -> None:
    assert Given().live(A).when() == Rest()


def test_a_refused_move_is_taken_back() -> None:
    given = Given().live(A).cutting_over(B).moved(B, A)
    step = given.when(refusals={given.sequence: "no"})
    assert isinstance(step, AppendToRoutes)
    assert isinstance(step.event, AliasesChanged)
    assert (step.event.why, step.event.deployment, step.event.request) == ("compensation", B, None)
    assert {move.alias.name: move.after for move in step.event.moves} == {
        **dict.fromkeys(ALIASES, A),
        f"shop--id--{B.hex[:12]}": None,
    }


def test_a_compensation_is_confirmed_before_the_deployment_fails() -> None:
    given = Given().live(A).cutting_over(B).moved(B, A)
    refused = given.sequence
    given.told(PROJECT, compensation(given, {refused: "no"}))
    assert given.when() == ConfirmRoutes(given.sequence, NOON, NOON + timedelta(seconds=5))
    expected = AppendToDeployment(B, Failed(stage=Stage.ROUTE, code="routes-not-confirmed", reason="no"))
    assert given.when(refusals={refused: "no", given.sequence: "still no"}) == expected
    assert given.applied().when(refusals={refused: "no"}) == expected


def test_a_cutover_whose_compensation_a_crash_followed_is_not_tried_again() -> None:
    given = Given().live(A).cutting_over(B).moved(B, A)
    given.told(PROJECT, compensation(given, {given.sequence: "no"})).applied()
    step = given.when()
    assert isinstance(step, AppendToDeployment)
    assert isinstance(step.event, Failed)


def test_a_compensation_that_nobody_confirms_is_asked_for_again() -> None:
    given = Given().live(A).cutting_over(B).moved(B, A)
    given.told(PROJECT, compensation(given, {given.sequence: "no"}))
    refused = given.sequence
    given.told(B, Failed(stage=Stage.ROUTE, code="routes-not-confirmed", reason="no"))
    assert given.when(refusals={refused: "still no"}) == WaitUntil(NOON + timedelta(seconds=1), "still no")


def compensation(given: Given, refusals: Mapping[int, str]) -> Event:
    step = given.when(refusals=refusals)
    assert isinstance(step, AppendToRoutes)
    return step.event


@pytest.mark.parametrize("moved_already", [True, False])
def test_a_cutover_that_lost_its_containers_gets_no_address(*, moved_already: bool) -> None:
    given = Given().live(A).cutting_over(B)
    if moved_already:
        given.moved(B, A).told(B, say.stopped(B))
        given.told(PROJECT, compensation(given, {})).applied()
    given.told(B, say.stopped(B))
    step = given.when()
    assert isinstance(step, AppendToDeployment)
    assert isinstance(step.event, Failed)
    assert step.event.code == "containers-lost"


def test_the_latest_of_several_healthy_deployments_begins() -> None:
    step = Given().healthy(A).healthy(B).when()
    assert isinstance(step, AppendToDeployment)
    assert step.deployment == B


def test_an_earlier_request_steps_aside_for_a_later_one_that_is_live() -> None:
    given = Given().told(A, say.requested(), *say.built()).live(B)
    given.told(A, say.started(A), say.healthy(A))
    assert given.when() == AppendToDeployment(A, DeploymentSuperseded(by=B))


def test_no_cutover_begins_before_the_one_under_way_has_its_end() -> None:
    step = Given().cutting_over(A).moved(A).applied().healthy(B).when()
    assert isinstance(step, AppendToDeployment)
    assert isinstance(step.event, DeploymentLive)


def test_too_few_healthy_containers_are_waited_for_until_the_deadline() -> None:
    config = DeploymentConfig(replicas=2, deadlines=Deadlines(start_s=3, health_s=4))
    given = Given().healthy(A, config)
    assert given.when(6.9) == WaitUntil(NOON + timedelta(seconds=7), "1 of 2 containers are healthy")
    step = given.when(7)
    assert isinstance(step, AppendToDeployment)
    assert isinstance(step.event, Failed)
    assert "Only 1 of 2 containers were healthy within 7 s" in step.event.reason


def test_a_rollback_claims_then_moves_its_target() -> None:
    given = Given().live(A).live(B, A).told(PROJECT, say.rollback(A))
    request = given.last_id
    claim = CutoverStarted(containers=(container_of(A),))
    assert given.when() == AppendToDeployment(A, claim)
    step = given.told(A, claim).when()
    assert isinstance(step, AppendToRoutes)
    assert isinstance(step.event, AliasesChanged)
    assert (step.event.why, step.event.deployment, step.event.request) == ("rollback", A, request)
    assert {move.alias.name for move in step.event.moves} == {
        "shop",
        "shop--env--000000030000",
        f"shop--id--{A.hex[:12]}",
    }


def test_a_rollback_waits_for_health_until_its_deadline() -> None:
    given = Given().live(A).live(B, A).told(A, say.paused(A)).told(PROJECT, say.rollback(A))
    request = given.last_id
    assert isinstance(given.when(119), WaitUntil)
    step = given.when(120)
    assert isinstance(step, AppendToRoutes)
    assert isinstance(step.event, RoutesFailed)
    assert (step.event.request, step.event.stage) == (request, Stage.HEALTH)


def test_a_promotion_takes_nothing_from_another_project() -> None:
    given = Given().live(A).healthy(B)
    foreign = given.deployments[A].model_copy(update={"project": UUID(int=99)})
    given.deployments[B] = foreign
    given.told(PROJECT, say.promotion(B))
    step = given.when()
    assert isinstance(step, AppendToRoutes)
    assert isinstance(step.event, RoutesFailed)
    assert step.event.code == "never-live"


def test_an_address_of_a_failed_deployment_goes_back_though_nobody_refused_it() -> None:
    given = Given().live(A).cutting_over(B).moved(B, A).applied()
    given.told(B, Failed(stage=Stage.DEADLINE, code="abandoned", reason="Too late."))
    event = compensation(given, {})
    assert isinstance(event, AliasesChanged)
    assert {move.after for move in event.moves} == {A, None}


def test_a_preview_of_another_branch_takes_only_its_own_addresses() -> None:
    given = Given().told(A, say.requested(PREVIEW, "one"), *say.built(), say.started(A), say.healthy(A))
    given.told(B, say.requested(PREVIEW, "two"), *say.built(), say.started(B), say.healthy(B))
    given.told(B, CutoverStarted(containers=(container_of(B),)))
    step = given.when()
    assert isinstance(step, AppendToRoutes)
    given.told(PROJECT, step.event).applied().told(B, DeploymentLive(generation=given.sequence, duration_ms=0))
    given.told(A, CutoverStarted(containers=(container_of(A),)))
    step = given.when()
    assert isinstance(step, AppendToRoutes)
    assert isinstance(step.event, AliasesChanged)
    names = [move.alias.name for move in step.event.moves]
    assert names == ["shop--git--one", f"shop--id--{A.hex[:12]}"]
