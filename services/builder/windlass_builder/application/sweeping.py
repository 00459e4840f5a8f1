"""Removing stopped containers a while after their end, so that their last lines are read first."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from windlass_builder.application.containers import Containers
from windlass_builder.application.runtime_errors import EngineError, RunnerMissingError
from windlass_builder.domain.deployment import ContainerState
from windlass_builder.domain.workloads import Created, Exited
from windlass_contracts.ids import DeploymentId
from windlass_eventlog.errors import AWAY
from windlass_eventlog.reactor import WakeUp

LAST_LINES = timedelta(seconds=60)


@dataclass(slots=True)
class Sweeping:
    containers: Containers
    tasks: asyncio.TaskGroup

    async def handle(self, wake: WakeUp) -> None:
        """Remember a container that stopped."""
        container = getattr(wake.recorded.event, "container", None)
        if container is not None:
            self.tasks.create_task(self._later(DeploymentId(wake.recorded.key.id), container))

    async def _later(self, deployment: DeploymentId, container: str) -> None:
        while True:
            await asyncio.sleep(LAST_LINES.total_seconds())
            try:
                await self._sweep(deployment, container)
            except (EngineError, *AWAY):
                continue
            return

    async def _sweep(self, deployment: DeploymentId, name: str) -> None:
        async with self.containers.alone_with(deployment) as found:
            container = None if found is None else found.row.container(name)
            if found is None or (container is not None and container.state is not ContainerState.STOPPED):
                return  # one that has a successor is not in the row any more
            try:
                runner = await self.containers.runtime.inspect(name)
            except RunnerMissingError:
                return
            # One that the engine is about to start again is no left-over.
            if isinstance(runner.state, Exited | Created):
                await self.containers.runtime.remove(name)
