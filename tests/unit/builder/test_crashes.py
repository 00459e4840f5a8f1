"""A builder that is killed, interrupted or overtaken at any moment leaves nothing undone, and nothing running."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from support import router_events as say
from support.memory_builder import MemoryBuilder, name_of
from support.memory_runtime import PowerCut
from windlass_builder.domain.workloads import Paused
from windlass_contracts.events import DeploymentCanceled, DeploymentLive, Failed
from windlass_contracts.events.deployment import Stage
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase


@pytest.fixture
def builder(tmp_path: Path) -> MemoryBuilder:
    return MemoryBuilder(tmp_path)


async def restarted(builder: MemoryBuilder) -> MemoryBuilder:
    after = builder.again()
    await after.reconciling.run()
    await after.reactors.settle()
    return after


@pytest.mark.parametrize("dies", ["before", "after"])
@pytest.mark.parametrize("append", [1, 2, 3, 4])
async def test_builder_killed_at_any_append_of_a_deployment_takes_it_on_and_starts_every_replica_once(
    builder: MemoryBuilder, append: int, dies: Literal["before", "after"]
) -> None:
    builder.log.dies_at, builder.log.dies = append, dies
    deployment = await builder.requested(replicas=2)
    with pytest.raises(PowerCut):
        await builder.reactors.settle()

    after = await restarted(builder)

    assert after.runtime.running == {name_of(deployment, 1), name_of(deployment, 2)}
    assert after.types(deployment).count("container.started.v1") == 2
    assert after.types(deployment).count("build.succeeded.v1") == 1
    assert (await after.found(deployment)).row.phase is Phase.STARTED


async def test_replica_seen_healthy_while_the_next_one_starts_does_not_cost_the_next_one(
    builder: MemoryBuilder,
) -> None:
    async def monitor_is_quick(name: str) -> None:
        if name == name_of(deployment, 2):
            await builder.healthy(deployment, 1)

    builder.runtime.after_start = monitor_is_quick
    deployment = await builder.requested(replicas=2)
    await builder.reactors.settle()

    assert builder.runtime.running == {name_of(deployment, 1), name_of(deployment, 2)}
    assert builder.types(deployment).count("container.started.v1") == 2
    assert (await builder.found(deployment)).row.phase is Phase.HEALTHY


@pytest.mark.parametrize("ordinal", [1, 2])
async def test_cancel_while_a_replica_starts_leaves_nothing_running(builder: MemoryBuilder, ordinal: int) -> None:
    async def somebody_cancels(name: str) -> None:
        if name == name_of(deployment, ordinal):
            await builder.tell(deployment, DeploymentCanceled())

    builder.runtime.after_start = somebody_cancels
    deployment = await builder.requested(replicas=2)
    await builder.reactors.settle()

    assert builder.runtime.running == set()
    assert (await builder.found(deployment)).row.phase is Phase.CANCELED
    assert not (await builder.found(deployment)).row.occupied


async def test_exit_before_the_start_is_written_down_fails_the_deployment(builder: MemoryBuilder) -> None:
    noting: list[asyncio.Task[None]] = []

    async def app_ends(name: str) -> None:
        event = builder.runtime.exits(name, code=3)
        noting.append(asyncio.create_task(builder.exits.note(event)))

    builder.runtime.after_start = app_ends
    deployment = await builder.requested()
    await builder.reactors.settle()
    await asyncio.gather(*noting)
    await builder.reactors.settle()

    types = builder.types(deployment)
    assert types.index("container.started.v1") < types.index("deployment.failed.v1")
    assert not (await builder.found(deployment)).row.occupied


@pytest.mark.parametrize("dies", ["before", "after"])
@pytest.mark.parametrize("append", [1, 2])
async def test_builder_killed_while_it_notes_an_exit_still_fails_the_deployment_once(
    builder: MemoryBuilder, append: int, dies: Literal["before", "after"]
) -> None:
    deployment = await builder.requested()
    await builder.reactors.settle()
    event = builder.runtime.exits(name_of(deployment), code=3)
    builder.log.dies_at, builder.log.dies = append, dies
    with pytest.raises(PowerCut):
        await builder.exits.note(event)

    after = await restarted(builder)
    unseen = (append, dies) == (1, "before")
    if unseen:  # nobody knows by what it ended: it is started once more, and ends again
        await after.exits.note(after.runtime.exits(name_of(deployment), code=3))

    assert after.types(deployment).count("deployment.failed.v1") == 1
    assert after.types(deployment).count("container.stopped.v1") == 1 + unseen


async def test_exit_told_twice_is_written_down_once(builder: MemoryBuilder) -> None:
    deployment = await builder.live()
    event = builder.runtime.exits(name_of(deployment))
    await builder.exits.note(event)
    await builder.exits.note(event)
    assert builder.types(deployment).count("container.stopped.v1") == 1


async def test_app_that_ended_during_its_cutover_runs_again_once_it_is_live(builder: MemoryBuilder) -> None:
    deployment = await builder.requested()
    await builder.reactors.settle()
    await builder.healthy(deployment)
    await builder.cut_over(deployment)
    await builder.exits.note(builder.runtime.exits(name_of(deployment)))
    await builder.tell(deployment, DeploymentLive(generation=builder.log.length, duration_ms=1))
    await builder.reactors.settle()

    assert builder.runtime.running == builder.runtime.kept == {name_of(deployment)}


async def test_replaced_version_is_paused_and_then_stopped_in_its_time(builder: MemoryBuilder) -> None:
    old, _new = await _replaced(builder)
    assert isinstance(builder.runtime.living[name_of(old)].state, Paused)
    builder.pass_time(timedelta(hours=1))
    await _retire(builder, old)
    assert builder.types(old)[-1] == "container.stopped.v1"
    assert name_of(old) not in builder.runtime.running


async def test_version_in_use_is_paused_only_once_its_last_connection_ended(builder: MemoryBuilder) -> None:
    old = await builder.live()
    builder.runtime.connections[name_of(old)] = 1
    await builder.live(before=old)
    builder.pass_time(timedelta(seconds=40))
    retiring = asyncio.create_task(_retiring(builder))
    async with asyncio.timeout(60):
        await builder.runtime.looked.wait()
        async with builder.containers.alone_with(old):
            pass  # the step is over once its lock is free
    retiring.cancel()
    with suppress(asyncio.CancelledError):
        await retiring
    assert name_of(old) in builder.runtime.running
    builder.runtime.connections[name_of(old)] = 0
    await _retire(builder, old)
    assert isinstance(builder.runtime.living[name_of(old)].state, Paused)


async def test_version_of_which_nobody_can_tell_whether_it_is_used_is_paused(builder: MemoryBuilder) -> None:
    old = await builder.live()
    builder.runtime.connections[name_of(old)] = None
    await builder.live(before=old)
    builder.pass_time(timedelta(seconds=40))
    await _retire(builder, old)
    assert isinstance(builder.runtime.living[name_of(old)].state, Paused)


async def test_paused_version_that_is_wanted_back_goes_on_at_its_address(builder: MemoryBuilder) -> None:
    old, _new = await _replaced(builder)
    await builder.tell(say.PROJECT, say.rollback(old))
    await builder.reactors.settle()
    assert name_of(old) in builder.runtime.running
    assert builder.types(old)[-1] == "container.resumed.v1"


async def test_paused_version_that_was_lost_comes_back_with_its_new_address(builder: MemoryBuilder) -> None:
    old, _new = await _replaced(builder)
    await builder.runtime.remove(name_of(old))
    await builder.tell(say.PROJECT, say.rollback(old))
    await builder.reactors.settle()
    assert builder.types(old)[-1] == "container.started.v1"
    assert name_of(old) in builder.runtime.kept


async def test_version_that_goes_and_comes_back_twice_is_written_down_each_time(builder: MemoryBuilder) -> None:
    old, new = await _replaced(builder)
    asked = await builder.tell(say.PROJECT, say.rollback(old))
    await builder.reactors.settle()
    await builder.cut_over(old, new, asked)
    await builder.confirmed()
    await builder.pointed(new, old)
    await builder.confirmed()
    builder.pass_time(timedelta(seconds=40))
    await _retire(builder, old)
    await builder.tell(say.PROJECT, say.rollback(old))
    await builder.reactors.settle()
    assert builder.types(old).count("container.paused.v1") == 2
    assert builder.types(old).count("container.resumed.v1") == 2
    assert name_of(old) in builder.runtime.running


async def test_rollback_delivered_again_each_time_its_app_ended_starts_it_again(builder: MemoryBuilder) -> None:
    old, _new = await _replaced(builder)
    await builder.runtime.remove(name_of(old))
    await builder.tell(say.PROJECT, say.rollback(old))
    asked = builder.log.length
    await builder.reactors.settle()
    for _ in range(2):
        await builder.exits.note(builder.runtime.exits(name_of(old)))
        builder.reactors.deliver_again(asked)
        await builder.reactors.settle()
    assert name_of(old) in (container.name for container in (await builder.found(old)).row.running)


@pytest.mark.parametrize("gone", ["lost", "ended"])
async def test_started_builder_brings_back_what_should_run_and_stops_what_should_not(
    builder: MemoryBuilder, gone: str
) -> None:
    deployment = await builder.live()
    if gone == "lost":
        await builder.runtime.remove(name_of(deployment))
    else:
        await builder.runtime.stop(name_of(deployment), timedelta(0))
    await builder.tell(await builder.requested(), DeploymentCanceled())

    after = await restarted(builder)

    assert after.runtime.running == after.runtime.kept == {name_of(deployment)}
    assert after.types(deployment)[-2:] == ["container.stopped.v1", "container.started.v1"]


async def test_version_that_cannot_be_restored_does_not_keep_the_builder_from_starting(builder: MemoryBuilder) -> None:
    deployment = await builder.live()
    other = await builder.requested()
    await builder.reactors.settle()
    await builder.runtime.remove(name_of(deployment))
    builder.runtime.missing_releases = True

    after = builder.again()
    async with asyncio.TaskGroup() as tasks:
        await after.reconciling_in(tasks).run()
        assert builder.runtime.running == {name_of(other)}
        builder.runtime.missing_releases = False


async def test_release_that_is_gone_is_built_once_more_and_nothing_new_is_said_of_that(builder: MemoryBuilder) -> None:
    deployment = await builder.live()
    release = (await builder.found(deployment)).row.release
    assert release is not None
    await builder.runtime.remove(name_of(deployment))
    await builder.runtime.remove_release(release)

    after = builder.again()
    async with asyncio.TaskGroup() as tasks:
        await after.reconciling_in(tasks).run()
        assert builder.runtime.running == set()

    assert builder.runtime.running == builder.runtime.kept == {name_of(deployment)}
    assert builder.runtime.builds == 2
    assert after.types(deployment).count("build.started.v1") == 1
    assert after.types(deployment)[-2:] == ["container.stopped.v1", "container.started.v1"]


async def test_engine_that_was_away_for_a_moment_costs_no_build(builder: MemoryBuilder) -> None:
    await builder.reconciling.run()
    await builder.reconciling.run()
    assert builder.runtime.reaped == 1


async def _replaced(builder: MemoryBuilder) -> tuple[DeploymentId, DeploymentId]:
    """Return a version that was replaced, drained and paused, and the one that replaced it."""
    old = await builder.live()
    new = await builder.live(before=old)
    builder.pass_time(timedelta(seconds=40))
    await _retire(builder, old)
    return old, new


async def _retire(builder: MemoryBuilder, deployment: DeploymentId) -> None:
    """Let what is due by now be done; the timer of what is due later is given up."""
    seen = builder.log.length
    retiring = asyncio.create_task(_retiring(builder))
    async with asyncio.timeout(60):
        await builder.log.grown_past(seen)
        async with builder.containers.alone_with(deployment):
            pass  # the step is over once its lock is free
    retiring.cancel()
    with suppress(asyncio.CancelledError):
        await retiring


async def _retiring(builder: MemoryBuilder) -> None:
    async with asyncio.TaskGroup() as tasks:
        await builder.retiring(tasks).resume()


GIVEN_UP = Failed(stage=Stage.DEADLINE, code="building-abandoned-by-builder", reason="The builder gave no answer.")


async def test_builder_that_comes_back_after_the_gateway_gave_up_builds_and_starts_nothing(
    builder: MemoryBuilder,
) -> None:
    deployment = await builder.requested()
    await builder.tell(deployment, GIVEN_UP)

    after = await restarted(builder)

    assert (after.runtime.builds, after.runtime.running) == (0, set())
    assert after.types(deployment) == ["deployment.requested.v1", "deployment.failed.v1"]


@pytest.mark.parametrize("append", [1, 2, 3])
async def test_builder_that_died_at_work_and_comes_back_after_the_gateway_gave_up_leaves_nothing_running(
    builder: MemoryBuilder, append: int
) -> None:
    builder.log.dies_at, builder.log.dies = append, "after"
    deployment = await builder.requested()
    with pytest.raises(PowerCut):
        await builder.reactors.settle()
    builder.log.dies_at = 0
    await builder.tell(deployment, GIVEN_UP)
    known = after_failure(builder, deployment)

    after = await restarted(builder)

    assert after.runtime.running == set()
    assert set(after_failure(after, deployment)[len(known) :]) <= {"container.stopped.v1"}


def after_failure(builder: MemoryBuilder, deployment: DeploymentId) -> list[str]:
    types = builder.types(deployment)
    return types[types.index("deployment.failed.v1") :]
