"""API tokens of a team, all in one aggregate. A token itself is shown once and kept nowhere: its digest is."""

from typing import Annotated, ClassVar

from pydantic import Field

from windlass_contracts.event import Event
from windlass_contracts.ids import TokenId
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import Digest, DisplayName, Moment, Token


class ApiTokenCreated(Event):
    """Whoever sends the token may do what it permits, until it expires or is revoked."""

    TYPE: ClassVar = "token.created.v1"
    AGGREGATE: ClassVar = Aggregate.TOKENS
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    token: TokenId
    """Its opaque id, which the log names as the actor of what is done with it."""
    name: DisplayName
    """What it is for."""
    digest: Digest
    """Of the token, which is random and long: nobody finds it by its digest."""
    permissions: Annotated[tuple[Token, ...], Field(min_length=1, max_length=50)]
    """What it permits: `read`, `deploy`, `configure` and others."""
    expires_at: Moment | None = None
    """From when on it is refused; never without one."""


class ApiTokenRevoked(Event):
    """The token is refused from here on."""

    TYPE: ClassVar = "token.revoked.v1"
    AGGREGATE: ClassVar = Aggregate.TOKENS
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    token: TokenId
