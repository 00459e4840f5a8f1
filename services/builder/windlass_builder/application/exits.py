"""What the engine says of containers: exits that nobody asked for, and its own restarts, written down as they come."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from windlass_builder.application.containers import Containers
from windlass_builder.application.engine_away import ENGINE_AWAY
from windlass_builder.application.failures import exited
from windlass_builder.application.journal import Journal, Observed
from windlass_builder.application.reconciling import Reconciling
from windlass_builder.application.runtime_errors import EngineError
from windlass_builder.domain.deployment import ContainerState, Deployment
from windlass_builder.domain.workloads import EventsResumed, RunnerEvent, RunnerExited, RunnerRemoved, RunnerStarted
from windlass_contracts.events import ContainerStopped
from windlass_contracts.ids import DeploymentId, ProjectId
from windlass_contracts.lifecycle import Phase
from windlass_eventlog.appender import Appender
from windlass_eventlog.errors import AWAY, ConflictError
from windlass_eventlog.projection import Versioned


@dataclass(slots=True)
class Exits:
    append: Appender
    containers: Containers
    reconciling: Reconciling

    async def follow(self) -> None:
        """Write down what happens, until canceled."""
        async for event in self.containers.runtime.events():
            if isinstance(event, EventsResumed):
                await self._until_done(self.reconciling.run)
                continue
            await self.note(event)
            if isinstance(event, RunnerRemoved):
                # Somebody removed it by hand, or we did: what is still wanted comes back.
                await self._until_done(partial(self._restored, event))

    async def note(self, event: RunnerEvent) -> None:
        """Write down one thing that the engine said, unless the log knows it already."""
        await self._until_done(partial(self._noted, event))

    async def _until_done(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it until it is done: events are not told twice, so that each waits for what is away."""
        while True:
            try:
                if await self._undisputed(work):
                    return
            except (EngineError, *AWAY):
                await asyncio.sleep(ENGINE_AWAY.total_seconds())

    async def _undisputed(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Do it; return whether nobody wrote meanwhile. What they wrote is in the rows then."""
        try:
            await work()
        except ConflictError as conflict:
            await self.containers.caught_up(conflict.actual or 0)
            return False
        return True

    async def _restored(self, event: RunnerEvent) -> None:
        await self.reconciling.restore_wanted(ProjectId(event.project), DeploymentId(event.deployment))

    async def _noted(self, event: RunnerEvent) -> None:
        async with self.containers.alone_with(DeploymentId(event.deployment)) as found:
            if found is not None:
                await self._note(event, found)

    async def _note(self, event: RunnerEvent, found: Versioned[Deployment]) -> None:
        container = found.row.container(event.runner)
        if container is None:
            return
        seen = Observed(("engine", type(event).__name__, event.runner, event.at.isoformat()))
        journal = Journal.of(self.append, found, seen)
        known_to_run = container.state is not ContainerState.STOPPED
        match event:
            case RunnerExited(exit_code=code, out_of_memory=oom) if known_to_run:
                await self._exited(journal, found.row, event.runner, code, oom)
            case RunnerRemoved() if known_to_run:
                await self._stopped(journal, event.runner, "removed")
            case RunnerStarted() if container.state is ContainerState.STOPPED and found.row.phase is Phase.LIVE:
                await self.containers.restarted(journal, found.row, container)

    async def _exited(self, journal: Journal, row: Deployment, name: str, code: int, oom: bool) -> None:  # noqa: FBT001 - the engine's own word
        # The failure first: a crash in between leaves a container to be stopped, never a deployment without an end.
        if row.phase in {Phase.STARTED, Phase.HEALTHY}:
            await journal.add(exited(code, row.config.limits.memory_bytes, out_of_memory=oom))
        await self._stopped(journal, name, "out-of-memory" if oom else "exited", code, oom)

    async def _stopped(
        self,
        journal: Journal,
        name: str,
        why: str,
        code: int | None = None,
        oom: bool = False,  # noqa: FBT001, FBT002 - as above
    ) -> None:
        node = self.containers.node.name
        event = ContainerStopped(node=node, container=name, why=why, exit_code=code, out_of_memory=oom)
        await self.containers.caught_up(await journal.add(event, name))
