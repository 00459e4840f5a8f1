"""Retiring replaced versions when their time has come: timers set from the rows, at start and at each change."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from windlass_builder.application.containers import Containers
from windlass_builder.application.engine_away import ENGINE_AWAY
from windlass_builder.application.journal import Journal, Observed
from windlass_builder.application.projections import DEPLOYMENTS, ROUTES
from windlass_builder.application.runtime_errors import EngineError
from windlass_builder.application.timers import Timers
from windlass_builder.domain.deployment import Deployment
from windlass_builder.domain.retirement import LookAgain, Pause, StayAsItIs, Stop, next_step
from windlass_builder.domain.routes import Routes
from windlass_contracts.events import ContainerStarted
from windlass_contracts.ids import DeploymentId, ProjectId
from windlass_contracts.lifecycle import Phase
from windlass_eventlog.appender import Appender
from windlass_eventlog.errors import AWAY, ConflictError
from windlass_eventlog.projection import Versioned
from windlass_eventlog.reactor import WakeUp


@dataclass(slots=True)
class Retiring:
    append: Appender
    containers: Containers
    clock: Callable[[], datetime]
    tasks: asyncio.TaskGroup
    _timers: Timers = field(init=False)
    _owed: set[DeploymentId] = field(default_factory=set)
    """What may be called stopped or paused by the log, though the engine was not there to do it."""

    def __post_init__(self) -> None:
        self._timers = Timers(self._next, self.tasks)

    async def resume(self) -> None:
        """Set the timers of all that is about to go."""
        for found in await self.containers.rows.find(DEPLOYMENTS, {"occupied": True}):
            self._timers.watch(found.row.project, DeploymentId(found.key))

    async def handle(self, wake: WakeUp) -> None:
        """Set the timers of what a change of routes left behind, once nothing can take that back.

        A version that had ended when it was replaced may be started again by the engine: it goes like the others.
        """
        routes = await self.containers.rows.get(ROUTES, wake.recorded.project)
        if routes is None:
            return
        started = wake.recorded.key.id if isinstance(wake.recorded.event, ContainerStarted) else None
        for deployment in routes.row.leaving:
            if started in {None, deployment}:
                self._timers.watch(routes.row.project, deployment)

    async def _next(self, project: ProjectId, deployment: DeploymentId) -> timedelta | None:
        """Do what is due, and return how long to wait for the next step; None where there is none."""
        try:
            return await self._decide(project, deployment)
        except (EngineError, *AWAY):
            self._owed.add(deployment)
            return ENGINE_AWAY

    async def _decide(self, project: ProjectId, deployment: DeploymentId) -> timedelta | None:
        try:
            async with self.containers.alone_with(deployment) as found:
                routes = await self.containers.rows.get(ROUTES, project)
                if found is None or routes is None:
                    return None
                await self._make_good(found, routes.row)
                return await self._step(found, routes.row)
        except ConflictError as conflict:
            await self.containers.caught_up(conflict.actual or 0)
            return timedelta(0)

    async def _make_good(self, found: Versioned[Deployment], routes: Routes) -> None:
        deployment = DeploymentId(found.key)
        if deployment in self._owed and deployment not in routes.referenced:
            await self.containers.enforce(found.row)
        self._owed.discard(deployment)

    async def _step(self, found: Versioned[Deployment], routes: Routes) -> timedelta | None:
        if found.row.phase is Phase.LIVE and await self._may_be_taken_back(routes):
            return None
        now, deployment = self.clock(), DeploymentId(found.key)
        journal = Journal.of(self.append, found, Observed(("retire", str(found.key), str(found.sequence))))
        step = next_step(deployment, found.row, routes, now)
        if isinstance(step, Pause):
            step = next_step(deployment, found.row, routes, now, await self.containers.busy(step.containers))
        match step:
            case StayAsItIs():
                return None
            case LookAgain(at=at):
                return at - now
            case Pause(containers=containers):
                await self.containers.pause(journal, containers)
            case Stop():
                why = "retired" if found.row.phase is Phase.LIVE else str(found.row.phase)
                await self.containers.stop(journal, found.row, why)
        return timedelta(0)

    async def _may_be_taken_back(self, routes: Routes) -> bool:
        """Tell whether addresses may yet return to who had them before: whoever has them now did not win so far."""
        holders = await self.containers.rows.get_all(DEPLOYMENTS, routes.aliases.values())
        return any(holder.row.phase is not Phase.LIVE for holder in holders.values())
