"""A live version is scaled and restarted container by container, whatever happens meanwhile."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from support import router_events as say
from support.memory_builder import INSTALLATION, MemoryBuilder
from support.memory_runtime import NOON, PowerCut
from windlass_builder.application.runtime_errors import RunnerUnstartableError
from windlass_builder.application.scaling import CHANGING, Scaling
from windlass_builder.application.timers import Timers
from windlass_builder.domain.names import runner_name
from windlass_contracts.event import Event
from windlass_contracts.events import DeploymentScaled, Healthy, RestartFailed, RestartRequested, RestartSucceeded
from windlass_contracts.ids import DeploymentId, EventId, ProjectId
from windlass_eventlog.reactor import Reactor

DRAINED = timedelta(seconds=1)
GRACE = timedelta(seconds=30)
TOO_LONG = timedelta(seconds=61)


class NoTimers(Timers):
    """Nobody is looked at but by the test."""

    def watch(self, project: ProjectId, deployment: DeploymentId) -> None:
        """Leave it to the test."""


@dataclass
class Scene:
    """A live deployment, and a builder that looks at it whenever the test lets it."""

    builder: MemoryBuilder
    deployment: DeploymentId = field(init=False)

    def __post_init__(self) -> None:
        self._take(self.builder)

    def _take(self, builder: MemoryBuilder) -> None:
        self.builder, tasks = builder, asyncio.TaskGroup()
        self.scaling = Scaling(builder.reconciling, tasks)
        self.scaling._timers = NoTimers(self.scaling._next, tasks)
        reactors = [*builder.reactors.reactors, Reactor("scale", CHANGING, self.scaling.handle)]
        builder.reactors.reactors = reactors

    async def live(self) -> "Scene":
        self.deployment = await self.builder.live()
        return self

    async def killed(self) -> None:
        """Let another builder take its place."""
        self._take(self.builder.again())
        await self.builder.reconciling.run()
        await self.settle()

    async def tell(self, *events: Event) -> EventId:
        told = await self.builder.tell(self.deployment, *events)
        await self.settle()
        return told

    async def healthy(self, *names: str) -> None:
        await self.tell(*(Healthy(container=one, probe="tcp", tries=1, duration_ms=1) for one in names))

    async def scaled(self, replicas: int) -> None:
        await self.tell(DeploymentScaled(replicas=replicas))
        await self.healthy(*(self.name(number) for number in range(replicas)))

    async def confirmed(self) -> None:
        await self.builder.confirmed()
        await self.settle()

    async def passed(self, time: timedelta) -> None:
        self.builder.pass_time(time)
        await self.settle()

    async def gone(self) -> None:
        """Let the proxies confirm what they leave out, and the time pass in which it is drained."""
        await self.confirmed()
        await self.passed(DRAINED)

    async def settle(self) -> None:
        await self.builder.reactors.settle()
        while await self.scaling._next(say.PROJECT, self.deployment) == timedelta(0):
            await self.builder.reactors.settle()
        await self.builder.reactors.settle()

    def name(self, number: int, life: int = 1) -> str:
        return runner_name(INSTALLATION, self.deployment, number + 1, life)

    @property
    def running(self) -> set[str]:
        return self.builder.runtime.running

    @property
    def ends(self) -> list[RestartSucceeded | RestartFailed]:
        log = self.builder.log
        events = (log.at(sequence).event for sequence in range(1, log.length + 1))
        return [event for event in events if isinstance(event, RestartSucceeded | RestartFailed)]


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    return await Scene(MemoryBuilder(tmp_path)).live()


async def test_scaling_up_starts_what_is_missing_and_keeps_it_running(scene: Scene) -> None:
    await scene.scaled(3)
    assert scene.running == {scene.name(0), scene.name(1), scene.name(2)} == scene.builder.runtime.kept


async def test_surplus_stops_only_once_the_proxies_left_it_out_and_it_is_drained(scene: Scene) -> None:
    await scene.scaled(3)
    await scene.tell(DeploymentScaled(replicas=1))
    await scene.passed(TOO_LONG)
    assert len(scene.running) == 3
    await scene.confirmed()
    assert len(scene.running) == 3
    await scene.passed(DRAINED)
    assert scene.running == {scene.name(0)}


async def test_surplus_with_open_connections_has_its_grace(scene: Scene) -> None:
    await scene.scaled(2)
    await scene.tell(DeploymentScaled(replicas=1))
    scene.builder.runtime.connections = {scene.name(1): 1}
    await scene.gone()
    assert len(scene.running) == 2
    await scene.passed(GRACE)
    assert scene.running == {scene.name(0)}


async def test_confirmation_from_before_the_scaling_says_nothing(scene: Scene) -> None:
    await scene.scaled(2)
    await scene.confirmed()
    await scene.tell(DeploymentScaled(replicas=1))
    await scene.passed(TOO_LONG)
    assert len(scene.running) == 2


async def test_what_is_wanted_again_before_it_stopped_goes_on(scene: Scene) -> None:
    await scene.scaled(2)
    await scene.tell(DeploymentScaled(replicas=1))
    await scene.confirmed()
    await scene.tell(DeploymentScaled(replicas=2))
    await scene.passed(TOO_LONG)
    assert scene.running == {scene.name(0), scene.name(1)}
    assert scene.builder.types(scene.deployment).count("container.started.v1") == 2


async def test_what_was_stopped_is_started_again_when_it_is_wanted_again(scene: Scene) -> None:
    await scene.scaled(2)
    await scene.tell(DeploymentScaled(replicas=1))
    await scene.gone()
    await scene.scaled(2)
    assert scene.running == {scene.name(0), scene.name(1)}


async def test_builder_killed_while_it_scales_down_ends_it_later(scene: Scene) -> None:
    await scene.scaled(3)
    await scene.tell(DeploymentScaled(replicas=1))
    await scene.confirmed()
    scene.builder.pass_time(DRAINED)
    scene.builder.log.dies_at = 2
    with pytest.raises(PowerCut):
        await scene.settle()
    await scene.killed()
    assert scene.running == {scene.name(0)}


async def restarted(scene: Scene, replicas: int) -> None:
    """Let one replica after the other give way to a fresh one."""
    for number in range(replicas):
        assert len(scene.running) == replicas + 1
        await scene.healthy(scene.name(number, 2))
        await scene.gone()


async def test_restart_replaces_one_container_after_the_other(scene: Scene) -> None:
    await scene.scaled(2)
    request = await scene.tell(RestartRequested())
    assert scene.running == {scene.name(0), scene.name(1), scene.name(0, 2)}
    await restarted(scene, 2)
    assert (
        scene.running
        == {scene.name(0, 2), scene.name(1, 2)}
        == scene.builder.runtime.kept - {scene.name(0), scene.name(1)}
    )
    (end,) = scene.ends
    assert isinstance(end, RestartSucceeded)
    assert (end.request, end.replaced) == (request, 2)


@pytest.mark.parametrize("first", ["ends", "is replaced"])
async def test_container_that_ended_and_was_replaced_is_gone_though_the_engine_started_it_again(
    scene: Scene, first: str
) -> None:
    runtime, old = scene.builder.runtime, scene.name(0)
    if first == "is replaced":
        await scene.tell(RestartRequested())
    await scene.builder.exits.note(runtime.exits(old))
    if first == "ends":
        await scene.tell(RestartRequested())
    assert scene.running == {scene.name(0, 2)}
    await scene.builder.exits.note(runtime.started_again(old, NOON + timedelta(minutes=1)))
    await scene.settle()
    assert scene.running == {scene.name(0, 2)}
    await scene.healthy(scene.name(0, 2))
    await scene.gone()
    assert isinstance(scene.ends[0], RestartSucceeded)


async def test_second_restart_gives_the_containers_other_names(scene: Scene) -> None:
    for life in (2, 3):
        await scene.tell(RestartRequested())
        await scene.healthy(scene.name(0, life))
        await scene.gone()
        assert scene.running == {scene.name(0, life)}
    assert len((await scene.builder.found(scene.deployment)).row.containers) == 1


async def test_restart_ends_where_the_fresh_container_is_not_healthy_in_time_and_the_rest_stays(scene: Scene) -> None:
    await scene.scaled(2)
    await scene.tell(RestartRequested())
    await scene.passed(TOO_LONG)
    (end,) = scene.ends
    assert isinstance(end, RestartFailed)
    assert (end.code, end.replaced) == ("not-healthy", 0)
    assert scene.running == {scene.name(0), scene.name(1)}


async def test_restart_ends_where_the_fresh_container_ends(scene: Scene) -> None:
    await scene.tell(RestartRequested())
    await scene.builder.exits.note(scene.builder.runtime.exits(scene.name(0, 2)))
    await scene.settle()
    assert [getattr(end, "code", "") for end in scene.ends] == ["exited"]
    assert scene.running == {scene.name(0)}


async def test_restart_ends_where_the_engine_cannot_start_a_container_and_nothing_is_left_of_it(scene: Scene) -> None:
    async def refuse(_name: str) -> None:
        raise RunnerUnstartableError("no such file")

    scene.builder.runtime.after_start = refuse
    await scene.tell(RestartRequested())
    assert [getattr(end, "code", "") for end in scene.ends] == ["cannot-start"]
    assert set(scene.builder.runtime.living) == {scene.name(0)}


async def test_later_restart_ends_the_one_before(scene: Scene) -> None:
    await scene.tell(RestartRequested())
    await scene.tell(RestartRequested())
    assert [getattr(end, "code", "") for end in scene.ends] == ["overtaken"]
    await scene.healthy(scene.name(0, 3))
    await scene.gone()
    assert scene.running == {scene.name(0, 3)}
    assert len(scene.ends) == 2


async def test_restart_of_what_no_address_points_at_any_more_ends(scene: Scene) -> None:
    await scene.tell(RestartRequested())
    await scene.builder.live(before=scene.deployment)
    await scene.settle()
    assert [getattr(end, "code", "") for end in scene.ends] == ["replaced"]


async def test_scaling_down_during_a_restart_lets_it_end_with_what_is_left(scene: Scene) -> None:
    await scene.scaled(3)
    await scene.tell(RestartRequested())
    await scene.tell(DeploymentScaled(replicas=1))
    await scene.healthy(scene.name(0, 2))
    await scene.gone()
    assert scene.running == {scene.name(0, 2)}
    (end,) = scene.ends
    assert isinstance(end, RestartSucceeded)
    assert end.replaced == 1


async def test_scaling_up_during_a_restart_needs_no_fresh_container_for_what_is_fresh(scene: Scene) -> None:
    await scene.tell(RestartRequested())
    await scene.tell(DeploymentScaled(replicas=2))
    await scene.healthy(scene.name(0, 2), scene.name(1))
    await scene.gone()
    assert scene.running == {scene.name(0, 2), scene.name(1)}
    assert len(scene.ends) == 1


@pytest.mark.parametrize("dies", ["before", "after"])
@pytest.mark.parametrize("append", [1, 2, 3, 4, 5])
async def test_builder_killed_at_any_append_of_a_restart_goes_on_with_it(
    scene: Scene, append: int, dies: Literal["before", "after"]
) -> None:
    await scene.scaled(2)
    scene.builder.log.dies_at, scene.builder.log.dies = append, dies

    async def survived(step: str, number: int) -> None:
        try:
            if step == "gone":
                await scene.gone()
            else:
                await scene.tell(RestartRequested()) if step == "asked" else await scene.healthy(scene.name(number, 2))
        except PowerCut:
            await scene.killed()
            await scene.settle()

    await survived("asked", 0)
    for number in (0, 1):
        await survived("healthy", number)
        await survived("gone", number)
        await scene.gone()
    assert scene.running == {scene.name(0, 2), scene.name(1, 2)}
    (end,) = scene.ends
    assert isinstance(end, RestartSucceeded)
    assert end.replaced == 2


async def test_version_that_is_rolled_back_to_has_its_scaled_number(scene: Scene) -> None:
    await scene.scaled(2)
    later = await scene.builder.live(before=scene.deployment)
    names = (scene.name(0), scene.name(1))
    for name in names:
        await scene.builder.stopped(scene.deployment, name)
    request = await scene.builder.tell(say.PROJECT, say.rollback(scene.deployment))
    await scene.settle()
    await scene.builder.cut_over(scene.deployment, later, request)
    assert set(names) <= scene.running
