"""The command before the start: run once for each deployment in its release, whoever dies meanwhile.

Its container has a name of its own, is made before the log names it, and started afterwards. Whoever takes the
deployment over finds it there and waits for it, or reads how it ended. It is removed once the log knows the end: after
success here, and after every other end by who stops what the deployment left.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from windlass_builder.application.build_log import BuildLog
from windlass_builder.application.containers import Containers
from windlass_builder.application.interruption import DeploymentEndedError
from windlass_builder.application.journal import Journal
from windlass_builder.application.pre_deploy_errors import (
    PreDeployError,
    PreDeployExitedError,
    PreDeployLostError,
    PreDeployOutOfMemoryError,
    PreDeployOutOfScratchError,
    PreDeployTimedOutError,
)
from windlass_builder.application.projections import DEPLOYMENTS
from windlass_builder.application.runtime_errors import RunnerMissingError
from windlass_builder.domain.deployment import Deployment
from windlass_builder.domain.names import pre_deploy_name
from windlass_builder.domain.workloads import Created, Exited, RunnerSpec
from windlass_contracts.events import PreDeployStarted, PreDeploySucceeded
from windlass_contracts.ids import DeploymentId
from windlass_eventlog.clock import Clock
from windlass_eventlog.failpoints import reach
from windlass_eventlog.logs.port import DeploymentLog, LogStore
from windlass_eventlog.logs.redaction import Redaction
from windlass_eventlog.logs.writer import LogWriter

SOURCE = "pre-deploy"
"""Of its lines in the deployment's log."""

_READING = timedelta(seconds=5)
"""How long there is at least to read what a command wrote that ended while no builder was there."""


@dataclass(slots=True)
class PreDeploy:
    containers: Containers
    logs: LogStore
    clock: Clock

    async def run(self, journal: Journal, row: Deployment, release: str) -> None:
        """Run the command, where there is one and it has not succeeded yet, and write down that it did.

        Raises: PreDeployError, DeploymentEndedError, and what starting a container raises.
        """
        command = row.config.pre_deploy_command
        if command is None:
            return
        await self.containers.caught_up(journal.sequence)  # with the commit, which its build may have found out
        found = await self.containers.rows.get(DEPLOYMENTS, journal.key.id)
        row = row if found is None else found.row
        name = pre_deploy_name(self.containers.node.installation, journal.key.id)
        if row.pre_deploy is None or not row.pre_deploy.succeeded:
            variables = await self.containers.variables(row)
            spec = self.containers.specification(journal, row, release, variables).under(name, command)
            await self._succeed(journal, row, spec, Redaction(variables.values()))
        await self.containers.runtime.remove(name)

    async def _succeed(self, journal: Journal, row: Deployment, spec: RunnerSpec, redaction: Redaction) -> None:
        log = DeploymentLog.of(journal.key)
        after = await self._read_until(log)
        async with LogWriter(self.logs, log, SOURCE, redaction) as writer:
            told = BuildLog(writer, SOURCE, self.clock)
            if row.pre_deploy is None:
                await told.say(f"Before the start: {spec.command}")
            try:
                began = await self._begin(journal, row, spec)
                ending = await self._wait(spec, row, began, told, after)
                await self._judge(ending, spec, row)
            except PreDeployError as error:
                error.log = told.end
                raise
        duration = max(timedelta(0), self.clock() - began)
        event = PreDeploySucceeded(container=spec.name, duration_ms=duration // timedelta(milliseconds=1))
        await journal.add(event)
        reach("after_pre_deploy", "container")

    async def _begin(self, journal: Journal, row: Deployment, spec: RunnerSpec) -> datetime:
        """Let the container run, or find it, and return since when; whoever ends the deployment comes before or after.

        A container that only was created has not run: it is started, anew if variables were rotated since. It is made
        before the log names it: one that is named and not there was removed, and may have run before.
        """
        node, begun = self.containers.node.name, row.pre_deploy
        async with self.containers.alone_with(DeploymentId(journal.key.id)) as found:
            if found is None or found.row.phase.ended:
                raise DeploymentEndedError
            if begun is not None and begun.node != node:
                raise PreDeployLostError(f"The pre-deploy command was begun on the node {begun.node}, which is away")
            began = self.clock() if begun is None else begun.started_at
            if begun is None:
                await self.containers.runtime.create(spec)
                await journal.add(PreDeployStarted(node=node, container=spec.name))
            known = await self.containers.found(spec.name)
            if known is None:
                raise PreDeployLostError("The container of the pre-deploy command was removed")
            if isinstance(known.state, Created):
                await self.containers.run(spec)
            reach("after_start", "pre-deploy")
        return began

    async def _wait(
        self, spec: RunnerSpec, row: Deployment, began: datetime, told: BuildLog, after: datetime | None
    ) -> Exited:
        limit = timedelta(seconds=row.config.deadlines.pre_deploy_s)
        left = max(began + limit - self.clock(), _READING if row.pre_deploy is not None else timedelta(0))
        try:
            async with asyncio.timeout(left.total_seconds()):
                return await self.containers.runtime.attend(spec.name, told, after)
        except TimeoutError as error:
            raise PreDeployTimedOutError(limit) from error
        except RunnerMissingError as error:
            raise PreDeployLostError("The container of the pre-deploy command was removed while it ran") from error

    async def _read_until(self, log: DeploymentLog) -> datetime | None:
        """Return the time of the last line that was kept: what an earlier life of this builder read."""
        batch = await self.logs.last(log, SOURCE)
        if batch is None:
            return None
        return datetime.fromtimestamp(batch.lines[-1].time_ns // 1_000 / 1_000_000, UTC)

    async def _judge(self, ending: Exited, spec: RunnerSpec, row: Deployment) -> None:
        if ending.out_of_memory:
            raise PreDeployOutOfMemoryError(spec.limits.memory, ending.exit_code)
        limit = self.containers.node.may_write(row.config.scratch_bytes)
        if await self.containers.wrote_too_much(spec.name, ending, limit):
            raise PreDeployOutOfScratchError(limit, ending.exit_code)
        if ending.exit_code:
            raise PreDeployExitedError(ending.exit_code)
