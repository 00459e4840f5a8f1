"""Whatever happens to containers: requests always have somewhere to go, and what is surplus gets none."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from support import router_events as say
from windlass_contracts.cloudevent import Metadata, Recorded
from windlass_contracts.config import Limits
from windlass_contracts.event import Event
from windlass_contracts.events import (
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    DeploymentScaled,
    Healthy,
    RestartFailed,
    RestartRequested,
    RestartSucceeded,
    Unhealthy,
)
from windlass_contracts.ids import EventId
from windlass_contracts.replicas import ReplicaSet
from windlass_contracts.subjects import AggregateKey

DEPLOYMENT = say.deployment_number(1)
KEY = AggregateKey.of_deployment(say.TEAM, say.PROJECT, DEPLOYMENT)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def recorded(sequence: int, event: Event) -> Recorded[Event]:
    (service, *_) = sorted(event.APPENDED_BY)
    identity = EventId(UUID(int=sequence))
    return Recorded(sequence, "00000000", service, KEY, event, Metadata(identity, NOON, "token:test", identity))


def after(events: Sequence[Event], wanted: int = 1) -> ReplicaSet:
    replicas = ReplicaSet(wanted=wanted)
    for sequence, event in enumerate(events, 1):
        replicas = replicas.after(recorded(sequence, event))
    return replicas


def name(number: int, life: int = 1) -> str:
    return f"run-{number}-{life}"


def started(number: int, life: int = 1, address: str | None = None) -> Event:
    return ContainerStarted(
        node="one",
        container=name(number, life),
        replica=number,
        address=address or f"10.0.{number}.{life}",
        port=8000,
        limits=Limits(),
        runtime="docker",
        duration_ms=1,
    )


def healthy(number: int, life: int = 1) -> Event:
    return Healthy(container=name(number, life), probe="http", status=200, tries=1, duration_ms=1)


def unhealthy(number: int, life: int = 1) -> Event:
    return Unhealthy(container=name(number, life), probe="http", code="bad-status", failures=3)


def stopped(number: int, life: int = 1) -> Event:
    return ContainerStopped(node="one", container=name(number, life), why="exited")


def running(*numbers: int) -> list[Event]:
    return [*(started(one) for one in numbers), *(healthy(one) for one in numbers)]


ASKED = RestartRequested()


def test_replicas_beyond_the_number_are_spare_since_somebody_scaled() -> None:
    replicas = after([*running(0, 1, 2), DeploymentScaled(replicas=1)], wanted=3)
    assert replicas.serving == (name(0),)
    assert replicas.spare == {name(1): 7, name(2): 7}


def test_what_is_scaled_up_again_serves_again_and_is_spare_anew_later() -> None:
    events = [*running(0, 1), DeploymentScaled(replicas=1), DeploymentScaled(replicas=2), DeploymentScaled(replicas=1)]
    assert after(events[:-1], wanted=2).serving == (name(0), name(1))
    assert after(events, wanted=2).spare == {name(1): 7}


def test_healthy_ones_beyond_the_number_serve_in_place_of_those_that_are_not() -> None:
    sick = after([*running(0, 1, 2), unhealthy(0), DeploymentScaled(replicas=1)], wanted=3)
    assert sick.serving == (name(1),)
    assert sick.spare == {name(2): 8}


def test_fresh_container_takes_the_place_of_the_old_one_once_it_is_healthy() -> None:
    replicas = after([*running(0), ASKED, started(0, 2)])
    assert replicas.serving == (name(0),)
    assert replicas.spare == {}
    replicas = replicas.after(recorded(5, healthy(0, 2)))
    assert replicas.serving == (name(0, 2),)
    assert replicas.spare == {name(0): 5}


def test_old_container_serves_again_when_the_fresh_one_fails() -> None:
    replicas = after([*running(0), ASKED, started(0, 2), healthy(0, 2), unhealthy(0, 2)])
    assert replicas.serving == (name(0),)
    assert replicas.spare == {}


def test_fresh_container_of_a_failed_restart_is_spare_and_the_old_one_stays() -> None:
    request = EventId(UUID(int=3))
    failed = RestartFailed(request=request, replaced=0, code="not-healthy", reason="It was not.")
    replicas = after([*running(0), ASKED, started(0, 2), failed])
    assert replicas.serving == (name(0),)
    assert replicas.spare == {name(0, 2): 5}
    assert (replicas.life_of(0), replicas.last_life_of(0)) == (1, 2)


def test_stopped_container_with_a_successor_is_forgotten() -> None:
    replicas = after([*running(0), ASKED, started(0, 2), healthy(0, 2), stopped(0)])
    assert set(replicas.containers) == {name(0, 2)}
    assert replicas.last_life_of(0) == 2


def test_old_container_counts_that_ends_after_the_fresh_one_of_a_failed_restart_was_stopped() -> None:
    failed = RestartFailed(request=EventId(UUID(int=3)), replaced=0, code="not-healthy", reason="It was not.")
    events = [*running(0), ASKED, started(0, 2), failed, stopped(0, 2), stopped(0)]
    assert set(after(events).containers) == {name(0), name(0, 2)}
    assert after(events).life_of(0) == 1
    assert after([*events, started(0)]).serving == (name(0),)


def test_replica_of_which_none_runs_is_missing() -> None:
    replicas = after([*running(0, 1), stopped(1), DeploymentScaled(replicas=3)], wanted=2)
    assert replicas.missing == (1, 2)


def test_container_that_was_restarted_elsewhere_is_not_proven() -> None:
    assert after([*running(0), started(0)]).serving == (name(0),)
    assert after([*running(0), started(0, address="10.9.9.9")]).serving == ()


_NUMBERS, _LIVES = st.integers(0, 2), st.integers(1, 3)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Return what builder, monitor and gateway may say about containers, in any order."""
    events = list[Event]()
    requests = list[EventId]()
    for sequence in range(1, draw(st.integers(1, 40)) + 1):
        number, life = draw(_NUMBERS), draw(_LIVES)
        endings: list[Event] = (
            [
                RestartSucceeded(request=requests[-1], replaced=1, duration_ms=1),
                RestartFailed(request=requests[-1], replaced=0, code="deadline", reason="It took too long."),
            ]
            if requests
            else []
        )
        event = draw(
            st.sampled_from(
                [
                    started(number, life),
                    healthy(number, life),
                    healthy(number, life),
                    unhealthy(number, life),
                    stopped(number, life),
                    ContainerPaused(node="one", container=name(number, life)),
                    ContainerResumed(node="one", container=name(number, life)),
                    DeploymentScaled(replicas=draw(st.integers(1, 3))),
                    ASKED,
                    *endings,
                ]
            )
        )
        if event is ASKED:
            requests.append(EventId(UUID(int=sequence)))
        events.append(event)
    return events


