"""Containers of deployments: started, resumed, paused and stopped, each step written down.

What can be undone is written down before it is done (pause, stop: the engine is made to agree, also after a crash);
what gives facts of its own is written down after it (start: the address).
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import assert_never
from uuid import UUID

from windlass_builder.application.failures import VariableShreddedError
from windlass_builder.application.journal import Journal
from windlass_builder.application.node import Node
from windlass_builder.application.projections import DEPLOYMENTS, RUNS
from windlass_builder.application.runtime import Runtime
from windlass_builder.application.runtime_errors import ENDED_MEANWHILE, RunnerConflictError, RunnerMissingError
from windlass_builder.domain import workloads
from windlass_builder.domain.deployment import Container, ContainerState, Deployment
from windlass_builder.domain.names import pre_deploy_name, run_named, runner_name
from windlass_builder.domain.workloads import Mount, Runner, RunnerSpec, Volume
from windlass_contracts.config import Limits
from windlass_contracts.events import ContainerPaused, ContainerResumed, ContainerStarted, ContainerStopped
from windlass_contracts.events.deployment import VariableVersion
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import TRANSITIONS
from windlass_eventlog.errors import ConflictError
from windlass_eventlog.failpoints import reach
from windlass_eventlog.projection import Rows, Versioned
from windlass_eventlog.vault import SecretShreddedError, Vault

_PATIENCE = timedelta(minutes=1)
_KILLED = frozenset({128 + signal.SIGKILL, 128 + signal.SIGTERM})


def node_limits(limits: Limits) -> workloads.Limits:
    """Return the contract's limits as the runtime takes them."""
    return workloads.Limits(memory=limits.memory_bytes, cpus=limits.cpu_millis / 1_000, pids=limits.processes)


