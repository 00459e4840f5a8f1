"""Keeping the routes true to the containers: one that is gone gets no request, one that came back does."""

from dataclasses import dataclass
from datetime import timedelta

from windlass_contracts.lifecycle import Phase
from windlass_eventlog.errors import TryAgain
from windlass_eventlog.projection import Rows
from windlass_eventlog.reactor import WakeUp
from windlass_router.application.projections import DEPLOYMENTS
from windlass_router.application.proxy import ProxyError
from windlass_router.application.publisher import Publisher

_WITHIN = timedelta(seconds=30)


@dataclass(slots=True)
class Serving:
    rows: Rows
    publisher: Publisher

    async def handle(self, wake: WakeUp) -> None:
        """Publish what changed about a live deployment's containers."""
        found = await self.rows.get(DEPLOYMENTS, wake.recorded.key.id)
        if found is None or found.row.phase is not Phase.LIVE:
            return
        try:
            await self.publisher.publish(wake.recorded.sequence, _WITHIN)
        except ProxyError as error:
            raise TryAgain(timedelta(seconds=1), str(error)) from error
