"""Commands that run once in a release, beside the app: begun once, found again after a crash, and never run twice.

The log names the container before it exists. Whoever comes back finds it there and waits for it, or reads how it ended;
where it is gone, the command may have run, and is not begun again. The container goes when the log knows the end.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from windlass_builder.application.build_log import BuildLog
from windlass_builder.application.containers import Containers, node_limits
from windlass_builder.application.engine_away import engine_may_be_away
from windlass_builder.application.failures import DEPLOYMENT_ERRORS
from windlass_builder.application.interruption import EndedError, unless
from windlass_builder.application.journal import Journal
from windlass_builder.application.projections import DEPLOYMENTS, RUNS
from windlass_builder.application.runtime_errors import AddressesExhaustedError, RunnerMissingError
from windlass_builder.domain.names import once_name
from windlass_builder.domain.run import Run
from windlass_builder.domain.workloads import Created, Exited, RunnerSpec
from windlass_contracts.events import RunEnded, RunStarted
from windlass_contracts.ids import RunId
from windlass_eventlog.appender import Appender
from windlass_eventlog.clock import Clock
from windlass_eventlog.failpoints import reach
from windlass_eventlog.logs.port import LogStore, RunOutput
from windlass_eventlog.logs.redaction import Redaction
from windlass_eventlog.logs.throttle import Rate
from windlass_eventlog.logs.writer import LogWriter
from windlass_eventlog.projection import Versioned
from windlass_eventlog.reactor import WakeUp
from windlass_eventlog.vault import SecretShreddedError

SOURCE = "run"
"""Of what the command writes."""

_READING = timedelta(seconds=5)
"""How long there is at least to read what a command wrote that ended while no builder was there."""
_UNBOUNDED = Rate(lines_per_s=10**9, burst=10**9)
"""Nothing is left out: what is written may be a dump of a database."""


class NotBegunError(Exception):
    """The command was not begun, and never will be; `code` and the message say why."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(slots=True)
