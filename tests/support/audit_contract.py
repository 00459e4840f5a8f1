"""What an audit does, whatever keeps it. The tests of each adapter subclass this."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from windlass_contracts.subjects import Service
from windlass_eventlog.audit import ANONYMOUS, Audit, AuditEntry, Outcome

SOMEBODY = "person:00000000-0000-4000-8000-000000000001"


def entry(
    *, actor: str = ANONYMOUS, code: str = "forbidden", network: str = "198.51.100.0/24", identity: UUID | None = None
) -> AuditEntry:
    """Return a refusal."""
    return AuditEntry(
        id=identity or uuid4(),
        at=datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC),
        service=Service.GATEWAY,
        outcome=Outcome.REFUSED,
        operation="POST /api/v1/projects/{slug}/deployments",
        code=code,
        status=403,
        actor=actor,
        network=network,
        left_out=7,
    )


class AuditContract:
    async def test_what_was_kept_is_read_as_it_was_written(self, audit: Audit) -> None:
        assert await audit.latest(10) == []
        kept = entry(actor=SOMEBODY, network="2001:db8::/48")
        await audit.append(kept)
        assert await audit.latest(10) == [kept]

    async def test_the_newest_come_first_and_no_more_than_are_asked_for(self, audit: Audit) -> None:
        kept = [entry(network=f"198.51.{number}.0/24") for number in range(5)]
        for one in kept:
            await audit.append(one)
        assert await audit.latest(3) == [kept[4], kept[3], kept[2]]
        assert await audit.latest(10) == kept[::-1]

    async def test_one_actor_or_one_code_can_be_asked_for(self, audit: Audit) -> None:
        theirs, forged, other = entry(actor=SOMEBODY), entry(actor=SOMEBODY, code="forged-form"), entry()
        for one in (theirs, forged, other):
            await audit.append(one)
        assert await audit.latest(10, actor=SOMEBODY) == [forged, theirs]
        assert await audit.latest(10, actor=SOMEBODY, code="forbidden") == [theirs]
        assert await audit.latest(10, actor=ANONYMOUS) == [other]
        assert await audit.latest(10, code="never") == []

    async def test_what_is_sent_twice_is_kept_once(self, audit: Audit) -> None:
        kept = entry()
        await audit.append(kept)
        await audit.append(kept)
        assert await audit.latest(10) == [kept]

    async def test_nobody_pushes_out_what_others_did(self, audit: Audit) -> None:
        theirs, first = entry(actor=SOMEBODY), entry()
        await audit.append(theirs)
        await audit.append(first)
        rest = [entry() for _ in range(1_000)]
        for one in rest:
            await audit.append(one)
        found = await audit.latest(2_000)
        assert (found[0], found[-1], len(found)) == (rest[-1], theirs, 1_001)
        assert first not in found
        assert await audit.latest(1, actor=SOMEBODY) == [theirs]
