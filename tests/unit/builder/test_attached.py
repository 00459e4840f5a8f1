"""A command and whoever sits before it have each other, whatever is lost between them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest

from support import router_events as say
from support.memory_builder import INSTALLATION, MemoryBuilder
from support.memory_runtime import PowerCut
from windlass_builder.application import attached
from windlass_builder.domain.names import once_name
from windlass_contracts.config import Limits
from windlass_contracts.events import RunEnded, RunRequested
from windlass_contracts.ids import RunId
from windlass_contracts.run_frames import Frame, FrameKind
from windlass_contracts.run_values import Console, RunOrder
from windlass_eventlog.frames.port import into, out_of

RUN = RunId(UUID("018f2d3a-7b1c-7000-8000-0000000000ab"))
NAME = once_name(INSTALLATION, RUN)
IN, OUT = into(say.TEAM, RUN), out_of(say.TEAM, RUN)
MARK = b"m" * 16
BYTES, TERMINAL = Console(), Console(terminal=True)


@pytest.fixture
def builder(tmp_path: Path) -> MemoryBuilder:
    return MemoryBuilder(tmp_path)


async def asked(builder: MemoryBuilder, console: Console) -> None:
    deployment = await builder.live()
    secret = await builder.vault.store(RunOrder(line="cat", console=console).stored())
    wanted = RunRequested(deployment=deployment, command=secret, terminal=console.terminal, limits=Limits())
    await builder.tell(RUN, wanted)


@asynccontextmanager
async def at_work(builder: MemoryBuilder) -> AsyncIterator["asyncio.Task[None]"]:
    """Let the builder carry out what was asked for as long as the block lasts."""
    working = asyncio.create_task(builder.reactors.settle())
    try:
        async with asyncio.timeout(60):
            yield working
    finally:
        working.cancel()
        await asyncio.wait({working})


async def until(builder: MemoryBuilder, kind: FrameKind, end: int) -> list[Frame]:
    """Return all that was sent up to a frame of that kind that ends there."""
    frames = []
    async with aclosing(builder.frames.follow(OUT)) as sent:
        async for frame in sent:
            frames.append(frame)
            if (frame.kind, frame.end) == (kind, end):
                return frames
    raise AssertionError


def end(builder: MemoryBuilder) -> RunEnded:
    events = [builder.log.at(sequence).event for sequence in range(1, builder.log.length + 1)]
    (ended,) = (event for event in events if isinstance(event, RunEnded))
    return ended


async def test_bytes_go_in_and_come_out_and_its_end_is_told_once_all_has_arrived(builder: MemoryBuilder) -> None:
    await asked(builder, BYTES)
    await builder.frames.send(IN, Frame.here(0, 0, MARK))
    await builder.frames.send(IN, Frame(FrameKind.INPUT, 0, b"\xff\0typed"))
    await builder.frames.send(IN, Frame(FrameKind.INPUT, 0, b"\xff\0typed"))  # once more, as after a lost connection
    await builder.frames.send(IN, Frame(FrameKind.INPUT, 99, b"behind a gap"))
    await builder.frames.send(IN, Frame(FrameKind.END, 7))
    async with at_work(builder) as working:
        frames = await until(builder, FrameKind.OUT, 7)
        await until(builder, FrameKind.TAKEN, 7)
        assert not working.done(), "nobody said yet that it has arrived"
        await builder.frames.send(IN, Frame(FrameKind.TAKEN, 7))
        await working
    assert [frame.data for frame in frames if frame.kind is FrameKind.OUT] == [b"\xff\0typed"]
    assert Frame(FrameKind.WELCOME, 0, MARK) in frames
    assert (end(builder).code, end(builder).exit_code) == ("exited", 0)
    assert NAME not in builder.runtime.living


async def test_who_comes_back_is_sent_what_they_lack(builder: MemoryBuilder) -> None:
    await asked(builder, BYTES)
    await builder.frames.send(IN, Frame.here(0, 0, MARK))
    await builder.frames.send(IN, Frame(FrameKind.INPUT, 0, b"abcdef"))
    async with at_work(builder):
        await until(builder, FrameKind.OUT, 6)
        again = b"a" * 16
        await builder.frames.send(IN, Frame.here(2, 0, again))
        frames: list[Frame] = []
        async with aclosing(builder.frames.follow(OUT)) as sent:
            async for frame in sent:
                frames.append(frame)
                if frame.offset == 2 and frame.kind is FrameKind.OUT:
                    break
    assert frames[-2:] == [Frame(FrameKind.WELCOME, 6, again), Frame(FrameKind.OUT, 2, b"cdef")]


async def test_one_that_nobody_sits_before_is_killed_unless_it_is_detached(
    builder: MemoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attached, "ALONE_FOR", attached.ALONE_FOR / 1_000)
    await asked(builder, TERMINAL)
    async with at_work(builder) as working:
        await working
    assert end(builder).code == "abandoned"
    assert NAME not in builder.runtime.living


async def test_a_detached_one_goes_on_alone(builder: MemoryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached, "ALONE_FOR", attached.ALONE_FOR / 10_000)
    await asked(builder, Console(terminal=True, detached=True))
    async with at_work(builder):
        await asyncio.sleep(0.02)  # several times as long as one may be alone
        await builder.frames.send(IN, Frame.here(0, 0, MARK))
        await builder.frames.send(IN, Frame(FrameKind.INPUT, 0, b"back"))
        await until(builder, FrameKind.OUT, 4)


@pytest.mark.parametrize(("console", "code"), [(BYTES, "lost"), (TERMINAL, "exited")])
async def test_a_terminal_is_taken_up_by_the_next_life_and_bytes_are_lost_with_the_builder(
    builder: MemoryBuilder, console: Console, code: str
) -> None:
    reads = 0

    async def dies(_name: str) -> None:
        nonlocal reads
        reads += 1
        if reads == 2:
            raise PowerCut

    builder.runtime.while_attended = dies
    await asked(builder, console)
    await builder.frames.send(IN, Frame.here(0, 0, MARK))
    await builder.frames.send(IN, Frame(FrameKind.INPUT, 0, b"abc"))
    with pytest.raises(PowerCut):
        await builder.reactors.settle()
    second = builder.again()
    async with at_work(second) as working:
        if console.terminal:
            await builder.frames.send(IN, Frame(FrameKind.TAKEN, 3))
            await builder.frames.send(IN, Frame(FrameKind.INPUT, 3, b"def"))
            frames = await until(builder, FrameKind.OUT, 6)
            await builder.frames.send(IN, Frame(FrameKind.END, 6))
            await builder.frames.send(IN, Frame(FrameKind.TAKEN, 6))
            assert frames[-1] in (Frame(FrameKind.OUT, 3, b"def"), Frame(FrameKind.TAKEN, 6))
        await working
    assert (end(second).code, second.runtime.begun.count(NAME)) == (code, 1)
    assert NAME not in second.runtime.living
