"""Turns in the queue, as one builder and as several give them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import pytest
from pydantic import BaseModel

from support import router_events as say
from support.memory_builder import MemoryBuilder
from windlass_builder.adapters.node_locks import NodeLocks
from windlass_builder.application import queue
from windlass_builder.application.projections import DEPLOYMENTS, INSPECTIONS, ROUTES, TURNS
from windlass_builder.application.queue import BuildQueue
from windlass_builder.application.superseding import Superseding
from windlass_builder.domain.room import Shortage
from windlass_contracts.events import BuildStarted, DeploymentCanceled, DeploymentSuperseded
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase
from windlass_eventlog.errors import LogUnavailableError
from windlass_eventlog.memory import MemoryLog, MemoryRows
from windlass_eventlog.projection import Projection, Versioned
from windlass_eventlog.reaction import Handled
from windlass_eventlog.reactor import WakeUp

SOON_S = 60
RowT = TypeVar("RowT", bound=BaseModel)


@dataclass
class Builder:
    """A builder's queue on a node that others share; `at_work` is what it has the turn with."""

    world: MemoryBuilder
    folder: Path
    at_once: int = 1
    most_held: int = 100
    short: Shortage | None = None
    at_work: list[DeploymentId] = field(default_factory=list)
    taken_up: list[DeploymentId] = field(default_factory=list)
    ends: dict[DeploymentId, asyncio.Event] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    most_at_once: int = 0
    _now: int = 0

    def __post_init__(self) -> None:
        self.rows = MemoryRows(self.world.log, (DEPLOYMENTS, ROUTES, INSPECTIONS, TURNS))
        self.queue = BuildQueue(
            self.world.log,
            self.rows,
            NodeLocks(self.folder),
            self.at_once,
            lambda: self.short,
            lambda: self.world.clock,
            self.most_held,
            timedelta(milliseconds=20),
        )

    async def handle(self, deployment: DeploymentId) -> bool:
        """Build as a handler does; return whether it had the turn."""
        async with self.queue.turn(deployment) as turn:
            if turn is None:
                return False
            self.at_work.append(deployment)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            self._tell()
            row = (await self.world.found(deployment)).row
            await self.world.tell(deployment, BuildStarted(node="one", attempt=row.attempt + 1))
            await self.ends.setdefault(deployment, asyncio.Event()).wait()
            self._now -= 1
            await self.world.tell(deployment, DeploymentCanceled())
            return True

    async def attend(self, wake: WakeUp) -> Handled:
        deployment = DeploymentId(wake.recorded.key.id)
        self.taken_up.append(deployment)
        await self.handle(deployment)
        return Handled()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Builder"]:
        task = asyncio.create_task(self.queue.run(self.attend))
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def has(self, *deployments: DeploymentId) -> None:
        async with asyncio.timeout(SOON_S):
            while self.at_work != list(deployments):
                self.changed.clear()
                await self.changed.wait()

    def end(self, deployment: DeploymentId) -> None:
        self.ends.setdefault(deployment, asyncio.Event()).set()

    def _tell(self) -> None:
        self.changed.set()


@pytest.fixture
def world(tmp_path: Path) -> MemoryBuilder:
    return MemoryBuilder(tmp_path)


async def _requests(world: MemoryBuilder, number: int) -> list[DeploymentId]:
    return [await world.requested() for _ in range(number)]


async def test_no_more_are_built_at_once_than_is_allowed(world: MemoryBuilder, tmp_path: Path) -> None:
    first, second, third = await _requests(world, 3)
    async with Builder(world, tmp_path / "locks", at_once=2).running() as builder:
        handled = [asyncio.create_task(builder.handle(one)) for one in (first, second, third)]
        await builder.has(first, second)
        builder.end(first)
        await builder.has(first, second, third)
        builder.end(second)
        builder.end(third)
        assert await asyncio.gather(*handled) == [True, True, True]


class HeldRows(MemoryRows):
    """Rows of which some are read only once `may_answer` is set."""

    may_answer: asyncio.Event

    async def find(
        self, projection: Projection[RowT], where: Mapping[str, object], *, limit: int | None = None
    ) -> list[Versioned[RowT]]:
        found = await super().find(projection, where, limit=limit)
        await self.may_answer.wait()
        return found

    async def get_all(self, projection: Projection[RowT], keys: Iterable[UUID]) -> dict[UUID, Versioned[RowT]]:
        await self.may_answer.wait()
        return await super().get_all(projection, keys)


async def test_what_begins_while_the_next_is_looked_for_counts(world: MemoryBuilder, tmp_path: Path) -> None:
    first, second = await _requests(world, 2)
    builder = Builder(world, tmp_path / "locks")
    builder.rows = builder.queue.rows = rows = HeldRows(world.log, builder.rows.projections)
    rows.may_answer = asyncio.Event()
    async with builder.running():
        await asyncio.sleep(0)
        (third,) = await _requests(world, 1)
        handled = [asyncio.create_task(builder.handle(one)) for one in (first, second, third)]
        await builder.has(first)
        rows.may_answer.set()
        await asyncio.sleep(0.05)
        assert builder.at_work == [first]
        for one in (first, second, third):
            builder.end(one)
        assert await asyncio.gather(*handled) == [True, True, True]
        assert builder.most_at_once == 1