@given(histories(), st.integers(1, 3))
def test_requests_go_somewhere_as_long_as_some_container_answers(events: list[Event], wanted: int) -> None:
    replicas = ReplicaSet(wanted=wanted)
    for sequence, event in enumerate(events, 1):
        replicas = replicas.after(recorded(sequence, event))
        there = replicas.containers
        answering = {one for one in there if there[one].answers}
        serving = set(replicas.serving)
        assert bool(serving) == bool([one for one in there.values() if one.running and one.proven])
        assert serving <= answering or not answering
        assert len(serving & answering) >= min(replicas.wanted, len({there[one].number for one in answering}))


@given(histories(), st.integers(1, 3))
def test_what_is_spare_since_a_sequence_gets_no_requests_since(events: list[Event], wanted: int) -> None:
    replicas, left_out = ReplicaSet(wanted=wanted), dict[str, int]()
    for sequence, event in enumerate(events, 1):
        replicas = replicas.after(recorded(sequence, event))
        left_out = {one: at for one, at in left_out.items() if one not in replicas.serving}
        left_out |= {one: sequence for one in replicas.containers if one not in (*left_out, *replicas.serving)}
        assert not set(replicas.spare) & set(replicas.serving)
        for one, since in replicas.spare.items():
            assert since >= left_out[one]


@given(histories(), st.integers(1, 3))
def test_when_all_are_healthy_and_nothing_is_asked_for_only_the_wanted_are_no_surplus(
    events: list[Event], wanted: int
) -> None:
    replicas = after(events, wanted)
    sequence = len(events)
    for request in replicas.restarts:
        sequence += 1
        over = RestartFailed(request=request, replaced=0, code="deadline", reason="It took too long.")
        replicas = replicas.after(recorded(sequence, over))
    for one in [*replicas.containers]:
        sequence += 1
        well = Healthy(container=one, probe="http", status=200, tries=1, duration_ms=1)
        if one in replicas.containers and replicas.containers[one].running:
            replicas = replicas.after(recorded(sequence, well))
    numbers = [replicas.containers[one].number for one in replicas.serving]
    assert len(numbers) == len(set(numbers))
    assert len(numbers) <= replicas.wanted
    running = {one for one, replica in replicas.containers.items() if replica.running}
    assert running - set(replicas.spare) == set(replicas.serving)
