"""`/api/v1/operations` and `/api/v1/quarantine`: what operators ask services for."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, status
from fastapi import Request as HttpRequest
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from windlass_contracts.subjects import Service
from windlass_eventlog.operations import Answer, Kind, Request
from windlass_gateway.application.operating import Quarantined
from windlass_gateway.entrypoints.audited import acted
from windlass_gateway.entrypoints.body import Body
from windlass_gateway.entrypoints.context import ACaller, AContext
from windlass_gateway.entrypoints.streaming import MEDIA_TYPE, ALines

router = APIRouter(tags=["operations"])

_IS_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}, "description": "one JSON document a line"}
}


def _names_no_volume(kind: Kind) -> Kind:
    if kind is Kind.REMOVE_VOLUME:
        raise ValueError("a volume is removed by DELETE /projects/{slug}/volumes/{name}")
    return kind


class OperationBody(Body):
    """A request for an operation."""

    service: Service
    kind: Annotated[Kind, AfterValidator(_names_no_volume)]
    project: Annotated[str, Field(min_length=1, max_length=100, description="of this project alone")] | None = None


class OperationView(BaseModel):
    """An operation that was asked for."""

    id: UUID
    service: Service
    kind: Kind
    by: str
    at: datetime

    @classmethod
    def of(cls, service: Service, request: Request) -> "OperationView":
        return cls(id=request.id, service=service, kind=request.kind, by=request.by, at=request.at)


class QuarantineBody(Body):
    """A request to let a service pass over an event."""

    service: Service
    sequence: Annotated[int, Field(ge=1, le=2**53, description="where the service stands still")]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]


class QuarantineView(BaseModel):
    """An event that a service passes over."""

    service: Service
    sequence: int
    by: str
    at: datetime
    reason: str | None

    @classmethod
    def of(cls, found: Quarantined) -> "QuarantineView":
        return cls(
            service=found.service,
            sequence=found.sequence,
            by=found.entry.by,
            at=found.entry.at,
            reason=found.reason,
        )


@router.post("/operations", status_code=status.HTTP_202_ACCEPTED)
async def ask(request: HttpRequest, body: OperationBody, asking: ACaller, shared: AContext) -> OperationView:
    """Ask a service for an operation; follow it to learn what becomes of it."""
    asked = await shared.operating.ask(asking, body.service, body.kind, body.project)
    acted(request, f"{body.kind} {body.service}")
    return OperationView.of(body.service, asked)


@router.get("/operations/{service}/{operation}", responses=_IS_STREAM)
async def follow(service: Service, operation: UUID, asking: ACaller, lines: ALines) -> StreamingResponse:
    """Stream what the service says of an operation, until it is done, failed, or the service falls silent."""
    return lines.answer(_lines(lines.shared.operating.follow(asking, service, operation)))


async def _lines(answers: AsyncGenerator[Answer, None]) -> AsyncGenerator[BaseModel, None]:
    async with aclosing(answers):
        async for answer in answers:
            yield answer


@router.post("/quarantine", status_code=status.HTTP_201_CREATED)
async def quarantine(request: HttpRequest, body: QuarantineBody, asking: ACaller, shared: AContext) -> QuarantineView:
    """Let a service pass over the event at which it stands still, for ever."""
    added = await shared.quarantining.add(asking, body.service, body.sequence, body.reason)
    acted(request, f"quarantine {body.service} {body.sequence}")
    return QuarantineView.of(added)


@router.get("/quarantine")
async def list_quarantine(asking: ACaller, shared: AContext) -> list[QuarantineView]:
    """List the events that services pass over."""
    return [QuarantineView.of(one) for one in await shared.quarantining.list(asking)]