async def test_what_is_canceled_while_it_waits_gives_up_its_place(world: MemoryBuilder, tmp_path: Path) -> None:
    first, second = await _requests(world, 2)
    async with Builder(world, tmp_path / "locks").running() as builder:
        building = asyncio.create_task(builder.handle(first))
        await builder.has(first)
        waiting = asyncio.create_task(builder.handle(second))
        await asyncio.sleep(0)
        await world.tell(second, DeploymentCanceled())
        assert not await asyncio.wait_for(waiting, SOON_S)
        builder.end(first)
        assert await building


async def test_too_many_to_be_waited_with_are_taken_up_later(world: MemoryBuilder, tmp_path: Path) -> None:
    first, second, third = await _requests(world, 3)
    async with Builder(world, tmp_path / "locks", most_held=1).running() as builder:
        building = asyncio.create_task(builder.handle(first))
        await builder.has(first)
        assert not await builder.handle(second)
        assert not await builder.handle(third)
        world.pass_time(timedelta(minutes=1))
        for one in (first, second, third):
            builder.end(one)
        await builder.has(first, second, third)
        assert await building
        assert builder.taken_up == [second, third]


async def test_what_is_taken_up_waits_for_a_log_that_is_away(
    world: MemoryBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (request,) = await _requests(world, 1)
    world.pass_time(timedelta(minutes=1))
    monkeypatch.setattr(queue, "_AGAIN_AFTER_S", 0)
    read, asked = type(world.log).read, asyncio.Event()

    async def away(_log: MemoryLog, _after: int) -> AsyncIterator[None]:
        asked.set()
        nothing: tuple[None, ...] = ()
        for one in nothing:
            yield one
        raise LogUnavailableError("It does not answer.")

    monkeypatch.setattr(type(world.log), "read", away)
    async with Builder(world, tmp_path / "locks").running() as builder:
        await asked.wait()
        assert not builder.taken_up
        monkeypatch.setattr(type(world.log), "read", read)
        await builder.has(request)
        builder.end(request)


async def test_several_builders_share_what_waits_and_build_nothing_twice(world: MemoryBuilder, tmp_path: Path) -> None:
    requests = await _requests(world, 4)
    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(Builder(world, tmp_path / "locks").running()) for _ in range(2)]
        handled = [asyncio.create_task(one.handle(request)) for request in requests]
        await one.has(requests[0])
        world.pass_time(timedelta(minutes=1))  # nobody else was woken up by them
        await other.has(requests[1])
        for request in requests:
            one.end(request)
            other.end(request)
        built = await asyncio.wait_for(asyncio.gather(*handled), SOON_S)
        assert sorted([*one.at_work, *other.at_work]) == sorted(requests)
        assert built.count(True) == len(one.at_work)


async def test_what_a_killed_builder_was_at_is_gone_on_with_by_another(world: MemoryBuilder, tmp_path: Path) -> None:
    (request,) = await _requests(world, 1)
    world.pass_time(timedelta(minutes=1))
    async with AsyncExitStack() as stack:
        killed, other = Builder(world, tmp_path / "locks"), Builder(world, tmp_path / "locks")
        building = asyncio.create_task(killed.handle(request))
        await killed.has(request)
        await stack.enter_async_context(other.running())
        assert not other.at_work
        building.cancel()
        await other.has(request)
        assert (await world.found(request)).row.attempt == 2
        other.end(request)


async def test_nothing_begins_on_a_node_that_is_short(world: MemoryBuilder, tmp_path: Path) -> None:
    (request,) = await _requests(world, 1)
    builder = Builder(world, tmp_path / "locks", short=Shortage("disk", "The node has no disk left."))
    async with builder.running():
        waiting = asyncio.create_task(builder.handle(request))
        await asyncio.sleep(0.05)
        assert not builder.at_work
        builder.short = None
        await builder.has(request)
        builder.end(request)
        assert await waiting


async def test_later_request_ends_the_earlier_ones_of_its_branch(world: MemoryBuilder) -> None:
    first, second = await _requests(world, 2)
    other = say.deployment_number(77)
    await world.tell(other, say.requested(ref="topic"))
    await world.tell(first, BuildStarted(node="one", attempt=1))
    superseding = Superseding(world.append, world.rows)
    for _ in range(2):
        await superseding.handle(WakeUp(world.log.at((await world.found(second)).row.requested_sequence), 1))
    assert (await world.found(first)).row.phase is Phase.SUPERSEDED
    assert (await world.found(second)).row.phase is Phase.REQUESTED
    assert (await world.found(other)).row.phase is Phase.REQUESTED
    ends = [world.log.at(sequence).event for sequence in range(1, world.log.length + 1)]
    assert [event.by for event in ends if isinstance(event, DeploymentSuperseded)] == [second]
