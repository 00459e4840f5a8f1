"""`/api/v1/tokens`: create, list, revoke."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from windlass_contracts.ids import TokenId
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Permission
from windlass_gateway.application.tokens import ManagingTokens
from windlass_gateway.domain.tokens import ApiToken
from windlass_gateway.entrypoints.accepted import Done
from windlass_gateway.entrypoints.context import ACaller, AContext, AtLeast

router = APIRouter(prefix="/tokens", tags=["access"])


class TokenBody(BaseModel):
    """A request for a token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(description="what it is for: 1 to 100 characters on one line")]
    permissions: Annotated[frozenset[Permission], Field(description="no more than the caller's own")]
    expires_at: Annotated[
        AwareDatetime | None, Field(description="from then on it is refused; never, if not given")
    ] = None


class TokenView(BaseModel):
    """A token, without what it is."""

    model_config = ConfigDict(frozen=True)

    id: TokenId
    name: str
    permissions: list[str]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    expired: bool

    @classmethod
    def of(cls, found: Versioned[ApiToken], now: datetime) -> "TokenView":
        row = found.row
        return cls(
            id=TokenId(found.key),
            name=row.name,
            permissions=list(row.permissions),
            created_at=row.created_at,
            created_by=row.created_by,
            expires_at=row.expires_at,
            expired=row.has_expired(now),
        )


class TokenCreated(BaseModel):
    """A new token. `token` is shown here and never again."""

    id: TokenId
    token: str
    name: str
    permissions: list[str]
    expires_at: datetime | None
    sequence: int


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_token(body: TokenBody, asking: ACaller, shared: AContext) -> TokenCreated:
    """Create a token; what it is, is in this answer alone."""
    made = await ManagingTokens(shared.gateway).create(asking, body.name, body.permissions, body.expires_at)
    return TokenCreated(
        id=made.id,
        token=made.token,
        name=made.name,
        permissions=sorted(made.permissions),
        expires_at=made.expires_at,
        sequence=made.sequence,
    )


@router.get("")
async def list_tokens(asking: ACaller, shared: AContext, at_least: AtLeast = 0) -> list[TokenView]:
    """List the tokens that were not revoked."""
    await shared.gateway.rows.reached(at_least)
    now = shared.gateway.clock()
    return [TokenView.of(one, now) for one in await ManagingTokens(shared.gateway).list(asking)]


@router.delete("/{token}")
async def revoke_token(token: UUID, asking: ACaller, shared: AContext) -> Done:
    """Revoke a token: once this is answered, it is refused."""
    return Done(sequence=await ManagingTokens(shared.gateway).revoke(asking, token))
