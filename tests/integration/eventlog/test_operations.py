"""Operations on real servers: asked for over the bucket, done by a connected service."""

import asyncio

import pytest

from support.eventlog_samples import TALLIES, canceled, deployment_key
from support.operations_contract import ACTOR, OperationsContract
from windlass_contracts.cloudevent import MESSAGE_ID_HEADER, TYPE_HEADER
from windlass_contracts.subjects import Service
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.clock import utc_now
from windlass_eventlog.jetstream.buckets import JetStreamKeyValue
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.link import Link
from windlass_eventlog.log import Expected
from windlass_eventlog.operations import Asking, Done, Invariant, Kind, Rebuilt, Result, Standing, Verified
from windlass_eventlog.service import connected
from windlass_eventlog.settings import CommonSettings


class TestJetStreamOperations(OperationsContract):
    @pytest.fixture
    async def bucket(self, link: Connection) -> JetStreamKeyValue:
        return await JetStreamKeyValue.opened(link, Bucket.OPERATIONS)


async def test_a_service_that_met_an_unreadable_event_starts_says_so_and_goes_on_once_it_may(
    router_settings: CommonSettings, link: Connection
) -> None:
    await append_unknown(link)
    said: list[bool] = []
    async with connected(Service.ROUTER, router_settings, projections=[TALLIES]) as service, service.operating():
        waiting = asyncio.ensure_future(service.caught_up(lambda: said.append(True)))
        halted = service.rows.halted
        assert halted is not None
        assert (halted.sequence, service.rows.position) == (1, 0)

        (finding,) = (await verified(link)).findings
        assert (finding.invariant, finding.code, finding.where) == (Invariant.REBUILDABLE, "halted", "sequence 1")
        assert "deployment.teleported.v1" in finding.what
        assert "windlass quarantine router 1 --reason" in finding.remedy
        standing = await done(link, Kind.STATE)
        assert isinstance(standing, Standing)
        assert standing.halt is not None
        assert standing.halt.sequence == 1
        assert (said, waiting.done()) == ([True], False)

        quarantine = await JetStreamKeyValue.opened(link, Bucket.QUARANTINE)
        await quarantine.create("router.1", b"{}")
        async with asyncio.timeout(60):
            await waiting
        assert service.rows.halted is None
        assert (await verified(link)).findings == ()


async def test_rows_that_somebody_changed_are_found_and_put_right_by_a_rebuild(
    router_settings: CommonSettings, link: Connection, log: JetStreamLog
) -> None:
    async with connected(Service.ROUTER, router_settings, projections=[TALLIES]) as service, service.operating():
        for _ in range(3):
            key = deployment_key()
            await log.append(canceled(key), Expected.new(key))
        clean = await verified(link)
        assert clean.findings == ()
        assert (clean.sequence, clean.checked[0].what, clean.checked[0].count) == (3, "rows of the router", 3)

        await spoil(service)
        (finding,) = (await verified(link)).findings
        assert (finding.invariant, finding.code) == (Invariant.REBUILDABLE, "rows-differ")
        assert str(key.id) in finding.what
        assert "windlass rebuild router" in finding.remedy

        rebuilt = await done(link, Kind.REBUILD)
        assert isinstance(rebuilt, Rebuilt)
        assert rebuilt.sequence == 3
        assert (await verified(link)).findings == ()
        found = await service.rows.get(TALLIES, key.id)
        assert found is not None
        assert found.row.count == 1


async def spoil(service: Link) -> None:
    """Change the row that was written last, as no event ever did."""
    async with service.database.pool.acquire() as session:
        schema = await session.fetchval("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rows_router%'")
        table = f'{schema}."row_{TALLIES.name}"'
        changed = "replace(row::text, '\"count\":1', '\"count\":7')::json"
        await session.execute(f"UPDATE {table} SET row = {changed} WHERE sequence = 3")  # noqa: S608 - names of ours


async def verified(link: Connection) -> Verified:
    found = await done(link, Kind.VERIFY)
    assert isinstance(found, Verified)
    return found


async def done(link: Connection, kind: Kind) -> Result:
    """Ask the router, and return the result."""
    asking = Asking(await JetStreamKeyValue.opened(link, Bucket.OPERATIONS), utc_now)
    end = await asking.outcome(Service.ROUTER, kind, ACTOR)
    assert isinstance(end, Done), end
    return end.result


async def append_unknown(link: Connection) -> None:
    """Append what only a later release knows."""
    subject = deployment_key().subject(Service.GATEWAY)
    headers = {MESSAGE_ID_HEADER: "later", TYPE_HEADER: "deployment.teleported.v1"}
    await link.jetstream.publish(subject, b"{}", headers=headers)
