"""Containers that write more than they may are ended, named as such, and replaced where they are missed."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from support import router_events as say
from support.memory_builder import MemoryBuilder, name_of
from support.memory_runtime import PowerCut
from windlass_builder.application.node import Node
from windlass_builder.application.scratch import Scratch
from windlass_builder.domain.workloads import RunnerRemoved
from windlass_contracts.config import DeploymentConfig, Limits
from windlass_contracts.events import ContainerStopped, Failed, RunEnded, RunRequested
from windlass_contracts.events.deployment import Stage
from windlass_contracts.ids import DeploymentId, ProjectId, RunId
from windlass_contracts.lifecycle import Phase

MIB = 2**20
MAY = 64 * MIB
TOO_MUCH = MAY + 1


@pytest.fixture
def builder(tmp_path: Path) -> MemoryBuilder:
    return MemoryBuilder(tmp_path)


def watching(builder: MemoryBuilder) -> Scratch:
    return Scratch(builder.append, builder.containers, lambda: 0)


async def started(builder: MemoryBuilder) -> DeploymentId:
    builder.deployments += 1
    identity = say.deployment_number(builder.deployments)
    config = DeploymentConfig(start_command="python server.py", scratch_bytes=MAY)
    await builder.tell(identity, say.requested(config=config))
    await builder.reactors.settle()
    return identity


def why_stopped(builder: MemoryBuilder, deployment: DeploymentId) -> list[str]:
    events = (builder.log.at(at) for at in range(1, builder.log.length + 1))
    return [one.event.why for one in events if isinstance(one.event, ContainerStopped) and one.key.id == deployment]


async def test_app_that_writes_too_much_before_it_is_live_fails_with_the_reason(builder: MemoryBuilder) -> None:
    deployment = await started(builder)
    builder.runtime.scratch[name_of(deployment)] = TOO_MUCH

    await watching(builder).look()
    await builder.reactors.settle()

    assert builder.runtime.living == {}
    assert why_stopped(builder, deployment) == ["scratch-full"]
    assert (await builder.found(deployment)).row.phase is Phase.FAILED
    [failed] = [builder.log.at(at).event for at in range(1, builder.log.length + 1) if _failed(builder, at)]
    assert isinstance(failed, Failed)
    assert (failed.stage, failed.code) == (Stage.START, "scratch-full")
    assert "more than 64 MiB outside of its volumes" in failed.reason


def _failed(builder: MemoryBuilder, at: int) -> bool:
    return isinstance(builder.log.at(at).event, Failed)


@pytest.mark.parametrize("size", [0, MAY])
async def test_app_that_writes_what_it_may_is_left_alone(builder: MemoryBuilder, size: int) -> None:
    deployment = await started(builder)
    builder.runtime.scratch[name_of(deployment)] = size
    length = builder.log.length

    await watching(builder).look()

    assert (builder.log.length, builder.runtime.running) == (length, {name_of(deployment)})


async def test_live_app_is_replaced_by_one_that_is_empty(builder: MemoryBuilder) -> None:
    deployment = await builder.live()
    builder.runtime.scratch[name_of(deployment)] = 11 * 1024 * MIB  # more than the node lets anybody write

    await watching(builder).look()
    assert builder.runtime.running == set()
    await builder.exits.reconciling.restore_wanted(ProjectId(say.PROJECT), deployment)

    assert builder.runtime.running == {name_of(deployment)}
    assert builder.runtime.scratch == {}
    assert why_stopped(builder, deployment) == ["scratch-full"]
    assert (await builder.found(deployment)).row.phase is Phase.LIVE
    length = builder.log.length
    await watching(builder).look()
    assert builder.log.length == length


@pytest.mark.parametrize("dies", [1, 2])
async def test_builder_that_dies_while_it_ends_one_ends_it_in_its_next_life(builder: MemoryBuilder, dies: int) -> None:
    deployment = await started(builder)
    builder.runtime.scratch[name_of(deployment)] = TOO_MUCH
    builder.log.dies_at, builder.log.dies = dies, "after"
    with pytest.raises(PowerCut):
        await watching(builder).look()

    after = builder.again()
    await after.reconciling.run()
    await watching(after).look()
    await after.reactors.settle()

    assert after.runtime.living == {}
    assert (await after.found(deployment)).row.phase is Phase.FAILED
    assert after.types(deployment).count("deployment.failed.v1") == 1


async def test_what_the_engine_says_of_it_afterwards_is_not_told_twice(builder: MemoryBuilder) -> None:
    deployment = await builder.live()
    builder.runtime.scratch[name_of(deployment)] = 11 * 1024 * MIB
    await watching(builder).look()
    gone = RunnerRemoved(
        runner=name_of(deployment), project=say.PROJECT, deployment=deployment, at=builder.clock + timedelta(seconds=1)
    )
    await builder.exits.note(gone)
    assert why_stopped(builder, deployment) == ["scratch-full"]


async def test_command_before_the_start_that_writes_too_much_fails_with_the_reason(builder: MemoryBuilder) -> None:
    async def writes(name: str) -> None:
        builder.runtime.scratch[name] = 11 * 1024 * MIB
        await watching(builder).look()
        assert name not in builder.runtime.running

    builder.runtime.while_attended, builder.runtime.ends_with = writes, 143
    deployment = await builder.requested(before="fill the disk")
    await builder.reactors.settle()

    row = (await builder.found(deployment)).row
    assert row.phase is Phase.FAILED
    [failed] = [builder.log.at(at).event for at in range(1, builder.log.length + 1) if _failed(builder, at)]
    assert isinstance(failed, Failed)
    assert (failed.stage, failed.code) == (Stage.PRE_DEPLOY, "scratch-full")
    assert "10240 MiB" in failed.reason


async def test_command_that_runs_once_and_writes_too_much_is_ended_with_the_reason(builder: MemoryBuilder) -> None:
    async def writes(name: str) -> None:
        builder.runtime.scratch[name] = 11 * 1024 * MIB
        await watching(builder).look()

    deployment = await builder.live()
    builder.runtime.while_attended, builder.runtime.ends_with = writes, 137
    run = RunId(UUID(int=7))
    secret = await builder.vault.store("fill the disk")
    await builder.tell(run, RunRequested(deployment=deployment, command=secret, limits=Limits(), deadline_s=60))
    await builder.reactors.settle()

    [ended] = [one for at in range(1, builder.log.length + 1) if isinstance(one := builder.log.at(at).event, RunEnded)]
    assert (ended.code, "10240 MiB" in (ended.reason or "")) == ("scratch-full", True)
    assert builder.runtime.running == {name_of(deployment)}


def test_a_project_may_ask_for_less_than_the_node_allows_and_not_for_more(tmp_path: Path) -> None:
    node = Node("one", "0badcafe", "memory", {}, tmp_path, 1, scratch_bytes=MAY)
    assert [node.may_write(asked) for asked in (None, MAY - 1, MAY + 1)] == [MAY, MAY - 1, MAY]
