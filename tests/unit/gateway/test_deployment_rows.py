"""The row of a deployment says how far it came, how long each step took, what is awaited, and how it ended."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import router_events
from support.gateway_story import COMMIT, NOON, RELEASE, deployment_after, way_to_live
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.event import Event
from windlass_contracts.events import (
    BuildStarted,
    ContainerStopped,
    DeploymentCanceled,
    Failed,
    PreDeployStarted,
    PreDeploySucceeded,
    Unhealthy,
)
from windlass_contracts.events.deployment import Stage
from windlass_contracts.lifecycle import Phase
from windlass_contracts.subjects import Service
from windlass_gateway.domain.bearings import Bearings, Queued
from windlass_gateway.domain.canceling import decide_cancel
from windlass_gateway.domain.container import ContainerState
from windlass_gateway.domain.deadlines import MARGIN, awaited, decide_failure
from windlass_gateway.domain.explanation import explain
from windlass_gateway.domain.refusals import TooLateToCancelError
from windlass_gateway.domain.timeline import StepState, steps, total_ms

CRASHED = Failed(stage=Stage.BUILD, code="exit", reason="The build command exited with 1.", exit_code=1)
LENGTHS = st.integers(min_value=1, max_value=6)


def test_a_live_deployment_knows_its_commit_release_and_every_step() -> None:
    row = deployment_after(way_to_live())
    assert (row.phase, row.ended, row.commit, row.release) == (Phase.LIVE, True, COMMIT, RELEASE)
    assert [(step.name, step.duration_ms) for step in steps(row)] == [
        (name, 1_000) for name in ("queue", "build", "start", "health", "cutover", "route")
    ]
    assert total_ms(row) == 6_000


def test_a_failed_deployment_shows_the_step_that_broke_off() -> None:
    row = deployment_after([*way_to_live()[:2], CRASHED])
    assert [(step.name, step.state) for step in steps(row)] == [
        ("queue", StepState.DONE),
        ("build", StepState.BROKEN_OFF),
    ]
    assert row.failure is not None
    assert (row.failure.stage, row.failure.exit_code) == (Stage.BUILD, 1)


def test_a_container_that_stops_after_the_end_leaves_the_end_as_it_was() -> None:
    stopped = ContainerStopped(node="here", container="run-1", why="failed", exit_code=3)
    row = deployment_after([*way_to_live()[:4], CRASHED, stopped])
    assert (row.phase, row.moments[Phase.FAILED]) == (Phase.FAILED, NOON + timedelta(seconds=5))
    assert row.containers[0].state is ContainerState.STOPPED
    assert row.containers[0].node == "here"


def test_lost_health_shows_on_the_container_and_not_in_the_phase() -> None:
    row = deployment_after([*way_to_live(), Unhealthy(container="run-1", probe="http", code="timeout", failures=3)])
    assert (row.phase, row.containers[0].state) == (Phase.LIVE, ContainerState.UNHEALTHY)


@pytest.mark.parametrize(
    ("length", "owner", "seconds"),
    [
        (1, Service.BUILDER, 3_720),
        (2, Service.BUILDER, 1_020),
        (3, Service.BUILDER, 60),
        (4, Service.MONITOR, 60),
        (5, Service.ROUTER, 90),
        (6, Service.ROUTER, 30),
    ],
)
def test_every_phase_awaits_its_owner_until_its_deadline(length: int, owner: Service, seconds: int) -> None:
    waiting = awaited(deployment_after(way_to_live()[:length]))
    assert waiting is not None
    assert (waiting.owner, waiting.since) == (owner, NOON + timedelta(seconds=length))
    assert waiting.until == waiting.since + timedelta(seconds=seconds)


def test_a_new_attempt_has_the_whole_time_of_a_build() -> None:
    again = BuildStarted(node="here", attempt=2, commit=COMMIT)
    waiting = awaited(deployment_after([*way_to_live()[:2], again]))
    assert waiting is not None
    assert waiting.since == NOON + timedelta(seconds=3)


def test_containers_that_went_down_during_the_cutover_have_their_time_again() -> None:
    stopped = ContainerStopped(node="here", container="run-1", why="exited", exit_code=255)
    down = awaited(deployment_after([*way_to_live()[:6], stopped]))
    started = awaited(deployment_after([*way_to_live()[:6], stopped, way_to_live()[3]]))
    healthy = awaited(deployment_after([*way_to_live()[:6], stopped, *way_to_live()[3:5]]))
    assert down is not None
    assert started is not None
    assert healthy is not None
    assert [one.since - NOON for one in (down, started, healthy)] == [timedelta(seconds=s) for s in (7, 8, 8)]
    assert [one.allowed.total_seconds() for one in (down, started, healthy)] == [150, 150, 30]


SECOND = router_events.started(router_events.deployment_number(1), 1)
SICK = router_events.unhealthy(router_events.deployment_number(1), 1)


@pytest.mark.parametrize(
    ("then", "owner"),
    [
        ([], Service.BUILDER),
        ([SECOND], Service.MONITOR),
        ([SECOND, SICK], Service.ROUTER),
    ],
)
def test_with_several_replicas_who_is_awaited_is_whose_word_is_missing(then: list[Event], owner: Service) -> None:
    row = deployment_after([*way_to_live(config=DeploymentConfig(replicas=2))[:5], *then])
    waiting = awaited(row)
    assert waiting is not None
    assert (row.phase, waiting.owner) == (Phase.HEALTHY, owner)


@given(LENGTHS)
def test_a_deployment_fails_by_deadline_exactly_when_the_margin_is_over(length: int) -> None:
    row = deployment_after(way_to_live()[:length])
    waiting = awaited(row)
    assert waiting is not None
    assert decide_failure(row, waiting.until + MARGIN - timedelta(microseconds=1)) is None
    failed = decide_failure(row, waiting.until + MARGIN)
    assert failed is not None
    assert (failed.stage, failed.code) == (Stage.DEADLINE, f"{row.phase}-abandoned-by-{waiting.owner}")


def test_what_ended_has_no_deadline() -> None:
    assert decide_failure(deployment_after(way_to_live()), NOON + timedelta(days=999)) is None


@given(LENGTHS)
def test_while_it_runs_the_explanation_says_what_is_awaited_and_until_when(length: int) -> None:
    explanation = explain(deployment_after(way_to_live()[:length]))
    assert explanation.owner is not None
    assert explanation.until is not None
    assert explanation.owner in explanation.sentence


def test_the_explanation_of_a_failure_names_the_remedy() -> None:
    explanation = explain(deployment_after([*way_to_live()[:2], CRASHED]))
    assert "exited with 1" in explanation.sentence
    assert "build log" in explanation.next_step


@pytest.mark.parametrize("code", ["bad-archive", "source-too-large", "upload-damaged", "upload-gone"])
def test_who_uploaded_a_folder_is_not_sent_to_a_repository(code: str) -> None:
    refused = Failed(stage=Stage.FETCH, code=code, reason="It cannot be taken.")
    assert "repository" not in explain(deployment_after([*way_to_live()[:2], refused])).next_step


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
def test_a_cancel_is_taken_until_the_cutover(length: int) -> None:
    assert decide_cancel(deployment_after(way_to_live()[:length])) == DeploymentCanceled()


@pytest.mark.parametrize("events", [way_to_live()[:6], way_to_live(), [*way_to_live()[:2], CRASHED]])
def test_a_cancel_from_the_cutover_on_is_refused_with_the_reason(events: list[object]) -> None:
    with pytest.raises(TooLateToCancelError) as refused:
        decide_cancel(deployment_after(events))  # type: ignore[arg-type] # a list of events of several kinds
    assert refused.value.detail
    assert refused.value.next_step


def test_a_pre_deploy_command_is_a_step_of_its_own_that_is_awaited_and_explained() -> None:
    way = way_to_live(config=DeploymentConfig(pre_deploy_command="migrate"))
    command = [PreDeployStarted(node="here", container="pre-1"), PreDeploySucceeded(container="pre-1", duration_ms=9)]
    running = deployment_after([*way[:3], command[0]])
    waiting = awaited(running)
    assert waiting is not None
    assert waiting.until == NOON + timedelta(seconds=4 + 600)
    assert "pre-deploy command" in explain(running).sentence
    assert [(step.name, step.state) for step in steps(running)][-1] == ("pre-deploy", StepState.RUNNING)

    live = deployment_after([*way[:3], *command, *way[3:]])
    assert [(step.name, step.duration_ms) for step in steps(live)][1:4] == [
        ("build", 1_000),
        ("pre-deploy", 2_000),
        ("start", 1_000),
    ]


def test_request_in_the_queue_waits_for_its_turn_and_no_longer_once_it_is_built() -> None:
    queued = Bearings(queued=Queued(2, "2 builds run."))
    waiting = explain(deployment_after(way_to_live()[:1]), queued)
    assert (waiting.awaits, waiting.queued) == ("its turn to be built", "2nd in the queue: 2 builds run.")
    building = explain(deployment_after(way_to_live()[:2]), queued)
    assert (building.awaits != waiting.awaits, building.queued) == (True, None)
