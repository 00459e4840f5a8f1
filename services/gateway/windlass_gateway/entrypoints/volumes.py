"""`/api/v1/volumes`: the folders of projects that outlive deployments, where they lie and how much is in them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, status
from pydantic import BaseModel, Field

from windlass_contracts.subjects import Service
from windlass_contracts.values import Slug
from windlass_gateway.application.volumes import KeptVolume, Volumes
from windlass_gateway.domain.environments import PRODUCTION
from windlass_gateway.entrypoints.audited import acted
from windlass_gateway.entrypoints.context import ACaller, AContext, AReader
from windlass_gateway.entrypoints.operations import OperationView
from windlass_gateway.entrypoints.projects import ProjectSlug

router = APIRouter(tags=["volumes"])


class VolumeView(BaseModel):
    """A volume as its node said last."""

    project: str
    environment: Annotated[str, Field(description="its name; its id where the project has it no more")]
    name: str
    node: str
    size: Annotated[int, Field(description="in bytes, measured now and then")]
    mounted: Annotated[list[UUID], Field(description="deployments whose containers have it, running or not")]
    at: datetime

    @classmethod
    def of(cls, one: KeptVolume) -> "VolumeView":
        return cls(
            project=one.slug,
            environment=one.environment,
            name=one.name,
            node=one.node,
            size=one.size,
            mounted=list(one.mounted),
            at=one.at,
        )


@router.get("/volumes")
async def list_volumes(
    finder: AReader,
    shared: AContext,
    project: Annotated[str | None, Query(max_length=100, description="of this project alone")] = None,
) -> list[VolumeView]:
    """List the volumes that nodes keep, those that no setting names any more among them."""
    identity = None if project is None else (await finder.project(project)).key
    return [VolumeView.of(one) for one in await Volumes(shared.gateway).all(finder, identity)]


@router.delete("/projects/{slug}/volumes/{name}", status_code=status.HTTP_202_ACCEPTED)
async def remove_volume(
    request: Request,
    slug: ProjectSlug,
    name: Annotated[Slug, Path()],
    asking: ACaller,
    shared: AContext,
    *,
    environment: Slug = PRODUCTION,
) -> OperationView:
    """Delete a volume with all that is in it, for ever; follow the operation to learn whether it was done."""
    asked = await Volumes(shared.gateway).remove(asking, shared.operating, slug, environment, name)
    acted(request, "remove-volume builder")
    return OperationView.of(Service.BUILDER, asked)
