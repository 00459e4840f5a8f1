"""A volume goes when somebody asks for it and nothing has it mounted, said once whoever dies meanwhile."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from support import router_events as say
from support.memory_builder import MemoryBuilder
from support.memory_runtime import MemoryRuntime, PowerCut
from windlass_builder.application.measuring import Measuring
from windlass_builder.application.removing_volumes import CannotRemoveError, RemovingVolumes
from windlass_builder.application.runtime_errors import VolumeInUseError
from windlass_builder.domain.workloads import Volume, VolumeFound
from windlass_contracts.events import StorageReclaimed
from windlass_contracts.ids import ProjectId
from windlass_contracts.subjects import Service
from windlass_eventlog.background import background
from windlass_eventlog.clock import utc_now
from windlass_eventlog.memory import MemoryKeyValue
from windlass_eventlog.nodes import volume_key, volume_of
from windlass_eventlog.operations import Answering, Asking, Done, Kind, VolumeNamed

UPLOADS = Volume(say.PROJECT, say.PRODUCTION, "uploads")
NAMED = VolumeNamed(environment=say.PRODUCTION, name="uploads")


def quiet(_doing: str, _done: int, _total: int) -> None:
    """Nobody follows."""


@pytest.fixture
async def builder(tmp_path: Path) -> MemoryBuilder:
    builder = MemoryBuilder(tmp_path)
    await builder.live()
    builder.runtime.kept_volumes[UPLOADS] = VolumeFound(volume=UPLOADS, size=5_000, users=())
    return builder


def gone(builder: MemoryBuilder) -> list[tuple[str, str, int | None]]:
    events = (builder.log.at(sequence).event for sequence in range(1, builder.log.length + 1))
    return [(one.kind, one.why, one.freed_bytes) for one in events if isinstance(one, StorageReclaimed)]


async def test_it_is_deleted_and_its_size_is_told(builder: MemoryBuilder) -> None:
    removing = RemovingVolumes(builder.collecting())
    done = await removing.remove(quiet, say.PROJECT, NAMED)
    assert [(one.kind, one.why, one.size) for one in done.items] == [("volume", "asked", 5_000)]
    assert builder.runtime.kept_volumes == {}
    assert gone(builder) == [("volume", "asked", 5_000)]
    with pytest.raises(CannotRemoveError, match="no volume uploads"):
        await removing.remove(quiet, say.PROJECT, NAMED)


async def test_who_asks_the_builder_hears_that_it_is_gone(builder: MemoryBuilder) -> None:
    bucket = MemoryKeyValue()
    asking = Asking(bucket, utc_now)
    answering = Answering(Service.BUILDER, bucket, RemovingVolumes(builder.collecting()).operations, utc_now)
    request = await asking.ask(Service.BUILDER, Kind.REMOVE_VOLUME, "token:test", say.PROJECT, NAMED)
    async with background(answering.run()), asyncio.timeout(60):
        *_, end = [answer.state async for answer in asking.follow(Service.BUILDER, request.id)]
    assert isinstance(end, Done)
    assert gone(builder) == [("volume", "asked", 5_000)]


async def test_one_that_is_mounted_stays(builder: MemoryBuilder) -> None:
    builder.runtime.kept_volumes[UPLOADS] = VolumeFound(volume=UPLOADS, size=5, users=("windlass-run",))
    with pytest.raises(CannotRemoveError, match="mounted by windlass-run"):
        await RemovingVolumes(builder.collecting()).remove(quiet, say.PROJECT, NAMED)
    assert UPLOADS in builder.runtime.kept_volumes
    assert gone(builder) == []


async def test_one_that_comes_into_use_in_this_moment_stays_and_no_note_of_it(
    builder: MemoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mounted(_runtime: MemoryRuntime, volume: Volume) -> None:
        raise VolumeInUseError(volume.name, ("windlass-run",))

    monkeypatch.setattr(MemoryRuntime, "remove_volume", mounted)
    with pytest.raises(CannotRemoveError, match="come into use"):
        await RemovingVolumes(builder.collecting()).remove(quiet, say.PROJECT, NAMED)
    assert gone(builder) == []
    assert not builder.containers.node.intents.noted()


@pytest.mark.parametrize("deleted", [True, False])
async def test_a_builder_that_died_at_it_says_afterwards_what_it_did(
    builder: MemoryBuilder, monkeypatch: pytest.MonkeyPatch, *, deleted: bool
) -> None:
    async def dies(volume: Volume) -> None:
        if deleted:
            del builder.runtime.kept_volumes[volume]
        raise PowerCut

    collecting = builder.collecting()
    with monkeypatch.context() as patch:
        patch.setattr(type(builder.runtime), "remove_volume", lambda _self, volume: dies(volume))
        with pytest.raises(PowerCut):
            await RemovingVolumes(collecting).remove(quiet, say.PROJECT, NAMED)
    await collecting.collect(ProjectId(say.PROJECT))
    assert gone(builder) == ([("volume", "asked", 5_000)] if deleted else [])


async def test_sizes_and_who_has_a_volume_are_measured(builder: MemoryBuilder) -> None:
    (runner,) = builder.runtime.living.values()
    builder.runtime.kept_volumes[UPLOADS] = VolumeFound(volume=UPLOADS, size=7, users=(runner.name, "a stranger"))
    measuring = Measuring(builder.containers)
    await measuring.measure()
    key = volume_key(say.PROJECT, say.PRODUCTION, "uploads")
    assert (measuring.sizes, measuring.mounted) == ({key: 7}, {key: (runner.deployment,)})
    assert measuring.news.is_set()
    measuring.news.clear()
    await measuring.measure()
    assert not measuring.news.is_set(), "nothing changed"
    builder.pass_time(timedelta(0))


def test_the_key_of_a_volume_is_read_again_and_nothing_else_is() -> None:
    assert volume_of(volume_key(say.PROJECT, say.PRODUCTION, "a")) == (say.PROJECT, say.PRODUCTION, "a")
    for other in ("", "a", "a/b/c", f"{say.PROJECT}/{say.PRODUCTION}", f"{say.PROJECT}/x/y"):
        assert volume_of(other) is None
