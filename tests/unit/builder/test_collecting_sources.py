"""Sources are kept for as long as a deployment may want them; all projects are looked at before one goes."""

import fcntl
import os
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from uuid import UUID

import pytest

from support import router_events as say
from support.memory_builder import MemoryBuilder
from support.memory_runtime import NOON, PowerCut
from windlass_builder.adapters.git.mirrors import GitMirrors, mirror_name
from windlass_builder.application.asked import Asked
from windlass_builder.application.collecting_sources import Spared
from windlass_builder.application.source_store import SourceInUseError
from windlass_builder.domain.belongings import SourceKind, StoredSource, Thrift
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.events import BuildStarted, Failed, StorageReclaimed
from windlass_contracts.events.deployment import GitSource, Source, Stage, UploadSource
from windlass_contracts.ids import ProjectId
from windlass_eventlog.memory import MemoryObjects

FAILED = Failed(stage=Stage.BUILD, code="build-failed", reason="No.")
OTHER = ProjectId(UUID(int=77))


def upload(number: int) -> UploadSource:
    return UploadSource(key=f"uploads/{number}", digest=f"sha256:{number:064}", size_bytes=4)


def repository(name: str) -> GitSource:
    return GitSource(repository=f"https://git.example/{name}", ref="main")


@pytest.fixture
def builder(tmp_path: Path) -> MemoryBuilder:
    """Return a builder whose project keeps one release, and whose uploads are two days old."""
    mirrors = tmp_path / "mirrors"
    mirrors.mkdir()
    objects = MemoryObjects(clock=lambda: NOON - timedelta(days=2))
    return MemoryBuilder(tmp_path, objects=objects, stores=(GitMirrors(mirrors),))


async def failed(builder: MemoryBuilder, *sources: Source, of: ProjectId = say.PROJECT) -> None:
    """Let deployments of these sources fail, one after the other: the last one's source stays."""
    for source in sources:
        builder.deployments += 1
        wanted = say.requested(config=DeploymentConfig(keep_releases=1)).model_copy(update={"source": source})
        deployment = say.deployment_number(builder.deployments)
        await builder.tell(deployment, wanted, BuildStarted(node="one", attempt=1), FAILED, of=of)


async def uploaded(builder: MemoryBuilder, *numbers: int) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"four"

    for number in numbers:
        await builder.objects.put(upload(number).key, content())


def mirrored(builder: MemoryBuilder, name: str, age: timedelta = timedelta(), owner: str | None = None) -> str:
    """Make a mirror that was used that long ago, and return its name."""
    stem = mirror_name(f"https://git.example/{name}", owner)
    folder = builder.scratch / "mirrors" / f"{stem}.git"
    folder.mkdir()
    (folder / "pack").write_bytes(bytes(100))
    lock = folder.with_suffix(".lock")
    lock.touch()
    used = (NOON - age).timestamp()
    os.utime(lock, (used, used))
    return stem


def told(spared: Sequence[Spared]) -> set[tuple[str, str]]:
    return {(one.source.name, one.why) for one in spared}


def said(builder: MemoryBuilder) -> list[tuple[ProjectId | None, str, str, str, int | None]]:
    recorded = (builder.log.at(sequence) for sequence in range(1, builder.log.length + 1))
    return [
        (one.key.project, one.event.kind, one.event.name, one.event.why, one.event.freed_bytes)
        for one in recorded
        if isinstance(one.event, StorageReclaimed)
    ]


async def kept(builder: MemoryBuilder) -> set[str]:
    return {one.name for store in builder.collecting_sources().stores for one in await store.all()}


async def test_sources_that_no_deployment_wants_any_more_go_and_are_said_to(builder: MemoryBuilder) -> None:
    await uploaded(builder, 1, 2)
    old, private, new = (
        mirrored(builder, "old"),
        mirrored(builder, "old", owner=str(say.PROJECT)),
        mirrored(builder, "new"),
    )
    await failed(builder, repository("old"), upload(1), repository("new"))
    await failed(builder, upload(2), of=OTHER)
    going = {(old, "unreferenced"), (private, "unreferenced"), (upload(1).key, "unreferenced")}
    assert told(await builder.collecting_sources().foretell()) == going
    assert await kept(builder) == {old, private, new, upload(1).key, upload(2).key}

    assert told(await builder.collecting_sources().collect()) == going

    assert await kept(builder) == {new, upload(2).key}
    assert sorted(said(builder), key=str) == sorted(
        [
            (say.PROJECT, "mirror", old, "unreferenced", 100),
            (say.PROJECT, "mirror", private, "unreferenced", 100),
            (say.PROJECT, "upload", upload(1).key, "unreferenced", 4),
        ],
        key=str,
    )
    assert await builder.collecting_sources().collect() == []


