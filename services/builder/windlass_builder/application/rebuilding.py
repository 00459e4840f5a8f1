"""Making releases once more that should run, and that somebody removed from this node.

The log knows the source to the commit and the settings of that day, so that the same release comes out of it: there is
nothing new to be written down. What the build says goes to the log of the build that made it first.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from windlass_builder.application.building import Building
from windlass_builder.application.failures import DEPLOYMENT_ERRORS
from windlass_builder.application.projections import DEPLOYMENTS, ROUTES
from windlass_builder.application.runtime_errors import AddressesExhaustedError, EngineError
from windlass_builder.domain.deployment import Deployment
from windlass_contracts.ids import DeploymentId, ProjectId
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.errors import AWAY

_log = structlog.get_logger(__name__)

Restore = Callable[[ProjectId, DeploymentId], Awaitable[None]]

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=10)


@dataclass(slots=True)
class Rebuilding:
    """One release at a time."""

    building: Building
    tasks: asyncio.TaskGroup
    _under_way: set[DeploymentId] = field(default_factory=set)
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    def soon(self, deployment: DeploymentId, restore: Restore) -> None:
        """See to it that the release of the deployment comes back; `restore` starts what waits for it then."""
        if deployment not in self._under_way:
            self._under_way.add(deployment)
            self.tasks.create_task(self._rebuild(deployment, restore))

    async def _rebuild(self, deployment: DeploymentId, restore: Restore) -> None:
        """Try for as long as it is wanted: its source may be out of reach for a while."""
        wait = FIRST_WAIT
        try:
            while (row := await self._wanted(deployment)) is not None:
                if await self._rebuilt(deployment, row):
                    self._under_way.discard(deployment)
                    await restore(row.project, deployment)
                    return
                await asyncio.sleep(wait.total_seconds())
                wait = min(wait * 2, LONGEST_WAIT)
        finally:
            self._under_way.discard(deployment)

    async def _wanted(self, deployment: DeploymentId) -> Deployment | None:
        found = await self.building.containers.rows.get(DEPLOYMENTS, deployment)
        routes = None if found is None else await self.building.containers.rows.get(ROUTES, found.row.project)
        return found.row if found is not None and routes is not None and deployment in routes.row.referenced else None

    async def _rebuilt(self, deployment: DeploymentId, row: Deployment) -> bool:
        key = AggregateKey.of_deployment(row.team, row.project, deployment)
        try:
            async with self._turn:
                await self.building.again(key, row)
        except (*DEPLOYMENT_ERRORS, AddressesExhaustedError, EngineError, *AWAY) as error:
            _log.warning("release.not_rebuilt", deployment=str(deployment), reason=str(error))
            return False
        _log.info("release.rebuilt", deployment=str(deployment), release=row.release)
        return True
