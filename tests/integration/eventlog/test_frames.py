"""What passes frames on keeps their order, and forgets when told to: the contract of the port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from uuid import uuid4

import pytest

from windlass_contracts.ids import RunId, TeamId
from windlass_contracts.run_frames import LARGEST_DATA, Frame, FrameKind
from windlass_eventlog.frames.jetstream import JetStreamFrames
from windlass_eventlog.frames.memory import MemoryFrames
from windlass_eventlog.frames.port import Frames, Wire, into, out_of
from windlass_eventlog.jetstream.connection import connection
from windlass_eventlog.jetstream.provisioning import provision

FIRST, SECOND, THIRD = (Frame(FrameKind.OUT, number, bytes([number, 0, 255])) for number in (0, 3, 6))


@pytest.fixture(params=["memory", "jetstream"])
async def frames(request: pytest.FixtureRequest) -> AsyncIterator[Frames]:
    if request.param == "memory":
        yield MemoryFrames()
        return
    server = request.getfixturevalue("nats_server")
    await provision(server)
    async with connection(server, "gateway") as nats:
        yield JetStreamFrames(nats)


@pytest.fixture
def wire() -> Wire:
    return out_of(TeamId(uuid4()), RunId(uuid4()))


async def followed(frames: Frames, wire: Wire, count: int) -> list[Frame]:
    found: list[Frame] = []
    async with asyncio.timeout(60), aclosing(frames.follow(wire)) as following:
        async for frame in following:
            found.append(frame)
            if len(found) == count:
                return found
    raise AssertionError


async def test_frames_come_in_their_order_those_that_are_kept_and_those_that_come(frames: Frames, wire: Wire) -> None:
    await frames.send(wire, FIRST)
    following = asyncio.create_task(followed(frames, wire, 3))
    await frames.send(wire, SECOND)
    await frames.send(wire, THIRD)
    assert await following == [FIRST, SECOND, THIRD]
    assert await frames.kept(wire) == [FIRST, SECOND, THIRD]


async def test_the_directions_and_the_commands_are_kept_apart(frames: Frames, wire: Wire) -> None:
    await frames.send(wire, FIRST)
    assert await frames.kept(into(wire.team, wire.run)) == []
    assert await frames.kept(out_of(wire.team, RunId(uuid4()))) == []


async def test_a_frame_that_is_alone_makes_all_before_it_be_forgotten(frames: Frames, wire: Wire) -> None:
    other = out_of(wire.team, RunId(uuid4()))
    await frames.send(other, FIRST)
    for frame in (FIRST, SECOND):
        await frames.send(wire, frame)
    await frames.send(wire, THIRD, alone=True)
    assert await frames.kept(wire) == [THIRD]
    assert await followed(frames, wire, 1) == [THIRD]
    assert await frames.kept(other) == [FIRST]


async def test_the_largest_frame_passes(frames: Frames, wire: Wire) -> None:
    largest = Frame(FrameKind.INPUT, 0, bytes(LARGEST_DATA))
    await frames.send(wire, largest)
    assert await frames.kept(wire) == [largest]
