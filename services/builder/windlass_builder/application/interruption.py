"""Work that stops as soon as what it is about has ended without it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import TypeVar

from windlass_builder.application.projections import DEPLOYMENTS
from windlass_contracts.ids import DeploymentId
from windlass_eventlog.errors import AWAY, NotReachedError
from windlass_eventlog.projection import Rows

T = TypeVar("T")
_A_WHILE = timedelta(hours=1)
_AGAIN_AFTER_S = 1.0


class EndedError(Exception):
    """What somebody worked on ended meanwhile."""


class DeploymentEndedError(EndedError):
    """The deployment was canceled, superseded or failed while somebody worked on it."""


async def unless_ended(rows: Rows, deployment: DeploymentId, work: Coroutine[object, object, T]) -> T:
    """Return what the work returns, or cancel it once the deployment has ended.

    Raises:
        DeploymentEndedError: the deployment ended first; the work is over and cleaned up behind itself.
    """

    async def ended() -> bool:
        found = await rows.get(DEPLOYMENTS, deployment)
        return found is not None and found.row.phase.ended

    return await unless(rows, ended, work, DeploymentEndedError)


async def unless(
    rows: Rows,
    over: Callable[[], Awaitable[bool]],
    work: Coroutine[object, object, T],
    error: type[EndedError] = EndedError,
) -> T:
    """Return what the work returns, or cancel it once the rows say that it is over.

    Raises:
        EndedError: it was over first, as `error`.
    """
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_watch(rows, over))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            watching.result()
            raise error
        return working.result()
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def _watch(rows: Rows, over: Callable[[], Awaitable[bool]]) -> None:
    """Return once it is over. What the rows do not tell for a moment ends nothing: the work goes on meanwhile."""
    while True:
        position = rows.position
        try:
            if await over():
                return
            await rows.reached(position + 1, _A_WHILE)
        except NotReachedError:
            continue
        except AWAY:
            await asyncio.sleep(_AGAIN_AFTER_S)
