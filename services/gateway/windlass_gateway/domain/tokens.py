"""API tokens: random, shown once, and known here by their digest alone."""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from hashlib import sha256

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import ApiTokenCreated, ApiTokenRevoked
from windlass_contracts.ids import TeamId, TokenId
from windlass_contracts.values import DisplayName, Moment
from windlass_gateway.domain.refusals import InvalidInputError, TokenNameTakenError, TooManyTokensError

MOST_TOKENS = 200
"""As many may be valid at once in a team."""
_PREFIX = "wl_"
_BYTES = 32
_NAME: TypeAdapter[str] = TypeAdapter(DisplayName)
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


class ApiToken(BaseModel):
    """The row of a token. `digest` is there to be looked up by."""

    model_config = ConfigDict(frozen=True)

    team: TeamId
    name: str
    digest: str
    permissions: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.revoked_at is None and not self.has_expired(now)

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class NamedToken(BaseModel):
    """A token that was not revoked."""

    model_config = ConfigDict(frozen=True)

    name: str
    expires_at: datetime | None


class TokenNames(BaseModel):
    """The tokens of a team that were not revoked. Its row's sequence is the one to expect when they change."""

    model_config = ConfigDict(frozen=True)

    tokens: Mapping[TokenId, NamedToken] = {}

    def valid(self, now: datetime) -> list[NamedToken]:
        return [one for one in self.tokens.values() if one.expires_at is None or one.expires_at > now]


def fresh_token() -> str:
    """Return a new token; its beginning lets scanners for leaked secrets know what it is."""
    return f"{_PREFIX}{secrets.token_urlsafe(_BYTES)}"


def digest_of(token: str) -> str:
    """Return what the log and the rows know a token by."""
    return f"sha256:{sha256(token.encode(errors='surrogatepass')).hexdigest()}"


def evolve(row: ApiToken | None, recorded: Recorded[Event]) -> ApiToken | None:
    """Fold one event into the row of a token."""
    event = recorded.event
    match event:
        case ApiTokenCreated():
            return ApiToken(
                team=recorded.team,
                name=event.name,
                digest=event.digest,
                permissions=event.permissions,
                created_at=recorded.metadata.time,
                created_by=recorded.metadata.actor,
                expires_at=event.expires_at,
            )
        case ApiTokenRevoked() if row is not None and row.revoked_at is None:
            return row.model_copy(update={"revoked_at": recorded.metadata.time})
        case _:
            return row


def evolve_names(row: TokenNames | None, recorded: Recorded[Event]) -> TokenNames | None:
    """Fold one event about any token of a team into the row of their names."""
    event = recorded.event
    before = {} if row is None else row.tokens
    match event:
        case ApiTokenCreated():
            named = NamedToken(name=event.name, expires_at=event.expires_at)
            return TokenNames(tokens={**before, event.token: named})
        case ApiTokenRevoked():
            return TokenNames(tokens={token: named for token, named in before.items() if token != event.token})
        case _:
            return row


def checked_name(written: str) -> str:
    """Return a name that a token may have.

    Raises:
        InvalidInputError: it may not.
    """
    try:
        return _NAME.validate_python(written.strip())
    except ValidationError as error:
        why = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise InvalidInputError(
            f"The name of a token: {why}.", field="name", next_step="Give it a name of 1 to 100 characters on one line."
        ) from None


def checked_end(expires_at: datetime | None, now: datetime) -> datetime | None:
    """Return a moment at which a token may expire.

    Raises:
        InvalidInputError: it has passed, or lies behind the year 2099.
    """
    if expires_at is None:
        return None
    try:
        end = _MOMENT.validate_python(expires_at)
    except ValidationError:
        end = now
    if end <= now:
        raise InvalidInputError(
            "A token expires in the future, with a time zone, and before the year 2100.",
            field="expires_at",
            next_step="Give a later moment, or none: the token is then valid until it is revoked.",
        )
    return end


def decide_creation(names: TokenNames, wanted: ApiTokenCreated, now: datetime) -> ApiTokenCreated:
    """Return the event.

    Raises:
        TokenNameTakenError: a valid token has that name.
        TooManyTokensError: the team has as many as it may.
    """
    valid = names.valid(now)
    if any(one.name == wanted.name for one in valid):
        raise TokenNameTakenError(wanted.name)
    if len(valid) >= MOST_TOKENS:
        raise TooManyTokensError(MOST_TOKENS)
    return wanted


def ordered(permissions: Collection[str]) -> tuple[str, ...]:
    """Return permissions as an event lists them."""
    return tuple(sorted(set(permissions)))
