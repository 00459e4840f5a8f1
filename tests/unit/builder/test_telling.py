"""What a node says of itself."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from support.memory_builder import INSTALLATION, MemoryBuilder
from windlass_builder.adapters.node_locks import NodeLocks
from windlass_builder.application.node import Node
from windlass_builder.application.telling import Telling
from windlass_builder.domain.room import Room, Shortage
from windlass_contracts.events import BuildStarted
from windlass_eventlog.memory import MemoryKeyValue
from windlass_eventlog.nodes import NodeState, node_state

ROOM = Room(disk_free=5, disk_total=10, memory_free=3, memory_total=8)


class Told:
    """A node's bucket, and whoever tells there."""

    def __init__(self, world: MemoryBuilder, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.bucket = MemoryKeyValue()
        self.short: Shortage | None = None

    def builder(self, number: int) -> Telling:
        node = Node(
            "one",
            INSTALLATION,
            "memory",
            {},
            self.folder,
            2**30,
            locks=NodeLocks(self.folder / "locks"),
            shared=True,
            shortage=lambda: self.short,
        )
        return Telling(self.world.rows, self.bucket, node, lambda: ROOM, lambda: self.world.clock, number)

    async def next(self) -> NodeState:
        async with asyncio.timeout(60):
            async for change in self.bucket.watch():
                assert change.value is not None
                state = node_state(change.value)
                assert state is not None
                return state
        raise AssertionError


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(MemoryBuilder(tmp_path), tmp_path)


async def test_builds_and_those_that_wait_are_told_with_what_is_left(told: Told) -> None:
    first, second, third = [await told.world.requested() for _ in range(3)]
    await told.world.tell(first, BuildStarted(node="one", attempt=1))
    state = await told.builder(1).state()
    assert state.building == (first,)
    assert [(place.deployment, place.position) for place in state.queue] == [(second, 1), (third, 2)]
    assert state.queue[1].reason == "1 build runs, and 1 request is before it (1 of its own project)."
    assert (state.disk_free, state.disk_total, state.memory_free, state.memory_total) == (5, 10, 3, 8)
    assert state.refusing is None


async def test_shortage_is_the_reason_of_all_that_wait(told: Told) -> None:
    await told.world.requested()
    told.short = Shortage("disk", "The node has no disk left.")
    state = await told.builder(1).state()
    assert state.refusing is not None
    assert (state.refusing.code, state.refusing.reason) == ("disk", "The node has no disk left.")
    assert [place.reason for place in state.queue] == ["The node has no disk left."]


async def test_one_builder_tells_for_all_and_another_goes_on_when_it_is_gone(told: Told) -> None:
    first, second = (asyncio.create_task(told.builder(number).run()) for number in (1, 2))
    try:
        await told.next()
        before = told.world.log.length
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        told.world.pass_time(timedelta(minutes=2))
        deployment = await told.world.requested()
        assert told.world.log.length == before + 1
        async with asyncio.timeout(60):
            async for change in told.bucket.watch():
                state = node_state(change.value or b"")
                if state is not None and [place.deployment for place in state.queue] == [deployment]:
                    break
        assert state is not None
        assert state.builders == 1
    finally:
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
