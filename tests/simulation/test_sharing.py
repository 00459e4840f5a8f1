"""Versions share an environment's requests by steps or by hand, whoever changes their mind or dies meanwhile."""

from pathlib import Path

import pytest
from hypothesis import given, settings

from support.simulation.exploring import run
from support.simulation.history import Act, App, Deploy, History, Incident, Kill, Outage, Promote, StopRollout, Weigh
from support.simulation.strategies import ALWAYS_THE_SAME, histories, sharing
from support.simulation.world import World
from windlass_contracts.events import WeightChanged
from windlass_contracts.subjects import Service


@settings(ALWAYS_THE_SAME, max_examples=10)
@given(history=histories(sharing))
def test_every_history_of_weights_ends_as_it_should(scratch: Path, history: History) -> None:
    run(history, scratch)


STEPS = "20:5,60:10"
WEIGHED, LIVE = "weight.changed.v1", "deployment.live.v1"
NEXT = (20, "rollout"), (60, "rollout")


def weights(scratch: Path, *acts: Act) -> list[tuple[int, str]]:
    """Return how the weights changed after a version took an environment, and the next one came by steps."""
    world = World(History(acts=(Deploy(), Deploy(upon=LIVE, rollout=STEPS), *acts)), scratch)
    assert world.run() is None, world.story
    events = (world.log.at(sequence).event for sequence in range(1, world.log.length + 1))
    return [(event.weight, event.why) for event in events if isinstance(event, WeightChanged)]


@pytest.mark.parametrize(
    ("acts", "changes"),
    [
        ([], NEXT),
        ([StopRollout(after=1.0)], (NEXT[0], (0, "stopped"))),
        ([Weigh(after=1.0, percent=99), StopRollout(upon=WEIGHED)], (NEXT[0], (99, "asked"), (0, "stopped"))),
        ([Weigh(after=1.0, percent=100)], NEXT[:1]),
        ([Incident(after=1.0, what="sick")], (*NEXT, (0, "restore"))),
        ([Incident(after=1.0, what="removed")], NEXT),
        ([Outage(after=4.0, seconds=12.0)], (*NEXT, (20, "compensation"), NEXT[1])),
        ([Outage(after=4.0, seconds=12.0), StopRollout(after=7.0)], (*NEXT, (20, "compensation"), (0, "stopped"))),
        ([Promote(after=1.0, which=0)], NEXT[:1]),
        ([Deploy(after=1.0, rollout="none")], (NEXT[0], (0, "overtaken"))),
        ([Deploy(after=1.0)], (NEXT[0], (0, "overtaken"), *NEXT)),
        ([Deploy(after=1.0, app=App.SICK)], NEXT),
    ],
)
def test_a_rollout_ends_as_it_should_though_the_router_is_killed_at_its_first_step(
    scratch: Path, acts: list[Act], changes: tuple[tuple[int, str], ...]
) -> None:
    kill = Kill(upon=WEIGHED, service=Service.ROUTER, away=0.5)
    assert weights(scratch, kill, *acts) == list(changes)
