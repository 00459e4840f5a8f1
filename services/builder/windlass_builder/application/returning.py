"""Bringing back what was replaced: a rollback, a promotion or a restoring wants its deployment running again."""

from dataclasses import dataclass

from windlass_builder.application.containers import Containers
from windlass_builder.application.engine_away import engine_may_be_away
from windlass_builder.application.failures import DEPLOYMENT_ERRORS, NotReturnableError, failure
from windlass_builder.application.journal import Journal
from windlass_builder.application.projections import ROUTES
from windlass_builder.domain.deployment import Deployment
from windlass_builder.domain.detection import start_command
from windlass_contracts.event import Event
from windlass_contracts.events import (
    PromotionRequested,
    RestoreRequested,
    RollbackRequested,
    RoutesFailed,
    WeightRequested,
)
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase
from windlass_eventlog.appender import Appender
from windlass_eventlog.projection import Versioned
from windlass_eventlog.reactor import WakeUp

WANT_BACK: frozenset[type[Event]] = frozenset(
    (RollbackRequested, PromotionRequested, RestoreRequested, WeightRequested)
)


@dataclass(slots=True)
class Returning:
    append: Appender
    containers: Containers

    async def handle(self, wake: WakeUp) -> None:
        """Let the wanted deployment run, or say why it cannot."""
        event = wake.recorded.event
        if not isinstance(event, RollbackRequested | PromotionRequested | RestoreRequested | WeightRequested):
            return
        routes = await self.containers.rows.get(ROUTES, wake.recorded.key.id)
        if routes is None or wake.recorded.metadata.id not in routes.row.wanted:
            return
        try:
            with engine_may_be_away():
                async with self.containers.alone_with(event.to) as found:
                    await self._run(wake, event.to, found)
        except DEPLOYMENT_ERRORS as error:
            await self._give_up(wake, routes.sequence, error)

    async def _run(self, wake: WakeUp, to: DeploymentId, found: Versioned[Deployment] | None) -> None:
        if found is None or found.row.phase is not Phase.LIVE or not found.row.release or not found.row.recipe:
            raise NotReturnableError(to)
        journal = Journal.of(self.append, found, wake.recorded)
        await self.containers.keep_up(journal, found.row, found.row.release, start_command(found.row.recipe))

    async def _give_up(self, wake: WakeUp, sequence: int, error: Exception) -> None:
        why = failure(error)
        event = RoutesFailed(request=wake.recorded.metadata.id, stage=why.stage, code=why.code, reason=why.reason)
        await self.append.caused(wake.recorded, wake.recorded.key, event, sequence)
