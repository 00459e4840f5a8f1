"""Endless work beside a block of code: neither outlives the other."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

_AGAIN_AFTER_S = 2.0


@asynccontextmanager
async def background(*works: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Run works while the block runs. The first that fails cancels the block, and its error comes out of it."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
            yield
            await _canceled(tasks)
    except BaseExceptionGroup as failures:
        if len(failures.exceptions) == 1:
            raise failures.exceptions[0] from None
        raise


async def _canceled(tasks: Iterable[asyncio.Task[object]]) -> None:
    """Cancel until they have ended: `asyncio.wait_for` swallows a cancellation that comes together with its result.

    Source: https://github.com/python/cpython/issues/86296, mended in Python 3.12.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_AFTER_S)
