"""An engine that is away, or refuses, fails no deployment, fills no log, and is gone on with once it is back."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from support.memory_builder import MemoryBuilder, name_of
from support.memory_runtime import NOON, MemoryRuntime
from windlass_builder.application.runtime_errors import EngineError
from windlass_builder.domain.workloads import RunnerRemoved
from windlass_contracts.events import ContainerStopped, CutoverStarted
from windlass_contracts.ids import DeploymentId

AN_HOUR = timedelta(hours=1)


@pytest.fixture
def builder(tmp_path: Path) -> MemoryBuilder:
    return MemoryBuilder(tmp_path)


async def _refuses(*_: object) -> None:
    raise EngineError("It does not answer.")


async def test_nothing_is_told_of_builds_while_it_is_away_and_it_is_asked_again_soon(
    builder: MemoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryRuntime, "prepare", _refuses)
    identity = await builder.requested()
    await builder.reactors.advance(AN_HOUR)
    assert builder.types(identity) == ["deployment.requested.v1"]
    monkeypatch.undo()
    await builder.reactors.advance(timedelta(seconds=2))
    assert "container.started.v1" in builder.types(identity)


async def test_one_that_refuses_what_it_is_to_build_is_asked_less_and_less_often(
    builder: MemoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryRuntime, "build", _refuses)
    identity = await builder.requested()
    await builder.reactors.advance(AN_HOUR)
    assert 60 <= builder.types(identity).count("build.started.v1") <= 70
    monkeypatch.undo()
    await builder.reactors.advance(timedelta(minutes=1))
    assert "container.started.v1" in builder.types(identity)


async def test_an_end_that_was_found_when_it_was_back_is_not_taken_for_another_one_when_it_tells_of_it(
    builder: MemoryBuilder,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        exits, identity = builder.exits_in(tasks), await builder.live()
        builder.runtime.kept.clear()
        # The engine in memory starts everything at noon.
        told = builder.runtime.exits(name_of(identity), at=NOON - timedelta(seconds=1))
        await builder.reconciling.run()
        await builder.reactors.settle()
        known = builder.types(identity)
        assert known[-2:] == ["container.stopped.v1", "container.started.v1"]

        await exits.note(told)

        assert builder.types(identity) == known


@pytest.mark.parametrize("code", [0, 1, 137, 143, 255])
async def test_what_went_down_with_it_before_it_was_healthy_is_started_once_more(
    builder: MemoryBuilder, code: int
) -> None:
    identity = await builder.requested()
    await builder.reactors.settle()
    builder.runtime.exits(name_of(identity), code)
    await builder.reconciling.run()
    assert builder.types(identity)[-3:] == ["container.started.v1", "container.stopped.v1", "container.started.v1"]


@pytest.mark.parametrize("moved", [True, False])
async def test_what_ended_in_order_during_its_cutover_while_nobody_watched_is_put_down_to_the_outside_once(
    builder: MemoryBuilder, *, moved: bool
) -> None:
    identity = await _cutting_over(builder, moved=moved)
    for _ in range(2):
        builder.runtime.exits(name_of(identity), 0)
        await builder.reconciling.run()
    events = (builder.log.at(sequence).event for sequence in range(1, builder.log.length + 1))
    ends = [(one.from_outside, one.exit_code) for one in events if isinstance(one, ContainerStopped)]
    assert ends == [(True, 0), (False, 0)]


async def test_what_ends_again_before_it_was_healthy_fails_though_nobody_watched(builder: MemoryBuilder) -> None:
    identity = await builder.requested()
    await builder.reactors.settle()
    for _ in range(2):
        builder.runtime.exits(name_of(identity), 1)
        await builder.reconciling.run()
    assert builder.types(identity).count("deployment.failed.v1") == 1


@pytest.mark.parametrize("code", [137, 143, 255])
@pytest.mark.parametrize("moved", [True, False])
async def test_what_is_killed_during_its_cutover_is_started_again_at_once(
    builder: MemoryBuilder, code: int, *, moved: bool
) -> None:
    async with asyncio.TaskGroup() as tasks:
        exits, identity = builder.exits_in(tasks), await _cutting_over(builder, moved=moved)
        await exits.note(builder.runtime.exits(name_of(identity), code))
    assert builder.types(identity)[-2:] == ["container.stopped.v1", "container.started.v1"]


async def test_what_is_removed_during_its_cutover_is_started_again_at_once(builder: MemoryBuilder) -> None:
    async with asyncio.TaskGroup() as tasks:
        exits, identity = builder.exits_in(tasks), await _cutting_over(builder, moved=False)
        runner = builder.runtime.living.pop(name_of(identity))
        name, project, deployment = runner.name, runner.project, runner.deployment
        await exits.note(RunnerRemoved(runner=name, project=project, deployment=deployment, at=NOON, id=runner.id))
    assert builder.types(identity)[-2:] == ["container.stopped.v1", "container.started.v1"]


@pytest.mark.parametrize("moved", [True, False])
async def test_what_the_app_ends_itself_during_its_cutover_stays_ended(builder: MemoryBuilder, *, moved: bool) -> None:
    async with asyncio.TaskGroup() as tasks:
        exits, identity = builder.exits_in(tasks), await _cutting_over(builder, moved=moved)
        await exits.note(builder.runtime.exits(name_of(identity), 1))
    assert builder.types(identity)[-1] == "container.stopped.v1"


async def _cutting_over(builder: MemoryBuilder, *, moved: bool) -> DeploymentId:
    identity = await builder.requested()
    await builder.reactors.settle()
    await builder.healthy(identity)
    await builder.tell(identity, CutoverStarted(containers=(name_of(identity),)))
    if moved:
        await builder.pointed(identity)
    await builder.reactors.settle()
    return identity
