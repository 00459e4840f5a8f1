"""The audit of the log finds each kind of history that must not be, and nothing in those that may."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from support.gateway_story import PROJECT, deployment_number, recorded, way_to_live
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    ContainerStarted,
    CutoverStarted,
    DeploymentCanceled,
    DeploymentLive,
    DomainAssigned,
    Healthy,
    RoutesApplied,
)
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EnvironmentId
from windlass_contracts.subjects import DOMAIN_REGISTRY
from windlass_gateway.domain.log_audit import Condition, LogAudit

ONE, OTHER = deployment_number(1), deployment_number(2)
SHOP = Alias(kind="environment", name="shop")
Told = tuple[UUID, Event]


def moved(after: DeploymentId, before: DeploymentId | None = None, why: str = "cutover") -> Told:
    return PROJECT, AliasesChanged(why=why, moves=(AliasMove(alias=SHOP, before=before, after=after),))


def applied(generation: int) -> Told:
    return PROJECT, RoutesApplied(generation=generation, proxies=("here",), duration_ms=1)


def lives(deployment: DeploymentId, *routes: Told) -> list[Told]:
    """Return the way of a deployment, with what happens to routes right before it is live."""
    *before, live = way_to_live()
    return [*((deployment, event) for event in before), *routes, (deployment, live)]


def audited(told: Sequence[Told], conditions: dict[int, Condition] | None = None) -> LogAudit:
    audit = LogAudit()
    for sequence, (about, event) in enumerate(told, start=1):
        audit.take(recorded(event, sequence, identity=about), (conditions or {}).get(sequence))
    audit.end()
    return audit


def codes(told: Sequence[Told], conditions: dict[int, Condition] | None = None) -> list[tuple[int, str]]:
    return [(flaw.invariant, flaw.code) for flaw in audited(told, conditions).flaws]


GOOD = [
    *lives(ONE, moved(ONE), applied(7)),
    *lives(OTHER, moved(OTHER, ONE), applied(16)),
    moved(ONE, OTHER, "rollback"),
    applied(19),
]


def test_nothing_is_found_in_a_history_that_may_be() -> None:
    audit = audited(GOOD)
    assert audit.flaws == []
    assert (audit.events, audit.deployments, audit.changes, audit.position) == (20, 2, 3, 20)


def test_the_own_address_of_a_version_that_was_left_begins_anew_when_it_comes_back() -> None:
    own = Alias(kind="deployment", name="shop--id--1")
    first, again = (
        (PROJECT, change.model_copy(update={"moves": (*change.moves, AliasMove(alias=own, before=None, after=ONE))}))
        for _, change in ((moved(ONE)), (moved(ONE, OTHER, "rollback")))
        if isinstance(change, AliasesChanged)
    )
    assert codes([*lives(ONE, first), *lives(OTHER, moved(OTHER, ONE)), again]) == []
    assert codes([*lives(ONE, first), again]) == [(4, "alias-history")] * 2


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ([*GOOD, (ONE, DeploymentLive(generation=1, duration_ms=1))], (1, "illegal-history")),
        ([*GOOD, (OTHER, DeploymentCanceled())], (1, "illegal-history")),
        ([(ONE, way_to_live()[1])], (1, "illegal-history")),
        ([*GOOD, (ONE, CutoverStarted(containers=("run-9",)))], (2, "unhealthy-cutover")),
        ([*GOOD, moved(deployment_number(3), ONE)], (2, "unhealthy-alias")),
        ([applied(1)], (2, "applied-early")),
        ([*GOOD, applied(21)], (2, "applied-early")),
        ([*lives(ONE, moved(ONE), applied(5))], (2, "applied-early")),
        ([*lives(ONE), *lives(OTHER, moved(OTHER), moved(ONE, OTHER))], (4, "older-wins")),
        ([*GOOD, moved(OTHER, None, "promotion")], (4, "alias-history")),
    ],
)
def test_what_must_not_be_is_found(told: Sequence[Told], found: tuple[int, str]) -> None:
    assert codes(told) == [found]


def test_an_append_whose_condition_did_not_hold_is_found() -> None:
    scope = recorded(way_to_live()[0], identity=ONE).key.pattern
    held = {sequence: Condition(scope, sequence - 1) for sequence in range(1, 7)}
    assert codes(lives(ONE), held) == []
    for wrong in (0, 2, 5):
        assert codes(lives(ONE), {**held, 4: Condition(scope, wrong)}) == [(4, "unfenced")]


@pytest.mark.parametrize("wrong", [0, 2])
def test_a_host_that_was_given_without_a_look_at_all_others_is_found(wrong: int) -> None:
    environment = EnvironmentId(ONE)
    told = [(project, DomainAssigned(host=f"{project}.example", environment=environment)) for project in (ONE, OTHER)]
    assert codes(told, {2: Condition(DOMAIN_REGISTRY, 1)}) == []
    assert codes(told, {2: Condition(DOMAIN_REGISTRY, wrong)}) == [(4, "unfenced")]


@pytest.mark.parametrize("why", ["rollback", "promotion", "restore", "rollout"])
def test_what_was_asked_for_may_go_back_to_an_older_version(why: str) -> None:
    assert codes([*lives(ONE, moved(ONE)), *lives(OTHER, moved(OTHER, ONE)), moved(ONE, OTHER, why)]) == []


def test_a_domain_may_go_back_to_an_older_version_with_its_environment() -> None:
    told = [*lives(ONE), *lives(OTHER, moved(OTHER), moved(ONE, OTHER, "domain"))]
    assert codes(told) == []


def test_an_event_that_is_there_twice_is_found() -> None:
    audit = LogAudit()
    twice: list[Recorded[Event]] = [recorded(event, sequence=1, identity=ONE) for event in way_to_live()[:2]]
    for event in twice:
        audit.take(event, None)
    audit.end()
    assert [flaw.code for flaw in audit.flaws] == ["doubled"]


def test_what_cannot_be_read_is_found_unless_it_may_be_passed_over() -> None:
    audit = LogAudit()
    audit.unreadable(1, None)
    audit.unreadable(2, "UnknownEventTypeError")
    assert [(flaw.invariant, flaw.code, flaw.where) for flaw in audit.flaws] == [(5, "unreadable", "sequence 2")]
    assert audit.position == 2


def test_the_other_containers_of_a_deployment_may_be_healthy_later() -> None:
    first, second = Healthy(container="run-1", probe="http", status=200, tries=1, duration_ms=3), "run-2"
    way = way_to_live()
    started = way[3]
    assert isinstance(started, ContainerStarted)
    told = [
        *way[:4],
        started.model_copy(update={"container": second, "replica": 1}),
        first,
        first.model_copy(update={"container": second}),
        CutoverStarted(containers=("run-1", second)),
    ]
    assert codes([(ONE, event) for event in told]) == []
