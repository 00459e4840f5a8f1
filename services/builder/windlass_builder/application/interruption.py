"""Work on a deployment that stops as soon as the deployment has ended without it."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import TypeVar

from windlass_builder.application.projections import DEPLOYMENTS
from windlass_contracts.ids import DeploymentId
from windlass_eventlog.errors import NotReachedError
from windlass_eventlog.projection import Rows

T = TypeVar("T")
_A_WHILE = timedelta(hours=1)


class DeploymentEndedError(Exception):
    """The deployment was canceled, superseded or failed while somebody worked on it."""


async def unless_ended(rows: Rows, deployment: DeploymentId, work: Coroutine[object, object, T]) -> T:
    """Return what the work returns, or cancel it once the deployment has ended.

    Raises:
        DeploymentEndedError: the deployment ended first; the work is over and cleaned up behind itself.
    """
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_ended(rows, deployment))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            watching.result()
            raise DeploymentEndedError
        return working.result()
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def _ended(rows: Rows, deployment: DeploymentId) -> None:
    while True:
        position = rows.position
        found = await rows.get(DEPLOYMENTS, deployment)
        if found is not None and found.row.phase.ended:
            return
        try:
            await rows.reached(position + 1, _A_WHILE)
        except NotReachedError:
            continue
