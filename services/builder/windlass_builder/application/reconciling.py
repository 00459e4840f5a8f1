"""Making the node agree with the log when the builder starts: whatever happened meanwhile, what should run runs."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from windlass_builder.application.containers import Containers
from windlass_builder.application.engine_away import engine_may_be_away
from windlass_builder.application.failures import DEPLOYMENT_ERRORS, exited
from windlass_builder.application.journal import Journal, Observed
from windlass_builder.application.projections import DEPLOYMENTS, ROUTES
from windlass_builder.application.rebuilding import Rebuilding
from windlass_builder.application.runtime_errors import (
    ENDED_MEANWHILE,
    AddressesExhaustedError,
    EngineError,
    ReleaseMissingError,
    RunnerMissingError,
)
from windlass_builder.domain.deployment import Container, ContainerState, Deployment
from windlass_builder.domain.detection import start_command
from windlass_builder.domain.workloads import Created, Exited, Paused, Restarting, Runner, Running
from windlass_contracts.event import Event
from windlass_contracts.events import AliasesChanged, ContainerStopped, WeightChanged
from windlass_contracts.ids import DeploymentId, ProjectId
from windlass_contracts.lifecycle import Phase
from windlass_eventlog.appender import Appender
from windlass_eventlog.errors import AWAY, ConflictError
from windlass_eventlog.projection import Versioned
from windlass_eventlog.reactor import WakeUp

_log = structlog.get_logger(__name__)

ON_THE_WAY = frozenset({Phase.STARTED, Phase.HEALTHY, Phase.CUTOVER})
EVERY = timedelta(minutes=10)
"""So often the node is compared with the log though no event called for it."""
_UNBORN = frozenset({Phase.REQUESTED, Phase.BUILDING, Phase.BUILT})


def _say_no_more(_deployment: DeploymentId) -> None:
    return


@dataclass(slots=True)
class Reconciling:
    append: Appender
    containers: Containers
    rebuilding: Rebuilding
    _builds_reaped: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Compare every container of the log with the engine's; mend what differs, start what is missing."""
        if not self._builds_reaped:
            # Only those of an earlier life: later on this process has builds of its own.
            await self.containers.runtime.reap_builds()
            self._builds_reaped = True
        runners = await self.containers.runtime.runners()
        for found in await self.containers.rows.find(DEPLOYMENTS, {"occupied": True}):
            await self._decide(DeploymentId(found.key), self._mend)
            if found.row.phase in ON_THE_WAY:
                await self._restore(DeploymentId(found.key))
        for routes in await self.containers.rows.find(ROUTES, {}):
            for deployment in routes.row.referenced:
                await self._restore(deployment)
        for runner in runners:
            await self.reap(runner)

    async def now_and_then(self) -> None:
        """Compare every few minutes, whatever no event told of, until canceled."""
        while True:
            await asyncio.sleep(EVERY.total_seconds())
            try:
                await self.run()
            except (EngineError, RunnerMissingError, ConflictError, *AWAY) as error:
                _log.warning("node.not_compared", reason=str(error))

    async def handle(self, wake: WakeUp) -> None:
        """See to it that what addresses moved to runs: after a compensation it may have been paused meanwhile."""
        for deployment in _moved_to(wake.recorded.event):
            with engine_may_be_away():
                await self.restore_wanted(wake.recorded.project, deployment)

    async def restore_wanted(self, project: ProjectId, deployment: DeploymentId) -> None:
        """Start again what a deployment misses, if it is wanted."""
        if await self.is_wanted(project, deployment):
            await self._restore(deployment)

    async def is_wanted(self, project: ProjectId, deployment: DeploymentId) -> bool:
        """Tell whether an address points at the deployment, somebody asked for it, or it is on its way to addresses."""
        routes = await self.containers.rows.get(ROUTES, project)
        if routes is not None and deployment in routes.row.referenced:
            return True
        found = await self.containers.rows.get(DEPLOYMENTS, deployment)
        return found is not None and found.row.phase in ON_THE_WAY

    async def _decide(self, deployment: DeploymentId, step: Callable[[Versioned[Deployment]], Awaitable[None]]) -> None:
        """Take a step by the deployment's row, and again by the next row where others wrote meanwhile."""
        while True:
            try:
                async with self.containers.alone_with(deployment) as found:
                    if found is not None:
                        await step(found)
            except ConflictError as conflict:
                await self.containers.caught_up(conflict.actual or 0)
            else:
                return

    async def _mend(self, found: Versioned[Deployment]) -> None:
        journal = Journal.of(self.append, found, Observed(("reconcile", str(found.key), str(found.sequence))))
        for container in found.row.present:
            if container.node == self.containers.node.name:
                await self._compare(journal, found.row, container, await self.containers.found(container.name))
        await self.containers.caught_up(journal.sequence)

    async def _compare(self, journal: Journal, row: Deployment, container: Container, runner: Runner | None) -> None:
        if runner is not None and not runner.connected:
            # It runs, but nobody reaches it; and nothing can be started again in a network that is gone.
            await self.containers.runtime.remove(container.name)
            await journal.add(_stopped(container, "cut-off"), container.name)
            return
        match None if runner is None else runner.state:
            case Running() if container.state is ContainerState.PAUSED:
                with suppress(*ENDED_MEANWHILE):
                    await self.containers.runtime.pause(container.name)
            case Paused() if container.state is ContainerState.RUNNING:
                with suppress(*ENDED_MEANWHILE):
                    await self.containers.runtime.resume(container.name)
            case Running() | Paused() | Restarting():
                return
            case Exited(exit_code=code, out_of_memory=oom):
                ended = _stopped(container, _why_ended(journal.phase, container, out_of_memory=oom), code)
                if not ended.from_outside and journal.phase in {Phase.STARTED, Phase.HEALTHY}:
                    await journal.add(exited(code, row.config.limits.memory_bytes, out_of_memory=oom))
                await journal.add(ended, container.name)
            case None | Created():
                await journal.add(_stopped(container, "missing"), container.name)

    async def _restore(self, deployment: DeploymentId) -> None:
        """Start again what is wanted and does not run; what cannot run stands in nobody else's way."""
        try:
            await self._decide(deployment, self._start_missing)
        except (*DEPLOYMENT_ERRORS, AddressesExhaustedError) as error:
            _log.warning("deployment.not_restored", deployment=str(deployment), reason=str(error))
            if isinstance(error, ReleaseMissingError):
                self.rebuilding.soon(deployment, self.restore_wanted)

    async def _start_missing(self, found: Versioned[Deployment]) -> None:
        row = found.row
        if not row.release or not row.recipe:
            return
        journal = Journal.of(self.append, found, Observed(("restore", str(found.key), str(found.sequence))))
        if row.phase is Phase.LIVE:
            # Also where all run: whoever started the last one may have died before it was left to the engine.
            await self.containers.keep_up(journal, row, row.release, start_command(row.recipe))
        elif row.phase in ON_THE_WAY and row.replica_set.missing:
            await self.containers.start_all(journal, row, row.release, start_command(row.recipe))

    async def reap(self, runner: Runner) -> None:
        """Remove a runner that the log does not want."""
        if await self.containers.runs_once(runner.name):
            return
        async with self.containers.alone_with(DeploymentId(runner.deployment)) as found:
            container = None if found is None else found.row.container(runner.name)
            if found is not None and container is None and found.row.phase in _UNBORN:
                return
            if container is None or container.state is ContainerState.STOPPED:
                grace = 0 if found is None else found.row.config.retirement.grace_s
                await self.containers.runtime.stop(runner.name, timedelta(seconds=grace))
                await self.containers.runtime.remove(runner.name)


def _why_ended(phase: Phase, container: Container, *, out_of_memory: bool) -> str:
    """Return why a container stopped that was found ended, and nobody told of it.

    Many an app ends with 0 or 1 when it is told to, by a machine that is shut down in order. So what is on its way is
    started once more, and fails its deployment if it ends again.
    """
    if out_of_memory:
        return "out-of-memory"
    return ContainerStopped.UNSEEN if phase in ON_THE_WAY and container.starts == 1 else "exited"


def _stopped(container: Container, why: str, code: int | None = None) -> ContainerStopped:
    return ContainerStopped(
        node=container.node,
        container=container.name,
        why=why,
        exit_code=code,
        out_of_memory=why == "out-of-memory",
    )


def _moved_to(event: Event) -> frozenset[DeploymentId]:
    """Return what gets requests by a decision that it may not have got before."""
    match event:
        case AliasesChanged(moves=moves):
            return frozenset(move.after for move in moves if move.after is not None)
        case WeightChanged(deployment=deployment, weight=weight) if weight:
            return frozenset({deployment})
        case _:
            return frozenset()
