"""A version that fails soon after it went live is taken back, however it fails and whoever dies meanwhile."""

from pathlib import Path

import pytest

from support.simulation.history import Act, Deploy, History, Incident, Kill
from support.simulation.world import World
from windlass_contracts.events import AliasesChanged, DeploymentRequested, RestoreRequested
from windlass_contracts.subjects import Service

LIVE = "deployment.live.v1"


def told(scratch: Path, *acts: Act) -> World:
    world = World(History(acts=(Deploy(), Deploy(after=20.0), *acts)), scratch)
    assert world.run() is None
    return world


def wishes(world: World) -> list[tuple[str, bool]]:
    """Return why something was taken back, and whether that was the second version for the first."""
    events = [world.log.at(sequence) for sequence in range(1, world.log.length + 1)]
    first, second, *_ = [one.key.id for one in events if isinstance(one.event, DeploymentRequested)]
    found = [one.event for one in events if isinstance(one.event, RestoreRequested)]
    return [(one.code, (one.before, one.to) == (second, first)) for one in found]


def restored(world: World) -> int:
    events = (world.log.at(sequence).event for sequence in range(1, world.log.length + 1))
    return sum(isinstance(event, AliasesChanged) and event.why == "restore" for event in events)


@pytest.mark.parametrize(
    ("acts", "code"),
    [
        ([Incident(after=1.0, upon=LIVE, what="sick")], "unhealthy"),
        ([Incident(after=1.0, upon=LIVE, what="errs")], "errors"),
        ([Incident(after=1.0, upon=LIVE), Incident(after=2.0), Incident(after=2.0)], "exits"),
    ],
)
@pytest.mark.parametrize("killed", [None, Service.MONITOR, Service.ROUTER, Service.BUILDER])
def test_whatever_fails_is_taken_back_once_whoever_is_killed(
    scratch: Path, acts: list[Act], code: str, killed: Service | None
) -> None:
    kill = [] if killed is None else [Kill(upon="restore.requested.v1", service=killed, away=3.0)]
    early = [] if killed is not Service.MONITOR else [Kill(after=0.5, service=killed, away=3.0)]
    world = told(scratch, *acts, *early, *kill)
    assert (wishes(world), restored(world)) == ([(code, True)], 1)


def test_what_fails_after_its_window_stays(scratch: Path) -> None:
    world = told(scratch, Incident(after=310.0, upon=LIVE, what="sick"))
    assert wishes(world) == []


def test_a_version_without_one_before_it_stays(scratch: Path) -> None:
    world = World(History(acts=(Deploy(), Incident(after=1.0, upon=LIVE, what="sick"))), scratch)
    assert world.run() is None
    assert restored(world) == 0
