"""An app that ends again and again is said to loop once, and fills no log; it is steady again once it runs on."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import router_events as say
from support.memory_builder import MemoryBuilder, name_of
from support.memory_runtime import NOON, PowerCut
from windlass_builder.application.exits import Exits
from windlass_builder.domain.deployment import Container, ContainerState
from windlass_builder.domain.looping import LEAST_STEADY, MANY, SOON, Lives, is_replaced, is_told
from windlass_builder.domain.workloads import Paused, RunnerEvent, RunnerPaused, RunnerRemoved, RunnerResumed
from windlass_contracts.events import ContainerLooping, ContainerPaused
from windlass_contracts.ids import DeploymentId

lives = st.lists(st.timedeltas(timedelta(0), timedelta(hours=1)), max_size=40)
short_lives = st.lists(st.timedeltas(timedelta(0), timedelta(seconds=59)), min_size=MANY, max_size=300)


def after(durations: list[timedelta]) -> Lives:
    known = Lives()
    for one in durations:
        known = known.after(one)
    return known


@given(lives)
def test_many_exits_in_a_row_are_a_loop_and_fewer_are_not(durations: list[timedelta]) -> None:
    known = after(durations)
    assert known.looping == (known.exits >= MANY)
    assert known.exits <= len(durations)


@given(short_lives)
def test_who_lives_for_less_than_a_minute_each_time_loops(durations: list[timedelta]) -> None:
    known = after(durations)
    assert known.looping
    assert known.exits >= MANY


@given(lives)
def test_a_life_as_long_as_it_takes_to_be_steady_ends_every_row(durations: list[timedelta]) -> None:
    known = after(durations)
    assert LEAST_STEADY <= known.steady_after <= SOON
    assert known.after(SOON) == Lives()
    assert not known.looping or known.after(known.steady_after) == Lives()


@given(st.integers(1, 100_000))
def test_exits_are_told_sparsely(exits: int) -> None:
    told = sum(map(is_told, range(1, exits + 1)))
    assert told <= 4 + exits // 80
    assert not is_replaced(exits) or is_told(exits)


def test_the_first_loop_is_told_and_the_waits_between_grow_and_are_capped() -> None:
    told = [exits for exits in range(1, 1_000) if is_told(exits)]
    assert told[:6] == [5, 10, 20, 40, 80, 160]
    assert max(later - earlier for earlier, later in pairwise(told)) == 80
    assert [exits for exits in told if is_replaced(exits)] == told[1:]


@dataclass
class Crashing:
    """An app that ends after `lives`, again and again, on a whole builder."""

    builder: MemoryBuilder
    tasks: asyncio.TaskGroup
    lives: timedelta = timedelta(milliseconds=50)
    now: datetime = NOON
    exits: Exits = field(init=False)
    deployment: DeploymentId = field(init=False)

    def __post_init__(self) -> None:
        self.exits = self.builder.exits_in(self.tasks)

    async def begin(self) -> None:
        self.deployment = await self.builder.live()

    @property
    def name(self) -> str:
        return name_of(self.deployment)

    async def crash(self, times: int) -> None:
        for _ in range(times):
            self.now += self.lives
            before = self.builder.runtime.living[self.name]
            event = self.builder.runtime.exits(self.name, at=self.now)
            await self.note(event)
            if self.builder.runtime.living[self.name].id != before.id:
                await self.note(
                    RunnerRemoved(
                        runner=self.name, project=event.project, deployment=event.deployment, at=event.at, id=event.id
                    )
                )
            self.now += timedelta(milliseconds=100)
            await self.start()

    async def start(self) -> None:
        await self.note(self.builder.runtime.started_again(self.name, self.now))

    async def note(self, event: RunnerEvent) -> None:
        await self.exits.note(event)
        await self.builder.reactors.settle()

    @property
    def types(self) -> list[str]:
        return self.builder.types(self.deployment)

    @property
    def loops(self) -> list[int]:
        events = (self.builder.log.at(at).event for at in range(1, self.builder.log.length + 1))
        return [event.exits for event in events if isinstance(event, ContainerLooping)]

    async def container(self) -> Container:
        found = (await self.builder.found(self.deployment)).row.container(self.name)
        assert found is not None
        return found


@pytest.fixture
def builder(tmp_path: Path) -> MemoryBuilder:
    return MemoryBuilder(tmp_path)


async def test_an_app_that_crashes_for_days_is_told_of_sparsely_and_goes_on_running(builder: MemoryBuilder) -> None:
    async with asyncio.TaskGroup() as tasks:
        app = Crashing(builder, tasks)
        await app.begin()
        length = builder.log.length
        await app.crash(1_000)
        assert app.loops[:5] == [5, 10, 20, 40, 80]
        assert builder.log.length - length < 60
        assert builder.runtime.running == builder.runtime.kept == {app.name}
        await _end_of_watch(app)


async def test_it_is_replaced_by_a_fresh_container_now_and_then_and_counted_on(builder: MemoryBuilder) -> None:
    async with asyncio.TaskGroup() as tasks:
        app = Crashing(builder, tasks)
        await app.begin()
        first = builder.runtime.living[app.name].id
        await app.crash(9)
        assert builder.runtime.living[app.name].id == first
        await app.crash(1)
        assert builder.runtime.living[app.name].id != first
        assert app.types[-3:] == ["container.looping.v1", "container.stopped.v1", "container.started.v1"]
        assert (await app.container()).exits == 10
        await _end_of_watch(app)


async def test_an_exit_now_and_then_is_no_loop(builder: MemoryBuilder) -> None:
    async with asyncio.TaskGroup() as tasks:
        app = Crashing(builder, tasks, lives=SOON)
        await app.begin()
        await app.crash(20)
        assert app.loops == []
        assert app.types.count("container.stopped.v1") == 20


async def test_what_runs_on_is_steady_again_and_said_to_have_started(builder: MemoryBuilder) -> None:
    async with asyncio.TaskGroup() as tasks:
        app = Crashing(builder, tasks)
        await app.begin()
        await app.crash(7)
        assert (await app.container()).exits == 5
        await app.exits._steady(app.deployment, app.name)  # what the timer calls after a minute
        container = await app.container()
        assert (container.exits, container.state) == (0, ContainerState.RUNNING)
        assert app.types[-1] == "container.started.v1"
        await app.crash(4)
        assert app.loops == [5]
        await _end_of_watch(app)


async def test_a_started_builder_counts_on_from_what_was_told_last(builder: MemoryBuilder) -> None:
    async with asyncio.TaskGroup() as tasks:
        app = Crashing(builder, tasks)
        await app.begin()
        await app.crash(6)
        await _end_of_watch(app)
        app.exits = builder.exits_in(tasks)
        await app.crash(5)
        assert app.loops == [5, 10]
        await _end_of_watch(app)


@pytest.mark.parametrize("dies", ["before", "after"])
@pytest.mark.parametrize("append", [1, 2])
async def test_a_builder_killed_while_it_replaces_one_leaves_it_running(
    builder: MemoryBuilder, append: int, dies: Literal["before", "after"]
) -> None:
    async with asyncio.TaskGroup() as tasks:
        app = Crashing(builder, tasks)
        await app.begin()
        await app.crash(9)
        builder.log.dies_at, builder.log.dies = append, dies
        with pytest.raises(PowerCut):
            await app.exits.note(builder.runtime.exits(app.name, at=app.now + app.lives))
        await _end_of_watch(app)
        builder.runtime.started_again(app.name, app.now)  # the engine goes on meanwhile

        after = builder.again()
        await after.reconciling_in(tasks).run()

        assert after.runtime.running == after.runtime.kept == {app.name}
        found = (await after.found(app.deployment)).row.container(app.name)
        assert found is not None
        assert (found.state, found.exits) == (ContainerState.RUNNING, 5 if (append, dies) == (1, "before") else 10)


async def test_an_exit_that_is_noted_once_more_for_somebody_wrote_meanwhile_counts_once(builder: MemoryBuilder) -> None:
    async with asyncio.TaskGroup() as tasks:
        app = Crashing(builder, tasks)
        await app.begin()
        await app.crash(4)
        fifth = builder.runtime.exits(app.name, at=app.now + app.lives)
        container = await app.container()
        assert app.exits._loops.ended(container, fifth.at).exits == 5  # and then its event met a conflict
        await app.exits.note(fifth)
        assert app.loops == [5]
        await _end_of_watch(app)


async def test_a_replaced_version_that_loops_gets_no_fresh_container(builder: MemoryBuilder) -> None:
    async with asyncio.TaskGroup() as tasks:
        app = Crashing(builder, tasks)
        await app.begin()
        new = await builder.live(before=app.deployment)
        await app.crash(10)
        assert app.loops == [5, 10]
        assert builder.runtime.running == {app.name, name_of(new)}
        assert "container.stopped.v1" not in app.types[-2:]
        await _end_of_watch(app)


async def test_a_crashing_app_delays_nobody_elses_events(builder: MemoryBuilder) -> None:
    one, other = await builder.live(), await builder.live()
    async with asyncio.TaskGroup() as tasks:
        exits = builder.exits_in(tasks)
        async with builder.containers.alone_with(one):  # something of its project takes long
            exits._hand_on(builder.runtime.exits(name_of(one)))
            exits._hand_on(builder.runtime.exits(name_of(other)))
            await _told(builder, other)
            assert "container.stopped.v1" not in builder.types(one)
    assert "container.stopped.v1" in builder.types(one)


async def test_what_somebody_stopped_by_hand_is_started_again(builder: MemoryBuilder) -> None:
    deployment = await builder.live()
    name = name_of(deployment)
    builder.runtime.kept.discard(name)  # the engine leaves it at that
    await builder.exits.note(builder.runtime.exits(name, 137))
    assert builder.runtime.running == builder.runtime.kept == {name}


async def test_what_somebody_paused_by_hand_goes_on_and_what_is_kept_warm_stands_still(builder: MemoryBuilder) -> None:
    warm, live = await builder.live(), await builder.live()
    await builder.tell(warm, ContainerPaused(node="one", container=name_of(warm)))
    await builder.runtime.pause(name_of(live))
    for deployment, kind in ((live, RunnerPaused), (warm, RunnerResumed)):
        about = builder.runtime.living[name_of(deployment)]
        event = kind(runner=about.name, project=about.project, deployment=about.deployment, at=NOON, id=about.id)
        await builder.exits.note(event)
    assert builder.runtime.running == {name_of(live)}
    assert isinstance(builder.runtime.living[name_of(warm)].state, Paused)


async def test_a_start_that_is_told_once_the_container_is_gone_is_no_start(builder: MemoryBuilder) -> None:
    deployment = await builder.live()
    name = name_of(deployment)
    await builder.exits.note(builder.runtime.exits(name))
    started = builder.runtime.started_again(name, NOON)
    del builder.runtime.living[name]  # by hand, before anybody heard of the start
    before = builder.types(deployment)
    await builder.exits.note(started)
    assert builder.types(deployment) == before


async def test_what_is_not_wanted_stays_ended(builder: MemoryBuilder) -> None:
    old = await builder.live()
    new = await builder.live(before=old)
    await builder.pointed(new, old)
    builder.runtime.kept.discard(name_of(old))
    await builder.exits.note(builder.runtime.exits(name_of(old)))
    assert builder.runtime.running == {name_of(new)}


async def _told(builder: MemoryBuilder, deployment: DeploymentId) -> None:
    """Wait until the end of its container stands in the log."""
    while "container.stopped.v1" not in builder.types(deployment):  # noqa: ASYNC110 - a log in memory gives no sign
        await asyncio.sleep(0)


async def _end_of_watch(app: Crashing) -> None:
    """Let nothing be waited for that would come in a minute."""
    app.exits._loops.is_over(app.name)
    await app.builder.tell(say.PROJECT)
