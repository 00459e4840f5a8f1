"""Weights asked for by hand: who can get one, and what is refused, by which field."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from support.gateway_story import RELEASE, deployment_after, way_to_live
from windlass_contracts.cloudevent import Metadata, Recorded
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.event import Event
from windlass_contracts.events import AliasesChanged, RoutesApplied, WeightChanged, WeightRequested
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId, ProjectId, TeamId
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_gateway.domain import routes
from windlass_gateway.domain.configuration import ConfigChange, changed
from windlass_gateway.domain.environments import Environment
from windlass_gateway.domain.refusals import AnotherRolledOutError, InvalidInputError, NotRolledOutError, Refusal
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.rolling_back import Candidate
from windlass_gateway.domain.rollout_steps import steps_of
from windlass_gateway.domain.routes import Routes
from windlass_gateway.domain.weighing import decide_stop, decide_weight

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OLD, NEW = DeploymentId(UUID(int=1)), DeploymentId(UUID(int=2))
ENVIRONMENT = EnvironmentId(UUID(int=3))
PRODUCTION = Environment(id=ENVIRONMENT, name="production", production=True)
KEY = AggregateKey.of_project(TeamId(UUID(int=4)), ProjectId(UUID(int=5)), Aggregate.ROUTES)


def folded(*events: Event) -> Routes:
    row = None
    for sequence, event in enumerate(events, start=1):
        identity = EventId(UUID(int=sequence))
        (service, *_) = sorted(event.APPENDED_BY)
        row = routes.evolve(
            row, Recorded(sequence, "0a1b2c3d", service, KEY, event, Metadata(identity, NOON, "token:test", identity))
        )
    assert row is not None
    return row


def answering(deployment: DeploymentId = OLD) -> Event:
    alias = Alias(kind="environment", name="shop", environment=ENVIRONMENT)
    return AliasesChanged(why="cutover", deployment=deployment, moves=(AliasMove(alias=alias, after=deployment),))


def weight_given(deployment: DeploymentId, percent: int, by_hand: bool) -> Event:  # noqa: FBT001 - drawn
    request = GIVEN.request if by_hand else None
    return WeightChanged(environment=ENVIRONMENT, deployment=deployment, weight=percent, why="asked", request=request)


ASKED = WeightRequested(environment=ENVIRONMENT, alias="shop", to=NEW, weight=10)
GIVEN = WeightChanged(environment=ENVIRONMENT, deployment=NEW, weight=10, why="asked", request=EventId(UUID(int=2)))


def test_a_request_is_open_until_the_proxies_confirm_its_weight() -> None:
    assert folded(answering(), ASKED).awaiting
    assert folded(answering(), ASKED, GIVEN).awaiting
    applied = folded(answering(), ASKED, GIVEN, RoutesApplied(generation=3, proxies=("one",), duration_ms=1))
    assert not applied.awaiting
    assert applied.weights.now[ENVIRONMENT].confirmed_at == NOON


def test_a_stop_needs_a_weight_or_a_request_for_one() -> None:
    with pytest.raises(NotRolledOutError):
        decide_stop(PRODUCTION, None)
    with pytest.raises(NotRolledOutError):
        decide_stop(PRODUCTION, folded(answering()))
    assert decide_stop(PRODUCTION, folded(answering(), ASKED)).environment == ENVIRONMENT
    assert decide_stop(PRODUCTION, folded(answering(), ASKED, GIVEN)).environment == ENVIRONMENT


def test_only_what_has_a_weight_or_is_to_have_one_is_stopped() -> None:
    for known in (folded(answering(), ASKED), folded(answering(), ASKED, GIVEN)):
        assert decide_stop(PRODUCTION, known, NEW).environment == ENVIRONMENT
        with pytest.raises(AnotherRolledOutError) as refused:
            decide_stop(PRODUCTION, known, OLD)
        assert refused.value.field == "deployment"
        assert f"windlass rollout {NEW.hex[:8]} --stop" in refused.value.next_step
    assert "gets 10 % of them" in refused.value.detail
    with pytest.raises(NotRolledOutError):
        decide_stop(PRODUCTION, folded(answering()), OLD)


def rollout_of(value: object) -> list[tuple[int, int]] | None:
    config = changed(DeploymentConfig(), ConfigChange.model_validate({"rollout": value}))
    return None if config.rollout is None else [(step.weight, step.for_s) for step in config.rollout.steps]


def test_steps_are_written_as_text_or_as_an_object() -> None:
    assert rollout_of("5:10m, 25%:1h,50:30") == [(5, 600), (25, 3_600), (50, 30)]
    assert rollout_of({"steps": [{"weight": 5, "for_s": 60}]}) == [(5, 60)]


def test_null_ends_the_steps_and_what_is_not_said_stays() -> None:
    with_steps = changed(DeploymentConfig(), ConfigChange.model_validate({"rollout": "5:1m"}))
    assert changed(with_steps, ConfigChange(port=80)).rollout == with_steps.rollout
    assert changed(with_steps, ConfigChange.model_validate({"rollout": None})).rollout is None


@pytest.mark.parametrize(
    "written", ["", "5", "5:", ":5m", "0:1m", "100:1m", "101:1m", "1000:1m", "5:0s", "5:25h", "25:1m,5:1m", "5:1m,5:2m",
                "a:b", "5:1m;25:1m", "5:1m," * 200, "-5:1m", "5:1d", 7, True, [], {"steps": []}]
)  # fmt: skip
def test_what_are_no_steps_is_refused_by_the_field(written: object) -> None:
    with pytest.raises(ValidationError) as refused:
        ConfigChange.model_validate({"rollout": written})
    assert {error["loc"][0] for error in refused.value.errors()} == {"rollout"}


FOREIGN = Environment(id=EnvironmentId(UUID(int=9)), name="another", production=False)


@st.composite
def routes_of_two(draw: st.DrawFn) -> Routes | None:
    """Return what a project's routes may be like: who has the environment, and who gets which part of it."""
    one = st.sampled_from((OLD, NEW))
    moves = st.builds(answering, one)
    asked = st.builds(weight_given, one, st.integers(0, 99), st.booleans())
    told = draw(st.lists(st.one_of(moves, st.just(ASKED), asked), max_size=5))
    return draw(st.sampled_from((*(folded(answering(), *told),) * 4, folded(ASKED, *told), None)))


