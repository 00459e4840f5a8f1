"""What follows the end of a deployment: containers of one that did not win are stopped, those of a winner kept up."""

from dataclasses import dataclass

from windlass_builder.application.containers import Containers
from windlass_builder.application.engine_away import engine_may_be_away
from windlass_builder.application.journal import Journal
from windlass_builder.application.projections import ROUTES
from windlass_builder.domain.detection import start_command
from windlass_builder.domain.retirement import ENDED_WITHOUT_WINNING
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase
from windlass_eventlog.appender import Appender
from windlass_eventlog.reactor import WakeUp


@dataclass(slots=True)
class Ending:
    append: Appender
    containers: Containers

    async def stop(self, wake: WakeUp) -> None:
        """Stop what a failed, canceled or superseded deployment left running."""
        with engine_may_be_away():
            await self._stop(wake)

    async def _stop(self, wake: WakeUp) -> None:
        async with self.containers.alone_with(DeploymentId(wake.recorded.key.id)) as found:
            if found is None or found.row.phase not in ENDED_WITHOUT_WINNING:
                return
            routes = await self.containers.rows.get(ROUTES, found.row.project)
            if routes is not None and routes.row.may_be_asked(DeploymentId(found.key)):
                return  # requests still go there: it is retired once the proxies confirmed that they do not any more
            journal = Journal.of(self.append, found, wake.recorded)
            await self.containers.stop(journal, found.row, str(found.row.phase))

    async def keep_running(self, wake: WakeUp) -> None:
        """Leave it to the engine to restart what exits, now that the deployment is live."""
        with engine_may_be_away():
            await self._keep_running(wake)

    async def _keep_running(self, wake: WakeUp) -> None:
        async with self.containers.alone_with(DeploymentId(wake.recorded.key.id)) as found:
            if found is None or found.row.phase is not Phase.LIVE:
                return
            row, identity = found.row, DeploymentId(found.key)
            routes = await self.containers.rows.get(ROUTES, row.project)
            answering = routes is not None and identity in routes.row.referenced
            if answering and row.release and row.recipe:
                # One that ended during the cutover, when no exit was anybody's to mend yet, is started again.
                journal = Journal.of(self.append, found, wake.recorded)
                await self.containers.keep_up(journal, row, row.release, start_command(row.recipe))
