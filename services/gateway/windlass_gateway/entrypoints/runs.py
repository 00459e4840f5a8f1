"""`/api/v1/runs`: commands that run once in a release, what they write, and how they end."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, status
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from windlass_contracts.events import RunEnded
from windlass_contracts.ids import DeploymentId, RunId
from windlass_contracts.logs import LogBatch
from windlass_contracts.run_frames import MOST_COLUMNS, MOST_ROWS
from windlass_contracts.run_values import Console
from windlass_contracts.values import Slug
from windlass_gateway.application.access import Permission
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.one_off import Command, OneOff
from windlass_gateway.domain.configuration import ShellCommand
from windlass_gateway.domain.environments import PRODUCTION
from windlass_gateway.entrypoints.accepted import Done
from windlass_gateway.entrypoints.body import Body
from windlass_gateway.entrypoints.context import ACaller, AContext
from windlass_gateway.entrypoints.projects import ProjectSlug
from windlass_gateway.entrypoints.streaming import MEDIA_TYPE, ALines

router = APIRouter(tags=["runs"])

_IS_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}, "description": "one JSON document a line"}
}
ARun = Annotated[UUID, Path()]


class ConsoleBody(Body):
    """Connects a command to whoever asked, by bytes both ways: follow it by `/runs/{run}/frames`, a WebSocket."""

    terminal: Annotated[bool, Field(description="through a terminal, of this size and name")] = False
    rows: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 24
    columns: Annotated[int, Field(ge=1, le=MOST_COLUMNS)] = 80
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9+._-]{1,64}$", description="`TERM`")] = "xterm-256color"
    detached: Annotated[bool, Field(description="goes on while nobody is connected")] = False


class RunBody(Body):
    """A command that is to run once, beside the app."""

    command: Annotated[ShellCommand, Field(description="run by `sh -c`")]
    environment: Annotated[Slug, Field(description="in what is live there")] = PRODUCTION
    deployment: Annotated[
        str | None, Field(max_length=100, description="in this one's release instead; an id or its beginning")
    ] = None
    deadline_s: Annotated[int, Field(ge=1, le=86_400, description="then it is killed")] = 3_600
    console: ConsoleBody | None = None


class RunAccepted(Done):
    """The request is durable; follow the output to learn what becomes of it."""

    run: RunId
    deployment: DeploymentId


class RunLine(BaseModel):
    """A line that the command wrote."""

    line: int
    stream: Literal["out", "err", "note"]
    text: str


class RunEndView(BaseModel):
    """How the command ended: the last document."""

    end: str
    exit_code: int | None
    reason: str | None
    duration_ms: int | None

    @classmethod
    def of(cls, end: RunEnded) -> "RunEndView":
        return cls(end=end.code, exit_code=end.exit_code, reason=end.reason, duration_ms=end.duration_ms)


class RunView(BaseModel):
    """A command: whether somebody can connect to it, and by a terminal; `end` once it has ended."""

    run: RunId
    deployment: DeploymentId
    terminal: bool
    console: bool
    started: bool
    end: RunEndView | None


@router.post("/projects/{slug}/runs", status_code=status.HTTP_202_ACCEPTED)
async def request_run(slug: ProjectSlug, body: RunBody, asking: ACaller, shared: AContext) -> RunAccepted:
    """Ask for a command to run once, with the app's variables, limits, network and volumes."""
    console = None if body.console is None else Console.model_validate(body.console.model_dump())
    command = Command(slug, body.environment, body.command, body.deployment, body.deadline_s, console)
    asked = await OneOff(shared.gateway).request(asking, command)
    return RunAccepted(run=asked.run, deployment=asked.deployment, sequence=asked.sequence)


@router.get("/runs/{run}")
async def show_run(run: ARun, asking: ACaller, shared: AContext) -> RunView:
    """Show a command to whoever asked for it."""
    row, console = await OneOff(shared.gateway).find(asking, run)
    return RunView(
        run=RunId(run),
        deployment=row.deployment,
        terminal=row.terminal,
        console=console is not None or row.terminal,
        started=row.started_at is not None,
        end=None if row.end is None else RunEndView.of(row.end),
    )


@router.get("/runs/{run}/output", responses=_IS_STREAM)
async def follow_run(
    run: ARun,
    asking: ACaller,
    lines: ALines,
    *,
    at_least: Annotated[int, Query(ge=0, le=2**63 - 1, description="the sequence of the request")] = 0,
    after: Annotated[int | None, Query(ge=0, le=2**53, description="a line, to go on behind it")] = None,
) -> StreamingResponse:
    """Stream what the command writes, and at last how it ended; for whoever asked for the command alone."""
    asking.demand(Permission.DEPLOY)
    gateway = lines.shared.gateway
    await gateway.rows.reached(at_least)
    await Finder(gateway.rows, asking.team).run(run, asking.actor)
    return lines.answer(_documents(OneOff(gateway).follow(asking, run, after), after))


@router.post("/runs/{run}/cancel")
async def cancel_run(run: ARun, asking: ACaller, shared: AContext) -> Done:
    """End a command: it is killed."""
    return Done(sequence=await OneOff(shared.gateway).cancel(asking, run))


async def _documents(
    output: AsyncGenerator[LogBatch | RunEnded, None], after: int | None
) -> AsyncGenerator[BaseModel, None]:
    wanted = 0 if after is None else after + 1
    async with aclosing(output):
        async for one in output:
            if isinstance(one, RunEnded):
                yield RunEndView.of(one)
                return
            if one.first > wanted:
                text = f"{one.first - wanted} lines were not read in time, and are gone."
                yield RunLine(line=one.first - 1, stream="note", text=text)
            for number, line in enumerate(one.lines, start=one.first):
                yield RunLine(line=number, stream=line.stream, text=line.text)
            wanted = one.first + len(one.lines)
