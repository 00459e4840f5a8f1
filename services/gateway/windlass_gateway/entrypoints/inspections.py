"""`/api/v1/inspections`: look into a repository before it is deployed."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, status
from pydantic import BaseModel, Field

from windlass_contracts.events import InspectionFailed, SourceInspected
from windlass_contracts.events.deployment import GitSource
from windlass_contracts.ids import InspectionId
from windlass_contracts.source_values import GitRef, SourceFolder
from windlass_gateway.application.inspecting import Inspecting
from windlass_gateway.domain.inspection import InspectionPhase
from windlass_gateway.domain.repository import git_source
from windlass_gateway.entrypoints.accepted import Done
from windlass_gateway.entrypoints.bodies import GitAddress
from windlass_gateway.entrypoints.body import Body
from windlass_gateway.entrypoints.context import ACaller, AContext, AReader

router = APIRouter(prefix="/inspections", tags=["inspections"])


class InspectionBody(Body):
    """A repository to look into."""

    git: GitAddress
    ref: Annotated[
        GitRef | None, Field(description="a branch, a tag, or a whole commit id; else the default branch")
    ] = None
    root: Annotated[SourceFolder | None, Field(description="the folder that would be built")] = None


class InspectionAccepted(Done):
    """The request is durable; `GET` shows the answer once the builder has given it."""

    inspection: InspectionId


class InspectionView(BaseModel):
    """What was asked, and what was found."""

    id: InspectionId
    phase: InspectionPhase
    source: GitSource
    root: str | None
    answer: SourceInspected | None
    failure: InspectionFailed | None


@router.post("", status_code=status.HTTP_202_ACCEPTED)
async def request_inspection(body: InspectionBody, asking: ACaller, shared: AContext) -> InspectionAccepted:
    """Ask what a repository holds and how it would be deployed; nothing of it is run."""
    asked = await Inspecting(shared.gateway).request(asking, git_source(body.git, body.ref), body.root)
    return InspectionAccepted(inspection=asked.inspection, sequence=asked.sequence)


@router.get("/{inspection}")
async def get_inspection(inspection: Annotated[UUID, Path()], finder: AReader) -> InspectionView:
    """Return what was asked, and the answer if there is one yet."""
    found = await finder.inspection(inspection)
    return InspectionView(
        id=InspectionId(found.key),
        phase=found.row.phase,
        source=found.row.source,
        root=found.row.root,
        answer=found.row.answer,
        failure=found.row.failure,
    )
