"""Whatever the lifecycle allows to be appended, every service reads."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import router_events as say
from windlass_builder.application import projections as builder
from windlass_contracts.cloudevent import Metadata, Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import (
    ContainerLooping,
    CutoverStarted,
    DeploymentCanceled,
    DeploymentLive,
    DeploymentScaled,
    DeploymentSuperseded,
    Failed,
    PreDeployStarted,
    PreDeploySucceeded,
    RestartFailed,
    RestartRequested,
    RestartSucceeded,
)
from windlass_contracts.events.deployment import Stage
from windlass_contracts.ids import EventId
from windlass_contracts.lifecycle import TRANSITIONS, Phase
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.folding import AnyProjection, AnyRow, fold
from windlass_gateway.application import projections as gateway
from windlass_logs.application import projections as logs
from windlass_monitor.application import projections as monitor
from windlass_router.application import projections as router

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DEPLOYMENT = say.deployment_number(1)
KEY = AggregateKey.of_deployment(say.TEAM, say.PROJECT, DEPLOYMENT)


def _about(replica: int) -> Sequence[Event]:
    """Return one event of each type that a deployment's history is made of."""
    return [
        say.requested(),
        *say.built(),
        PreDeployStarted(node="one", container="before-1"),
        PreDeploySucceeded(container="before-1", duration_ms=1),
        say.started(DEPLOYMENT, replica),
        say.healthy(DEPLOYMENT, replica),
        say.unhealthy(DEPLOYMENT, replica),
        say.paused(DEPLOYMENT, replica),
        say.resumed(DEPLOYMENT, replica),
        say.stopped(DEPLOYMENT, replica),
        ContainerLooping(node="one", container=say.container_of(DEPLOYMENT, replica), exits=3),
        CutoverStarted(containers=(say.container_of(DEPLOYMENT, replica),)),
        DeploymentLive(generation=1, duration_ms=1),
        DeploymentScaled(replicas=1 + replica),
        RestartRequested(),
        RestartSucceeded(request=EventId(UUID(int=1)), replaced=1, duration_ms=1),
        RestartFailed(request=EventId(UUID(int=1)), replaced=0, code="exited", reason="It ended."),
        DeploymentCanceled(),
        DeploymentSuperseded(by=say.deployment_number(2)),
        Failed(stage=Stage.START, code="exited", reason="It ended."),
    ]


def _recorded(sequence: int, event: Event) -> Recorded[Event]:
    (service, *_) = sorted(event.APPENDED_BY)
    identity = EventId(UUID(int=sequence))
    return Recorded(sequence, "00000000", service, KEY, event, Metadata(identity, NOON, "token:test", identity))


@st.composite
def histories(draw: st.DrawFn) -> Sequence[Recorded[Event]]:
    """Return a walk through the lifecycle's table, with events about two containers in any order it allows."""
    history: list[Recorded[Event]] = []
    phase: Phase | None = None
    for sequence in range(1, draw(st.integers(1, 40)) + 1):
        allowed = [one for one in _about(draw(st.integers(0, 1))) if (phase, type(one)) in TRANSITIONS]
        event = draw(st.sampled_from(allowed))
        phase = TRANSITIONS[phase, type(event)]
        history.append(_recorded(sequence, event))
    return history


PROJECTIONS: Sequence[AnyProjection] = (
    builder.DEPLOYMENTS,
    builder.ROUTES,
    *gateway.ALL,
    logs.DEPLOYMENTS,
    *monitor.ALL,
    *router.ALL,
)


def test_every_transition_is_told_by_some_event() -> None:
    assert {kind for _, kind in TRANSITIONS} == {type(event) for event in _about(0)}


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda one: f"{one.row.__module__}-{one.name}")
@settings(max_examples=50)  # for each of the projections
@given(history=histories())
def test_every_history_that_the_lifecycle_allows_is_read_by_every_service(
    projection: AnyProjection, history: Sequence[Recorded[Event]]
) -> None:
    rows: dict[UUID, AnyRow | None] = {}
    for event in history:
        before = {key: row for key, row in rows.items() if row is not None}
        rows |= fold(projection, before, [event])
    expected: Phase | None = None
    for event in history:
        expected = TRANSITIONS[expected, type(event.event)]
    row = rows.get(DEPLOYMENT)
    if row is not None and hasattr(row.row, "phase"):
        assert row.row.phase is expected
