"""Endless work beside a block of code: neither outlives the other."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

_AGAIN_AFTER_S = 0.5


@asynccontextmanager
async def background(*works: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Run works while the block runs. The first that fails cancels the block, and its error comes out of it."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
            try:
                yield
            finally:
                await _end(tasks)
    except BaseExceptionGroup as failures:
        if len(failures.exceptions) == 1:
            raise failures.exceptions[0] from None
        raise


async def _end(tasks: Iterable["asyncio.Task[object]"]) -> None:
    """Cancel works until all have ended: the client of NATS swallows a cancellation that meets it while it sends."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN_AFTER_S)