def outcome(
    environment: Environment, known: Routes | None, target: Candidate, releases: Releases, percent: int
) -> WeightRequested | Refusal:
    try:
        return decide_weight(environment, known, target, releases, percent)
    except Refusal as refusal:
        return refusal


@given(
    environment=st.sampled_from((PRODUCTION, PRODUCTION, PRODUCTION, FOREIGN)),
    known=routes_of_two(),
    target=st.sampled_from((OLD, NEW)),
    way=st.sampled_from((*(len(way_to_live()),) * 4, 1, 3, 6)),
    retired=st.sampled_from((0, 0, 1, 99)),
    percent=st.one_of(st.sampled_from((-1, 0, 1, 10, 99, 100, 101, 1_000)), st.integers(-10, 110), st.integers()),
)
def test_whatever_is_asked_for_is_a_weight_of_what_was_live_and_of_an_own_environment_or_refused_by_its_field(
    environment: Environment, known: Routes | None, target: DeploymentId, way: int, retired: int, percent: int
) -> None:
    row = deployment_after(way_to_live()[:way], identity=target)
    releases = Releases(retired={RELEASE: retired})
    alias = None if known is None else known.alias_of(environment.id)
    wish = outcome(environment, known, Candidate(target, row), releases, percent)
    if isinstance(wish, InvalidInputError):
        assert (wish.field, 1 <= percent <= 100) == ("weight", False)
    elif isinstance(wish, Refusal):
        assert wish.next_step
        is_free = alias is not None and alias.current != target
        is_there = row.was_live and retired <= row.built_sequence
        assert wish.field == "weight" or (wish.field in {"deployment", "to"} and not (is_free and is_there))
    else:
        assert alias is not None
        assert (wish.environment, wish.to, wish.weight) == (ENVIRONMENT, target, percent)
        assert (environment, 1 <= percent <= 100) == (PRODUCTION, True)
        assert wish.before == alias.current != target
        assert row.was_live
        assert not releases.gone_since(RELEASE, row.built_sequence)


@pytest.mark.parametrize(
    ("known", "percent", "field"),
    [(None, 10, "to"), ("answering", 0, "weight"), ("answering", 1_000, "weight"), ("weighed", 10, "weight")],
)
def test_what_cannot_be_weighed_is_refused_by_the_field_it_is_about(
    known: str | None, percent: int, field: str
) -> None:
    rows = {"answering": folded(answering()), "weighed": folded(answering(), ASKED, GIVEN)}
    candidate = Candidate(NEW, deployment_after(way_to_live(), identity=NEW))
    with pytest.raises(Refusal) as refused:
        decide_weight(PRODUCTION, None if known is None else rows[known], candidate, Releases(), percent)
    assert refused.value.field == field


@given(st.text())
def test_any_text_is_steps_or_refused(written: str) -> None:
    try:
        steps = steps_of(written)
    except ValueError:
        return
    assert isinstance(steps, dict)
