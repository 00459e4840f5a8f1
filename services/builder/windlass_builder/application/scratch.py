"""Bounding what containers write outside of their volumes: few file systems have quotas, so the offender is ended.

To measure costs a walk through all that was written, so that it is done when the disk has lost something since the last
time, which is cheap to see, and now and then.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

import structlog

from windlass_builder.application.containers import Containers
from windlass_builder.application.failures import scratch_full
from windlass_builder.application.journal import Journal, Observed
from windlass_builder.application.projections import DEPLOYMENTS
from windlass_builder.application.runtime_errors import EngineError
from windlass_builder.domain.deployment import Container, ContainerState, Deployment
from windlass_builder.domain.workloads import Written
from windlass_contracts.events import ContainerStopped
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase
from windlass_eventlog.appender import Appender
from windlass_eventlog.errors import AWAY, ConflictError
from windlass_eventlog.projection import Versioned

_log = structlog.get_logger(__name__)

WHY = "scratch-full"
_LOOK_S = 1.0
_AT_LEAST_EVERY_S = 30.0
_NOTICED_BYTES = 32 * 2**20
_REST = 20
"""So many times as long as measuring took, nothing is measured: it costs a twentieth of one CPU at most."""


@dataclass(slots=True)
class Scratch:
    """Watches the containers of this node; `free` says how many bytes its disk has left, and is asked every second."""

    append: Appender
    containers: Containers
    free: Callable[[], int]

    async def run(self) -> None:
        """Measure and judge until canceled; one of the builders of a node does."""
        async with self.containers.node.locks.alone("scratch"):
            known, measured, took = self.free(), monotonic(), 0.0
            while True:
                await asyncio.sleep(_LOOK_S)
                left, passed = self.free(), monotonic() - measured
                if passed < took * _REST or (known - left < _NOTICED_BYTES and passed < _AT_LEAST_EVERY_S):
                    known = max(known, left)
                    continue
                known, measured = left, monotonic()
                await self._attempt()
                took = monotonic() - measured

    async def _attempt(self) -> None:
        try:
            await self.look()
        except (EngineError, ConflictError, *AWAY) as error:
            _log.warning("scratch.not_measured", why=str(error))

    async def look(self) -> None:
        """End every container that has written more than it may.

        Raises: EngineError, ConflictError: what is left to do is found again the next time.
        """
        for written in await self.containers.runtime.written():
            await self._judge(written)

    async def _judge(self, written: Written) -> None:
        deployment = DeploymentId(written.deployment)
        found = await self.containers.rows.get(DEPLOYMENTS, deployment)
        if found is None or written.size <= (limit := self.containers.node.may_write(found.row.config.scratch_bytes)):
            return
        if found.row.container(written.runner) is None:
            # A command that runs once: whoever waits for it sees what it wrote, and says so.
            await self.containers.runtime.stop(written.runner, timedelta(0))
            return
        async with self.containers.alone_with(deployment) as current:
            container = None if current is None else current.row.container(written.runner)
            if current is not None and container is not None and container.state is not ContainerState.PAUSED:
                await self._end(current, container, limit)

    async def _end(self, found: Versioned[Deployment], container: Container, limit: int) -> None:
        """Write down why, then remove the container with what it wrote: whoever is missed is started anew, empty."""
        if container.state is ContainerState.RUNNING:
            journal = Journal.of(self.append, found, Observed((WHY, container.name, str(found.sequence))))
            if journal.phase in {Phase.STARTED, Phase.HEALTHY}:
                await journal.add(scratch_full(limit))
            stopped = ContainerStopped(node=container.node, container=container.name, why=WHY)
            await self.containers.caught_up(await journal.add(stopped, container.name))
        await self.containers.runtime.remove(container.name)