async def test_what_another_project_wants_stays(builder: MemoryBuilder) -> None:
    shared = mirrored(builder, "mono")
    await failed(builder, repository("mono"), of=OTHER)
    await failed(builder, repository("mono"), repository("new"))
    assert await builder.collecting_sources().collect() == []
    assert await kept(builder) == {shared}


async def test_one_project_may_be_collected_alone(builder: MemoryBuilder) -> None:
    mine, theirs = mirrored(builder, "mine"), mirrored(builder, "theirs")
    await failed(builder, repository("mine"), repository("new"))
    await failed(builder, repository("theirs"), repository("new"), of=OTHER)
    asked = Asked(builder.collecting(), builder.collecting_sources())

    would = await asked.foretell(lambda *_: None, OTHER)
    did = await asked.collect(lambda *_: None, OTHER)

    assert [(one.project, one.name) for one in would.items] == [(OTHER, theirs)]
    assert did == would
    assert await kept(builder) == {mine}


async def test_what_was_just_uploaded_stays_until_a_deployment_may_have_named_it(builder: MemoryBuilder) -> None:
    await uploaded(builder, 1)
    builder.clock = NOON - timedelta(days=1, seconds=1)
    assert await builder.collecting_sources().collect() == []
    builder.clock = NOON

    gone = await builder.collecting_sources().collect()

    assert [(one.source.name, one.project) for one in gone] == [(upload(1).key, None)]
    assert said(builder) == []  # there is no project whose history it belongs to
    assert await kept(builder) == set()


async def test_a_mirror_that_no_project_names_stays_as_long_as_it_is_used(builder: MemoryBuilder) -> None:
    used = mirrored(builder, "used", timedelta(days=29))
    mirrored(builder, "forgotten", timedelta(days=31))
    await builder.collecting_sources().collect()
    assert await kept(builder) == {used}


async def test_a_short_disk_costs_every_mirror_and_no_upload_that_is_wanted(builder: MemoryBuilder) -> None:
    await uploaded(builder, 1)
    wanted, unknown = mirrored(builder, "new"), mirrored(builder, "submodule")
    await failed(builder, upload(1), of=OTHER)
    await failed(builder, repository("new"))

    gone = await builder.collecting_sources().collect(Thrift.CACHES)

    assert told(gone) == {(wanted, "disk-full"), (unknown, "disk-full")}
    assert await kept(builder) == {upload(1).key}


async def test_a_mirror_that_somebody_fetches_into_stays(builder: MemoryBuilder) -> None:
    name = mirrored(builder, "old")
    await failed(builder, repository("old"), repository("new"))
    (store, _) = builder.collecting_sources().stores
    with (builder.scratch / "mirrors" / f"{name}.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SourceInUseError, match=name):
            await store.remove(name)
        assert await builder.collecting_sources().collect() == []
    assert said(builder) == []

    assert len(await builder.collecting_sources().collect()) == 1
    await store.remove(name)


@pytest.mark.parametrize("dies", ["before", "after"])
async def test_builder_killed_while_it_says_so_says_it_once(
    builder: MemoryBuilder, dies: Literal["before", "after"]
) -> None:
    name = mirrored(builder, "old")
    await failed(builder, repository("old"), repository("new"))
    builder.log.dies_at, builder.log.dies = 1, dies
    with pytest.raises(PowerCut):
        await builder.collecting_sources().collect()

    again = builder.again()
    await again.collecting_sources().finish()
    assert await again.collecting_sources().collect() == []

    assert said(builder) == [(say.PROJECT, "mirror", name, "unreferenced", 100)]
    assert list(again.containers.node.intents.noted()) == []


async def test_what_is_half_deleted_is_cleared_away(builder: MemoryBuilder) -> None:
    mirrors = builder.scratch / "mirrors"
    (mirrors / ".gone-1" / "objects").mkdir(parents=True)
    assert await builder.collecting_sources().foretell() == []
    assert len(list(mirrors.iterdir())) == 1
    assert await builder.collecting_sources().collect() == []
    assert list(mirrors.iterdir()) == []


async def test_a_mirror_says_when_it_was_used_and_what_it_takes(builder: MemoryBuilder) -> None:
    name = mirrored(builder, "shop", timedelta(hours=1))
    (store, _) = builder.collecting_sources().stores
    assert await store.all() == [StoredSource(SourceKind.MIRROR, name, 100, NOON - timedelta(hours=1))]
    with (builder.scratch / "mirrors" / f"{name}.lock").open("w"):  # as it is used
        (found,) = await store.all()
    assert datetime.now(UTC) - found.since < timedelta(minutes=1)
