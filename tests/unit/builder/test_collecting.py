"""What a project no longer needs is retired, looked at again and deleted, wherever a builder dies meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from uuid import UUID

import pytest

from support import router_events as say
from support.memory_builder import MemoryBuilder, name_of
from support.memory_runtime import MemoryRuntime, PowerCut
from windlass_builder.application.asked import Asked
from windlass_builder.application.locks import deleting
from windlass_builder.application.runtime_errors import EngineError
from windlass_builder.domain.workloads import Kept
from windlass_contracts.events import (
    ContainerStopped,
    ReleaseRetired,
    RollbackRequested,
    RoutesFailed,
    StorageReclaimed,
)
from windlass_contracts.ids import DeploymentId, ProjectId
from windlass_contracts.lifecycle import Phase


@dataclass(slots=True)
class DyingRuntime(MemoryRuntime):
    """A node whose builder dies right before or right after it deleted something; or something happens at its look."""

    dies: Literal["before", "after"] | None = None
    refuses: str | None = None
    looked_at: Callable[[], Awaitable[object]] | None = None

    async def releases(self, project: UUID) -> Sequence[Kept]:
        kept = await MemoryRuntime.releases(self, project)
        if self.looked_at is not None:
            then, self.looked_at = self.looked_at, None
            await then()
        return kept

    async def remove_release(self, reference: str) -> None:
        if reference == self.refuses:
            raise EngineError("It is in use.")
        if self.dies == "before":
            raise PowerCut
        await MemoryRuntime.remove_release(self, reference)
        if self.dies == "after":
            raise PowerCut


@pytest.fixture
def runtime() -> DyingRuntime:
    return DyingRuntime()


@pytest.fixture
def builder(tmp_path: Path, runtime: DyingRuntime) -> MemoryBuilder:
    return MemoryBuilder(tmp_path, runtime=runtime, keeps=1)


def release(number: int) -> str:
    return f"release-{number:040}"


async def live(builder: MemoryBuilder, *numbers: int) -> list[DeploymentId]:
    """Deploy these commits one after the other, and let what each replaces end."""
    made = list[DeploymentId]()
    for number in numbers:
        builder.sources.commit = f"{number:040}"
        made.append(await builder.live(made[-1] if made else None))
    for name in [name for name, one in builder.runtime.living.items() if one.deployment != made[-1]]:
        stopped = ContainerStopped(node="one", container=name, why="retired")
        await builder.tell(builder.runtime.living[name].deployment, stopped)
        await builder.runtime.remove(name)
    return made


def said(builder: MemoryBuilder) -> Sequence[tuple[str, str, str]]:
    """Return what the log says of releases: what happened, to which, and by which rule."""
    events = (builder.log.at(sequence).event for sequence in range(1, builder.log.length + 1))
    return [
        (event.TYPE, event.release if isinstance(event, ReleaseRetired) else event.name, event.why)
        for event in events
        if isinstance(event, ReleaseRetired | StorageReclaimed)
    ]


def went(number: int, why: str = "retention") -> list[tuple[str, str, str]]:
    return [(ReleaseRetired.TYPE, release(number), why), (StorageReclaimed.TYPE, release(number), why)]


async def test_what_is_older_than_the_project_keeps_is_retired_and_then_deleted(builder: MemoryBuilder) -> None:
    await live(builder, 1, 2, 3)

    gone = await builder.collecting().collect(say.PROJECT)

    assert said(builder) == went(1)
    assert set(builder.runtime.stored) == {release(2), release(3)}
    assert [(event.name, event.freed_bytes) for event in gone] == [(release(1), 1_000)]
    assert await builder.collecting().collect(say.PROJECT) == []


@pytest.mark.parametrize("dies", ["before", "after"])
@pytest.mark.parametrize("append", [1, 2])
async def test_builder_killed_at_any_append_goes_on_with_it_and_says_each_once(
    builder: MemoryBuilder, append: int, dies: Literal["before", "after"]
) -> None:
    await live(builder, 1, 2, 3)
    builder.log.dies_at, builder.log.dies = append, dies
    with pytest.raises(PowerCut):
        await builder.collecting().collect(say.PROJECT)

    await builder.again().collecting().collect(say.PROJECT)

    assert said(builder) == went(1)
    assert set(builder.runtime.stored) == {release(2), release(3)}


@pytest.mark.parametrize("dies", ["before", "after"])
async def test_builder_killed_while_it_deletes_goes_on_with_it(
    builder: MemoryBuilder, runtime: DyingRuntime, dies: Literal["before", "after"]
) -> None:
    await live(builder, 1, 2, 3)
    runtime.dies = dies
    with pytest.raises(PowerCut):
        await builder.collecting().collect(say.PROJECT)
    runtime.dies = None

    await builder.again().collecting().collect(say.PROJECT)

    assert said(builder) == went(1)
    assert set(builder.runtime.stored) == {release(2), release(3)}


async def test_what_is_wanted_back_while_it_is_retired_is_not_deleted(
    builder: MemoryBuilder, runtime: DyingRuntime
) -> None:
    first, _, third = await live(builder, 1, 2, 3)
    wish = RollbackRequested(environment=say.PRODUCTION, alias="shop", to=first, before=third)
    runtime.looked_at = lambda: builder.tell(say.PROJECT, wish)

    assert await builder.collecting().collect(say.PROJECT) == []
    await builder.reactors.settle()

    assert said(builder) == went(1)[:1]
    assert builder.runtime.running >= {name_of(first), name_of(third)}


async def test_rollback_to_what_is_gone_says_that_it_is_not_there(builder: MemoryBuilder) -> None:
    first, _, third = await live(builder, 1, 2, 3)
    await builder.collecting().collect(say.PROJECT)

    await builder.tell(say.PROJECT, RollbackRequested(environment=say.PRODUCTION, alias="shop", to=first, before=third))
    await builder.reactors.settle()

    failed = builder.log.at(builder.log.length).event
    assert isinstance(failed, RoutesFailed)
    assert failed.code == "release-missing"
    assert builder.runtime.running == {name_of(third)}


async def test_deploying_what_was_deleted_builds_it_anew(builder: MemoryBuilder) -> None:
    await live(builder, 1, 2, 3)
    await builder.collecting().collect(say.PROJECT)

    builder.sources.commit = f"{1:040}"
    again = await builder.requested()
    await builder.reactors.settle()
    await builder.collecting().collect(say.PROJECT)

    assert (await builder.found(again)).row.phase is Phase.STARTED
    assert release(1) in builder.runtime.stored


async def test_build_waits_for_what_is_being_deleted(builder: MemoryBuilder) -> None:
    built = builder.runtime.builds
    async with builder.containers.node.locks.alone(deleting(say.PROJECT)):
        await builder.requested()
        working = asyncio.create_task(builder.reactors.settle())
        for _ in range(300):  # as far as it comes
            await asyncio.sleep(0)
        assert "build.started.v1" in builder.types(say.deployment_number(1))
        assert builder.runtime.builds == built
    await working
    assert builder.runtime.builds == built + 1


async def test_a_layer_goes_with_the_last_release_that_was_built_on_it(builder: MemoryBuilder) -> None:
    await live(builder, 1, 2, 3)
    stored = builder.runtime.stored
    for number, layer in ((1, "layer:old"), (2, "layer:both"), (3, "layer:both")):
        stored[release(number)] = replace(stored[release(number)], on=frozenset({layer}))
        stored[layer] = Kept(reference=layer, project=say.PROJECT, size=10, layer=True)

    gone = await builder.collecting().collect(say.PROJECT)

    assert [(event.kind, event.name) for event in gone] == [("release", release(1)), ("layer", "layer:old")]
    assert "layer:both" in stored


async def test_what_is_still_in_use_keeps_nothing_else_waiting(builder: MemoryBuilder, runtime: DyingRuntime) -> None:
    await live(builder, 1, 2, 3, 4)
    runtime.refuses = release(1)
    await builder.collecting().collect(say.PROJECT)
    assert set(runtime.stored) == {release(1), release(3), release(4)}

    runtime.refuses = None
    await builder.collecting().collect(say.PROJECT)
    assert sorted(said(builder)) == sorted(went(1) + went(2))


def nobody_listens(doing: str, done: int, total: int) -> None:
    del doing, done, total


async def test_who_asks_is_told_what_would_go_before_it_does(builder: MemoryBuilder) -> None:
    await live(builder, 1, 2, 3)

    asked = Asked(builder.collecting())
    would = await asked.foretell(nobody_listens)
    assert said(builder) == []
    assert [(one.kind, one.name, one.why, one.size) for one in would.items] == [
        ("release", release(1), "retention", 1_000)
    ]

    assert await asked.collect(nobody_listens) == would
    assert said(builder) == went(1)
    assert (await asked.foretell(nobody_listens)).items == ()


async def test_other_projects_are_not_touched(builder: MemoryBuilder) -> None:
    await live(builder, 1, 2, 3)
    theirs = Kept(reference="release-theirs", project=UUID(int=99), size=1)
    builder.runtime.stored[theirs.reference] = theirs

    await builder.collecting().collect(say.PROJECT)
    assert await builder.collecting().collect(ProjectId(theirs.project)) == []

    assert theirs.reference in builder.runtime.stored
