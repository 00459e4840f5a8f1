"""A stream that is followed never outlives its reader nor the gateway."""

import asyncio
from collections.abc import AsyncGenerator

from windlass_gateway.entrypoints.streaming import until


class Source:
    """Yields numbers, then waits for ever; knows whether it was closed."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.closed = False

    async def items(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(self._count):
                yield number
            await asyncio.Event().wait()
        finally:
            self.closed = True


async def test_closing_ends_a_stream_that_waits_for_more() -> None:
    source, closing = Source(2), asyncio.Event()
    stream = until(closing, source.items())
    seen = [await anext(stream), await anext(stream)]
    waiting = asyncio.ensure_future(anext(stream, None))
    await asyncio.sleep(0)
    closing.set()
    assert (seen, await waiting, source.closed) == ([0, 1], None, True)


async def test_a_reader_that_leaves_closes_the_source() -> None:
    source = Source(2)
    stream = until(asyncio.Event(), source.items())
    await anext(stream)
    await stream.aclose()
    assert source.closed


async def test_a_reader_that_is_cancelled_while_it_waits_closes_the_source() -> None:
    source = Source(0)

    async def read() -> list[int]:
        return [item async for item in until(asyncio.Event(), source.items())]

    reading = asyncio.ensure_future(read())
    for _ in range(3):
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait({reading})
    assert (reading.cancelled(), source.closed) == (True, True)
