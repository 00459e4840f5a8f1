"""A rolled-back environment says so, is released once, and what it holds back says where it is live."""

from datetime import timedelta

import pytest

from support.gateway_story import (
    NOON,
    PRODUCTION,
    RELEASE,
    STAGING,
    deployment_after,
    deployment_number,
    recorded,
    routes_after,
    way_to_live,
)
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    DeploymentRequested,
    EnvironmentReleased,
    PromotionRequested,
    ReleaseRetired,
    RollbackRequested,
)
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import EnvironmentId, EventId, derived
from windlass_gateway.domain import releases
from windlass_gateway.domain.bearings import Bearings
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import Environment
from windlass_gateway.domain.explanation import Explanation, explain
from windlass_gateway.domain.holding import decide_release, held_back
from windlass_gateway.domain.promoting import decide_promotion
from windlass_gateway.domain.refusals import NothingHeldError, NotPromotableError
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.rolling_back import Candidate
from windlass_gateway.domain.routes import Routes

HERE = Environment(id=PRODUCTION, name="production", production=True)
BESIDE = Environment(id=STAGING, name="staging", production=False)
OLD, REPLACED, PUSH = (deployment_number(number) for number in range(1, 4))


def moved(why: str, to: int, *, kind: str = "environment", request: int | None = None) -> AliasesChanged:
    alias = Alias(kind=kind, name="shop" if kind == "environment" else "shop--git--main", environment=PRODUCTION)
    asked = None if request is None else EventId(derived("test", str(request)))
    move = AliasMove(alias=alias, after=deployment_number(to))
    return AliasesChanged(why=why, deployment=deployment_number(to), moves=(move,), request=asked)


def rolled_back() -> tuple[Event, ...]:
    asked = RollbackRequested(environment=PRODUCTION, alias="shop", to=OLD)
    return moved("cutover", 1), moved("cutover", 2), asked, moved("rollback", 1, request=3)


def pushed(*, first: int = 5, events: int = 7, trigger: str = "webhook") -> Deployment:
    request, *rest = way_to_live()
    assert isinstance(request, DeploymentRequested)
    story = [request.model_copy(update={"trigger": trigger}), *rest][:events]
    return deployment_after(story, first=first, identity=PUSH)


def test_a_rolled_back_environment_says_to_what_by_whom_and_when() -> None:
    hold = routes_after(*rolled_back()).hold_of(PRODUCTION)
    assert hold is not None
    assert (hold.to, hold.by, hold.at) == (OLD, "token:test", NOON + timedelta(seconds=4))


@pytest.mark.parametrize("why", ["cutover", "promotion"])
def test_what_takes_the_environment_ends_the_hold(why: str) -> None:
    assert routes_after(*rolled_back(), moved(why, 3)).hold_of(PRODUCTION) is None


@pytest.mark.parametrize(("why", "kind"), [("cutover", "branch"), ("domain", "environment")])
def test_what_leaves_the_environment_where_it_is_leaves_the_hold(why: str, kind: str) -> None:
    assert routes_after(*rolled_back(), moved(why, 3, kind=kind)).hold_of(PRODUCTION) is not None


def test_a_rollback_that_was_taken_back_holds_nothing() -> None:
    assert routes_after(*rolled_back(), moved("compensation", 2)).hold_of(PRODUCTION) is None


def test_a_released_environment_cannot_be_released_again() -> None:
    row = routes_after(*rolled_back())
    assert decide_release(HERE, row) == EnvironmentReleased(environment=PRODUCTION)
    with pytest.raises(NothingHeldError, match="No rollback holds production"):
        decide_release(HERE, routes_after(*rolled_back(), EnvironmentReleased(environment=PRODUCTION)))


@pytest.mark.parametrize("row", [None, routes_after(moved("cutover", 1))])
def test_an_environment_that_nobody_rolled_back_cannot_be_released(row: Routes | None) -> None:
    with pytest.raises(NothingHeldError):
        decide_release(HERE, row)


