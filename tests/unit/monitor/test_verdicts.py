"""What is said about containers, as the rows stand."""

from datetime import UTC, datetime

import pytest

from windlass_contracts.config import CommandProbe, HttpProbe, Probe, TcpProbe
from windlass_contracts.events import Failed, Healthy, Unhealthy
from windlass_contracts.events.deployment import Stage
from windlass_contracts.lifecycle import Phase
from windlass_monitor.domain.deployment import Container, Deployment, Health
from windlass_monitor.domain.outcomes import (
    Answered,
    Connected,
    EngineAway,
    ExitedWith,
    NoAnswer,
    NotHttp,
    NotListening,
    NotRun,
    Outcome,
    Unreachable,
    Unsupported,
)
from windlass_monitor.domain.verdicts import Verdict, expired, lost, passed

WEB = Container(name="web-0", address="10.0.0.2", port=8_000, since=7, running_since=datetime(2026, 1, 1, tzinfo=UTC))


def row(
    health: Health = Health.UNPROVEN, judged: int = 0, phase: Phase = Phase.STARTED, probe: Probe | None = None
) -> Deployment:
    container = WEB.model_copy(update={"health": health, "judged": judged})
    return Deployment(phase=phase, probe=probe or HttpProbe(), health_s=60, containers=(container,), watched=True)


def test_a_container_that_answers_is_healthy() -> None:
    healthy = Healthy(container="web-0", probe="http", status=204, tries=3, duration_ms=12)

    assert passed(row(), WEB, Answered(204, 12), 3) == Verdict(healthy, "after 0")


def test_a_container_that_recovers_is_said_to_be_healthy_again_by_another_event() -> None:
    first, again = passed(row(), WEB, Connected(1), 1), passed(row(Health.UNHEALTHY, 12), WEB, Connected(1), 1)

    assert first is not None
    assert again is not None
    assert first.event == again.event
    assert first.step != again.step


def test_what_is_known_is_not_said_again() -> None:
    assert passed(row(Health.HEALTHY, 9), WEB, Answered(200, 1), 1) is None
    assert lost(row(Health.UNHEALTHY, 9), WEB, NotListening(), 3) is None


def test_a_container_that_never_was_healthy_cannot_lose_its_health() -> None:
    assert lost(row(), WEB, NotListening(), 3) is None


def test_a_healthy_container_that_does_not_answer_any_more_is_unhealthy() -> None:
    unhealthy = Unhealthy(container="web-0", probe="http", code="bad-status", status=503, failures=3)

    assert lost(row(Health.HEALTHY, 9), WEB, Answered(503, 4), 3) == Verdict(unhealthy, "after 9")


@pytest.mark.parametrize(
    "changed",
    [
        row().model_copy(update={"containers": ()}),
        row(Health.PAUSED),
        row().model_copy(update={"containers": (WEB.model_copy(update={"since": 20}),)}),
        row(phase=Phase.FAILED),
        row(phase=Phase.CANCELED),
        row(phase=Phase.SUPERSEDED),
    ],
    ids=["stopped", "paused", "started again", "failed", "canceled", "superseded"],
)
def test_nothing_is_said_about_a_container_that_is_not_probed_any_more(changed: Deployment) -> None:
    assert passed(changed, WEB, Answered(200, 1), 1) is None
    assert expired(changed, WEB, NotListening()) is None


@pytest.mark.parametrize("phase", [Phase.CUTOVER, Phase.LIVE])
def test_after_the_cutover_no_container_fails_its_deployment(phase: Phase) -> None:
    assert expired(row(phase=phase), WEB, NotListening()) is None
    assert passed(row(phase=phase), WEB, Answered(200, 1), 1) is not None


def test_a_replica_that_never_becomes_healthy_fails_a_deployment_that_waits_for_it() -> None:
    assert expired(row(phase=Phase.HEALTHY), WEB, NotListening()) is not None
    assert expired(row(Health.HEALTHY, 9, Phase.HEALTHY), WEB, NotListening()) is None


@pytest.mark.parametrize(
    ("outcome", "probe", "code", "words"),
    [
        (NotListening(), HttpProbe(), "not-listening", ["8000", "60 s", "PORT", "0.0.0.0,"]),
        (Unreachable(), HttpProbe(), "unreachable", ["60 s", "network"]),
        (NoAnswer(), HttpProbe(timeout_ms=2_500), "no-answer", ["8000", "2.5 s", "timeout"]),
        (NotHttp(), HttpProbe(), "not-http", ["8000", "tcp"]),
        (Answered(500, 1), HttpProbe(status_max=299), "bad-status", ["500", "200 to 299", "path"]),
        (Answered(200, 1), HttpProbe(successes=3), "bad-status", ["200", "in a row"]),
        (Unsupported(), CommandProbe(command="true"), "unsupported-probe", ["command", "http or tcp"]),
        (NotListening(), TcpProbe(), "not-listening", ["8000"]),
        (ExitedWith(3), CommandProbe(command="false"), "exited", ["exit code 3", "windlass run"]),
        (NotRun(), CommandProbe(command="true"), "not-run", ["container did not run"]),
        (EngineAway(), CommandProbe(command="true"), "engine-away", ["engine", "doctor"]),
        (NoAnswer(), CommandProbe(command="sleep 9", timeout_ms=1_500), "no-answer", ["1.5 s", "timeout"]),
    ],
)
def test_a_deployment_that_is_too_late_fails_with_what_to_do(
    outcome: Outcome, probe: Probe, code: str, words: list[str]
) -> None:
    verdict = expired(row(probe=probe), WEB, outcome)

    assert verdict is not None
    assert isinstance(verdict.event, Failed)
    assert (verdict.event.stage, verdict.event.code) == (Stage.HEALTH, code)
    assert [word for word in words if word not in verdict.event.reason] == []
