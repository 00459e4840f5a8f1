"""A command runs once in a release, whoever dies meanwhile, and its container goes when the log knows the end."""

from pathlib import Path
from typing import Literal
from uuid import UUID

import pytest

from support import router_events as say
from support.memory_builder import INSTALLATION, MemoryBuilder
from support.memory_runtime import PowerCut
from windlass_builder.application.one_off import SOURCE
from windlass_builder.domain.names import once_name
from windlass_contracts.config import Limits
from windlass_contracts.events import RunEnded, RunRequested
from windlass_contracts.ids import DeploymentId, RunId
from windlass_eventlog.logs.port import RunOutput

RUN = RunId(UUID("018f2d3a-7b1c-7000-8000-0000000000aa"))
NAME = once_name(INSTALLATION, RUN)


@pytest.fixture
def builder(tmp_path: Path) -> MemoryBuilder:
    return MemoryBuilder(tmp_path)


async def asked(builder: MemoryBuilder, deployment: DeploymentId | None = None) -> None:
    """Ask for a command in the release of a deployment, a live one where none is given."""
    wanted = deployment or await builder.live()
    secret = await builder.vault.store("rake db:seed")
    await builder.tell(RUN, RunRequested(deployment=wanted, command=secret, limits=Limits(), deadline_s=60))


async def written(builder: MemoryBuilder) -> list[str]:
    output = RunOutput(say.TEAM, RUN)
    return [line.text async for batch in builder.terminals.read(output) for line in batch.lines]


def end(builder: MemoryBuilder) -> RunEnded:
    events = [builder.log.at(sequence).event for sequence in range(1, builder.log.length + 1)]
    (ended,) = (event for event in events if isinstance(event, RunEnded))
    return ended


async def test_what_it_writes_and_its_exit_code_are_told_and_its_container_is_removed(builder: MemoryBuilder) -> None:
    builder.runtime.ends_with = 3
    await asked(builder)
    await builder.reactors.settle()

    assert builder.types(RUN) == ["run.requested.v1", "run.started.v1", "run.ended.v1"]
    assert (end(builder).code, end(builder).exit_code) == ("exited", 3)
    assert await written(builder) == ["migrating"]
    assert builder.runtime.begun.count(NAME) == 1
    assert NAME not in builder.runtime.living
    assert len(builder.runtime.living) == 1, "the app runs on"


@pytest.mark.parametrize("dies", ["before", "after"])
@pytest.mark.parametrize("append", [1, 2])
async def test_it_never_runs_twice_whenever_the_builder_dies(
    builder: MemoryBuilder, append: int, dies: Literal["before", "after"]
) -> None:
    await asked(builder)
    builder.log.dies_at, builder.log.dies = append, dies
    with pytest.raises(PowerCut):
        await builder.reactors.settle()
    builder.log.dies_at = 0
    second = builder.again()
    await second.reconciling.run()
    await second.reactors.settle()

    ended = end(second)
    begun = second.runtime.begun.count(NAME)
    if (append, dies) == (1, "after"):  # it was to begin, and nobody can know that it did not
        assert (ended.code, begun) == ("lost", 0)
    else:
        assert (ended.code, begun) == ("exited", 1)
    assert NAME not in second.runtime.living


async def test_a_builder_that_comes_back_waits_for_the_container_that_still_runs(builder: MemoryBuilder) -> None:
    async def dies(_name: str) -> None:
        raise PowerCut

    builder.runtime.while_attended = dies
    await asked(builder)
    with pytest.raises(PowerCut):
        await builder.reactors.settle()

    async def ends(_name: str) -> None:
        return

    builder.runtime.while_attended = ends
    second = builder.again()
    await second.reconciling.run()
    assert NAME in second.runtime.living, "reconciling leaves it alone"
    await second.reactors.settle()
    assert (end(second).code, second.runtime.begun.count(NAME)) == ("exited", 1)
    assert await written(second) == ["migrating"]


async def test_cancel_kills_it_at_once(builder: MemoryBuilder) -> None:
    async def somebody_cancels(_name: str) -> None:
        await builder.tell(RUN, RunEnded(code="canceled"))
        await builder.rows.reached(builder.log.length + 1)

    builder.runtime.while_attended = somebody_cancels
    await asked(builder)
    await builder.reactors.settle()
    assert builder.types(RUN) == ["run.requested.v1", "run.started.v1", "run.ended.v1"]
    assert end(builder).code == "canceled"
    assert NAME not in builder.runtime.living


async def test_one_that_takes_too_long_is_killed(builder: MemoryBuilder) -> None:
    async def takes_too_long(_name: str) -> None:
        raise TimeoutError

    builder.runtime.while_attended = takes_too_long
    await asked(builder)
    await builder.reactors.settle()
    assert end(builder).code == "timeout"
    assert "60 s" in (end(builder).reason or "")
    assert NAME not in builder.runtime.living


async def test_without_a_release_or_its_line_it_never_begins_and_says_why(builder: MemoryBuilder) -> None:
    builder.runtime.missing_releases = False
    deployment = await builder.live()
    secret = await builder.vault.store("secret")
    await builder.vault.shred(secret)
    await builder.tell(RUN, RunRequested(deployment=deployment, command=secret, limits=Limits()))
    await builder.reactors.settle()
    assert (end(builder).code, builder.runtime.begun.count(NAME)) == ("expired", 0)
    assert SOURCE == "run"