@dataclass(slots=True)
class Containers:
    """The containers of this node. Whoever changes a deployment's containers holds its lock."""

    rows: Rows
    runtime: Runtime
    vault: Vault
    node: Node
    head: Callable[[], Awaitable[int]]

    @asynccontextmanager
    async def alone_with(self, deployment: DeploymentId) -> AsyncIterator[Versioned[Deployment] | None]:
        """Give the deployment's row, as fresh as what this node's builders wrote, to one at a time."""
        async with self.node.locks.alone(f"containers of {deployment}"):
            if self.node.shared:  # our own events are in the rows before we let go, but not another builder's
                await self.caught_up(await self.head())
            yield await self.rows.get(DEPLOYMENTS, deployment)

    def names(self, deployment: UUID, row: Deployment) -> tuple[str, ...]:
        """Return the names of the deployment's containers, one for each replica that is wanted."""
        lives = (row.replica_set.life_of(number) for number in range(row.replicas))
        return tuple(self._name(deployment, number, life) for number, life in enumerate(lives))

    def fresh_name(self, deployment: UUID, row: Deployment, number: int) -> str:
        """Return the name of the container that takes the place of all that a replica had so far."""
        return self._name(deployment, number, row.replica_set.last_life_of(number) + 1)

    def _name(self, deployment: UUID, number: int, life: int) -> str:
        return runner_name(self.node.installation, deployment, number + 1, life)

    async def runs_once(self, name: str) -> bool:
        """Tell whether the container is that of a command that runs once, and has not ended."""
        run = run_named(self.node.installation, name)
        if run is None:
            return False
        await self.caught_up(await self.head())  # it may have been asked for just now
        found = await self.rows.get(RUNS, run)
        return found is not None and not found.row.ended

    async def caught_up(self, sequence: int) -> None:
        """Wait until the rows show what was just written: whoever comes next decides from it."""
        await self.rows.reached(sequence, _PATIENCE)

    async def variables(self, row: Deployment) -> dict[str, str]:
        """Return the values that the deployment was requested with.

        Raises:
            VariableShreddedError: a value was deleted since.
        """
        return {variable.name: await self._value(variable) for variable in row.variables}

    async def _value(self, variable: VariableVersion) -> str:
        try:
            return await self.vault.reveal(variable.secret)
        except SecretShreddedError as error:
            raise VariableShreddedError(variable.name, variable.secret) from error

    async def start_all(self, journal: Journal, row: Deployment, release: str, command: str | None) -> None:
        """Let every replica run, whatever state it is in, and be visible in the rows when this returns."""
        common = self.specification(journal, row, release, await self.variables(row))
        for replica, name in enumerate(self.names(journal.key.id, row)):
            await self.start(journal, row, common.under(name, command), replica)
        await self.caught_up(journal.sequence)

    def specification(
        self, journal: Journal, row: Deployment, release: str, variables: Mapping[str, str]
    ) -> RunnerSpec:
        """Return what all containers of a deployment have in common: all but name and command."""
        return RunnerSpec(
            name="",
            project=row.project,
            deployment=journal.key.id,
            release=release,
            command="",
            environment={**variables, **_about(journal, row)},
            port=row.config.port,
            limits=node_limits(row.config.limits),
            mounts=_mounts(row),
        )

    async def start(self, journal: Journal, row: Deployment, spec: RunnerSpec, replica: int) -> None:
        """Let one container of a replica run, whatever state it is in."""
        known = row.container(spec.name)
        if known is not None and known.state is ContainerState.RUNNING:
            return
        began = monotonic()
        try:
            event: ContainerStarted | ContainerResumed
            if known is not None and known.state is ContainerState.PAUSED and await self._resumed(spec.name):
                event = ContainerResumed(node=self.node.name, container=spec.name)
            else:
                event = self._started(await self.run(spec), replica, row.config.limits, began)
            reach("after_start", "container")
            await self._say(journal, event, spec.name)
        except (ConflictError, asyncio.CancelledError):
            # What the log does not know must not run: whoever decides next starts it again if it is still wanted.
            if known is None:
                await self.runtime.remove(spec.name)
            raise

    async def _resumed(self, name: str) -> bool:
        """Let a paused container go on where it stood, in one call to the engine; False where it has to be started."""
        try:
            await self.runtime.resume(name)
        except ENDED_MEANWHILE:
            return False
        return True

    async def _say(self, journal: Journal, event: ContainerStarted | ContainerResumed, name: str) -> None:
        """Write down that a container runs, also when others write about the deployment at the same moment.

        The first replica may be seen healthy before the second one runs.
        """
        while True:
            try:
                await journal.add(event, name)
            except ConflictError as conflict:
                await self.caught_up(conflict.actual or journal.sequence)
                found = await self.rows.get(DEPLOYMENTS, journal.key.id)
                if found is None or (found.row.phase, type(event)) not in TRANSITIONS:
                    raise
                journal.follow(found)
            else:
                return

    async def found(self, name: str) -> Runner | None:
        """Return the runner as it is now, None where there is none."""
        try:
            return await self.runtime.inspect(name)
        except RunnerMissingError:
            return None

    async def wrote_too_much(self, name: str, ending: workloads.Exited, limit: int) -> bool:
        """Tell whether a command that was killed had written more than that outside of its volumes."""
        return ending.exit_code in _KILLED and await self.runtime.written_by(name) > limit

    async def keep_up(self, journal: Journal, row: Deployment, release: str, command: str | None) -> None:
        """Let every replica of a live deployment run, and leave it to the engine to restart what exits."""
        if row.replica_set.missing:
            await self.start_all(journal, row, release, command)
        for name in self.names(journal.key.id, row):
            with suppress(*ENDED_MEANWHILE):
                await self.runtime.keep_running(name)

    async def run(self, spec: RunnerSpec) -> Runner:
        """Let the runner run; one of that name with other settings gives way."""
        try:
            return await self.runtime.start(spec)
        except RunnerConflictError:
            # Names are ours alone: what bears this one is a left-over with other values of the variables.
            await self.runtime.remove(spec.name)
            return await self.runtime.start(spec)

    def _started(self, runner: Runner, replica: int, limits: Limits, began: float) -> ContainerStarted:
        return ContainerStarted(
            node=self.node.name,
            container=runner.name,
            replica=replica,
            address=runner.address.host,
            port=runner.address.port,
            limits=limits,
            runtime=self.node.runtime,
            duration_ms=round((monotonic() - began) * 1_000),
        )

    async def restarted(self, journal: Journal, row: Deployment, container: Container) -> None:
        """Write down that the engine itself started a container again; of one that is gone its own event speaks."""
        runner = await self.found(container.name)
        if runner is None:
            return
        event = self._started(runner, container.replica, row.config.limits, monotonic())
        await self.caught_up(await journal.add(event, f"{container.name}:{runner.restarts}"))

    async def pause(self, journal: Journal, names: tuple[str, ...]) -> None:
        for name in names:
            await journal.add(ContainerPaused(node=self.node.name, container=name), name)
            with suppress(*ENDED_MEANWHILE):
                await self.runtime.pause(name)
            reach("after_pause", "container")
        await self.caught_up(journal.sequence)

    async def busy(self, names: Iterable[str]) -> frozenset[str]:
        """Return those of the containers that have open connections, as far as the node can tell."""
        return frozenset([name for name in names if await self._connections(name)])

    async def _connections(self, name: str) -> int | None:
        try:
            return await self.runtime.open_connections(name)
        except RunnerMissingError:
            return None

    async def stop(self, journal: Journal, row: Deployment, why: str) -> None:
        """Stop all containers of a deployment; they can still be looked at until they are swept away."""
        mine = [container for container in row.containers if container.node == self.node.name]
        for name in (container.name for container in mine if container in row.present):
            await journal.add(ContainerStopped(node=self.node.name, container=name, why=why), name)
        grace = timedelta(seconds=row.config.retirement.grace_s)
        await asyncio.gather(*(self.runtime.stop(container.name, grace) for container in mine))
        for name in (*self.names(journal.key.id, row), *self._fresh_names(journal.key.id, row)):
            if row.container(name) is None:  # whoever started it died before that was written down
                await self.runtime.remove(name)
        if row.config.pre_deploy_command is not None:  # it may have been made, and not be written down yet
            before = pre_deploy_name(self.node.installation, journal.key.id)
            await self.runtime.stop(before, grace)
            await self.runtime.remove(before)
        await self.caught_up(journal.sequence)

    def _fresh_names(self, deployment: UUID, row: Deployment) -> tuple[str, ...]:
        """Return the names of what a restart may have started that was not written down."""
        numbers = range(row.replicas) if row.restarts else ()
        return tuple(self.fresh_name(deployment, row, number) for number in numbers)

    async def enforce(self, row: Deployment) -> None:
        """Have the engine stop and pause what the log says is: it may have been away when that was written down."""
        grace = timedelta(seconds=row.config.retirement.grace_s)
        for container in row.containers:
            if container.node == self.node.name:
                with suppress(*ENDED_MEANWHILE):
                    await self._enforce(container, grace)

    async def _enforce(self, container: Container, grace: timedelta) -> None:
        match container.state:
            case ContainerState.RUNNING:
                return
            case ContainerState.STOPPED:
                await self.runtime.stop(container.name, grace)
            case ContainerState.PAUSED:
                runner = await self.runtime.inspect(container.name)
                if isinstance(runner.state, workloads.Running):
                    await self.runtime.pause(container.name)
            case _:
                assert_never(container.state)


def _mounts(row: Deployment) -> tuple[Mount, ...]:
    return tuple(Mount(Volume(row.project, row.environment, volume.name), volume.path) for volume in row.config.volumes)


def _about(journal: Journal, row: Deployment) -> Mapping[str, str]:
    """What every app is told about itself."""
    return {
        "WINDLASS_DEPLOYMENT": str(journal.key.id),
        "WINDLASS_PROJECT": str(row.project),
        "WINDLASS_ENVIRONMENT": str(row.environment),
        "WINDLASS_COMMIT": row.commit or "",
    }
