"""Verification of a node finds what does not run as the log says, and finds nothing where all does."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from support.memory_builder import MemoryBuilder, name_of
from support.memory_runtime import MemoryRuntime
from windlass_builder.application.runtime_errors import EngineError
from windlass_builder.application.verifying import VerifyingNode
from windlass_builder.domain.workloads import Address, Exited, Paused, Runner
from windlass_contracts.events import ContainerPaused, ContainerStopped
from windlass_eventlog.errors import CannotVerifyError
from windlass_eventlog.operations import Invariant
from windlass_eventlog.operations.verifying import Looked

Spoil = Callable[[Runner], Runner | None]


@pytest.fixture
def builder(tmp_path: Path) -> MemoryBuilder:
    return MemoryBuilder(tmp_path)


async def look(builder: MemoryBuilder) -> Looked:
    (check,) = VerifyingNode(builder.containers).checks()
    assert check.settles  # what is being started or stopped at this moment is looked at again
    return await check.look(lambda _doing, _done, _total: None)


async def codes(builder: MemoryBuilder) -> list[str]:
    return sorted(finding.code for finding in (await look(builder)).findings)


async def test_nothing_is_found_where_everything_runs_as_the_log_says(builder: MemoryBuilder) -> None:
    first = await builder.live()
    await builder.live(before=first)
    looked = await look(builder)
    assert list(looked.findings) == []
    assert [one.count for one in looked.checked] == [2, 2]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda _runner: None, "missing"),
        (lambda runner: replace(runner, state=Paused()), "paused"),
        (lambda runner: replace(runner, state=Exited(1, out_of_memory=False)), "stopped"),
        (lambda runner: replace(runner, address=Address("10.9.9.9", runner.address.port)), "elsewhere"),
        (lambda runner: replace(runner, address=Address(runner.address.host, 1)), "elsewhere"),
    ],
)
async def test_a_container_that_is_not_as_the_log_says_is_named(
    builder: MemoryBuilder, spoil: Spoil, code: str
) -> None:
    name = name_of(await builder.live())
    spoilt = spoil(builder.runtime.living.pop(name))
    if spoilt is not None:
        builder.runtime.living[name] = spoilt
    (finding,) = (await look(builder)).findings
    assert (finding.invariant, finding.code, finding.where) == (Invariant.RUNNING, code, f"container {name}")


async def test_a_version_that_visitors_are_sent_to_does_not_stand_still(builder: MemoryBuilder) -> None:
    deployment = await builder.live()
    name = name_of(deployment)
    await builder.tell(deployment, ContainerPaused(node="one", container=name))
    assert await codes(builder) == ["not-paused", "too-few"]
    await builder.runtime.pause(name)
    assert await codes(builder) == ["too-few"]


async def test_what_runs_without_being_wanted_is_an_orphan(builder: MemoryBuilder) -> None:
    deployment = await builder.live()
    name = name_of(deployment)
    await builder.tell(deployment, ContainerStopped(node="one", container=name, why="retired"))
    assert await codes(builder) == ["orphan", "too-few"]
    await builder.runtime.stop(name, timedelta())
    assert await codes(builder) == ["too-few"]  # what ended keeps its last lines for a while


async def test_an_engine_that_is_away_leaves_it_open(builder: MemoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: MemoryRuntime) -> Sequence[Runner]:
        raise EngineError("The engine does not answer.")

    monkeypatch.setattr(MemoryRuntime, "runners", away)
    with pytest.raises(CannotVerifyError, match="engine does not answer"):
        await look(builder)
