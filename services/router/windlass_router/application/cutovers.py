"""A healthy deployment takes its addresses, or steps aside for a later one."""

from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import CutoverStarted, DeploymentLive, DeploymentSuperseded, Failed
from windlass_contracts.events.deployment import Stage
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase
from windlass_eventlog.projection import Versioned
from windlass_eventlog.reactor import WakeUp
from windlass_router.application.projections import DEPLOYMENTS, PLACES
from windlass_router.application.proxy import ProxyError
from windlass_router.application.switching import Switching
from windlass_router.domain.configuration import UnsafeRouteError
from windlass_router.domain.cutover import StepAside, TakeOver, Wait, current_of, decide_cutover
from windlass_router.domain.deployment import Deployment
from windlass_router.domain.routes import Routes


@dataclass(slots=True)
class Cutovers:
    switching: Switching

    async def handle(self, wake: WakeUp) -> None:
        """Do what is due for one deployment."""
        async with self.switching.alone_with(wake.recorded.project):
            found = await self.switching.rows.get(DEPLOYMENTS, wake.recorded.key.id)
            if found is not None and found.row.phase in {Phase.HEALTHY, Phase.CUTOVER}:
                await self._decide(wake.recorded, found)

    async def _decide(self, cause: Recorded[Event], found: Versioned[Deployment]) -> None:
        identity, row = DeploymentId(found.key), found.row
        routes = await self.switching.routes(row.team, row.project)
        place = await self.switching.rows.get(PLACES, row.project)
        latest = current_of(row, routes.row)
        current = None if latest is None else await self.switching.rows.get(DEPLOYMENTS, latest)
        if place is None:
            return
        decision = decide_cutover(identity, row, place.row, routes.row, None if current is None else current.row)
        match decision:
            case Wait():
                return
            case StepAside(latest=by):
                await self._step_aside(cause, found, by)
            case TakeOver():
                await self._take_over(cause, found, routes, decision)
            case _:
                assert_never(decision)

    async def _step_aside(self, cause: Recorded[Event], found: Versioned[Deployment], by: DeploymentId) -> None:
        event: Event
        if found.row.phase is Phase.HEALTHY:
            event = DeploymentSuperseded(by=by)
        else:
            reason = f"Deployment {by} was requested later and went live first; this one took no address from it."
            event = Failed(stage=Stage.ROUTE, code="outrun", reason=reason)
        await self.switching.append.caused(cause, cause.key, event, found.sequence)

    async def _take_over(
        self,
        cause: Recorded[Event],
        found: Versioned[Deployment],
        routes: Versioned[Routes],
        decision: TakeOver,
    ) -> None:
        append, clock = self.switching.append, self.switching.clock
        sequence, began = found.sequence, found.row.cutover_at or clock()
        if found.row.phase is Phase.HEALTHY:
            event = CutoverStarted(containers=decision.containers)
            sequence = await append.caused(cause, cause.key, event, sequence)
        if decision.moves:
            routes = await self.switching.move(
                cause, routes, decision.moves, why="cutover", deployment=DeploymentId(found.key)
            )
        try:
            until = began + timedelta(seconds=found.row.route_within_s)
            generation = await self.switching.confirm(cause, routes, until)
        except (ProxyError, UnsafeRouteError) as error:
            await self.switching.take_back(cause, routes)
            failed = Failed(stage=Stage.ROUTE, code="routes-not-confirmed", reason=str(error)[:1_000])
            await append.caused(cause, cause.key, failed, sequence)
            return
        took = round((clock() - found.row.requested_at) / timedelta(milliseconds=1))
        live = DeploymentLive(generation=generation, duration_ms=max(0, took))
        await append.caused(cause, cause.key, live, sequence)
