"""Keeping the routes true to the containers: one that is gone gets no request, one that came back does."""

from dataclasses import dataclass
from datetime import timedelta

from windlass_contracts.ids import DeploymentId
from windlass_eventlog.clock import Clock
from windlass_eventlog.errors import TryAgain
from windlass_eventlog.projection import Rows
from windlass_eventlog.reactor import WakeUp
from windlass_router.application.projections import DEPLOYMENTS, ROUTES
from windlass_router.application.proxy import ProxyError
from windlass_router.application.publisher import Publisher
from windlass_router.application.switching import Switching

_WITHIN = timedelta(seconds=30)
_ASK_AGAIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Serving:
    rows: Rows
    publisher: Publisher
    clock: Clock
    switching: Switching

    async def handle(self, wake: WakeUp) -> None:
        """Publish what changed about the containers of a deployment that answers somewhere.

        Raises:
            TryAgain: the proxies do not serve it yet.
        """
        routes = await self.rows.get(ROUTES, wake.recorded.project)
        deployment = DeploymentId(wake.recorded.key.id)
        if routes is None or deployment not in routes.row.awake:
            return
        await self._publish(wake)
        found = await self.rows.get(DEPLOYMENTS, deployment)
        if found is not None and found.row.spare_since > routes.row.applied:
            await self.switching.handle(wake)  # it is said that surplus containers are left out

    async def _publish(self, wake: WakeUp) -> None:
        try:
            await self.publisher.publish(wake.recorded.sequence, self.clock() + _WITHIN)
        except ProxyError as error:
            raise TryAgain(_ASK_AGAIN, str(error)) from error
