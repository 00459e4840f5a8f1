"""Moving addresses: whatever happens in a project, what is due is done step by step until nothing is.

Each step is decided from the rows as they are after the step before. So it makes no difference whether a crash, another
wake-up or an hour lies between two of them.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import RoutesApplied
from windlass_contracts.ids import ProjectId
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.appender import Appender
from windlass_eventlog.clock import Clock
from windlass_eventlog.errors import TryAgain
from windlass_eventlog.projection import Rows
from windlass_eventlog.reactor import WakeUp
from windlass_router.application.ground import Ground, read_ground
from windlass_router.application.proxy import ProxyError, RouteRefusedError
from windlass_router.application.publisher import Publisher, Served
from windlass_router.domain.next_step import next_step
from windlass_router.domain.steps import AppendToDeployment, AppendToRoutes, ConfirmRoutes, Rest, WaitUntil

_AT_LEAST = timedelta(seconds=1)
"""How long a confirmation is waited for after its deadline: nobody may have been there to hear it before."""


@dataclass(slots=True)
class Switching:
    """Takes the steps; one project's are taken by one at a time."""

    append: Appender
    rows: Rows
    publisher: Publisher
    clock: Clock
    _locks: defaultdict[ProjectId, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def handle(self, wake: WakeUp) -> None:
        """Do what is due in the project of the event.

        Raises:
            TryAgain: something will be due at a later moment.
        """
        async with self._locks[wake.recorded.project]:
            await self._settle(wake.recorded)

    async def _settle(self, cause: Recorded[Event]) -> None:
        refusals: dict[int, str] = {}
        while True:
            ground = await read_ground(self.rows, cause.team, cause.project)
            now = self.clock()
            match next_step(ground.situation(now, refusals)):
                case AppendToDeployment(deployment=deployment, event=event):
                    await self._append(cause, *ground.of_deployment(deployment), event)
                case AppendToRoutes(event=event):
                    await self._append(cause, *ground.of_routes, event)
                case ConfirmRoutes() as step:
                    refusals |= await self._confirm(cause, ground, step)
                case WaitUntil(at=at, why=why):
                    raise TryAgain(at - now, why)
                case Rest():
                    return
                case other:
                    assert_never(other)

    async def _append(self, cause: Recorded[Event], key: AggregateKey, after: int, event: Event) -> None:
        sequence = await self.append.caused(cause, key, event, after, str(after))
        await self.rows.reached(sequence)

    async def _confirm(self, cause: Recorded[Event], ground: Ground, step: ConfirmRoutes) -> dict[int, str]:
        """Say that the routes are applied; return why not, where they are not."""
        until = max(step.until, self.clock() + _AT_LEAST)
        try:
            served = await self.publisher.publish(step.sequence, until)
            _check(served, ground)
        except ProxyError as error:
            return {step.sequence: str(error)}
        took = round((self.clock() - step.decided_at) / timedelta(milliseconds=1))
        names = self.publisher.proxy.names
        applied = RoutesApplied(generation=served.generation, proxies=names, duration_ms=max(0, took))
        await self._append(cause, *ground.of_routes, applied)
        return {}


def _check(served: Served, ground: Ground) -> None:
    """Refuse a confirmation that leaves out a route of this project; those of others are not its concern."""
    for deployment in ground.routes.row.awake:
        if deployment in served.refused:
            raise RouteRefusedError(served.refused[deployment])
