"""The use cases of signing in: making a one-time link, looking at it, using it up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID, uuid4

from windlass_gateway.application.access import Caller, Members, Permission
from windlass_gateway.domain.refusals import ForbiddenError, LinkExpiredError, LinkUnknownError, LinkUsedError
from windlass_gateway.domain.sign_in_link import LIFETIME, KnownLink, SignInLink, digest_of, fresh_token


class SignInLinks(Protocol):
    """Where links are kept, by the digest of what they carry."""

    async def add(self, digest: str, link: SignInLink, now: datetime) -> None:
        """Keep a new link; those that expired a day ago may be forgotten."""
        ...

    async def find(self, digest: str) -> KnownLink | None:
        """Return a link."""
        ...

    async def use(self, digest: str, claim: UUID) -> bool:
        """Use a link up for a claim; tell whether it is that claim's, which it stays for ever.

        Of many claims, in however many processes, one gets it.
        """
        ...


@dataclass(frozen=True, slots=True)
class NewLink:
    """What was made: the token is shown once."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SigningIn:
    """Makes and takes links."""

    links: SignInLinks
    members: Members
    clock: Callable[[], datetime]

    async def make_link(self, caller: Caller, person: UUID) -> NewLink:
        """Make a link that signs in a person of the caller's team.

        Raises:
            ForbiddenError: they may not, or the person may do more than they.
            RowsUnavailableError: the database did not take it.
        """
        caller.demand(Permission.ADMINISTER)
        signed_in = self.members.caller(person, caller.team)
        if signed_in is None or not signed_in.permissions <= caller.permissions:
            raise ForbiddenError(
                "A link to sign in with must not give more than its maker may do.",
                next_step="Run `windlass login-link` with the installation's own token, where Windlass runs.",
            )
        now, token = self.clock(), fresh_token()
        link = SignInLink(person, caller.team, now + LIFETIME)
        await self.links.add(digest_of(token), link, now)
        return NewLink(token, link.expires_at)

    async def look(self, token: str) -> SignInLink:
        """Return a link that could be used now, and leave it as it is.

        Raises:
            LinkUnknownError, LinkUsedError, LinkExpiredError: it could not.
        """
        known = await self.links.find(digest_of(token))
        if known is None or self.members.caller(known.link.person, known.link.team) is None:
            raise LinkUnknownError
        if known.used:
            raise LinkUsedError
        if known.link.expires_at <= self.clock():
            raise LinkExpiredError
        return known.link

    async def use(self, token: str) -> SignInLink:
        """Use a link up.

        Raises:
            LinkUnknownError, LinkUsedError, LinkExpiredError: it cannot be used.
        """
        link = await self.look(token)
        if not await self.links.use(digest_of(token), uuid4()):
            raise LinkUsedError
        return link
