"""What is read line by line: a deployment's log, and the events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.ids import DeploymentId, EventId, ProjectId
from windlass_contracts.logs import LogBatch
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import Slug
from windlass_eventlog.log import EventLog
from windlass_eventlog.logs.port import Cursor, DeploymentLog
from windlass_eventlog.seeing import seen
from windlass_gateway.domain.bearings import Queued
from windlass_gateway.domain.refusals import InvalidInputError
from windlass_gateway.entrypoints.context import AReader
from windlass_gateway.entrypoints.deployments import DeploymentRef
from windlass_gateway.entrypoints.event_filter import EventFilter
from windlass_gateway.entrypoints.streaming import MEDIA_TYPE, ALines

router = APIRouter(tags=["streams"])

_IS_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}, "description": "one JSON document a line"}
}


class LogLineView(BaseModel):
    """One line of a build or a container, numbered within its source."""

    source: str
    line: int
    time_ns: int
    stream: str
    text: str


class PlaceView(BaseModel):
    """Where a deployment stands in the queue, from 1, and why it is not built yet."""

    position: int
    reason: str
    sentence: Annotated[str, Field(description="both, for people")]

    @classmethod
    def of(cls, queued: Queued) -> "PlaceView":
        return cls(position=queued.position, reason=queued.reason, sentence=queued.sentence)


class EventView(BaseModel):
    """An event as it stands in the log."""

    sequence: int
    type: str
    time: datetime
    service: Service
    actor: str
    project: ProjectId | None
    aggregate: Aggregate
    about: str
    id: EventId
    correlation: EventId
    causation: EventId | None
    data: dict[str, Any]

    @classmethod
    def of(cls, recorded: Recorded[Event]) -> "EventView":
        meta = recorded.metadata
        return cls(
            sequence=recorded.sequence,
            type=recorded.event.TYPE,
            time=meta.time,
            service=recorded.service,
            actor=meta.actor,
            project=recorded.key.project,
            aggregate=recorded.key.aggregate,
            about=str(recorded.key.id),
            id=meta.id,
            correlation=meta.correlation,
            causation=meta.causation,
            data=recorded.event.model_dump(mode="json"),
        )


@router.get("/deployments/{deployment}/logs", responses=_IS_STREAM)
async def stream_logs(
    deployment: DeploymentRef,
    finder: AReader,
    lines: ALines,
    *,
    follow: Annotated[bool, Query(description="go on with the lines still to come")] = False,
    source: Annotated[str | None, Query(max_length=128, description="the line's source, to go on behind it")] = None,
    line: Annotated[int, Query(ge=0, le=2**53, description="the line's number, to go on behind it")] = 0,
) -> StreamingResponse:
    """Stream the lines of a deployment's builds and containers."""
    found = await finder.deployment(deployment)
    log = DeploymentLog(found.row.team, found.row.project, DeploymentId(found.key))
    cursor = None if source is None else Cursor(source, line)
    store = lines.shared.gateway.logs
    batches = store.follow(log, cursor) if follow else store.read(log, cursor)
    return lines.answer(_lines(batches))


async def _lines(batches: AsyncGenerator[LogBatch, None]) -> AsyncGenerator[LogLineView, None]:
    async with aclosing(batches):
        async for batch in batches:
            for number, line in enumerate(batch.lines, start=batch.first):
                yield LogLineView(
                    source=batch.source, line=number, time_ns=line.time_ns, stream=line.stream, text=line.text
                )


@router.get("/deployments/{deployment}/places", responses=_IS_STREAM)
async def stream_places(deployment: DeploymentRef, finder: AReader, lines: ALines) -> StreamingResponse:
    """Stream where a deployment stands in the queue of builds, now and each time that changes; it does not end."""
    found = await finder.deployment(deployment)
    return lines.answer(_places(lines.shared.gateway.nodes.places(found.key)))


async def _places(places: AsyncGenerator[Queued, None]) -> AsyncGenerator[PlaceView, None]:
    async with aclosing(places):
        async for queued in places:
            yield PlaceView.of(queued)


@router.get("/events", responses=_IS_STREAM)
async def stream_events(
    finder: AReader,
    lines: ALines,
    *,
    after: Annotated[int | None, Query(ge=0, le=2**53, description="a sequence of the log")] = None,
    project: Slug | None = None,
    type: Annotated[list[str] | None, Query(max_length=30, description="with or without version")] = None,  # noqa: A002 - the parameter's public name
    follow: Annotated[bool, Query(description="go on with the events still to come")] = False,
) -> StreamingResponse:
    """Stream events: all up to now; or, to follow, those from `after` or from now on, as they are appended."""
    log = lines.shared.gateway.log
    wanted = await EventFilter.of(finder, project, type)
    head = await log.head()
    start = after if after is not None else (head if follow else 0)
    if start > head:
        raise InvalidInputError(
            f"The log ends at sequence {head}, before {start}.", field="after", next_step="Give a sequence it has."
        )
    return lines.answer(_follow(log, wanted, start) if follow else _up_to(log, wanted, start, head))


async def _follow(log: EventLog, wanted: EventFilter, after: int) -> AsyncGenerator[EventView, None]:
    async with aclosing(seen(log, after, wanted.pattern)) as reading:
        async for one in reading:
            if one.recorded is not None and wanted.holds(one.recorded):
                yield EventView.of(one.recorded)


async def _up_to(log: EventLog, wanted: EventFilter, after: int, head: int) -> AsyncGenerator[EventView, None]:
    """Read everything, for only so is it known when the end is reached."""
    if after == head:
        return
    async with aclosing(seen(log, after)) as reading:
        async for one in reading:
            if one.recorded is not None and wanted.holds(one.recorded):
                yield EventView.of(one.recorded)
            if one.sequence >= head:
                return
