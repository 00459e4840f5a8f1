"""What every place that keeps sign-in links does."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from windlass_contracts.ids import TeamId
from windlass_gateway.application.signing_in import SignInLinks
from windlass_gateway.domain.sign_in_link import KnownLink, SignInLink

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = SignInLink(UUID(int=1), TeamId(UUID(int=2)), NOON + timedelta(minutes=15))
DIGEST = "d" * 64


class LinksContract:
    """Subclasses give a fixture `links`."""

    async def test_a_link_is_found_again_and_not_used(self, links: SignInLinks) -> None:
        await links.add(DIGEST, LINK, NOON)
        assert await links.find(DIGEST) == KnownLink(LINK, used=False)
        assert await links.find("e" * 64) is None

    async def test_of_many_claims_at_once_one_gets_the_link(self, links: SignInLinks) -> None:
        await links.add(DIGEST, LINK, NOON)
        got = await asyncio.gather(*(links.use(DIGEST, uuid4()) for _ in range(10)))
        assert sorted(got) == [False] * 9 + [True]
        assert await links.find(DIGEST) == KnownLink(LINK, used=True)

    async def test_a_claim_that_is_sent_again_gets_what_it_has(self, links: SignInLinks) -> None:
        await links.add(DIGEST, LINK, NOON)
        claim = uuid4()
        assert await links.use(DIGEST, claim)
        assert await links.use(DIGEST, claim)
        assert not await links.use(DIGEST, uuid4())

    async def test_a_link_that_is_added_again_stays_used(self, links: SignInLinks) -> None:
        await links.add(DIGEST, LINK, NOON)
        await links.use(DIGEST, uuid4())
        await links.add(DIGEST, LINK, NOON)
        assert await links.find(DIGEST) == KnownLink(LINK, used=True)

    async def test_what_was_never_added_cannot_be_used(self, links: SignInLinks) -> None:
        assert not await links.use(DIGEST, uuid4())
