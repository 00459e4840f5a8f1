"""Keeping a live deployment's containers as many as are wanted, and as fresh: while people scale and restart it.

What is missing is started; fresh containers take the place of old ones, one at a time; and what is surplus goes once
the proxies confirmed that they send nothing there. The rows say all of it, also after a crash.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from windlass_builder.application.engine_away import ENGINE_AWAY, engine_may_be_away
from windlass_builder.application.failures import DEPLOYMENT_ERRORS, failure
from windlass_builder.application.journal import Journal, Observed
from windlass_builder.application.projections import DEPLOYMENTS, ROUTES
from windlass_builder.application.reconciling import Reconciling
from windlass_builder.application.replacing import Replacing
from windlass_builder.application.runtime_errors import AddressesExhaustedError, EngineError
from windlass_builder.application.timers import Timers
from windlass_builder.domain import restart, surplus
from windlass_builder.domain.deployment import Deployment
from windlass_builder.domain.restart import EndRestart, StartFresh
from windlass_builder.domain.retirement import LookAgain
from windlass_builder.domain.routes import Routes
from windlass_builder.domain.surplus import StopSurplus
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    ContainerStarted,
    ContainerStopped,
    DeploymentScaled,
    Healthy,
    RestartFailed,
    RestartRequested,
    RestartSucceeded,
    RoutesApplied,
    Unhealthy,
)
from windlass_contracts.ids import DeploymentId, ProjectId
from windlass_contracts.lifecycle import Phase
from windlass_contracts.subjects import Aggregate
from windlass_eventlog.errors import AWAY, ConflictError
from windlass_eventlog.projection import Versioned
from windlass_eventlog.reactor import WakeUp

CHANGING: frozenset[type[Event]] = frozenset(
    {
        AliasesChanged,
        ContainerStarted,
        ContainerStopped,
        DeploymentScaled,
        Healthy,
        RestartFailed,
        RestartRequested,
        RestartSucceeded,
        RoutesApplied,
        Unhealthy,
    }
)
_MAY_LACK_SOMETHING: frozenset[type[Event]] = frozenset({DeploymentScaled, RestartFailed, RestartSucceeded})


@dataclass(slots=True)
class Scaling:
    reconciling: Reconciling
    tasks: asyncio.TaskGroup
    replacing: Replacing = field(init=False)
    _timers: Timers = field(init=False)

    def __post_init__(self) -> None:
        self.replacing = Replacing(self.reconciling.containers)
        self._timers = Timers(self._next, self.tasks)

    async def resume(self) -> None:
        """Go on with what an earlier life of this process left behind."""
        for found in await self.replacing.containers.rows.find(DEPLOYMENTS, {"changing": True}):
            self._timers.watch(found.row.project, DeploymentId(found.key))

    async def handle(self, wake: WakeUp) -> None:
        """Start what is missing, and do what is due about everything that the event may concern."""
        project, event = wake.recorded.project, wake.recorded.event
        if type(event) in _MAY_LACK_SOMETHING:
            with engine_may_be_away():
                await self.reconciling.restore_wanted(project, DeploymentId(wake.recorded.key.id))
        concerned = await self._concerned(wake)
        found = await self.replacing.containers.rows.get_all(DEPLOYMENTS, concerned)
        for deployment, one in found.items():
            if one.row.changing:
                self._timers.watch(project, DeploymentId(deployment))

    async def _concerned(self, wake: WakeUp) -> frozenset[DeploymentId]:
        if wake.recorded.key.aggregate is Aggregate.DEPLOYMENT:
            return frozenset({DeploymentId(wake.recorded.key.id)})
        if isinstance(wake.recorded.event, AliasesChanged):
            return frozenset(move.before for move in wake.recorded.event.moves if move.before is not None)
        routes = await self.replacing.containers.rows.get(ROUTES, wake.recorded.project)
        return frozenset() if routes is None else routes.row.referenced

    async def _next(self, project: ProjectId, deployment: DeploymentId) -> timedelta | None:
        try:
            return await self._decide(project, deployment)
        except (EngineError, *AWAY):
            return ENGINE_AWAY

    async def _decide(self, project: ProjectId, deployment: DeploymentId) -> timedelta | None:
        try:
            async with self.replacing.containers.alone_with(deployment) as found:
                routes = await self.replacing.containers.rows.get(ROUTES, project)
                if found is None or routes is None or found.row.phase is not Phase.LIVE:
                    return None
                await self.replacing.make_good(deployment, found.row)
                return await self._step(found, routes.row)
        except ConflictError as conflict:
            await self.replacing.containers.caught_up(conflict.actual or 0)
            return timedelta(0)

    async def _step(self, found: Versioned[Deployment], routes: Routes) -> timedelta | None:
        """Do the first thing that is due, and return how long to wait for the next one."""
        row, append = found.row, self.reconciling.append
        now, answering = append.clock(), DeploymentId(found.key) in routes.referenced
        journal = Journal.of(append, found, Observed(("replicas", str(found.key), str(found.sequence))))
        looks = list[datetime]()
        if answering:  # else the whole version goes, in its own time
            unused = await self.replacing.unused(surplus.about_to_go(row, routes, now))
            match surplus.next_step(row, routes, now, unused):
                case StopSurplus(containers=containers):
                    await self.replacing.stop(journal, row, containers)
                    return timedelta(0)
                case LookAgain(at=at):
                    looks.append(at)
        match restart.next_step(row, now, answering=answering):
            case StartFresh() as step:
                await self._start(journal, row, step)
                return timedelta(0)
            case EndRestart(event=event):
                await self.replacing.containers.caught_up(await journal.add(event, str(event.request)))
                return timedelta(0)
            case LookAgain(at=at):
                looks.append(at)
        return max(min(looks) - now, timedelta(0)) if looks else None

    async def _start(self, journal: Journal, row: Deployment, step: StartFresh) -> None:
        """Start a fresh container; where it cannot be, the restart ends."""
        try:
            await self.replacing.start(journal, row, step.number)
        except (*DEPLOYMENT_ERRORS, AddressesExhaustedError) as error:
            code = "addresses-exhausted" if isinstance(error, AddressesExhaustedError) else failure(error).code
            event = restart.failed(row, step.restart, code, str(error))
            await self.replacing.containers.caught_up(await journal.add(event, str(event.request)))
