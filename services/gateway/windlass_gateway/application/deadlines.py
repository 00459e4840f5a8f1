"""The deadline keeper: ends what its owner abandoned, at the moment its time is over.

What is open, and until when, stands in the rows, also after a restart: it looks through all of them once, then at each
deployment and at each project's routes when an event about them came, and when their deadline passes.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from windlass_contracts.event import Event, published_events
from windlass_contracts.ids import DeploymentId, EventId, derived
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.errors import AWAY, ConflictError
from windlass_eventlog.projection import Versioned
from windlass_eventlog.reactor import Reactor, WakeUp
from windlass_gateway.application.decisions import Signature, append_all
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import DEPLOYMENTS, ROUTES
from windlass_gateway.domain.deadlines import (
    MARGIN,
    awaited,
    awaited_restart,
    awaited_switch,
    decide_failure,
    decide_restart_failure,
    decide_switch_failure,
)
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
    """Watches every deadline of an installation.

    It begins after some `patience`: whoever is waited for may have been away for as long as itself, with the machine.
    """

    def __init__(self, gateway: Gateway, patience: timedelta = MARGIN) -> None:
        self._gateway = gateway
        self._patience = patience
        self._due: dict[AggregateKey, datetime] = {}
        self._touched: set[AggregateKey] = set()
        self._changed = asyncio.Event()
        self.reactor = Reactor(name="deadlines", wakes_on=_changing_deadlines(), handle=self._wake)

    async def _wake(self, wake_up: WakeUp) -> None:
        self._touched.add(wake_up.recorded.key)
        self._changed.set()

    async def run(self) -> None:
        """End what is overdue, and wait for the next deadline or the next change, until cancelled."""
        await asyncio.sleep(self._patience.total_seconds())
        await self._begin()
        while True:
            await self._next()
            for key in self._to_look_at():
                if not await self._tried(self._look_again(key)):
                    self._due[key] = self._gateway.clock() + _RETRY

    async def _begin(self) -> None:
        while True:
            if await self._tried(self.end_overdue()):
                return
            await asyncio.sleep(_RETRY.total_seconds())

    async def _next(self) -> None:
        """Wait until something changed, or the earliest deadline passes."""
        earliest = _earliest(self._due.values())
        seconds = None if earliest is None else (earliest - self._gateway.clock()).total_seconds()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # not wait_for, which may swallow a cancellation
                await self._changed.wait()
        self._changed.clear()

    def _to_look_at(self) -> list[AggregateKey]:
        """Return what has to be looked at, in the same order each time: what happens can then be told again."""
        touched, self._touched = self._touched, set()
        now = self._gateway.clock()
        overdue = {key for key, moment in self._due.items() if moment <= now}
        return sorted(touched | overdue, key=lambda key: key.pattern)

    async def _tried(self, look: Awaitable[object]) -> bool:
        """Look; return whether that was possible."""
        try:
            await look
        except AWAY as error:
            _log.warning("a deadline cannot be kept now", why=str(error), again_after_s=_RETRY.total_seconds())
            return False
        return True

    async def end_overdue(self) -> datetime | None:
        """End everything whose time is over; return when the next one's is.

        Raises:
            LogUnavailableError, LogFullError: the log does not take the end of something.
            RowsUnavailableError, HaltedError: the rows cannot be read.
        """
        for found in await self._gateway.rows.find(DEPLOYMENTS, {"ended": False}):
            row = found.row
            key = AggregateKey.of_deployment(row.team, row.project, DeploymentId(found.key))
            self._note(key, await self._look_at(found))
        for found in await self._gateway.rows.find(DEPLOYMENTS, {"restarting": True}):
            key = AggregateKey.of_deployment(found.row.team, found.row.project, DeploymentId(found.key))
            self._note(key, await self._look_at(found))
        for routes in await self._gateway.rows.find(ROUTES, {"awaiting": True}):
            key = AggregateKey.of_project(routes.row.team, routes.row.project, Aggregate.ROUTES)
            self._note(key, await self._look_at_routes(routes))
        return _earliest(self._due.values())

    async def _look_again(self, key: AggregateKey) -> None:
        if key.aggregate is Aggregate.DEPLOYMENT:
            deployment = await self._gateway.rows.get(DEPLOYMENTS, key.id)
            self._note(key, None if deployment is None else await self._look_at(deployment))
        else:
            routes = await self._gateway.rows.get(ROUTES, key.id)
            self._note(key, None if routes is None else await self._look_at_routes(routes))

    def _note(self, key: AggregateKey, moment: datetime | None) -> None:
        if moment is None:
            self._due.pop(key, None)
        else:
            self._due[key] = moment

    async def _look_at_routes(self, routes: Versioned[Routes]) -> datetime | None:
        return _earliest([await self._look_at_switch(routes, *one) for one in routes.row.requests.items()])

    async def _look_at(self, found: Versioned[Deployment]) -> datetime | None:
        row, now = found.row, self._gateway.clock()
        event = decide_failure(row, now) or decide_restart_failure(row, now)
        if event is None:
            waits = (awaited(row), *(awaited_restart(row, restart) for restart in row.restarts))
            return _earliest(waiting.given_up_at for waiting in waits if waiting is not None)
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
