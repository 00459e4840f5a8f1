"""Links to sign in with, in memory."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from windlass_gateway.domain.sign_in_link import KnownLink, SignInLink


@dataclass
class MemorySignInLinks:
    """`SignInLinks` for as long as the process lives."""

    links: dict[str, SignInLink] = field(default_factory=dict)
    claims: dict[str, UUID] = field(default_factory=dict)

    async def add(self, digest: str, link: SignInLink, now: datetime) -> None:
        assert now < link.expires_at
        self.links.setdefault(digest, link)

    async def find(self, digest: str) -> KnownLink | None:
        link = self.links.get(digest)
        return None if link is None else KnownLink(link, used=digest in self.claims)

    async def use(self, digest: str, claim: UUID) -> bool:
        return digest in self.links and self.claims.setdefault(digest, claim) == claim
