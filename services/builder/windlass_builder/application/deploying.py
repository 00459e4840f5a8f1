"""The builder's main work: from a request to running containers, resumed where a crash cut it short."""

import asyncio
from dataclasses import dataclass

from windlass_builder.application.building import Building
from windlass_builder.application.containers import Containers
from windlass_builder.application.engine_away import engine_may_be_away
from windlass_builder.application.failures import DEPLOYMENT_ERRORS, failure
from windlass_builder.application.interruption import DeploymentEndedError, unless_ended
from windlass_builder.application.journal import Journal
from windlass_builder.application.pre_deploy import PreDeploy
from windlass_builder.application.projections import DEPLOYMENTS
from windlass_builder.application.skipping import UnchangedError
from windlass_builder.domain.deployment import Deployment
from windlass_builder.domain.detection import start_command
from windlass_contracts.ids import DeploymentId
from windlass_eventlog.appender import Appender
from windlass_eventlog.reactor import WakeUp


@dataclass(slots=True)
class Deploying:
    """Builds what was requested and starts it; a bounded number of builds at once."""

    append: Appender
    containers: Containers
    building: Building
    pre_deploy: PreDeploy
    slots: asyncio.Semaphore

    async def handle(self, wake: WakeUp) -> None:
        """Take a requested deployment as far as its containers, or to its failure."""
        identity = DeploymentId(wake.recorded.key.id)
        found = await self.containers.rows.get(DEPLOYMENTS, identity)
        if found is None or not self._unfinished(identity, found.row):
            return
        journal = Journal.of(self.append, found, wake.recorded)
        with self.building.telling(identity) as last_lines:
            try:
                with engine_may_be_away():
                    await unless_ended(self.containers.rows, identity, self._deploy(journal, found.row))
            except DeploymentEndedError:
                return
            except UnchangedError as unchanged:
                await journal.add(unchanged.event())
            except DEPLOYMENT_ERRORS as error:
                await journal.add(failure(error, last_lines()))

    def _unfinished(self, identity: DeploymentId, row: Deployment) -> bool:
        """Tell whether some replica was never started; one that ended since is none of ours."""
        if not row.phase.cancelable:
            return False
        known = {container.name for container in row.containers}
        return not known.issuperset(self.containers.names(identity, row))

    async def _deploy(self, journal: Journal, row: Deployment) -> None:
        identity = DeploymentId(journal.key.id)
        if row.release is None or row.recipe is None:
            async with self.slots:
                release, recipe = await self.building.build(journal, row)
        else:
            release, recipe = row.release, row.recipe
        await self.pre_deploy.run(journal, row, release)
        async with self.containers.alone_with(identity) as found:
            if found is not None:
                await self.containers.start_all(journal, found.row, release, start_command(recipe))
