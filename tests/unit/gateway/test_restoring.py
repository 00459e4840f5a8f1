"""What the pages say of a version that was taken back, until something else decides about its environment."""

from support.gateway_story import PRODUCTION, deployment_after, deployment_number, routes_after, way_to_live
from windlass_contracts.events import AliasesChanged, RestoreRequested, RoutesApplied, RoutesFailed, WeightChanged
from windlass_contracts.events.deployment import Stage
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import EventId, derived
from windlass_gateway.domain.bearings import Bearings
from windlass_gateway.domain.environments import Environment, Environments
from windlass_gateway.domain.explanation import explain
from windlass_gateway.domain.restoring import restored, taken_back

HERE = Environment(id=PRODUCTION, name="production", production=True)
GOOD, FAILING, NEWER = (deployment_number(number) for number in range(1, 4))
WISH = RestoreRequested(environment=PRODUCTION, before=FAILING, to=GOOD, code="errors", reason="Half of it fails.")


def moved(why: str, to: int, request: int | None = None) -> AliasesChanged:
    alias = Alias(kind="environment", name="shop", environment=PRODUCTION)
    asked = None if request is None else EventId(derived("test", str(request)))
    return AliasesChanged(
        why=why,
        deployment=deployment_number(to),
        moves=(AliasMove(alias=alias, after=deployment_number(to)),),
        request=asked,
    )


ASKED = (moved("cutover", 1), moved("cutover", 2), WISH)
DONE = (*ASKED, moved("restore", 1, request=3), RoutesApplied(generation=4, proxies=("one",), duration_ms=1))
REFUSED = (
    *ASKED,
    RoutesFailed(
        request=EventId(derived("test", "3")), stage=Stage.HEALTH, code="not-healthy-again", reason="It stayed ill."
    ),
)
ALL = Environments(all=(HERE,))


def test_a_restoring_is_awaited_until_it_is_answered() -> None:
    assert routes_after(*ASKED).awaiting
    assert not routes_after(*DONE).awaiting
    assert not routes_after(*REFUSED).awaiting


def test_the_environment_says_what_was_taken_back_and_what_answers() -> None:
    found = restored(HERE, routes_after(*DONE))
    assert found is not None
    assert (found.done, found.restoring.failed, found.restoring.to) == (True, FAILING, GOOD)
    assert restored(HERE, routes_after(*DONE, moved("cutover", 3))) is None
    assert restored(HERE, routes_after(*DONE, moved("cutover", 3), moved("rollback", 1))) is None, "that was long ago"


def test_a_version_that_only_had_a_weight_loses_it() -> None:
    lost = WeightChanged(
        environment=PRODUCTION, deployment=FAILING, weight=0, why="restore", request=EventId(derived("test", "2"))
    )
    row = routes_after(moved("cutover", 1), WISH, lost, RoutesApplied(generation=3, proxies=("one",), duration_ms=1))
    found = restored(HERE, row)
    assert (row.awaiting, found is not None and found.done) == (False, True)


def test_a_version_that_cannot_be_taken_back_says_why() -> None:
    found = restored(HERE, routes_after(*REFUSED))
    assert found is not None
    assert "It stayed ill." in found.sentence
    assert restored(HERE, routes_after(*REFUSED, moved("cutover", 3))) is None


def test_the_failed_version_remains_live_by_the_log_and_explains_what_became_of_it() -> None:
    row = deployment_after(way_to_live(), identity=FAILING)
    found = taken_back(ALL, routes_after(*DONE, moved("cutover", 3)), FAILING)
    assert found is not None
    said = explain(row, Bearings(taken_back=found))
    assert said.sentence == (
        f"Windlass took it back from production: Half of it fails. Deployment {GOOD.hex[:8]} took its place."
    )
    assert "Push a fix" in said.next_step


def test_what_was_promoted_again_is_taken_back_no_more() -> None:
    assert taken_back(ALL, routes_after(*DONE, moved("promotion", 2)), FAILING) is None
    assert taken_back(ALL, routes_after(*DONE), GOOD) is None
