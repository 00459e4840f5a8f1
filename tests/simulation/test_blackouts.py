"""What goes down with the engine or the machine on its way to be live becomes so, whenever that happens."""

from pathlib import Path

import pytest
from hypothesis import given, settings

from support.simulation.exploring import run
from support.simulation.history import Act, App, Blackout, Deploy, History, Incident, Kill, Outage
from support.simulation.strategies import ALWAYS_THE_SAME, dark, histories
from support.simulation.world import World
from windlass_contracts.events import DeploymentRequested, Failed
from windlass_contracts.lifecycle import Phase
from windlass_contracts.subjects import Service

CUTOVER, MOVED = "cutover.started.v1", "aliases.changed.v1"
ON_THE_WAY = ("build.succeeded.v1", "container.started.v1", "health.passed.v1", CUTOVER, MOVED, "routes.applied.v1")


@settings(ALWAYS_THE_SAME, max_examples=10)
@given(history=histories(dark))
def test_whatever_else_happens_it_ends_as_it_should(scratch: Path, history: History) -> None:
    run(history, scratch)


def ends(scratch: Path, *acts: Act, replicas: int = 1) -> list[str]:
    """Return what became of the second version: its phase, and why it failed, if it did.

    It needs some seconds to answer, and during its cutover the proxies so long that it does so again before they do.
    """
    slow = Outage(after=20.0, seconds=11.0 if acts[0].upon in {CUTOVER, MOVED} else 0.0)
    world = World(History(acts=(Deploy(), slow, Deploy(app=App.LATE, replicas=replicas), *acts)), scratch)
    assert world.run() is None
    events = [world.log.at(sequence) for sequence in range(1, world.log.length + 1)]
    _, second, *_ = [one.key.id for one in events if isinstance(one.event, DeploymentRequested)]
    failures = [one.event.code for one in events if isinstance(one.event, Failed) and one.key.id == second]
    return [world.invariants.ledger.deployments[second].phase, *failures]


@pytest.mark.parametrize("moment", ON_THE_WAY)
@pytest.mark.parametrize(("machine", "away"), [(False, 0.0), (True, 1.0), (True, 600.0)])
@pytest.mark.parametrize("replicas", [1, 3])
def test_what_goes_down_on_its_way_becomes_live(
    scratch: Path, moment: str, away: float, replicas: int, *, machine: bool
) -> None:
    blackout = Blackout(upon=moment, machine=machine, away=away)
    assert ends(scratch, blackout, replicas=replicas) == [Phase.LIVE]


@pytest.mark.parametrize("killed", [Service.ROUTER, Service.BUILDER, Service.MONITOR])
@pytest.mark.parametrize("moment", [CUTOVER, MOVED])
def test_so_it_does_where_somebody_dies_meanwhile(scratch: Path, moment: str, killed: Service) -> None:
    acts = Blackout(upon=moment), Kill(upon="container.stopped.v1", service=killed, away=8.0)
    assert ends(scratch, *acts) == [Phase.LIVE]


@pytest.mark.parametrize("moment", [CUTOVER, MOVED])
def test_what_goes_down_once_more_meanwhile_becomes_live(scratch: Path, moment: str) -> None:
    acts = Blackout(upon=moment), Blackout(upon="container.started.v1", machine=True, away=3.0)
    assert ends(scratch, *acts) == [Phase.LIVE]


def test_what_ends_by_itself_after_that_fails(scratch: Path) -> None:
    acts = Blackout(upon=MOVED), Incident(upon="container.started.v1")
    assert ends(scratch, *acts) == [Phase.FAILED, "containers-lost"]
