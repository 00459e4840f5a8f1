"""The command before the start runs once for each deployment, whoever dies, and decides whether it goes on."""

import asyncio
from pathlib import Path
from typing import Literal
from uuid import UUID

import pytest

from support.memory_builder import INSTALLATION, MemoryBuilder, name_of
from support.memory_runtime import PowerCut
from windlass_builder.application.pre_deploy import SOURCE
from windlass_builder.domain.names import pre_deploy_name
from windlass_contracts.events import DeploymentCanceled, Failed
from windlass_contracts.events.deployment import Stage
from windlass_contracts.lifecycle import Phase
from windlass_eventlog.logs.port import DeploymentLog

ON_THE_WAY = ["build.started.v1", "build.succeeded.v1"]
BEFORE = ["predeploy.started.v1", "predeploy.succeeded.v1"]


@pytest.fixture
def builder(tmp_path: Path) -> MemoryBuilder:
    return MemoryBuilder(tmp_path)


def before(deployment: UUID) -> str:
    return pre_deploy_name(INSTALLATION, deployment)


async def failure(builder: MemoryBuilder, deployment: UUID) -> Failed:
    events = [builder.log.at(sequence).event for sequence in range(1, builder.log.length + 1)]
    (failed,) = (event for event in events if isinstance(event, Failed))
    assert (await builder.found(deployment)).row.phase is Phase.FAILED
    return failed


async def lines(builder: MemoryBuilder, deployment: UUID) -> list[str]:
    key = builder.log.at(1).key
    log = DeploymentLog.of(key)
    assert log.deployment == deployment
    return [line.text async for batch in builder.lines.read(log) if batch.source == SOURCE for line in batch.lines]


async def test_app_starts_once_the_command_before_it_has_succeeded(builder: MemoryBuilder) -> None:
    deployment = await builder.requested(before="migrate")
    await builder.reactors.settle()

    assert builder.types(deployment)[1:] == [*ON_THE_WAY, *BEFORE, "container.started.v1"]
    assert builder.runtime.begun == [before(deployment), name_of(deployment)]
    assert before(deployment) not in builder.runtime.living
    assert await lines(builder, deployment) == ["Before the start: migrate", "migrating"]


async def test_command_that_fails_fails_the_deployment_with_its_last_lines(builder: MemoryBuilder) -> None:
    builder.runtime.ends_with = 3
    deployment = await builder.requested(before="migrate")
    await builder.reactors.settle()

    failed = await failure(builder, deployment)
    assert (failed.stage, failed.code, failed.exit_code) == (Stage.PRE_DEPLOY, "exited", 3)
    assert failed.log is not None
    assert (failed.log.source, failed.log.last) == (SOURCE, 1)
    assert builder.runtime.living == {}
    assert builder.runtime.begun == [before(deployment)]


async def test_command_that_takes_too_long_is_stopped(builder: MemoryBuilder) -> None:
    async def takes_too_long(_name: str) -> None:
        raise TimeoutError

    builder.runtime.while_attended = takes_too_long
    deployment = await builder.requested(before="migrate")
    await builder.reactors.settle()

    failed = await failure(builder, deployment)
    assert (failed.stage, failed.code) == (Stage.PRE_DEPLOY, "timed-out")
    assert "600 s" in failed.reason
    assert builder.runtime.living == {}


@pytest.mark.parametrize("dies", ["before", "after"])
@pytest.mark.parametrize("append", [3, 4, 5])
async def test_builder_killed_at_any_append_finds_the_command_again_and_never_runs_it_twice(
    builder: MemoryBuilder, append: int, dies: Literal["before", "after"]
) -> None:
    builder.log.dies_at, builder.log.dies = append, dies
    deployment = await builder.requested(before="migrate")
    with pytest.raises(PowerCut):
        await builder.reactors.settle()

    after = await restarted(builder)

    assert after.runtime.begun.count(before(deployment)) == 1
    assert after.types(deployment)[1:] == [*ON_THE_WAY, *BEFORE, "container.started.v1"]
    assert before(deployment) not in after.runtime.living


async def test_builder_killed_while_the_command_runs_waits_for_it_afterwards(builder: MemoryBuilder) -> None:
    async def power_cut(_name: str) -> None:
        raise PowerCut

    builder.runtime.while_attended = power_cut
    deployment = await builder.requested(before="migrate")
    with pytest.raises(PowerCut):
        await builder.reactors.settle()
    builder.runtime.exits(before(deployment), code=0)

    after = await restarted(builder)

    assert after.runtime.begun == [before(deployment), name_of(deployment)]
    assert after.types(deployment)[-2:] == ["predeploy.succeeded.v1", "container.started.v1"]


async def test_container_removed_while_it_runs_is_not_made_again(builder: MemoryBuilder) -> None:
    builder.runtime.while_attended = builder.runtime.remove
    deployment = await builder.requested(before="migrate")
    await builder.reactors.settle()

    failed = await failure(builder, deployment)
    assert (failed.stage, failed.code) == (Stage.PRE_DEPLOY, "lost")
    assert builder.runtime.begun == [before(deployment)]


async def test_container_removed_while_no_builder_runs_is_not_made_again(builder: MemoryBuilder) -> None:
    async def power_cut(_name: str) -> None:
        raise PowerCut

    builder.runtime.while_attended = power_cut
    deployment = await builder.requested(before="migrate")
    with pytest.raises(PowerCut):
        await builder.reactors.settle()
    await builder.runtime.remove(before(deployment))

    after = await restarted(builder)

    failed = await failure(after, deployment)
    assert (failed.stage, failed.code) == (Stage.PRE_DEPLOY, "lost")
    assert "may have run" in failed.reason
    assert after.runtime.begun == [before(deployment)]


async def test_cancel_while_the_command_runs_ends_it_and_starts_nothing(builder: MemoryBuilder) -> None:
    async def somebody_cancels(_name: str) -> None:
        await builder.tell(deployment, DeploymentCanceled())
        await asyncio.Event().wait()

    builder.runtime.while_attended = somebody_cancels
    deployment = await builder.requested(before="migrate")
    await builder.reactors.settle()

    assert builder.runtime.living == {}
    assert builder.types(deployment)[-2:] == ["predeploy.started.v1", "deployment.canceled.v1"]


async def restarted(builder: MemoryBuilder) -> MemoryBuilder:
    after = builder.again()
    await after.reconciling.run()
    await after.reactors.settle()
    return after
