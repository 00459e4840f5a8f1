"""The deadline keeper: ends what its owner abandoned, at the moment its time is over.

It keeps nothing of its own: what is open, and until when, stands in the rows, also after a restart. It looks
whenever an event about a deployment or a project's routes came, and when the earliest deadline passes.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog

from windlass_contracts.event import Event, published_events
from windlass_contracts.ids import DeploymentId, EventId, derived
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.errors import ConflictError, LogFullError, LogUnavailableError, RowsUnavailableError
from windlass_eventlog.projection import Versioned
from windlass_eventlog.reactor import Reactor, WakeUp
from windlass_gateway.application.decisions import Signature, append_all
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import DEPLOYMENTS, ROUTES
from windlass_gateway.domain.deadlines import awaited, awaited_switch, decide_failure, decide_switch_failure
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.routes import Routes, SwitchRequest
from windlass_gateway.domain.writes import Write

_ACTOR = "service:gateway"
_RETRY = timedelta(seconds=5)

_log = structlog.get_logger(__name__)


_WITH_DEADLINES = frozenset({Aggregate.DEPLOYMENT, Aggregate.ROUTES})


def _changing_deadlines() -> frozenset[type[Event]]:
    return frozenset(kind for kind in published_events().values() if kind.AGGREGATE in _WITH_DEADLINES)


class DeadlineKeeper:
    """Watches every deadline of an installation."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._changed = asyncio.Event()
        self.reactor = Reactor(name="deadlines", wakes_on=_changing_deadlines(), handle=self._wake)

    async def _wake(self, _: WakeUp) -> None:
        self._changed.set()

    async def run(self) -> None:
        """End what is overdue, and wait for the next deadline or the next change, until cancelled."""
        while True:
            self._changed.clear()
            next_deadline = await self._end_overdue_or_retry()
            seconds = None if next_deadline is None else (next_deadline - self._gateway.clock()).total_seconds()
            try:
                await asyncio.wait_for(self._changed.wait(), seconds)
            except TimeoutError:
                continue

    async def _end_overdue_or_retry(self) -> datetime | None:
        try:
            return await self.end_overdue()
        except (LogUnavailableError, LogFullError, RowsUnavailableError) as error:
            _log.warning("a deadline cannot be kept now", why=str(error), again_after_s=_RETRY.total_seconds())
            return self._gateway.clock() + _RETRY

    async def end_overdue(self) -> datetime | None:
        """End everything whose time is over; return when the next one's is.

        Raises:
            LogUnavailableError, LogFullError: the log does not take the end of something.
            RowsUnavailableError: the rows cannot be read.
        """
        moments = [await self._look_at(found) for found in await self._open_deployments()]
        for routes in await self._gateway.rows.find(ROUTES, {"awaiting": True}):
            moments += [await self._look_at_switch(routes, *one) for one in routes.row.requests.items()]
        return _earliest(moments)

    async def _open_deployments(self) -> list[Versioned[Deployment]]:
        return await self._gateway.rows.find(DEPLOYMENTS, {"ended": False})

    async def _look_at(self, found: Versioned[Deployment]) -> datetime | None:
        row = found.row
        event = decide_failure(row, self._gateway.clock())
        if event is None:
            waiting = awaited(row)
            return None if waiting is None else waiting.given_up_at
        key = AggregateKey.of_deployment(row.team, row.project, DeploymentId(found.key))
        identity = EventId(derived("event", found.key, event.TYPE, str(found.sequence)))
        return await self._end(Write(key, event, found.sequence), Signature(_ACTOR, identity, row.correlation))

    async def _look_at_switch(
        self, routes: Versioned[Routes], identity: EventId, request: SwitchRequest
    ) -> datetime | None:
        target = await self._gateway.rows.get(DEPLOYMENTS, request.to)
        if target is None:
            return None  # its deployment is not in the rows: nothing says how long it may take
        event = decide_switch_failure(identity, request, target.row, self._gateway.clock())
        if event is None:
            return awaited_switch(request, target.row).given_up_at
        key = AggregateKey.of_project(routes.row.team, routes.row.project, Aggregate.ROUTES)
        signature = Signature(_ACTOR, EventId(derived("event", identity, event.TYPE)), identity)
        return await self._end(Write(key, event, routes.sequence), signature)

    async def _end(self, write: Write, signature: Signature) -> datetime | None:
        """Append the end; return when to look at it again, should something have happened meanwhile."""
        try:
            await append_all(self._gateway, [write], signature)
        except ConflictError:
            _log.info("an answer came at its deadline", about=str(write.key.id))
            return self._gateway.clock() + _RETRY
        _log.warning("a deadline passed", about=str(write.key.id), type=write.event.TYPE)
        return None


def _earliest(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