def explained(row: Deployment, routes_row: Routes) -> Explanation:
    return explain(row, Bearings(held_back=held_back(HERE, routes_row, PUSH, row)))


def test_a_push_that_was_held_back_says_where_it_is_live_and_the_two_ways_on() -> None:
    row = pushed()
    said = explained(row, routes_after(*rolled_back(), moved("cutover", 3, kind="branch")))
    assert said.sentence.startswith("It is live at its own address and its branch's: production is held since")
    assert OLD.hex[:8] in said.sentence
    assert f"windlass promote {row.prefix} --to production" in said.next_step
    assert "windlass release" in said.next_step


def test_a_push_on_its_way_says_that_it_will_be_held_back() -> None:
    said = explained(pushed(events=3), routes_after(*rolled_back()))
    assert any("production is held since the rollback" in remark for remark in said.remarks)


def test_after_the_release_only_the_promotion_is_left() -> None:
    released = EnvironmentReleased(environment=PRODUCTION)
    said = explained(pushed(), routes_after(*rolled_back(), moved("cutover", 3, kind="branch"), *[released] * 10))
    assert "windlass promote" in said.next_step
    assert "windlass release" not in said.next_step


@pytest.mark.parametrize(
    "row",
    [pushed(trigger="api"), pushed(first=-6)],
    ids=["asked for by hand", "live before the rollback"],
)
def test_what_the_rollback_does_not_hold_back_says_nothing_of_it(row: Deployment) -> None:
    assert held_back(HERE, routes_after(*rolled_back()), PUSH, row) is None


def test_what_took_the_environment_later_is_not_held_back_any_more() -> None:
    promoted = routes_after(*rolled_back(), moved("promotion", 3), moved("rollback", 1))
    assert held_back(HERE, promoted, PUSH, pushed()) is None


def live(number: int, environment: EnvironmentId = PRODUCTION, events: int = 7) -> Candidate:
    identity = deployment_number(number)
    return Candidate(
        identity, deployment_after(way_to_live(environment)[:events], first=10 * number, identity=identity)
    )


def test_a_promotion_takes_what_was_live_elsewhere() -> None:
    event = decide_promotion("shop", HERE, routes_after(*rolled_back()), live(3, STAGING), Releases())
    assert event == PromotionRequested(environment=PRODUCTION, alias="shop", before=OLD, to=PUSH)


def test_a_promotion_takes_what_was_held_back_in_the_same_environment() -> None:
    assert decide_promotion("shop", HERE, routes_after(*rolled_back()), live(3), Releases()).to == PUSH


@pytest.mark.parametrize(("name", "alias"), [("staging", "shop--staging"), ("s" * 40, "shop--env--000000000000")])
def test_a_promotion_opens_an_environment_that_never_answered(name: str, alias: str) -> None:
    slug = "shop" if name == "staging" else "shop" + "p" * 30
    event = decide_promotion(slug, BESIDE.model_copy(update={"name": name}), None, live(3), Releases())
    assert (event.alias, event.before) == (alias.replace("shop", slug, 1), None)


def test_a_promotion_of_what_answers_there_already_is_refused() -> None:
    with pytest.raises(NotPromotableError, match="is the one that answers now"):
        decide_promotion("shop", HERE, routes_after(*rolled_back()), live(1), Releases())


def test_a_promotion_of_what_never_was_live_is_refused() -> None:
    with pytest.raises(NotPromotableError, match="was never live"):
        decide_promotion("shop", HERE, None, live(3, events=4), Releases())


def test_a_promotion_of_a_retired_release_is_refused() -> None:
    gone = releases.evolve(None, recorded(ReleaseRetired(release=RELEASE, node="here", why="unused"), 99))
    assert gone is not None
    with pytest.raises(NotPromotableError, match="was retired"):
        decide_promotion("shop", HERE, None, live(3), gone)
