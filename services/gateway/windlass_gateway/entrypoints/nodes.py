"""`/api/v1/nodes`: what the machines say that builds and apps run on."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from windlass_eventlog.nodes import NodeState
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.nodes import Nodes
from windlass_gateway.application.projections import DEPLOYMENTS
from windlass_gateway.entrypoints.context import AContext, AReader

router = APIRouter(prefix="/nodes", tags=["nodes"])


class PlaceView(BaseModel):
    """A deployment that waits for its build."""

    deployment: UUID
    position: Annotated[int, Field(description="in the queue of the node, from 1, with those of other teams")]
    reason: str


class RefusalView(BaseModel):
    """Why a node begins no builds."""

    code: str
    reason: str


class NodeView(BaseModel):
    """A node; of what is built and waits there, what is the team's own."""

    name: str
    at: datetime
    builders: int
    building: list[UUID]
    builds: Annotated[int, Field(description="how many run, those of other teams among them")]
    waiting: Annotated[int, Field(description="how many wait, those of other teams among them")]
    queue: list[PlaceView]
    refusing: RefusalView | None
    disk_free: int | None
    disk_total: int | None
    memory_free: int | None
    memory_total: int | None
    volumes: Annotated[int, Field(description="bytes in all of them, those of other teams among them")]


@router.get("")
async def list_nodes(finder: AReader, shared: AContext) -> list[NodeView]:
    """List the nodes: what is built there, what waits and why, and what they have left."""
    nodes: Nodes = shared.gateway.nodes
    return [await _view(finder, name, state) for name, state in nodes.states.items()]


async def _view(finder: Finder, name: str, state: NodeState) -> NodeView:
    known = await finder.rows.get_all(DEPLOYMENTS, {*state.building, *(one.deployment for one in state.queue)})
    own = {key for key, found in known.items() if found.row.team == finder.team}
    refusing = state.refusing
    return NodeView(
        name=name,
        at=state.at,
        builders=state.builders,
        building=[one for one in state.building if one in own],
        builds=len(state.building),
        waiting=len(state.queue),
        queue=[
            PlaceView(deployment=one.deployment, position=one.position, reason=one.reason)
            for one in state.queue
            if one.deployment in own
        ],
        refusing=None if refusing is None else RefusalView(code=refusing.code, reason=refusing.reason),
        disk_free=state.disk_free,
        disk_total=state.disk_total,
        memory_free=state.memory_free,
        memory_total=state.memory_total,
        volumes=sum(state.volumes.values()),
    )
