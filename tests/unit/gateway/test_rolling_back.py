"""A rollback goes to a version that was live in that environment and still exists, or says why it cannot."""

import pytest

from support.gateway_story import (
    PRODUCTION,
    RELEASE,
    STAGING,
    deployment_after,
    deployment_number,
    recorded,
    routes_after,
    way_to_live,
)
from windlass_contracts.events import AliasesChanged, ReleaseRetired, RollbackRequested, RoutesApplied, RoutesFailed
from windlass_contracts.events.deployment import Stage
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import EnvironmentId, EventId, derived
from windlass_gateway.domain import releases
from windlass_gateway.domain.environments import Environment
from windlass_gateway.domain.refusals import NothingToRollBackError, RollbackUnderWayError
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.rolling_back import Candidate, decide_rollback, decide_step_back

ENVIRONMENT = Environment(id=PRODUCTION, name="production", production=True)


def moved_to(number: int, *, request: EventId | None = None) -> AliasesChanged:
    alias = Alias(kind="environment", name="shop", environment=PRODUCTION)
    move = AliasMove(alias=alias, after=deployment_number(number))
    return AliasesChanged(why="cutover", moves=(move,), request=request)


def live(number: int, environment: EnvironmentId = PRODUCTION) -> Candidate:
    identity = deployment_number(number)
    return Candidate(identity, deployment_after(way_to_live(environment), first=10 * number, identity=identity))


def failed(number: int) -> Candidate:
    identity = deployment_number(number)
    return Candidate(identity, deployment_after(way_to_live()[:5], first=10 * number, identity=identity))


def test_by_default_the_version_before_the_present_one_comes_back() -> None:
    moved = routes_after(moved_to(1), moved_to(2))
    alias = moved.alias_of(PRODUCTION)
    assert alias is not None
    assert alias.before == (deployment_number(1),)
    request = decide_step_back(ENVIRONMENT, moved, [live(1)], Releases())
    assert (request.to, request.before, request.alias) == (deployment_number(1), deployment_number(2), "shop")


def test_a_version_that_never_became_live_is_passed_over() -> None:
    # The routes went to 3, it failed, and they were put back to 2.
    moved = routes_after(moved_to(1), moved_to(2), moved_to(3), moved_to(2))
    alias = moved.alias_of(PRODUCTION)
    assert alias is not None
    assert alias.before == (deployment_number(3), deployment_number(1))
    request = decide_step_back(ENVIRONMENT, moved, [failed(3), live(1)], Releases())
    assert request.to == deployment_number(1)


def test_going_back_twice_goes_forward_again() -> None:
    alias = routes_after(moved_to(1), moved_to(2), moved_to(1)).alias_of(PRODUCTION)
    assert alias is not None
    assert alias.before == (deployment_number(2),)


def test_without_an_earlier_version_the_way_out_is_to_deploy() -> None:
    with pytest.raises(NothingToRollBackError) as refused:
        decide_step_back(ENVIRONMENT, routes_after(moved_to(1)), [], Releases())
    assert "windlass deploy" in refused.value.next_step


@pytest.mark.parametrize("has_moved", [False, True])
def test_the_same_wish_sent_twice_does_not_end_where_it_began(*, has_moved: bool) -> None:
    asked = RollbackRequested(environment=PRODUCTION, alias="shop", to=deployment_number(1))
    move = [moved_to(1, request=EventId(derived("test", "3")))] if has_moved else []
    under_way = routes_after(moved_to(1), moved_to(2), asked, *move)
    with pytest.raises(RollbackUnderWayError):
        decide_step_back(ENVIRONMENT, under_way, [live(1), live(2)], Releases())


def test_an_environment_that_was_never_live_cannot_go_back() -> None:
    with pytest.raises(NothingToRollBackError, match="Nothing was ever live"):
        decide_rollback(ENVIRONMENT, None, live(1), Releases())


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (live(2), "answers now"),
        (failed(3), "never live"),
        (live(4, STAGING), "another environment"),
    ],
)
def test_a_target_that_cannot_answer_is_refused_with_the_reason(target: Candidate, why: str) -> None:
    alias = routes_after(moved_to(1), moved_to(2)).alias_of(PRODUCTION)
    with pytest.raises(NothingToRollBackError, match=why):
        decide_rollback(ENVIRONMENT, alias, target, Releases())


def test_a_retired_release_is_refused_unless_it_was_built_again() -> None:
    alias = routes_after(moved_to(1), moved_to(2)).alias_of(PRODUCTION)
    retired = releases.evolve(None, recorded(ReleaseRetired(release=RELEASE, node="here", why="unused"), 25))
    assert retired is not None
    with pytest.raises(NothingToRollBackError, match="was retired"):
        decide_rollback(ENVIRONMENT, alias, live(1), retired)
    built_later = Candidate(deployment_number(3), deployment_after(way_to_live(), first=30))
    assert decide_rollback(ENVIRONMENT, alias, built_later, retired).to == deployment_number(3)


def test_a_request_is_open_until_its_routes_are_applied() -> None:
    request = RollbackRequested(environment=PRODUCTION, alias="shop", to=deployment_number(1))
    identity = EventId(derived("test", "3"))
    asked = routes_after(moved_to(1), moved_to(2), request)
    assert (asked.awaiting, set(asked.requests)) == (True, {identity})
    early = RoutesApplied(generation=3, proxies=("here",), duration_ms=1)
    decided = routes_after(moved_to(1), moved_to(2), request, early, moved_to(1, request=identity))
    assert decided.awaiting
    applied = RoutesApplied(generation=5, proxies=("here",), duration_ms=1)
    assert not routes_after(moved_to(1), moved_to(2), request, early, moved_to(1, request=identity), applied).awaiting


def test_a_request_that_failed_is_not_open() -> None:
    request = RollbackRequested(environment=PRODUCTION, alias="shop", to=deployment_number(1))
    failure = RoutesFailed(request=EventId(derived("test", "2")), stage=Stage.START, code="exit", reason="It exited.")
    assert not routes_after(moved_to(2), request, failure).awaiting
