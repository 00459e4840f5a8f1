"""Running coroutines side by side."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all to the end; should one fail, cancel the others, wait for them, and raise that failure itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as failures:
        raise _first(failures) from None


async def finishes_before(work: Coroutine[Any, Any, None], event: asyncio.Event) -> bool:
    """Run `work` and tell whether it ended before the event; if not, it is cancelled and has cleaned up.

    Raises:
        Exception: what `work` raised.
    """
    running, interruption = asyncio.ensure_future(work), asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((running, interruption), return_when=asyncio.FIRST_COMPLETED)
    finally:
        interruption.cancel()
        finished = running.done()
        if not finished:
            running.cancel()
            await asyncio.wait((running,))
    if finished:
        running.result()
    return finished


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
