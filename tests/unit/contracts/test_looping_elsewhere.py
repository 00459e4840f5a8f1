"""What the services that read of a looping container make of it: the same end of the loop, from the same events."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar
from uuid import UUID, uuid5

from support import router_events as say
from support.memory_runtime import NOON
from windlass_builder.domain import deployment as builder
from windlass_contracts.cloudevent import Metadata, Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import (
    ContainerLooping,
    ContainerStopped,
    CutoverStarted,
    DeploymentLive,
    DeploymentScaled,
)
from windlass_contracts.ids import EventId
from windlass_contracts.subjects import AggregateKey
from windlass_gateway.domain import deployment as gateway
from windlass_monitor.domain import deployment as monitor
from windlass_router.domain import deployment as router

DEPLOYMENT = say.deployment_number(1)
NAME = say.container_of(DEPLOYMENT)
LIVE = (
    say.requested(),
    *say.built(),
    say.started(DEPLOYMENT),
    say.healthy(DEPLOYMENT),
    CutoverStarted(containers=(NAME,)),
    DeploymentLive(generation=1, duration_ms=1),
)
LOOPING = ContainerLooping(node="one", container=NAME, exits=10, exit_code=3)
REPLACED = ContainerStopped(node="one", container=NAME, why=ContainerStopped.LOOPING, exit_code=3)
RETIRED = ContainerStopped(node="one", container=NAME, why="retired")
STARTED = say.started(DEPLOYMENT)
Row = TypeVar("Row")


def folded(evolve: Callable[[Row | None, Recorded[Event]], Row | None], *events: Event) -> Row:
    row: Row | None = None
    for sequence, event in enumerate((*LIVE, *events), 1):
        identity = EventId(uuid5(UUID(int=0), str(sequence)))
        metadata = Metadata(identity, NOON + timedelta(seconds=sequence), "token:test", identity)
        key = AggregateKey.of_deployment(say.TEAM, say.PROJECT, DEPLOYMENT)
        (service, *_) = sorted(event.APPENDED_BY)
        row = evolve(row, Recorded(sequence, "0a1b2c3d", service, key, event, metadata))
    assert row is not None
    return row


def loops(*events: Event) -> Sequence[bool]:
    """Return whether it loops, for the builder and for the gateway."""
    known = folded(builder.evolve, *events).container(NAME)
    assert known is not None
    return known.exits > 0, bool(folded(gateway.evolve, *events).looping)


def test_a_fresh_container_loops_on_until_it_is_said_to_have_started_once_more() -> None:
    assert loops(LOOPING) == (True, True)
    assert loops(LOOPING, REPLACED) == (True, True)
    assert loops(LOOPING, REPLACED, STARTED) == (True, True)
    assert loops(LOOPING, REPLACED, STARTED, say.healthy(DEPLOYMENT)) == (True, True)
    assert loops(LOOPING, REPLACED, STARTED, STARTED) == (False, False)
    assert loops(LOOPING, STARTED) == (False, False)


def test_what_is_stopped_for_another_reason_loops_no_more() -> None:
    assert loops(LOOPING, RETIRED) == (False, False)
    assert loops(LOOPING, RETIRED, STARTED) == (False, False)


def test_the_first_moment_and_the_last_exit_are_shown() -> None:
    again = LOOPING.model_copy(update={"exits": 20, "exit_code": 1})
    first, later = folded(gateway.evolve, LOOPING).looping, folded(gateway.evolve, LOOPING, again).looping
    assert (later[0].exits, later[0].exit_code) == (20, 1)
    assert later[0].looping_since == first[0].looping_since


def test_a_looping_container_is_probed_once_after_each_start_that_is_told() -> None:
    def probed(*events: Event) -> bool:
        return bool(folded(monitor.evolve, *events).heeded)

    assert probed()
    assert not probed(LOOPING)
    assert probed(LOOPING, REPLACED, STARTED)
    assert not probed(LOOPING, REPLACED, STARTED, say.healthy(DEPLOYMENT))
    assert probed(LOOPING, REPLACED, STARTED, STARTED)
    assert probed(LOOPING, REPLACED, STARTED, STARTED, say.healthy(DEPLOYMENT))
    assert probed(LOOPING, STARTED, say.healthy(DEPLOYMENT))


def test_requests_go_to_a_looping_container_only_where_there_is_no_better_one() -> None:
    other = (DeploymentScaled(replicas=2), say.started(DEPLOYMENT, 1), say.healthy(DEPLOYMENT, 1))
    alone = folded(router.evolve, LOOPING).servers
    assert len(alone) == 1
    assert folded(router.evolve, *other, LOOPING).servers != alone
    assert len(folded(router.evolve, *other, LOOPING).servers) == 1
    assert len(folded(router.evolve, *other).servers) == 2
