"""Work beside a block of code ends with the block, also where something swallows its cancellation."""

import asyncio

from windlass_eventlog.background import background


async def test_work_that_swallows_a_cancellation_is_ended_nevertheless() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if swallowed:
                    raise
                swallowed += 1

    async with asyncio.timeout(60):
        async with background(stubborn()):
            await asyncio.sleep(0)

    assert swallowed == 1
