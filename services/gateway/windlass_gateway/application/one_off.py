"""The use cases of commands that run once: ask for one, follow what it writes until its end, cancel it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from windlass_contracts.config import Limits
from windlass_contracts.events import RunEnded, RunRequested
from windlass_contracts.ids import DeploymentId, EventId, RunId
from windlass_contracts.logs import LogBatch
from windlass_contracts.run_values import Console, RunOrder, read_order
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.errors import NotReachedError
from windlass_eventlog.logs.port import Cursor, RunOutput, UnreadableBatchError
from windlass_eventlog.projection import Rows, Versioned
from windlass_eventlog.vault import SecretShreddedError
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import Signature, append_all, decided
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import ROUTES, RUNS
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.refusals import NoConsoleError, NothingToRunInError
from windlass_gateway.domain.run import Run, decide_cancel
from windlass_gateway.domain.writes import Write

_A_WHILE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Command:
    """A command line for `sh -c`, and where it is to run: in a deployment's release, else in what an environment has.

    Without a `deadline_s` it may take an hour; without a `console` it has no input, and its output is told in lines.
    """

    project: str
    environment: str
    line: str
    deployment: str | None = None
    deadline_s: int = 3_600
    console: Console | None = None


@dataclass(frozen=True, slots=True)
class RunAsked:
    """The command that was asked for, the deployment in whose release it runs, and the sequence of the request."""

    run: RunId
    deployment: DeploymentId
    sequence: int


@dataclass(frozen=True, slots=True)
class OneOff:
    """Commands for the releases of projects. What one writes is for whoever asked for it, and for nobody else."""

    gateway: Gateway

    async def request(self, caller: Caller, command: Command) -> RunAsked:
        """Return once the request is durable.

        Raises:
            Refusal: the caller may not deploy, or there is nothing that it could run in.
            EventLogError: the log or the vault did not take it.
        """
        caller.demand(Permission.DEPLOY)
        await self.gateway.rows.reached(self.gateway.own.sequence)
        found = await self._deployment(caller, command)
        run = RunId(self.gateway.fresh_id())
        limits = Limits.model_validate(found.row.config.limits.model_dump())
        order = RunOrder(line=command.line, console=command.console)
        secret = await self.gateway.vault.store(order.stored())  # first the line, then what names it
        event = RunRequested(
            deployment=DeploymentId(found.key),
            command=secret,
            terminal=command.console is not None and command.console.terminal,
            limits=limits,
            deadline_s=command.deadline_s,
        )
        key = AggregateKey.of_run(caller.team, found.row.project, run)
        signature = Signature(caller.actor, EventId(self.gateway.fresh_id()))
        return RunAsked(run, event.deployment, await append_all(self.gateway, [Write(key, event, 0)], signature))

    async def cancel(self, caller: Caller, run: UUID) -> int:
        """End a command; it is killed. Return the sequence of its end.

        Raises:
            Refusal: the caller did not ask for it, or it has ended.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        identity = EventId(self.gateway.fresh_id())

        async def attempt() -> int:
            found = await Finder(self.gateway.rows, caller.team).run(run, caller.actor)
            key = AggregateKey.of_run(found.row.team, found.row.project, RunId(run))
            write = Write(key, decide_cancel(found.row), found.sequence)
            return await append_all(self.gateway, [write], Signature(caller.actor, identity))

        return await decided(self.gateway, attempt)

    async def find(self, caller: Caller, run: UUID) -> tuple[Run, Console | None]:
        """Return a command for whoever asked for it, and its console; of one that has ended nobody knows that any more.

        Raises:
            Refusal: the caller did not ask for it.
            EventLogError: the vault does not answer.
        """
        caller.demand(Permission.DEPLOY)
        row = (await Finder(self.gateway.rows, caller.team).run(run, caller.actor)).row
        try:
            return row, read_order(await self.gateway.vault.reveal(row.command)).console
        except SecretShreddedError:
            return row, None

    async def demand_console(self, caller: Caller, run: UUID) -> None:
        """Let the caller connect to a command that has a console, or has ended.

        Raises:
            Refusal: the caller did not ask for it, or it has none.
            EventLogError: the vault does not answer.
        """
        row, console = await self.find(caller, run)
        if console is None and row.end is None and not row.terminal:
            raise NoConsoleError(run)

    async def follow(self, caller: Caller, run: UUID, after: int | None = None) -> AsyncGenerator[LogBatch | RunEnded]:
        """Yield the lines that the command writes, behind one where one is given, and how it ended at last.

        Raises:
            EventLogError: they cannot be read.
        """
        output = RunOutput(caller.team, RunId(run))
        cursor = None if after is None else Cursor(SOURCE, after)
        ending = asyncio.ensure_future(end_of(self.gateway.rows, run))
        try:
            async with aclosing(_until(ending, self.gateway.terminals.follow(output, cursor))) as batches:
                async for batch in batches:
                    cursor = Cursor(SOURCE, batch.first + len(batch.lines) - 1)
                    yield batch
            end = await ending
            # All that it wrote was stored before its end was written down.
            async with aclosing(self.gateway.terminals.read(output, cursor)) as rest:
                async for batch in rest:
                    yield batch
            yield end
        except UnreadableBatchError:
            # Frames, where a command has a console: it writes no lines, and those who sit before it have all else.
            yield await ending
        finally:
            ending.cancel()
            await asyncio.wait({ending})

    async def _deployment(self, caller: Caller, command: Command) -> Versioned[Deployment]:
        finder = Finder(self.gateway.rows, caller.team)
        project = await finder.project(command.project)
        if command.deployment is not None:
            found = await finder.deployment(command.deployment)
            if found.row.project != project.key:
                raise NothingToRunInError(
                    f"The deployment {command.deployment} is another project's.",
                    next_step=f"`windlass ps {project.row.slug}` lists those of this one.",
                    field="deployment",
                )
        else:
            environment = await finder.environment(project, command.environment)
            routes = await self.gateway.rows.get(ROUTES, project.key)
            alias = None if routes is None else routes.row.alias_of(environment.id)
            if alias is None or alias.current is None:
                raise NothingToRunInError(
                    f"Nothing is live in {environment.name} of {project.row.slug}.",
                    next_step="Deploy it first, or name a deployment that was built with --deployment.",
                    field="environment",
                )
            found = await finder.deployment(str(alias.current))
        if found.row.release is None:
            raise NothingToRunInError(
                "The deployment has no release: it was not built, or its build did not end well.",
                next_step="Name another deployment, or wait until this one is built.",
                field="deployment",
            )
        return found


async def end_of(rows: Rows, run: UUID) -> RunEnded:
    """Return how a command ended, once it has."""
    while True:
        position = rows.position
        found = await rows.get(RUNS, run)
        if found is not None and found.row.end is not None:
            return found.row.end
        try:
            await rows.reached(position + 1, _A_WHILE)
        except NotReachedError:
            continue


SOURCE = "run"
"""What the builder calls the lines of a command."""


async def _until(
    ending: asyncio.Future[RunEnded], batches: AsyncGenerator[LogBatch, None]
) -> AsyncGenerator[LogBatch, None]:
    """Yield the batches until the end is known. One is asked for at a time: who reads slowly is not run over."""
    async with aclosing(batches):
        while True:
            step = asyncio.ensure_future(anext(batches))
            both: set[asyncio.Future[Any]] = {step, ending}
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not step.done():
                    step.cancel()
                    await asyncio.wait({step})
            if step.cancelled():
                return
            yield step.result()
