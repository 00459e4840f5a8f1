"""One-time links to sign in with: what they carry is random, and only its digest is kept."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from windlass_contracts.ids import TeamId

LIFETIME = timedelta(minutes=15)
_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignInLink:
    """Whom it signs in, into which team, and until when it may be used."""

    person: UUID
    team: TeamId
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class KnownLink:
    """A link that was made here, and whether somebody has used it."""

    link: SignInLink
    used: bool


def fresh_token() -> str:
    """Return 256 random bits, for an address."""
    return secrets.token_urlsafe(_BYTES)


def digest_of(token: str) -> str:
    """Return what is kept of a token, in hex."""
    return sha256(token.encode(errors="surrogatepass")).hexdigest()
