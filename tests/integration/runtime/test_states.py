"""What every runtime promises of the states of its runners: the one in memory too, for whole simulations trust it.

The other contract tests are about what runs: bytes, processes, files, addresses that answer, limits that bite, and the
events of an engine. Of these the runtime in memory has none, so that there is nothing of it to test there.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from support.runtime_node import Node
from windlass_builder.application.runtime_errors import (
    EngineError,
    ReleaseMissingError,
    RunnerConflictError,
    RunnerMissingError,
    RunnerNotRunningError,
)
from windlass_builder.domain.workloads import Console, Created, Exited, Paused, Running

GRACE = timedelta(seconds=1)
SLEEPS = "exec sleep 1000"


async def test_starting_again_takes_up_the_same_runner(any_node: Node) -> None:
    spec = await any_node.app()
    first = await any_node.runtime.start(spec)
    again = await any_node.runtime.start(spec)
    assert (again.id, again.address) == (first.id, first.address)
    assert len(await any_node.runtime.runners()) == 1


async def test_what_was_only_made_has_not_run_until_it_is_started(any_node: Node) -> None:
    spec = await any_node.app(SLEEPS)
    await any_node.runtime.create(spec)
    made = await any_node.runtime.inspect(spec.name)
    assert isinstance(made.state, Created)
    started = await any_node.runtime.start(spec)
    await any_node.runtime.create(spec)
    runs = await any_node.runtime.inspect(spec.name)
    assert isinstance(runs.state, Running)
    assert (made.id, made.address) == (started.id, started.address) == (runs.id, runs.address)


async def test_other_settings_under_the_same_name_are_refused(any_node: Node) -> None:
    spec = await any_node.app()
    first = await any_node.runtime.start(spec)
    with pytest.raises(RunnerConflictError, match=spec.name):
        await any_node.runtime.start(replace(spec, environment={"CHANGED": "yes"}))
    assert (await any_node.runtime.inspect(spec.name)).id == first.id


async def test_what_is_not_there_is_named(any_node: Node) -> None:
    spec = await any_node.app()
    for operation in (
        any_node.runtime.inspect,
        any_node.runtime.pause,
        any_node.runtime.resume,
        any_node.runtime.keep_running,
    ):
        with pytest.raises(RunnerMissingError, match=spec.name):
            await operation(spec.name)
    await any_node.runtime.remove_release(spec.release)
    with pytest.raises(ReleaseMissingError, match=spec.release):
        await any_node.runtime.start(spec)


async def test_release_that_a_runner_uses_is_left_alone(any_node: Node) -> None:
    spec = await any_node.app()
    await any_node.runtime.start(spec)
    with pytest.raises(EngineError, match=spec.release):
        await any_node.runtime.remove_release(spec.release)
    await any_node.runtime.start(replace(spec, name=f"{spec.name}1"))


async def test_removed_project_takes_only_its_own_along(any_node: Node) -> None:
    spec = await any_node.app()
    await any_node.runtime.start(spec)
    other = any_node.another_project()
    await any_node.runtime.start(await any_node.app())
    await any_node.runtime.remove_project(other)
    assert [runner.name for runner in await any_node.runtime.runners()] == [spec.name]
    assert not (await any_node.build(any_node.release_spec())).cache_hit


async def test_isolation_is_said_in_a_sentence(any_node: Node) -> None:
    assert any_node.runtime.isolation.endswith(".")


async def test_a_runner_runs_stands_still_ends_and_runs_again_at_its_address(any_node: Node) -> None:
    spec = await any_node.app(SLEEPS)
    first = await any_node.runtime.start(spec)
    assert isinstance(first.state, Running)
    for _ in range(2):
        await any_node.runtime.pause(spec.name)
        assert isinstance((await any_node.runtime.inspect(spec.name)).state, Paused)
    assert isinstance((await any_node.runtime.start(spec)).state, Running)
    await any_node.runtime.resume(spec.name)
    await any_node.runtime.stop(spec.name, GRACE)
    assert isinstance((await any_node.runtime.inspect(spec.name)).state, Exited)
    for operation in (any_node.runtime.pause, any_node.runtime.resume):
        with pytest.raises(RunnerNotRunningError):
            await operation(spec.name)
    again = await any_node.runtime.start(spec)
    assert (again.id, again.address) == (first.id, first.address)
    assert isinstance(again.state, Running)


async def test_what_is_removed_is_gone_and_removing_or_stopping_it_again_is_no_error(any_node: Node) -> None:
    spec = await any_node.app(SLEEPS)
    await any_node.runtime.start(spec)
    for _ in range(2):
        await any_node.runtime.remove(spec.name)
    await any_node.runtime.stop(spec.name, GRACE)
    assert await any_node.runtime.runners() == []


async def test_a_console_is_a_setting_and_what_has_ended_is_not_connected_to(any_node: Node) -> None:
    spec = replace(await any_node.app("cat"), console=Console(terminal=False))
    async with any_node.runtime.attached(spec) as attachment:
        with pytest.raises(RunnerConflictError):
            async with any_node.runtime.attached(replace(spec, console=Console(terminal=True))):
                pass
        await attachment.write(b"typed")
        piece = await attachment.read()
        assert piece is not None
        assert piece.data == b"typed"
        await attachment.end_input()
        assert await attachment.read() is None
        assert await attachment.ended() == Exited(0, out_of_memory=False)
    with pytest.raises(RunnerNotRunningError):
        async with any_node.runtime.attached_again(spec.name):
            pass
