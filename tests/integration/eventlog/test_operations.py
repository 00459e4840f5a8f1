"""Operations on real servers: asked for over the bucket, done by a connected service."""

import asyncio

import pytest

from support.eventlog_samples import TALLIES, deployment_key
from support.operations_contract import ACTOR, OperationsContract
from windlass_contracts.cloudevent import MESSAGE_ID_HEADER, TYPE_HEADER
from windlass_contracts.subjects import Service
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.clock import utc_now
from windlass_eventlog.jetstream.buckets import JetStreamKeyValue
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.operations import Answer, Asking, Done, Invariant, Kind, Verified
from windlass_eventlog.service import connected
from windlass_eventlog.settings import CommonSettings


class TestJetStreamOperations(OperationsContract):
    @pytest.fixture
    async def bucket(self, link: Connection) -> JetStreamKeyValue:
        return await JetStreamKeyValue.opened(link, Bucket.OPERATIONS)


async def answered(link: Connection, kind: Kind) -> Answer:
    asking = Asking(await JetStreamKeyValue.opened(link, Bucket.OPERATIONS), utc_now)
    request = await asking.ask(Service.ROUTER, kind, ACTOR)
    return [answer async for answer in asking.follow(Service.ROUTER, request.id)][-1]


async def test_a_service_that_met_an_unreadable_event_starts_and_says_how_to_go_on(
    settings: CommonSettings, link: Connection
) -> None:
    await append_unknown(link)
    said: list[bool] = []
    async with connected(Service.ROUTER, settings, projections=[TALLIES]) as service, service.operating():
        assert service.rows.halted is not None
        assert (service.rows.halted.sequence, service.rows.position) == (1, 0)

        state = (await answered(link, Kind.VERIFY)).state
        assert isinstance(state, Done)
        assert isinstance(state.result, Verified)
        (finding,) = state.result.findings
        assert (finding.invariant, finding.code, finding.where) == (Invariant.REBUILDABLE, "halted", "sequence 1")
        assert "deployment.teleported.v1" in finding.what
        assert "windlass quarantine router 1 --reason" in finding.remedy

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await service.caught_up(lambda: said.append(True))
    assert said == [True]


async def append_unknown(link: Connection) -> None:
    """Append what only a later release knows."""
    subject = deployment_key().subject(Service.GATEWAY)
    headers = {MESSAGE_ID_HEADER: "later", TYPE_HEADER: "deployment.teleported.v1"}
    await link.jetstream.publish(subject, b"{}", headers=headers)
