"""The use cases of API tokens: create, list, revoke; and whose a token is."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from windlass_contracts.events import ApiTokenCreated, ApiTokenRevoked
from windlass_contracts.ids import EventId, TeamId, TokenId
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Access, Caller, Permission
from windlass_gateway.application.decisions import Signature, append_all, decided
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import API_TOKENS, TOKEN_NAMES
from windlass_gateway.domain.refusals import (
    ForbiddenError,
    InvalidInputError,
    TokenNotFoundError,
    UnauthenticatedError,
)
from windlass_gateway.domain.tokens import (
    ApiToken,
    TokenNames,
    checked_end,
    checked_name,
    decide_creation,
    digest_of,
    fresh_token,
    ordered,
)
from windlass_gateway.domain.writes import Write


@dataclass(frozen=True, slots=True)
class CreatedToken:
    """A new token: `token` itself is known nowhere else, and shown once."""

    id: TokenId
    token: str
    name: str
    permissions: frozenset[Permission]
    expires_at: datetime | None
    sequence: int


@dataclass(frozen=True, slots=True)
class ManagingTokens:
    """Creates, lists and revokes the tokens of the caller's team."""

    gateway: Gateway

    async def create(
        self, caller: Caller, name: str, permissions: Collection[Permission], expires_at: datetime | None = None
    ) -> CreatedToken:
        """Create a token that permits no more than its maker may do.

        Raises:
            Refusal: they may not, or something about it is wrong.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.ADMINISTER)
        _check_permissions(caller, permissions)
        identity, token = TokenId(self.gateway.fresh_id()), fresh_token()
        event = ApiTokenCreated(
            token=identity,
            name=checked_name(name),
            digest=digest_of(token),
            permissions=ordered(permissions),
            expires_at=checked_end(expires_at, self.gateway.clock()),
        )
        signature = Signature(caller.actor, EventId(self.gateway.fresh_id()))

        async def attempt() -> int:
            names, after = await self._names(caller.team)
            decision = decide_creation(names, event, self.gateway.clock())
            return await append_all(self.gateway, [_write(caller.team, decision, after)], signature)

        sequence = await decided(self.gateway, attempt)
        return CreatedToken(identity, token, event.name, frozenset(permissions), event.expires_at, sequence)

    async def list(self, caller: Caller) -> list[Versioned[ApiToken]]:
        """Return the tokens that were not revoked, the latest first; those that have expired are among them.

        Raises:
            ForbiddenError: they may not see them.
        """
        caller.demand(Permission.ADMINISTER)
        found = await self.gateway.rows.find(API_TOKENS, {"team": caller.team})
        return [one for one in found if one.row.revoked_at is None]

    async def revoke(self, caller: Caller, token: UUID) -> int:
        """Revoke a token; once this returns, it is refused. To revoke it again is no mistake.

        Raises:
            ForbiddenError: they may not.
            TokenNotFoundError: the team has no such token.
            EventLogError: the log did not take it; or it did, and the rows do not show it yet.
        """
        caller.demand(Permission.ADMINISTER)
        signature = Signature(caller.actor, EventId(self.gateway.fresh_id()))

        async def attempt() -> int:
            found = await self.gateway.rows.get(API_TOKENS, token)
            if found is None or found.row.team != caller.team:
                raise TokenNotFoundError(str(token))
            if found.row.revoked_at is not None:
                return found.sequence
            _, after = await self._names(caller.team)
            event = ApiTokenRevoked(token=TokenId(token))
            return await append_all(self.gateway, [_write(caller.team, event, after)], signature)

        sequence = await decided(self.gateway, attempt)
        await self.gateway.rows.reached(sequence)
        self.gateway.endings.end(actor_of(token))
        return sequence

    async def _names(self, team: TeamId) -> tuple[TokenNames, int]:
        found = await self.gateway.rows.get(TOKEN_NAMES, team)
        return (TokenNames(), 0) if found is None else (found.row, found.sequence)


@dataclass(frozen=True, slots=True)
class TokenAccess:
    """`Access` by the tokens of the log, and by the one that the installation started with."""

    gateway: Gateway
    installation: Access

    async def caller(self, token: str) -> Caller | None:
        found = await self.installation.caller(token) or await self._find(token)
        if found is None and self.gateway.own.sequence > self.gateway.rows.position:
            await self.gateway.rows.reached(self.gateway.own.sequence)  # it may have been created a moment ago
            return await self._find(token)
        return found

    async def _find(self, token: str) -> Caller | None:
        found = await self.gateway.rows.find(API_TOKENS, {"digest": digest_of(token)}, limit=1)
        if not found:
            return None
        (one,) = found
        if not one.row.is_valid(self.gateway.clock()):
            raise _ended(one.row)
        known = frozenset(permission for permission in Permission if permission in one.row.permissions)
        return Caller(actor_of(one.key), one.row.team, known, one.row.expires_at)


def actor_of(token: UUID) -> str:
    """Return how the log names what is done with a token."""
    return f"token:{token}"


def _ended(token: ApiToken) -> UnauthenticatedError:
    how = "was revoked" if token.revoked_at is not None else "has expired"
    return UnauthenticatedError(
        f"The API token {token.name!r} {how}.",
        field="Authorization",
        next_step="Use another one; `windlass tokens create` makes it.",
    )


def _check_permissions(caller: Caller, permissions: Collection[Permission]) -> None:
    if not permissions:
        raise InvalidInputError(
            "A token permits something.", field="permissions", next_step=f"Give some of {', '.join(Permission)}."
        )
    if missing := set(permissions) - caller.permissions:
        raise ForbiddenError(
            f"A token must not permit more than its maker may do: {', '.join(sorted(missing))}.",
            next_step="Leave that out, or let somebody create it who may do it.",
            field="permissions",
        )


def _write(team: TeamId, event: ApiTokenCreated | ApiTokenRevoked, after: int) -> Write:
    return Write(AggregateKey.of_tokens(team), event, after)
