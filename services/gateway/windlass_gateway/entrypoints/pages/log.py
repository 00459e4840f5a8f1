"""What the log of a deployment's page is made of: more lines, where something stands, and the whole of it."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from windlass_contracts.logs import LogLine
from windlass_gateway.application.log_reading import SourceLog
from windlass_gateway.entrypoints.deployments import DeploymentRef
from windlass_gateway.entrypoints.pages.log_source import source_log
from windlass_gateway.entrypoints.pages.log_window import Edge, window_around, window_at_edge, window_at_end
from windlass_gateway.entrypoints.pages.terminal import plain
from windlass_gateway.entrypoints.pages.visiting import AVisit, Visit

router = APIRouter(prefix="/deployments/{deployment}/log", include_in_schema=False)

_MOST_FOUND = 10_000
_ERROR = re.compile(
    r"\b(error|exception|traceback|fatal|panic|failed|failure|cannot|could not|not found|denied)\b", re.IGNORECASE
)

ASource = Annotated[str, Query(max_length=128)]
ANumber = Annotated[int | None, Query(ge=0, le=2**40)]


class Found(BaseModel):
    """How many lines of the whole log it is, and the numbers of the first of them."""

    count: int
    lines: list[int]


@router.get("")
async def show_lines(
    deployment: DeploymentRef,
    visit: AVisit,
    source: ASource,
    around: ANumber = None,
    block: ANumber = None,
    edge: Edge = "older",
) -> Response:
    """Show the lines around one, or one more block at an edge; or else the last lines."""
    log = await _log(visit, deployment, source)
    if block is not None:
        window = await window_at_edge(log, block, edge)
    elif around is not None:
        window = await window_around(log, around)
    else:
        window = await window_at_end(log)
    return visit.render("parts/log-window.html", window=window, deployment=deployment, source=source)


@router.get("/search")
async def search(
    deployment: DeploymentRef, visit: AVisit, source: ASource, q: Annotated[str, Query(min_length=1, max_length=200)]
) -> Found:
    """Find a text in all lines, whatever its case, as it is shown."""
    log = await _log(visit, deployment, source)
    return await _found(log, _holding(q.casefold()), _MOST_FOUND)


@router.get("/first-error")
async def first_error(deployment: DeploymentRef, visit: AVisit, source: ASource) -> Found:
    """Find the first line that speaks of an error."""
    number = await (await _log(visit, deployment, source)).first(_speaks_of_error)
    return Found(count=0, lines=[]) if number is None else Found(count=1, lines=[number + 1])


@router.get("/raw")
async def raw(deployment: DeploymentRef, visit: AVisit, source: ASource) -> StreamingResponse:
    """Return all lines as they were written, colours too."""
    log = await _log(visit, deployment, source)
    name = f"{log.log.deployment.hex[:8]}-{log.source}.log"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_texts(log), media_type="text/plain; charset=utf-8", headers=headers)


async def _log(visit: Visit, deployment: str, source: str) -> SourceLog:
    return source_log(visit.gateway.logs, await visit.finder.deployment(deployment), source)


async def _found(log: SourceLog, wanted: Callable[[LogLine], bool], limit: int) -> Found:
    count, numbers = await log.matching(wanted, limit)
    return Found(count=count, lines=[number + 1 for number in numbers])


def _holding(text: str) -> Callable[[LogLine], bool]:
    return lambda line: text in plain(line.text).casefold()


def _speaks_of_error(line: LogLine) -> bool:
    return _ERROR.search(plain(line.text)) is not None


async def _texts(log: SourceLog) -> AsyncGenerator[bytes, None]:
    async with aclosing(log.all()) as lines:
        async for one in lines:
            yield one.line.text.encode() + b"\n"
