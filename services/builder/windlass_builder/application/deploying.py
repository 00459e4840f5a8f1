"""The builder's main work: from a request to running containers, resumed where a crash cut it short."""

from dataclasses import dataclass

from windlass_builder.application.building import Building
from windlass_builder.application.containers import Containers
from windlass_builder.application.engine_away import engine_may_be_away
from windlass_builder.application.failures import DEPLOYMENT_ERRORS, failure
from windlass_builder.application.interruption import DeploymentEndedError, unless_ended
from windlass_builder.application.journal import Journal
from windlass_builder.application.pre_deploy import PreDeploy
from windlass_builder.application.queue import BuildQueue, Turn
from windlass_builder.application.skipping import UnchangedError
from windlass_builder.domain.detection import start_command
from windlass_contracts.ids import DeploymentId
from windlass_eventlog.appender import Appender
from windlass_eventlog.reactor import WakeUp


@dataclass(slots=True)
class Deploying:
    """Builds what was requested, each when its turn has come, and starts it."""

    append: Appender
    containers: Containers
    building: Building
    pre_deploy: PreDeploy
    queue: BuildQueue

    async def handle(self, wake: WakeUp) -> None:
        """Take a requested deployment as far as its containers, or to its failure."""
        async with self.queue.turn(DeploymentId(wake.recorded.key.id)) as turn:
            if turn is not None:
                await self._take(turn, wake)

    async def _take(self, turn: Turn, wake: WakeUp) -> None:
        identity = DeploymentId(turn.found.key)
        journal = Journal.of(self.append, turn.found, wake.recorded)
        with self.building.telling(identity) as last_lines:
            try:
                with engine_may_be_away(turn.found.row.attempt):  # each try that gets as far as a build is told
                    await unless_ended(self.containers.rows, identity, self._deploy(journal, turn))
            except DeploymentEndedError:
                return
            except UnchangedError as unchanged:
                await journal.add(unchanged.event())
            except DEPLOYMENT_ERRORS as error:
                await journal.add(failure(error, last_lines()))

    async def _deploy(self, journal: Journal, turn: Turn) -> None:
        row = turn.found.row
        if row.release is None or row.recipe is None:
            release, recipe = await self.building.build(journal, row)
        else:
            release, recipe = row.release, row.recipe
        turn.built()
        await self.pre_deploy.run(journal, row, release)
        async with self.containers.alone_with(DeploymentId(journal.key.id)) as found:
            if found is not None:
                await self.containers.start_all(journal, found.row, release, start_command(recipe))
