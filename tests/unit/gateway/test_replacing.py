"""What the explanation says of a version that was live and does not have its environment any more."""

import pytest

from support.gateway_story import (
    PRODUCTION,
    RELEASE,
    STAGING,
    deployment_after,
    deployment_number,
    routes_after,
    way_to_live,
)
from windlass_contracts.event import Event
from windlass_contracts.events import AliasesChanged, ContainerPaused, ContainerStopped, WeightChanged
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import EnvironmentId
from windlass_gateway.domain.bearings import Bearings
from windlass_gateway.domain.environments import Environment, Environments
from windlass_gateway.domain.explanation import explain
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.replacing import replaced
from windlass_gateway.domain.rolling_back import Candidate
from windlass_gateway.domain.routes import Routes

OLD, NEW = deployment_number(1), deployment_number(2)
ALL = Environments(
    all=(
        Environment(id=PRODUCTION, name="production", production=True),
        Environment(id=STAGING, name="staging", production=False),
    )
)
PAUSED = ContainerPaused(node="here", container="run-1")
STOPPED = ContainerStopped(node="here", container="run-1", why="retired")


def moved(to: int, environment: EnvironmentId = PRODUCTION) -> AliasesChanged:
    name = "shop" if environment == PRODUCTION else "shop-staging"
    alias = Alias(kind="environment", name=name, environment=environment)
    move = AliasMove(alias=alias, after=deployment_number(to))
    return AliasesChanged(why="cutover", deployment=deployment_number(to), moves=(move,))


def explained(
    *events: Event, known: Routes, environment: EnvironmentId = PRODUCTION, retired: int = 0
) -> tuple[str, str]:
    row = deployment_after([*way_to_live(environment), *events], identity=OLD)
    found = replaced("shop", ALL, known, Candidate(OLD, row), Releases(retired={RELEASE: retired}))
    said = explain(row, Bearings(replaced=found))
    return said.sentence, said.next_step


@pytest.mark.parametrize(
    ("events", "how"),
    [((), "run on"), ((PAUSED,), "kept warm"), ((STOPPED,), "started first"), ((PAUSED, STOPPED), "started first")],
)
def test_what_was_replaced_says_by_what_and_how_one_goes_back(events: tuple[Event, ...], how: str) -> None:
    sentence, next_step = explained(*events, known=routes_after(moved(1), moved(2)))
    assert sentence == f"It was replaced: deployment {NEW.hex[:8]} answers in production now."
    assert f"`windlass rollback shop --to {OLD.hex[:8]}`" in next_step
    assert how in next_step


def test_another_environment_is_named() -> None:
    known = routes_after(moved(1, STAGING), moved(2, STAGING))
    assert f"--to {OLD.hex[:8]} --environment staging`" in explained(known=known, environment=STAGING)[1]


def test_what_is_retired_cannot_come_back_and_is_built_anew() -> None:
    _, next_step = explained(STOPPED, known=routes_after(moved(1), moved(2)), retired=99)
    assert f"`windlass redeploy {OLD.hex[:8]}`" in next_step
    assert "rollback shop" not in next_step


def test_what_never_had_the_environment_was_not_replaced_there_and_can_be_given_a_part() -> None:
    sentence, next_step = explained(known=routes_after(moved(2)))
    assert sentence.startswith("It became live, and does not have production")
    assert f"`windlass rollout {OLD.hex[:8]} --weight 10`" in next_step
    assert f"`windlass promote {OLD.hex[:8]}`" in next_step


@pytest.mark.parametrize(
    "known",
    [
        routes_after(moved(2), moved(1)),
        routes_after(moved(1), moved(2), moved(1, STAGING)),
        routes_after(moved(1), moved(2), WeightChanged(environment=PRODUCTION, deployment=OLD, weight=5, why="asked")),
    ],
)
def test_what_answers_in_an_environment_or_gets_a_part_was_not_replaced(known: Routes) -> None:
    assert explained(known=known)[0] == "It became live, confirmed by every proxy."
