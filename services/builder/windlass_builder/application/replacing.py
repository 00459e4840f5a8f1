"""Single containers of a live deployment: fresh ones are started beside old ones, surplus ones are stopped."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from windlass_builder.application.containers import Containers
from windlass_builder.application.failures import NotReturnableError
from windlass_builder.application.journal import Journal
from windlass_builder.application.runtime_errors import RunnerMissingError, RuntimePortError
from windlass_builder.domain.deployment import ContainerState, Deployment
from windlass_builder.domain.detection import start_command
from windlass_contracts.events import ContainerStopped
from windlass_contracts.ids import DeploymentId


@dataclass(slots=True)
class Replacing:
    """Whoever calls it holds the deployment's lock."""

    containers: Containers
    _owed: dict[DeploymentId, frozenset[str]] = field(default_factory=dict)
    """What the log calls stopped, though the engine may not have been there to do it."""

    async def start(self, journal: Journal, row: Deployment, number: int) -> None:
        """Let a fresh container of a replica run beside the one that it has; nothing is left of one that cannot.

        Raises: what `Runtime.start` does, VariableShreddedError, and NotReturnableError for what was never built.
        """
        if not row.release or not row.recipe:
            raise NotReturnableError(DeploymentId(journal.key.id))
        variables = await self.containers.variables(row)
        common = self.containers.specification(journal, row, row.release, variables)
        name = self.containers.fresh_name(journal.key.id, row, number)
        try:
            await self.containers.start(journal, row, common.under(name, start_command(row.recipe)), number)
        except RuntimePortError:
            await self.containers.runtime.remove(name)
            raise
        await self.containers.caught_up(journal.sequence)

    async def stop(self, journal: Journal, row: Deployment, names: Mapping[str, str]) -> None:
        """Stop containers that nobody needs any more, each for the reason that goes with its name."""
        deployment, node = DeploymentId(journal.key.id), self.containers.node.name
        # Before it is said: that may be done, and no answer come.
        self._owed[deployment] = self._owed.get(deployment, frozenset()) | frozenset(names)
        for name, why in names.items():
            await journal.add(ContainerStopped(node=node, container=name, why=why), name)
        await self.containers.caught_up(journal.sequence)
        await self._stop(deployment, row)

    async def make_good(self, deployment: DeploymentId, row: Deployment) -> None:
        """Stop what the engine was not there to stop before, unless it was started again since."""
        owed = self._owed.get(deployment, frozenset())
        again = {one.name for one in row.containers if one.state is not ContainerState.STOPPED}
        if owed:
            self._owed[deployment] = owed - again
            await self._stop(deployment, row)

    async def _stop(self, deployment: DeploymentId, row: Deployment) -> None:
        grace = timedelta(seconds=row.config.retirement.grace_s)
        await asyncio.gather(*(self.containers.runtime.stop(name, grace) for name in self._owed[deployment]))
        del self._owed[deployment]

    async def unused(self, names: Iterable[str]) -> frozenset[str]:
        """Return those of the containers that have no open connections; where the node cannot tell, none."""
        return frozenset([name for name in names if await self._is_unused(name)])

    async def _is_unused(self, name: str) -> bool:
        try:
            return await self.containers.runtime.open_connections(name) == 0
        except RunnerMissingError:
            return True
