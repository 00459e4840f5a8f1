"""Moving addresses: decide, publish, and say that it is done, or take it back.

Everything is resumed from the rows: a deployment whose cutover began, aliases that moved and are not confirmed. One
project's addresses are moved by one at a time.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import AliasesChanged, RoutesApplied
from windlass_contracts.events.routes import AliasMove
from windlass_contracts.ids import DeploymentId, EventId, ProjectId, TeamId
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.appender import Appender
from windlass_eventlog.projection import Rows, Versioned
from windlass_router.application.projections import ROUTES
from windlass_router.application.publisher import Publisher
from windlass_router.domain.routes import Routes, undone

_PATIENCE = timedelta(minutes=1)


@dataclass(slots=True)
class Switching:
    """What cutovers, rollbacks and promotions have in common."""

    append: Appender
    rows: Rows
    publisher: Publisher
    clock: Callable[[], datetime]
    _locks: defaultdict[ProjectId, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    def alone_with(self, project: ProjectId) -> asyncio.Lock:
        return self._locks[project]

    async def routes(self, team: TeamId, project: ProjectId) -> Versioned[Routes]:
        """Return the project's routes; none are routes too."""
        found = await self.rows.get(ROUTES, project)
        return found or Versioned(project, Routes(team=team, project=project), 0)

    async def move(
        self,
        cause: Recorded[Event],
        routes: Versioned[Routes],
        moves: tuple[AliasMove, ...],
        *,
        why: str,
        deployment: DeploymentId,
        request: EventId | None = None,
    ) -> Versioned[Routes]:
        """Append the decision, and return the routes as they are after it."""
        event = AliasesChanged(why=why, deployment=deployment, request=request, moves=moves)
        sequence = await self.append.caused(cause, _key(routes.row), event, routes.sequence, f"{why}:{deployment}")
        return await self._after(sequence, routes)

    async def confirm(self, cause: Recorded[Event], routes: Versioned[Routes], until: datetime) -> int:
        """Publish the last decision and say that it is applied; return the generation.

        Raises:
            ProxyError: the proxies did not confirm it in time.
        """
        change = routes.row.unconfirmed
        if change is None:
            return routes.row.applied
        within = max(until - self.clock(), timedelta(seconds=1))
        generation = await self.publisher.publish(change.sequence, within)
        took = round((self.clock() - change.at) / timedelta(milliseconds=1))
        names = self.publisher.proxy.names
        event = RoutesApplied(generation=generation, proxies=names, duration_ms=max(0, took))
        await self.append.caused(cause, _key(routes.row), event, routes.sequence, str(change.sequence))
        return generation

    async def take_back(self, cause: Recorded[Event], routes: Versioned[Routes]) -> None:
        """Let the aliases of the last decision point where they did before, and publish that as soon as possible."""
        change = routes.row.unconfirmed
        if change is None:
            return
        event = AliasesChanged(why="compensation", deployment=change.deployment, moves=undone(change.moves))
        step = f"compensation:{change.sequence}"
        sequence = await self.append.caused(cause, _key(routes.row), event, routes.sequence, step)
        await self._after(sequence, routes)

    async def _after(self, sequence: int, routes: Versioned[Routes]) -> Versioned[Routes]:
        await self.rows.reached(sequence, _PATIENCE)
        return await self.routes(routes.row.team, routes.row.project)


def _key(routes: Routes) -> AggregateKey:
    return AggregateKey.of_project(routes.team, routes.project, Aggregate.ROUTES)
