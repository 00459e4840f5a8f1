"""Weights asked for by hand: who can get one, and what is refused, by which field."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

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
from windlass_gateway.domain.refusals import NotRolledOutError
from windlass_gateway.domain.rollout_steps import steps_of
from windlass_gateway.domain.routes import Routes
from windlass_gateway.domain.weighing import decide_stop

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


def answering() -> Event:
    alias = Alias(kind="environment", name="shop", environment=ENVIRONMENT)
    return AliasesChanged(why="cutover", deployment=OLD, moves=(AliasMove(alias=alias, after=OLD),))


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


@given(st.text())
def test_any_text_is_steps_or_refused(written: str) -> None:
    try:
        steps = steps_of(written)
    except ValueError:
        return
    assert isinstance(steps, dict)
