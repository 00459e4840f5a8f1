"""Keeping the routes true to the containers: one that is gone gets no request, one that came back does."""

from dataclasses import dataclass
from datetime import timedelta

from windlass_contracts.ids import DeploymentId
from windlass_eventlog.clock import Clock
from windlass_eventlog.errors import TryAgain
from windlass_eventlog.projection import Rows
from windlass_eventlog.reactor import WakeUp
from windlass_router.application.projections import ROUTES
from windlass_router.application.proxy import ProxyError
from windlass_router.application.publisher import Publisher

_WITHIN = timedelta(seconds=30)
_ASK_AGAIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Serving:
    rows: Rows
    publisher: Publisher
    clock: Clock

    async def handle(self, wake: WakeUp) -> None:
        """Publish what changed about the containers of a deployment that answers somewhere.

        Raises:
            TryAgain: the proxies do not serve it yet.
        """
        routes = await self.rows.get(ROUTES, wake.recorded.project)
        if routes is None or DeploymentId(wake.recorded.key.id) not in routes.row.awake:
            return
        try:
            await self.publisher.publish(wake.recorded.sequence, self.clock() + _WITHIN)
        except ProxyError as error:
            raise TryAgain(_ASK_AGAIN, str(error)) from error
