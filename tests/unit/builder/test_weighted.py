"""What the builder keeps running for a gradual rollout, and until when."""

from datetime import UTC, datetime
from uuid import UUID

from windlass_builder.domain import routes
from windlass_builder.domain.routes import Routes
from windlass_contracts.cloudevent import Metadata, Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import AliasesChanged, RoutesApplied, RoutesFailed, WeightChanged, WeightRequested
from windlass_contracts.events.deployment import Stage
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId, ProjectId, TeamId
from windlass_contracts.subjects import Aggregate, AggregateKey

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OLD, NEW = DeploymentId(UUID(int=1)), DeploymentId(UUID(int=2))
PRODUCTION = EnvironmentId(UUID(int=3))
KEY = AggregateKey.of_project(TeamId(UUID(int=4)), ProjectId(UUID(int=5)), Aggregate.ROUTES)


def folded(*events: Event) -> Routes:
    """Return the row after these events; an event's id is its number."""
    row = None
    for sequence, event in enumerate(events, start=1):
        identity = EventId(UUID(int=sequence))
        (service, *_) = sorted(event.APPENDED_BY)
        metadata = Metadata(identity, NOON, "token:test", identity)
        row = routes.evolve(row, Recorded(sequence, "0a1b2c3d", service, KEY, event, metadata))
    assert row is not None
    return row


def moved(after: DeploymentId, before: DeploymentId | None = None, why: str = "cutover") -> Event:
    alias = Alias(kind="environment", name="shop", environment=PRODUCTION)
    return AliasesChanged(why=why, deployment=after, moves=(AliasMove(alias=alias, before=before, after=after),))


def entered(deployment: DeploymentId) -> Event:
    """Return the cutover of a version that takes its environment by steps, and has no branch."""
    own = AliasMove(alias=Alias(kind="deployment", name="shop--id--1"), after=deployment)
    return AliasesChanged(why="cutover", deployment=deployment, moves=(own,))


def weight(percent: int, why: str = "rollout", request: int | None = None) -> Event:
    asked = None if request is None else EventId(UUID(int=request))
    return WeightChanged(environment=PRODUCTION, deployment=NEW, weight=percent, why=why, request=asked)


def applied(generation: int) -> Event:
    return RoutesApplied(generation=generation, proxies=("one",), duration_ms=1)


def test_what_a_cutover_let_in_is_kept_until_it_has_its_weight_and_as_long_as_it_has_one() -> None:
    assert folded(moved(OLD), entered(NEW)).referenced == {OLD, NEW}
    assert folded(moved(OLD), entered(NEW), weight(5)).referenced == {OLD, NEW}
    assert NEW not in folded(moved(OLD), entered(NEW), weight(5)).leaving


def test_what_lost_its_weight_is_idle_once_that_is_confirmed() -> None:
    story = [moved(OLD), entered(NEW), weight(5), weight(0, "stopped")]
    assert folded(*story).referenced == {OLD}
    assert folded(*story).leaving[NEW].idle_since is None
    assert folded(*story).may_be_asked(NEW)
    assert folded(*story, applied(4)).leaving[NEW].idle_since == NOON
    assert not folded(*story, applied(4)).may_be_asked(NEW)


def test_after_the_last_step_the_one_before_leaves() -> None:
    row = folded(moved(OLD), entered(NEW), weight(5), moved(NEW, OLD, "rollout"))
    assert row.referenced == {NEW}
    assert set(row.leaving) == {OLD}


def test_a_last_step_that_is_taken_back_keeps_both() -> None:
    row = folded(moved(OLD), entered(NEW), weight(5), moved(NEW, OLD, "rollout"), moved(OLD, NEW, "compensation"))
    assert row.referenced == {OLD, NEW}
    assert not row.leaving


def test_what_somebody_wants_to_give_a_weight_is_wanted_until_that_is_decided() -> None:
    asked = WeightRequested(environment=PRODUCTION, alias="shop", to=NEW, weight=10)
    assert folded(moved(OLD), asked).wanted == {EventId(UUID(int=2)): NEW}
    decided = folded(moved(OLD), asked, weight(10, "asked", 2))
    assert not decided.wanted
    assert decided.referenced == {OLD, NEW}
    failed = RoutesFailed(request=EventId(UUID(int=2)), stage=Stage.ROUTE, code="outrun", reason="Too late.")
    assert folded(moved(OLD), asked, failed).leaving[NEW].idle_since == NOON


def test_what_left_an_environment_is_not_idle_because_a_weight_for_it_was_given_up_before_that_is_confirmed() -> None:
    asked = WeightRequested(environment=PRODUCTION, alias="shop", to=OLD, weight=10)
    failed = RoutesFailed(request=EventId(UUID(int=4)), stage=Stage.DEADLINE, code="abandoned", reason="Too late.")
    story = [moved(OLD), entered(NEW), moved(NEW, OLD, "rollout"), asked, failed]
    assert folded(*story).may_be_asked(OLD)
    assert not folded(*story, applied(3)).may_be_asked(OLD)
