"""What every runtime promises about the apps that it runs."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from support.apps import FORK_BOMB, UNTIL_VISITED, request, visit
from support.runtime_node import LIMITS, Node
from windlass_builder.application.runtime_errors import (
    RunnerMissingError,
    RunnerNotRunningError,
)
from windlass_builder.domain.workloads import (
    Exited,
    Paused,
    Runner,
    RunnerPaused,
    RunnerRemoved,
    RunnerResumed,
    RunnerStarted,
    Running,
)

GRACE = timedelta(seconds=60)

# Ends in peace with code 7, half a second after it is asked to; a compound command, so that a shell stands before it.
PEACEFUL = {
    "main.py": """
import signal, sys, time

def end(*_):
    time.sleep(0.5)
    print("ended in peace", flush=True)
    sys.exit(7)

signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True:
    signal.pause()
"""
}


async def answer(runner: Runner, path: str = "/", method: str = "GET") -> dict[str, Any]:
    text = await request(runner.address.host, runner.address.port, path, method)
    said: dict[str, Any] = json.loads(text.partition(b"\r\n\r\n")[2])
    return said


async def test_app_answers_at_its_address_as_an_unprivileged_user(node: Node) -> None:
    runner = await node.runtime.start(await node.app())
    said = await answer(runner)
    assert said["uid"] != 0
    assert int(said["environment"]["PORT"]) == runner.address.port
    assert isinstance(runner.state, Running)


async def test_environment_arrives_as_it_was_given(node: Node) -> None:
    given = {"GREETING": 'it\'s "quoted" $HOME\nand two lines', "EMPTY": "", "PORT": "1"}
    runner = await node.runtime.start(replace(await node.app(), environment=given))
    said = (await answer(runner))["environment"]
    assert said["GREETING"] == given["GREETING"]
    assert said["EMPTY"] == ""
    assert int(said["PORT"]) == runner.address.port


async def test_runners_of_one_release_share_no_file_and_no_address(node: Node) -> None:
    spec = await node.app()
    other = replace(spec, name=f"{spec.name}1")
    first, second = await asyncio.gather(node.runtime.start(spec), node.runtime.start(other))
    assert first.address != second.address
    await answer(first, "/written", "POST")
    assert "written" in (await answer(first))["files"]
    assert "written" not in (await answer(second))["files"]


async def test_address_of_a_removed_runner_is_not_the_next_ones(node: Node) -> None:
    spec = await node.app()
    first = await node.runtime.start(spec)
    await node.runtime.remove(spec.name)
    await node.reconnect()
    second = await node.runtime.start(replace(spec, name=f"{spec.name}1"))
    assert second.address != first.address


async def test_app_that_exits_at_once_is_reported_and_left_so(node: Node) -> None:
    spec = await node.app("echo sorry >&2; exit 4")
    since = node.now()
    await node.runtime.start(spec)
    event = await node.exit_of(spec.name, since)
    assert (event.exit_code, event.out_of_memory) == (4, False)
    assert (event.project, event.deployment) == (spec.project, spec.deployment)
    assert (await node.runtime.inspect(spec.name)).state == Exited(4, out_of_memory=False)


async def test_app_that_takes_all_memory_is_reported_as_such(node: Node) -> None:
    spec = await node.app("python3 -c 'hog = bytearray(2**30)'")
    since = node.now()
    await node.runtime.start(spec)
    event = await node.exit_of(spec.name, since)
    assert event.out_of_memory
    assert event.exit_code == 137
    assert (await node.runtime.inspect(spec.name)).state == Exited(137, out_of_memory=True)


async def test_app_that_forks_without_end_does_not_get_past_its_limit(node: Node) -> None:
    spec = await node.app("exec python3 -u bomb.py serve", {"bomb.py": FORK_BOMB})
    runner = await node.runtime.start(spec)
    await node.until_said(spec.name, "cannot fork")
    assert LIMITS.pids / 2 < await node.count_processes(runner) <= LIMITS.pids
    await node.runtime.remove(spec.name)
    assert await node.leftovers() == []


async def test_kept_runner_is_restarted_at_its_address_when_it_exits(node: Node) -> None:
    spec = await node.app(f"test -e once && exec python3 main.py; touch once; {UNTIL_VISITED}; exit 1")
    since = node.now()
    first = await node.runtime.start(spec)
    await node.runtime.keep_running(spec.name)
    await visit(first.address.host, first.address.port)
    exited = await node.exit_of(spec.name, since)
    await node.first(RunnerStarted, spec.name, exited.at)
    assert (await answer(first))["files"].count("once") == 1
    again = await node.runtime.inspect(spec.name)
    assert (again.address, again.restarts) == (first.address, 1)


async def test_stopped_runner_ends_in_peace_within_its_grace_and_stays_stopped(node: Node) -> None:
    spec = await node.app("python3 main.py; code=$?; exit $code", PEACEFUL)
    since = node.now()
    await node.runtime.start(spec)
    await node.runtime.keep_running(spec.name)
    await node.until_said(spec.name, "ready")
    await node.runtime.stop(spec.name, GRACE)
    await node.exit_of(spec.name, since)
    await node.until_said(spec.name, "ended in peace")
    assert isinstance((await node.runtime.inspect(spec.name)).state, Exited)


async def test_runner_that_does_not_end_is_killed_after_its_grace(node: Node) -> None:
    spec = await node.app("trap '' TERM; echo ready; while true; do sleep 1000; done")
    since = node.now()
    await node.runtime.start(spec)
    await node.until_said(spec.name, "ready")
    await node.runtime.stop(spec.name, timedelta(seconds=1))
    assert (await node.exit_of(spec.name, since)).exit_code == 137
    assert await node.leftovers() == []


async def test_stopped_runner_can_be_started_again_at_its_address(node: Node) -> None:
    spec = await node.app()
    first = await node.runtime.start(spec)
    await answer(first)
    await node.runtime.stop(spec.name, GRACE)
    again = await node.runtime.start(spec)
    assert again.address == first.address
    await answer(again)


async def test_everything_that_a_runner_forked_ends_with_it(node: Node) -> None:
    spec = await node.app("setsid -f sleep 1000; exec python3 main.py")
    await answer(await node.runtime.start(spec))
    await node.runtime.stop(spec.name, GRACE)
    assert await node.leftovers() == []


async def test_paused_runner_keeps_its_address_and_memory(node: Node) -> None:
    spec = await node.app()
    since = node.now()
    runner = await node.runtime.start(spec)
    await answer(runner)
    await node.runtime.pause(spec.name)
    await node.runtime.pause(spec.name)
    await node.first(RunnerPaused, spec.name, since)
    assert isinstance((await node.runtime.inspect(spec.name)).state, Paused)
    silent = asyncio.create_task(answer(runner))
    await asyncio.wait([silent], timeout=0.3)
    assert not silent.done()
    await node.runtime.resume(spec.name)
    await node.runtime.resume(spec.name)
    await node.first(RunnerResumed, spec.name, since)
    await silent
    assert (await node.runtime.inspect(spec.name)).address == runner.address


async def test_start_resumes_a_paused_runner(node: Node) -> None:
    spec = await node.app()
    first = await node.runtime.start(spec)
    await node.runtime.pause(spec.name)
    again = await node.runtime.start(spec)
    assert again.id == first.id
    await answer(again)


async def test_paused_runner_can_be_stopped(node: Node) -> None:
    spec = await node.app()
    await answer(await node.runtime.start(spec))
    await node.runtime.pause(spec.name)
    await node.runtime.stop(spec.name, GRACE)
    assert isinstance((await node.runtime.inspect(spec.name)).state, Exited)


async def test_connections_that_are_open_are_counted_until_they_are_closed(node: Node) -> None:
    runner = await node.runtime.start(await node.app())
    await answer(runner)
    await until_open(node, runner, 0)
    ways = [await asyncio.open_connection(runner.address.host, runner.address.port) for _ in range(2)]
    await until_open(node, runner, 2)
    for _, writer in ways:
        writer.close()
        await writer.wait_closed()
    await until_open(node, runner, 0)


async def until_open(node: Node, runner: Runner, count: int) -> None:
    """Wait until so many connections are open: on a busy machine the kernel is late, and tells nobody."""
    async with asyncio.timeout(60):
        while await node.runtime.open_connections(runner.name) != count:  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)


async def test_restarted_builder_finds_every_runner_as_it_was(node: Node) -> None:
    spec = await node.app()
    paused = replace(spec, name=f"{spec.name}1")
    started = [await node.runtime.start(each) for each in (spec, paused)]
    await node.runtime.pause(paused.name)
    await node.reconnect()
    found = {runner.name: runner for runner in await node.runtime.runners()}
    assert found.keys() == {spec.name, paused.name}
    assert [found[runner.name].address for runner in started] == [runner.address for runner in started]
    assert isinstance(found[spec.name].state, Running)
    assert isinstance(found[paused.name].state, Paused)
    await answer(found[spec.name])


async def test_removed_runner_is_forgotten_and_removing_again_is_no_error(node: Node) -> None:
    spec = await node.app()
    since = node.now()
    await node.runtime.start(spec)
    await node.runtime.remove(spec.name)
    await node.runtime.remove(spec.name)
    await node.runtime.stop(spec.name, GRACE)
    await node.first(RunnerRemoved, spec.name, since)
    assert await node.runtime.runners() == []
    assert await node.leftovers() == []


async def test_exited_runner_is_neither_paused_nor_resumed(node: Node) -> None:
    spec = await node.app("exit 0")
    since = node.now()
    await node.runtime.start(spec)
    await node.exit_of(spec.name, since)
    for operation in (node.runtime.pause, node.runtime.resume):
        with pytest.raises(RunnerNotRunningError):
            await operation(spec.name)


async def test_what_a_runner_wrote_outside_of_its_volumes_is_known_while_it_runs_and_afterwards(node: Node) -> None:
    spec = await node.app("head -c 3000000 /dev/zero > filling; echo written; exec sleep 1000")
    idle = await node.app("echo idle; exec sleep 1000")
    for one, said in ((spec, "written"), (idle, "idle")):
        await node.runtime.start(one)
        await node.until_said(one.name, said)
    written = {found.runner: found for found in await node.runtime.written()}
    assert 3_000_000 <= written[spec.name].size < 4_000_000
    assert written[spec.name].deployment == spec.deployment
    assert written[idle.name].size < 1_000_000
    await node.runtime.stop(spec.name, timedelta(0))
    assert await node.runtime.written_by(spec.name) >= 3_000_000
    assert [found.runner for found in await node.runtime.written()] == [idle.name]
    with pytest.raises(RunnerMissingError):
        await node.runtime.written_by("nobody")
