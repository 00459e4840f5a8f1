"""What a project no longer needs is retired, looked at again and deleted, wherever a builder dies meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import closing
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
from windlass_builder.domain.belongings import Belonging, BelongingKind, Thrift
from windlass_builder.domain.workloads import Kept
from windlass_contracts.events import (
    BuildStarted,
    Failed,
    ReleaseRetired,
    RollbackRequested,
    RoutesFailed,
    StorageReclaimed,
)
from windlass_contracts.events.deployment import Stage
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
        await self._deadly(reference, MemoryRuntime.remove_release(self, reference))

    async def remove_belonging(self, belonging: Belonging) -> None:
        await self._deadly(belonging.name, MemoryRuntime.remove_belonging(self, belonging))

    async def _deadly(self, name: str, delete: Coroutine[None, None, None]) -> None:
        with closing(delete):
            if name == self.refuses:
                raise EngineError("It is in use.")
            if self.dies == "before":
                raise PowerCut
            await delete
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
    for name, one in list(builder.runtime.living.items()):
        if one.deployment != made[-1]:
            await builder.stopped(DeploymentId(one.deployment), name)
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


def cache_of(project: UUID = say.PROJECT) -> Belonging:
    return Belonging(BelongingKind.CACHE, f"cache-{project.int}", project)


def left_over() -> Belonging:
    return Belonging(BelongingKind.IMAGE, "sha256:0", say.PROJECT, 7)


FAILED = Failed(stage=Stage.BUILD, code="build-failed", reason="No.")


async def failed(builder: MemoryBuilder) -> None:
    """Let a deployment fail before it has a release."""
    await builder.tell(await builder.requested(), BuildStarted(node="one", attempt=1), FAILED)


async def test_what_a_project_has_goes_once_nothing_is_left_of_it(
    builder: MemoryBuilder, runtime: DyingRuntime
) -> None:
    network = Belonging(BelongingKind.NETWORK, "net", say.PROJECT)
    theirs = cache_of(UUID(int=99))
    runtime.owned = [cache_of(), network, theirs]
    await failed(builder)

    gone = await builder.collecting().collect(say.PROJECT)

    assert [(event.kind, event.name, event.why) for event in gone] == [
        ("cache", cache_of().name, "unreferenced"),
        ("network", "net", "unreferenced"),
    ]
    assert gone[0].freed_bytes == 500
    assert runtime.owned == [theirs]
    assert await builder.collecting().collect(say.PROJECT) == []


async def test_what_a_project_has_stays_as_long_as_it_has_a_release_or_builds(
    builder: MemoryBuilder, runtime: DyingRuntime
) -> None:
    runtime.owned = [cache_of(), left_over()]
    building = await builder.requested()
    await builder.tell(building, BuildStarted(node="one", attempt=1))
    assert await builder.collecting().collect(say.PROJECT, Thrift.LAST) == []
    await builder.tell(building, FAILED)
    await live(builder, 1, 2, 3)

    gone = await builder.collecting().collect(say.PROJECT)

    assert [(event.kind, event.name) for event in gone] == [("release", release(1)), ("image", "sha256:0")]
    assert runtime.owned == [cache_of()]


async def test_a_short_disk_costs_a_cache_and_then_all_but_the_last_release(
    builder: MemoryBuilder, runtime: DyingRuntime
) -> None:
    builder.keeps = 10
    await live(builder, 1, 2, 3, 4)
    runtime.owned = [cache_of()]
    assert await builder.collecting().collect(say.PROJECT) == []

    first = await builder.collecting().collect(say.PROJECT, Thrift.CACHES)
    second = await builder.collecting().collect(say.PROJECT, Thrift.LAST)

    assert [(event.kind, event.why) for event in first] == [("cache", "disk-full")]
    assert sorted((event.name, event.why) for event in second) == [(release(one), "disk-full") for one in (1, 2)]
    assert set(runtime.stored) == {release(3), release(4)}  # what answered before, and what answers


@pytest.mark.parametrize("dies", ["before", "after"])
@pytest.mark.parametrize("at", ["the deletion", "its event"])
async def test_builder_killed_while_it_deletes_what_no_event_retires_says_it_once(
    builder: MemoryBuilder, runtime: DyingRuntime, at: str, dies: Literal["before", "after"]
) -> None:
    await failed(builder)
    runtime.owned = [cache_of()]
    if at == "the deletion":
        runtime.dies = dies
    else:
        builder.log.dies_at, builder.log.dies = 1, dies
    with pytest.raises(PowerCut):
        await builder.collecting().collect(say.PROJECT)
    runtime.dies = None

    again = builder.again()
    await again.collecting().finish()
    await again.collecting().collect(say.PROJECT)

    assert said(builder) == [(StorageReclaimed.TYPE, cache_of().name, "unreferenced")]
    assert runtime.owned == []
    assert list(again.containers.node.intents.noted()) == []


async def test_what_was_deleted_is_said_before_it_is_made_again(builder: MemoryBuilder, runtime: DyingRuntime) -> None:
    await failed(builder)
    runtime.owned, runtime.dies = [cache_of()], "after"
    with pytest.raises(PowerCut):
        await builder.collecting().collect(say.PROJECT)
    runtime.dies = None

    again = builder.again()
    await again.collecting().finish()
    runtime.owned = [cache_of()]
    await again.requested()
    await again.collecting().collect(say.PROJECT)

    assert said(builder) == [(StorageReclaimed.TYPE, cache_of().name, "unreferenced")]
    assert runtime.owned == [cache_of()]


async def test_what_is_in_use_is_not_said_to_be_gone(builder: MemoryBuilder, runtime: DyingRuntime) -> None:
    await failed(builder)
    runtime.owned = [cache_of(), left_over()]
    runtime.refuses = cache_of().name

    gone = await builder.collecting().collect(say.PROJECT)

    assert [event.name for event in gone] == ["sha256:0"]
    assert runtime.owned == [cache_of()]

    runtime.refuses = None
    gone = await builder.collecting().collect(say.PROJECT)

    assert [event.name for event in gone] == [cache_of().name]
    assert list(builder.containers.node.intents.noted()) == []


def nobody_listens(doing: str, done: int, total: int) -> None:
    del doing, done, total


async def test_who_asks_is_told_what_would_go_before_it_does(builder: MemoryBuilder) -> None:
    await live(builder, 1, 2, 3)

    builder.runtime.owned = [left_over()]
    asked = Asked(builder.collecting(), builder.collecting_sources())
    would = await asked.foretell(nobody_listens)
    assert said(builder) == []
    assert [(one.kind, one.name, one.why, one.size) for one in would.items] == [
        ("release", release(1), "retention", 1_000),
        ("image", "sha256:0", "unreferenced", 500),
    ]

    assert await asked.collect(nobody_listens) == would
    assert said(builder) == [*went(1), (StorageReclaimed.TYPE, "sha256:0", "unreferenced")]
    assert (await asked.foretell(nobody_listens)).items == ()


async def test_other_projects_are_not_touched(builder: MemoryBuilder) -> None:
    await live(builder, 1, 2, 3)
    theirs = Kept(reference="release-theirs", project=UUID(int=99), size=1)
    builder.runtime.stored[theirs.reference] = theirs

    await builder.collecting().collect(say.PROJECT)
    assert await builder.collecting().collect(ProjectId(theirs.project)) == []

    assert theirs.reference in builder.runtime.stored
