"""Whether the gateway lives, is ready, and what it sees of the platform."""

import asyncio
from datetime import datetime
from functools import cache
from http import HTTPStatus
from importlib.metadata import version

from fastapi import APIRouter, Response
from pydantic import BaseModel

from windlass_contracts.subjects import Service
from windlass_eventlog.errors import EventLogError
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import ACTIVITIES, activity_key
from windlass_gateway.entrypoints.context import AContext, AReader

PATIENCE_SECONDS = 2.0

probes = APIRouter(tags=["health"])
router = APIRouter(tags=["status"])


class Readiness(BaseModel):
    """Whether the log answers, and how many events the rows are behind it."""

    ready: bool
    head: int | None
    position: int
    lag: int | None
    why: str | None = None


class ServiceView(BaseModel):
    """A service as the log shows it: what it appended last."""

    name: Service
    last_type: str | None
    last_at: datetime | None


class Status(BaseModel):
    """What the gateway sees of the platform."""

    version: str
    installation: str
    domain: str
    http_port: int
    log: Readiness
    services: list[ServiceView]


@cache
def _version() -> str:
    return version("windlass")


async def readiness(gateway: Gateway) -> Readiness:
    """Ask the log for its end, 2 s at most, and compare."""
    position = gateway.rows.position
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = await gateway.log.head()
            await gateway.rows.reached(position)
    except (EventLogError, TimeoutError) as error:
        why = str(error) or f"no answer within {PATIENCE_SECONDS:.0f} s"
        return Readiness(ready=False, head=None, position=position, lag=None, why=why)
    if (halted := gateway.rows.halted) is not None:
        why = f"{halted} {halted.way_out}"
        return Readiness(ready=False, head=head, position=position, lag=max(0, head - position), why=why)
    return Readiness(ready=True, head=head, position=position, lag=max(0, head - position))


@probes.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@probes.get("/readyz")
async def readyz(shared: AContext, response: Response) -> Readiness:
    """Say whether requests can be taken: the log answers, the rows follow."""
    found = await readiness(shared.gateway)
    if not found.ready:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return found


@router.get("/status")
async def status(finder: AReader, shared: AContext) -> Status:
    """Say which version this is, how far the rows are, and what each service did last."""
    services = []
    for service in Service:
        found = await finder.rows.get(ACTIVITIES, activity_key(service))
        services.append(
            ServiceView(
                name=service,
                last_type=None if found is None else found.row.last_type,
                last_at=None if found is None else found.row.last_at,
            )
        )
    return Status(
        version=_version(),
        installation=shared.installation,
        domain=shared.places.domain,
        http_port=shared.places.port,
        log=await readiness(shared.gateway),
        services=services,
    )
