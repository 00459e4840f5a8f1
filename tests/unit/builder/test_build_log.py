"""A build's log tells what was done also where the build itself prints nothing."""

from pathlib import Path

from support import router_events as say
from support.memory_builder import MemoryBuilder
from windlass_builder.application.source import GitFailedError
from windlass_contracts.ids import DeploymentId
from windlass_eventlog.logs.port import DeploymentLog


async def told(builder: MemoryBuilder, deployment: DeploymentId) -> list[tuple[str, str]]:
    log = DeploymentLog(say.TEAM, say.PROJECT, deployment)
    return [(line.stream, line.text) async for batch in builder.lines.read(log) for line in batch.lines]


async def test_a_build_says_what_it_fetches_and_how_it_builds_and_starts_it(tmp_path: Path) -> None:
    builder = MemoryBuilder(tmp_path)
    deployment = await builder.requested()
    await builder.reactors.settle()

    (_, fetching), (_, runner), (_, build), (_, start), (_, end) = lines = await told(builder, deployment)
    assert {stream for stream, _ in lines} == {"note"}
    assert fetching.startswith("Fetching commit ")
    assert runner == "Runner: python, told by configuration."
    assert build.startswith("Build: ")
    assert start == "Start: python server.py"
    assert end == "The release is made."


async def test_a_failure_of_gits_own_kind_is_told_in_its_words(tmp_path: Path) -> None:
    builder = MemoryBuilder(tmp_path)
    builder.sources.fails = GitFailedError(
        "https://example.com/shop.git", 128, "fatal: the remote is on fire\nhint: wait"
    )
    deployment = await builder.requested()
    await builder.reactors.settle()

    assert await told(builder, deployment) == [("note", "fatal: the remote is on fire"), ("note", "hint: wait")]
    assert "Failed" in [type(builder.log.at(at).event).__name__ for at in range(1, builder.log.length + 1)]
