"""`/api/v1/audit`: what was refused to whom, and what operators did."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from windlass_contracts.subjects import Service
from windlass_eventlog.audit import Outcome
from windlass_gateway.application.auditing import MOST_AT_ONCE
from windlass_gateway.entrypoints.context import ACaller, AContext

router = APIRouter(tags=["audit"])

_ACTOR = r"^[a-z]+(:[a-z0-9-]{1,64})?$"
_CODE = r"^[a-z0-9-]{1,100}$"


class AuditView(BaseModel):
    """A request that was refused, or an act of an operator that was done."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    at: datetime
    service: Service
    outcome: Outcome
    operation: Annotated[str, Field(description="the method and the template of the path, or the name of the act")]
    code: Annotated[str, Field(description="what it was refused for; `done` where it was not")]
    status: int
    actor: Annotated[str, Field(description="as the log names them, or `anonymous`")]
    network: Annotated[str, Field(description="the first 24 bits of an IPv4 address, the first 48 of an IPv6 one")]
    left_out: Annotated[int, Field(description="refusals before this one that were too many to be kept")]


@router.get("/audit")
async def read_audit(
    asking: ACaller,
    shared: AContext,
    actor: Annotated[str | None, Query(pattern=_ACTOR)] = None,
    code: Annotated[str | None, Query(pattern=_CODE)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = 50,
) -> list[AuditView]:
    """List entries, the newest first."""
    found = await shared.auditing.latest(asking, limit, actor, code)
    return [AuditView.model_validate(one) for one in found]
