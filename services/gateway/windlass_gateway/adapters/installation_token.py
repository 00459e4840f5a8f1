"""The one API token that an installation starts with; only its digest is known here."""

import hmac
from dataclasses import dataclass
from hashlib import sha256

from windlass_contracts.ids import TeamId
from windlass_gateway.application.access import EVERYTHING, Caller

_ACTOR = "token:installation"


@dataclass(frozen=True, slots=True)
class InstallationToken:
    """Whoever has the token of this digest (hex SHA-256) may do everything in the team."""

    digest: str
    team: TeamId

    async def caller(self, token: str) -> Caller | None:
        given = sha256(token.encode(errors="surrogatepass")).hexdigest()
        if not hmac.compare_digest(given, self.digest):
            return None
        return Caller(_ACTOR, self.team, EVERYTHING)
