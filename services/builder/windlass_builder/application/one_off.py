"""Commands that run once in a release, beside the app: begun once, found again after a crash, and never run twice.

The log names the container before it exists. Whoever comes back finds it there and waits for it, or reads how it ended;
where it is gone, the command may have run, and is not begun again. The container goes when the log knows the end.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from pydantic import ValidationError

from windlass_builder.application.attached import ALONE_FOR, AbandonedError, AttachedRun, Wires
from windlass_builder.application.attachment import Attachment
from windlass_builder.application.build_log import BuildLog
from windlass_builder.application.containers import Containers, node_limits
from windlass_builder.application.engine_away import engine_may_be_away
from windlass_builder.application.failures import DEPLOYMENT_ERRORS
from windlass_builder.application.interruption import EndedError, unless
from windlass_builder.application.journal import Journal
from windlass_builder.application.projections import DEPLOYMENTS, RUNS
from windlass_builder.application.runtime_errors import (
    AddressesExhaustedError,
    RunnerMissingError,
    RunnerNotRunningError,
)
from windlass_builder.domain.names import once_name
from windlass_builder.domain.run import Run
from windlass_builder.domain.workloads import Console, Created, Exited, RunnerSpec
from windlass_contracts.events import RunEnded, RunStarted
from windlass_contracts.ids import RunId
from windlass_contracts.run_values import Console as WantedConsole
from windlass_contracts.run_values import RunOrder, read_order
from windlass_eventlog.appender import Appender
from windlass_eventlog.clock import Clock
from windlass_eventlog.failpoints import reach
from windlass_eventlog.frames.port import Frames, into, out_of
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
    frames: Frames
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
        sequence, key = found.sequence, wake.recorded.key
        try:
            order = await self._order(found.row)
            if found.row.started_at is None:
                # Looked up first: what cannot be begun is not said to have started.
                spec = await self._specification(wake, run, found.row, order)
                began = self.clock()
                event = RunStarted(node=self.containers.node.name, container=spec.name)
                sequence = await self.append.caused(wake.recorded, key, event, sequence)
                reach("after_start", "run")
                end = await self._begun(run, found.row, order, spec, began)
            else:
                end = await self._gone_on(wake, run, found.row, order, found.row.started_at)
        except NotBegunError as error:
            end = RunEnded(code=error.code, reason=str(error)[:1_000])
        await self.append.caused(wake.recorded, key, end, sequence)

    async def _order(self, row: Run) -> RunOrder:
        try:
            return read_order(await self.containers.vault.reveal(row.command))
        except SecretShreddedError as error:
            raise NotBegunError("expired", "The command line was deleted before anybody read it.") from error
        except ValidationError as error:
            raise NotBegunError("not-started", "A later release asked for it, in a way unknown to this one.") from error

    async def _begun(self, run: RunId, row: Run, order: RunOrder, spec: RunnerSpec, began: datetime) -> RunEnded:
        """Start it, and return how it ended."""
        if order.console is not None:
            connecting = self.containers.runtime.attached(spec)
            return await self._connected(run, row, order.console, connecting, began)
        await self._start(spec)
        return await self._ending(run, row, began)

    async def _gone_on(self, wake: WakeUp, run: RunId, row: Run, order: RunOrder, began: datetime) -> RunEnded:
        """Look after one that an earlier life began; return how it ended."""
        made_only = await self._find(run, row)
        if made_only:
            spec = await self._specification(wake, run, row, order)
            return await self._begun(run, row, order, spec, began)
        if order.console is None:
            return await self._ending(run, row, began)
        if not order.console.terminal:
            # Bytes passed by while nobody listened: whatever came out or went in now would have a hole in it.
            why = "The builder was started again meanwhile: nobody has all of its output. What still ran was killed."
            raise NotBegunError("lost", why)
        connecting = self.containers.runtime.attached_again(self._name(run))
        return await self._connected(run, row, order.console, connecting, began, again=True)

    async def _start(self, spec: RunnerSpec) -> None:
        try:
            await self.containers.run(spec)
        except (*DEPLOYMENT_ERRORS, AddressesExhaustedError) as error:
            raise NotBegunError("not-started", str(error)) from error

    async def _find(self, run: RunId, row: Run) -> bool:
        """Look for the container of a command that was begun; return whether it was only made, and has not run."""
        if row.node != self.containers.node.name:
            raise NotBegunError("lost", f"The command was begun on the node {row.node}, which is away.")
        known = await self.containers.found(self._name(run))
        if known is None:
            why = "Nobody can say whether the command ran: its container is gone. It is not run again."
            raise NotBegunError("lost", why)
        return isinstance(known.state, Created)

    async def _specification(self, wake: WakeUp, run: RunId, row: Run, order: RunOrder) -> RunnerSpec:
        deployment = await self.containers.rows.get(DEPLOYMENTS, row.deployment)
        if deployment is None or deployment.row.release is None:
            raise NotBegunError("no-release", "The deployment has no release: its build did not end well.")
        try:
            variables = await self.containers.variables(deployment.row)
        except SecretShreddedError as error:
            raise NotBegunError("variable-shredded", str(error)) from error
        journal = Journal.of(self.append, deployment, wake.recorded)
        spec = self.containers.specification(journal, deployment.row, deployment.row.release, variables)
        once = spec.once(self._name(run), order.line, node_limits(row.limits))
        return once if order.console is None else once.on(_console(order.console), order.console.name)

    async def _connected(
        self,
        run: RunId,
        row: Run,
        console: WantedConsole,
        connecting: AbstractAsyncContextManager[Attachment],
        began: datetime,
        *,
        again: bool = False,
    ) -> RunEnded:
        """Let whoever asked for it and the command have each other, and return how it ended."""
        wires = Wires(self.frames, into(row.team, run), out_of(row.team, run))
        try:
            async with asyncio.timeout(self._left(row, began)), connecting as attachment:
                attached = AttachedRun(wires, attachment, console.detached)
                if again:
                    await attached.resume()
                return await self._judged(await attached.until_ended(), run, row, began)
        except TimeoutError:
            return self._late(row, began)
        except AbandonedError:
            why = f"Nobody was there for {ALONE_FOR.total_seconds():.0f} s; it was killed."
            return self._ended("abandoned", began, why)
        except RunnerMissingError:
            return self._ended("lost", began, "Its container was removed while it ran.")
        except RunnerNotRunningError:
            return await self._ended_meanwhile(run, row, began)
        except (*DEPLOYMENT_ERRORS, AddressesExhaustedError) as error:
            raise NotBegunError("not-started", str(error)) from error

    async def _ended_meanwhile(self, run: RunId, row: Run, began: datetime) -> RunEnded:
        known = await self.containers.found(self._name(run))
        if known is None or not isinstance(known.state, Exited):
            return self._ended("lost", began, "Its container was removed while it ran.")
        return await self._judged(known.state, run, row, began)

    def _left(self, row: Run, began: datetime) -> float:
        """Return for how many seconds it may go on."""
        limit = timedelta(seconds=row.deadline_s)
        left = max(began + limit - self.clock(), _READING if row.started_at is not None else timedelta(0))
        return left.total_seconds()

    def _late(self, row: Run, began: datetime) -> RunEnded:
        return self._ended("timeout", began, f"It took longer than {row.deadline_s} s, and was killed.")

    async def _ending(self, run: RunId, row: Run, began: datetime) -> RunEnded:
        """Pass on what the command writes until it ends, and return how."""
        output = RunOutput(row.team, run)
        after = await self._read_until(output)
        async with LogWriter(self.terminals, output, SOURCE, await self._redaction(row), rate=_UNBOUNDED) as writer:
            try:
                async with asyncio.timeout(self._left(row, began)):
                    told = BuildLog(writer, SOURCE, self.clock)
                    ending = await self.containers.runtime.attend(self._name(run), told, after)
            except TimeoutError:
                return self._late(row, began)
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


def _console(wanted: WantedConsole) -> Console:
    return Console(wanted.terminal, wanted.rows, wanted.columns)
