"""A disk that runs full costs what is least missed, and no more than is needed: measured on a small disk of its own."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from errno import ENOSPC
from pathlib import Path
from uuid import UUID

import pytest

from support import router_events as say
from support.memory_builder import MemoryBuilder
from support.memory_runtime import MemoryRuntime
from windlass_builder.adapters.intents import IntentFiles
from windlass_builder.adapters.machine import measured
from windlass_builder.application.intents import Intent
from windlass_builder.application.relieving import Relieving
from windlass_builder.application.runtime_errors import EngineError
from windlass_builder.domain.belongings import Belonging, BelongingKind, Thrift
from windlass_builder.domain.room import DiskLevel, Room, Watermarks, disk_level
from windlass_builder.domain.workloads import Release
from windlass_builder.settings import BuilderSettings
from windlass_contracts.events import StorageReclaimed
from windlass_contracts.ids import DeploymentId

MIB = 2**20
GIB = 2**30
CACHE = Belonging(BelongingKind.CACHE, "cache", say.PROJECT)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder that is a file system of 32 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "size=32m", "windlass-test", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", str(folder)], check=True)


@dataclass(slots=True)
class SmallNode(MemoryRuntime):
    """A node whose releases and caches take 4 MiB each on a real disk."""

    disk: Path = field(default_factory=Path)
    away: bool = False
    relieved: asyncio.Event = field(default_factory=asyncio.Event)

    def _made_of(self, project: UUID, revision: str) -> Release:
        made = MemoryRuntime._made_of(self, project, revision)
        self.fill(made.reference)
        return made

    def fill(self, name: str) -> None:
        (self.disk / name).write_bytes(bytes(4 * MIB))

    async def remove_release(self, reference: str) -> None:
        if self.away:
            raise EngineError("It is away.")
        await MemoryRuntime.remove_release(self, reference)
        (self.disk / reference).unlink(missing_ok=True)
        self.relieved.set()

    async def remove_belonging(self, belonging: Belonging) -> None:
        await MemoryRuntime.remove_belonging(self, belonging)
        (self.disk / belonging.name).unlink()

    def level(self) -> DiskLevel:
        """Scarce with less than three of them left."""
        marks = Watermarks(scarce_percent=30, scarce_bytes=0, ample_percent=37, ample_bytes=0)
        return disk_level(measured([self.disk]), marks)


@pytest.fixture
def node(disk: Path) -> SmallNode:
    return SmallNode(disk=disk)


@pytest.fixture
def builder(tmp_path: Path, node: SmallNode) -> MemoryBuilder:
    return MemoryBuilder(tmp_path, runtime=node, measured_level=node.level)


def relieving(builder: MemoryBuilder) -> Relieving:
    return Relieving(builder.collecting(), builder.collecting_sources(), timedelta(hours=1))


async def live(builder: MemoryBuilder, count: int) -> None:
    """Deploy as often, each time another commit, and let what is replaced end."""
    before: DeploymentId | None = None
    for number in range(1, count + 1):
        builder.sources.commit = f"{number:040}"
        replaced = before
        before = await builder.live(replaced)
        if replaced is not None:
            (name,) = (one for one, runner in builder.runtime.living.items() if runner.deployment == replaced)
            await builder.stopped(replaced, name)


def went(builder: MemoryBuilder) -> list[tuple[str, str]]:
    events = (builder.log.at(sequence).event for sequence in range(1, builder.log.length + 1))
    return [(one.name[-1], one.why) for one in events if isinstance(one, StorageReclaimed)]


async def test_a_cache_goes_first_and_releases_stay_where_that_is_enough(
    builder: MemoryBuilder, node: SmallNode
) -> None:
    await live(builder, 5)
    assert node.level() is DiskLevel.AMPLE
    await relieving(builder).relieve()
    assert went(builder) == []
    node.owned = [CACHE]
    node.fill(CACHE.name)
    assert node.level() is DiskLevel.SCARCE

    await relieving(builder).relieve()
    assert went(builder) == [("e", "disk-full")]
    assert len(node.stored) == 5


async def test_releases_go_that_nothing_points_at_and_never_what_answers_or_did_before(
    builder: MemoryBuilder, node: SmallNode
) -> None:
    await live(builder, 7)
    assert node.level() is DiskLevel.SCARCE

    await relieving(builder).relieve()

    assert node.level() is DiskLevel.AMPLE
    assert {why for _, why in went(builder)} == {"disk-full"}
    assert {name[-1] for name in node.stored} == {"3", "4", "5", "6", "7"}  # half of ten
    for name in ("app", "apps"):
        node.fill(name)
    await relieving(builder).relieve()
    assert node.level() is DiskLevel.AMPLE
    assert {name[-1] for name in node.stored} == {"6", "7"}  # a quarter
    for name in ("big", "bigger", "biggest"):
        node.fill(name)
    await relieving(builder).relieve()  # apps may fill the disk with what is not ours to delete
    assert node.level() is DiskLevel.SCARCE
    assert {name[-1] for name in node.stored} == {"6", "7"}


@pytest.mark.parametrize(("thrift", "keeps"), [(0, 10), (1, 10), (2, 5), (3, 2), (4, 1)])
def test_a_project_keeps_fewer_the_shorter_the_disk_is_and_always_one(thrift: int, keeps: int) -> None:
    assert Thrift(thrift).keeps(10) == keeps
    assert Thrift(thrift).keeps(1) == 1


async def test_a_disk_that_takes_no_note_is_relieved_of_what_needs_none(
    builder: MemoryBuilder, node: SmallNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_notes: IntentFiles, _intent: Intent) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(IntentFiles, "note", full)
    await live(builder, 7)
    node.owned = [CACHE]
    await relieving(builder).relieve()
    assert node.level() is DiskLevel.AMPLE
    assert node.owned == [CACHE]
    assert {why for _, why in went(builder)} == {"disk-full"}


async def test_an_engine_that_is_away_is_tried_again_when_the_next_build_ends(
    builder: MemoryBuilder, node: SmallNode
) -> None:
    await live(builder, 7)
    node.away = True
    await relieving(builder).relieve()
    assert went(builder) == []

    node.away = False
    relief = relieving(builder)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(relief.run())
        await relief.handle(builder.wake())
        await node.relieved.wait()
        running.cancel()
    assert {why for _, why in went(builder)} == {"disk-full"}


async def test_a_disk_is_looked_at_again_when_a_build_ended(builder: MemoryBuilder, node: SmallNode) -> None:
    relief = relieving(builder)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(relief.run())
        await live(builder, 7)
        assert node.stored.keys() == {f"release-{number:040}" for number in range(1, 8)}
        await relief.handle(builder.wake())
        await node.relieved.wait()
        running.cancel()


@pytest.mark.parametrize(
    ("free", "level"),
    [(11, DiskLevel.SCARCE), (12, DiskLevel.FAIR), (14, DiskLevel.FAIR), (15, DiskLevel.AMPLE), (99, DiskLevel.AMPLE)],
)
def test_the_disk_stands_below_between_or_above_its_marks(free: int, level: DiskLevel) -> None:
    assert disk_level(Room(disk_free=free * GIB, disk_total=100 * GIB), Watermarks()) is level


def test_a_small_disk_is_held_to_bytes() -> None:
    assert disk_level(Room(disk_free=2 * GIB, disk_total=10 * GIB), Watermarks()) is DiskLevel.SCARCE
    assert disk_level(Room(disk_free=4 * GIB, disk_total=10 * GIB), Watermarks()) is DiskLevel.AMPLE


def test_a_node_cleans_up_before_it_refuses_builds_whatever_it_was_told() -> None:
    marks = BuilderSettings.model_construct(free_disk_percent=30, ample_disk_bytes=1).watermarks
    assert (marks.scarce_percent, marks.ample_percent) == (30, 30)
    assert (marks.scarce_bytes, marks.ample_bytes) == (3 * GIB, 3 * GIB)
