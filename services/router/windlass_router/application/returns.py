"""Rollbacks and promotions: addresses go to a deployment that was live before, as soon as it serves again."""

from dataclasses import dataclass
from datetime import timedelta

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import CutoverStarted, RoutesFailed
from windlass_contracts.events.deployment import Stage
from windlass_contracts.ids import EventId, ProjectId
from windlass_contracts.lifecycle import Phase
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.errors import TryAgain
from windlass_eventlog.projection import Versioned
from windlass_eventlog.reactor import WakeUp
from windlass_router.application.projections import DEPLOYMENTS
from windlass_router.application.proxy import ProxyError
from windlass_router.application.switching import Switching
from windlass_router.domain.configuration import UnsafeRouteError
from windlass_router.domain.deployment import Deployment
from windlass_router.domain.routes import Routes, Wanted

_A_MOMENT = timedelta(seconds=1)


@dataclass(slots=True)
class Returns:
    switching: Switching

    async def handle(self, wake: WakeUp) -> None:
        """Do what is due for one project: confirm what moved, and decide what is asked for."""
        cause = wake.recorded
        async with self.switching.alone_with(cause.project):
            routes = await self.switching.routes(cause.team, cause.project)
            if routes.row.unconfirmed is not None:
                await self._confirm(cause, routes)
                return
            if not routes.row.wanted:
                return
            request, wanted = next(iter(routes.row.wanted.items()))
            await self._decide(cause, routes, request, wanted)
            if len(routes.row.wanted) > 1:
                raise TryAgain(timedelta(0), "more is asked for")

    async def _decide(
        self, cause: Recorded[Event], routes: Versioned[Routes], request: EventId, wanted: Wanted
    ) -> None:
        found = await self.switching.rows.get(DEPLOYMENTS, wanted.to)
        pointers = routes.row.of_environment(wanted.environment)
        if found is None or found.row.phase is not Phase.LIVE or not pointers:
            await self._refuse(cause, routes, request, "never-live", f"Deployment {wanted.to} was never live here.")
            return
        until = wanted.asked_at + timedelta(seconds=found.row.ready_within_s)
        left = until - self.switching.clock()
        if not found.row.ready:
            if left > timedelta(0):
                raise TryAgain(min(left, _A_MOMENT), "the deployment that is wanted back does not serve yet")
            reason = (
                f"Deployment {wanted.to} was not healthy again within {found.row.ready_within_s} s; its log says why."
            )
            await self._refuse(cause, routes, request, "not-ready", reason)
            return
        await self._claim(cause, found, request)
        moves = routes.row.moves_to(wanted.to, [pointer.alias for pointer in pointers])
        if not moves:
            await self._refuse(cause, routes, request, "nothing-to-do", "The environment answers with it already.")
            return
        changed = await self.switching.move(cause, routes, moves, why=wanted.why, deployment=wanted.to, request=request)
        await self._confirm(cause, changed)

    async def _claim(self, cause: Recorded[Event], found: Versioned[Deployment], request: EventId) -> None:
        """Keep the target's containers from being paused: whoever pauses them decides behind this."""
        serving = tuple(sorted(name for name, container in found.row.containers.items() if container.serving))
        key = AggregateKey(found.row.team, found.row.project, Aggregate.DEPLOYMENT, found.key)
        await self.switching.append.caused(cause, key, CutoverStarted(containers=serving), found.sequence, str(request))

    async def _confirm(self, cause: Recorded[Event], routes: Versioned[Routes]) -> None:
        change = routes.row.unconfirmed
        if change is None:
            return
        target = None if change.deployment is None else await self.switching.rows.get(DEPLOYMENTS, change.deployment)
        within = timedelta(seconds=30 if target is None else target.row.route_within_s)
        try:
            await self.switching.confirm(cause, routes, change.at + within)
        except (ProxyError, UnsafeRouteError) as error:
            if change.why == "compensation":
                raise TryAgain(_A_MOMENT, str(error)) from error
            await self.switching.take_back(cause, routes)
            if change.request is not None:
                back = await self.switching.routes(routes.row.team, routes.row.project)
                await self._refuse(cause, back, change.request, "routes-not-confirmed", str(error))

    async def _refuse(
        self, cause: Recorded[Event], routes: Versioned[Routes], request: EventId, code: str, reason: str
    ) -> None:
        event = RoutesFailed(request=request, stage=Stage.ROUTE, code=code, reason=reason[:1_000])
        key = AggregateKey.of_project(routes.row.team, ProjectId(routes.key), Aggregate.ROUTES)
        await self.switching.append.caused(cause, key, event, routes.sequence, str(request))