class OneOff:
    append: Appender
    containers: Containers
    terminals: LogStore
    clock: Clock

    async def handle(self, wake: WakeUp) -> None:
        """Carry out what was asked for, as far as nobody did; remove the container of what has ended."""
        run = RunId(wake.recorded.key.id)
        found = await self.containers.rows.get(RUNS, run)
        if found is None:
            return
        with engine_may_be_away():
            if found.row.ended:
                await self.containers.runtime.remove(self._name(run))
                return
            try:
                await unless(self.containers.rows, partial(self._is_over, run), self._carry_out(wake, run, found))
            except EndedError:
                return  # by somebody who canceled it: that wakes up whoever removes the container

    async def _is_over(self, run: RunId) -> bool:
        found = await self.containers.rows.get(RUNS, run)
        return found is not None and found.row.ended

    def _name(self, run: RunId) -> str:
        return once_name(self.containers.node.installation, run)

    async def _carry_out(self, wake: WakeUp, run: RunId, found: Versioned[Run]) -> None:
        sequence, began, key = found.sequence, found.row.started_at, wake.recorded.key
        try:
            if began is None:
                # Looked up first: what cannot be begun is not said to have started.
                spec = await self._specification(wake, run, found.row)
                began = self.clock()
                event = RunStarted(node=self.containers.node.name, container=spec.name)
                sequence = await self.append.caused(wake.recorded, key, event, sequence)
                reach("after_start", "run")
                await self._start(spec)
            else:
                await self._find(wake, run, found.row)
            end = await self._ending(run, found.row, began)
        except NotBegunError as error:
            end = RunEnded(code=error.code, reason=str(error)[:1_000])
        await self.append.caused(wake.recorded, key, end, sequence)

    async def _start(self, spec: RunnerSpec) -> None:
        try:
            await self.containers.run(spec)
        except (*DEPLOYMENT_ERRORS, AddressesExhaustedError) as error:
            raise NotBegunError("not-started", str(error)) from error

    async def _find(self, wake: WakeUp, run: RunId, row: Run) -> None:
        """Look for the container of a command that was begun; one that was only made has not run."""
        if row.node != self.containers.node.name:
            raise NotBegunError("lost", f"The command was begun on the node {row.node}, which is away.")
        known = await self.containers.found(self._name(run))
        if known is None:
            why = "Nobody can say whether the command ran: its container is gone. It is not run again."
            raise NotBegunError("lost", why)
        if isinstance(known.state, Created):
            await self._start(await self._specification(wake, run, row))

    async def _specification(self, wake: WakeUp, run: RunId, row: Run) -> RunnerSpec:
        deployment = await self.containers.rows.get(DEPLOYMENTS, row.deployment)
        if deployment is None or deployment.row.release is None:
            raise NotBegunError("no-release", "The deployment has no release: its build did not end well.")
        try:
            command = await self.containers.vault.reveal(row.command)
        except SecretShreddedError as error:
            raise NotBegunError("expired", "The command line was deleted before anybody read it.") from error
        try:
            variables = await self.containers.variables(deployment.row)
        except SecretShreddedError as error:
            raise NotBegunError("variable-shredded", str(error)) from error
        journal = Journal.of(self.append, deployment, wake.recorded)
        spec = self.containers.specification(journal, deployment.row, deployment.row.release, variables)
        return spec.once(self._name(run), command, node_limits(row.limits))

    async def _ending(self, run: RunId, row: Run, began: datetime) -> RunEnded:
        """Pass on what the command writes until it ends, and return how."""
        output = RunOutput(row.team, run)
        after = await self._read_until(output)
        limit = timedelta(seconds=row.deadline_s)
        left = max(began + limit - self.clock(), _READING if row.started_at is not None else timedelta(0))
        async with LogWriter(self.terminals, output, SOURCE, await self._redaction(row), rate=_UNBOUNDED) as writer:
            try:
                async with asyncio.timeout(left.total_seconds()):
                    told = BuildLog(writer, SOURCE, self.clock)
                    ending = await self.containers.runtime.attend(self._name(run), told, after)
            except TimeoutError:
                return self._ended("timeout", began, f"It took longer than {row.deadline_s} s, and was killed.")
            except RunnerMissingError:
                return self._ended("lost", began, "Its container was removed while it ran.")
        return await self._judged(ending, run, row, began)

    async def _judged(self, ending: Exited, run: RunId, row: Run, began: datetime) -> RunEnded:
        if ending.out_of_memory:
            mebibytes = row.limits.memory_bytes // 2**20
            return self._ended("out-of-memory", began, f"It was killed, for it used more than {mebibytes} MiB.")
        deployment = await self.containers.rows.get(DEPLOYMENTS, row.deployment)
        limit = self.containers.node.may_write(None if deployment is None else deployment.row.config.scratch_bytes)
        if await self.containers.wrote_too_much(self._name(run), ending, limit):
            reason = f"It was killed, for it wrote more than {limit // 2**20} MiB outside of the app's volumes."
            return self._ended("scratch-full", began, reason)
        ended = self._ended("exited", began)
        return ended.model_copy(update={"exit_code": ending.exit_code})

    def _ended(self, code: str, began: datetime, reason: str | None = None) -> RunEnded:
        duration = max(timedelta(0), self.clock() - began)
        return RunEnded(code=code, reason=reason, duration_ms=duration // timedelta(milliseconds=1))

    async def _redaction(self, row: Run) -> Redaction:
        """Return what hides the values of variables; those that are gone meanwhile cannot be found any more."""
        deployment = await self.containers.rows.get(DEPLOYMENTS, row.deployment)
        try:
            values = {} if deployment is None else await self.containers.variables(deployment.row)
        except SecretShreddedError:
            values = {}
        return Redaction(values.values())

    async def _read_until(self, output: RunOutput) -> datetime | None:
        """Return the time of the last line that was passed on by an earlier life of this builder."""
        batch = await self.terminals.last(output, SOURCE)
        return None if batch is None else datetime.fromtimestamp(batch.lines[-1].time_ns // 1_000 / 1_000_000, UTC)
