"""Dead letters on a real log: from a reactor that fails for good to an operator's decision."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
import structlog
from nats.aio.msg import Msg

from support.eventlog_samples import PATIENT, TALLIES, canceled, deployment_key
from windlass_contracts.event import Event
from windlass_contracts.events import DeploymentCanceled, ReactionAbandoned
from windlass_contracts.ids import EventId
from windlass_contracts.subjects import Aggregate, AggregateKey, Service
from windlass_eventlog import attending as attending_module
from windlass_eventlog.dead_letters.letter import DEAD_LETTERS, DeadLetter, Status, decide_discard, decide_retry
from windlass_eventlog.dead_letters.unsettled import MemoryUnsettled, Unsettled
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.consumers import ensure_consumer
from windlass_eventlog.jetstream.reactors import reacting
from windlass_eventlog.link import Link
from windlass_eventlog.log import Expected
from windlass_eventlog.postgres.database import database
from windlass_eventlog.postgres.records import migrate
from windlass_eventlog.postgres.unsettled import RECORDS, PostgresUnsettled
from windlass_eventlog.projection import Versioned
from windlass_eventlog.reactor import Reactor, WakeUp
from windlass_eventlog.service import connected
from windlass_eventlog.settings import CommonSettings
from windlass_eventlog.topology import durable_of

CANCELED = frozenset({DeploymentCanceled})


@pytest.fixture
async def service(settings: CommonSettings) -> AsyncIterator[Link]:
    async with connected(Service.GATEWAY, settings, projections=[TALLIES]) as opened:
        yield opened


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(attending_module, "TRIES", 2)
    monkeypatch.setattr(attending_module, "_FIRST_DELAY", timedelta(milliseconds=1))
    with structlog.testing.capture_logs():
        yield


class Fault:
    """A reactor that fails until somebody mends it."""

    def __init__(self) -> None:
        self.mended = False
        self.calls = 0
        self.reactor = Reactor("faulty", CANCELED, self._handle)

    async def _handle(self, _wake: WakeUp) -> None:
        self.calls += 1
        if not self.mended:
            raise ArithmeticError


async def became(service: Link, status: Status, after: int = 0) -> Versioned[DeadLetter]:
    """Wait until the one dead letter has a status, by an event behind `after`."""
    async with asyncio.timeout(60):
        sequence = after
        while True:
            found = await service.rows.find(DEAD_LETTERS, {"status": status})
            if found and found[0].sequence > after:
                return found[0]
            sequence = max(sequence, service.rows.position) + 1
            await service.rows.reached(sequence, PATIENT)


async def decide(service: Link, found: Versioned[DeadLetter], event: Event) -> int:
    key = AggregateKey(found.row.team, None, Aggregate.REACTION, found.key)
    return await service.append.commanded(
        key, event, Expected.at(key, found.sequence), actor="token:test", id=EventId(uuid4())
    )


async def cancel(service: Link) -> int:
    key = deployment_key()
    return await service.log.append(canceled(key), Expected.new(key))


async def test_a_reaction_is_given_up_retried_in_vain_retried_again_and_recovers(service: Link) -> None:
    fault = Fault()
    async with service.reacting([fault.reactor]):
        await cancel(service)
        first = await became(service, "open")
        again = await became(service, "open", await decide(service, first, decide_retry(first.row)))
        fault.mended = True
        await decide(service, again, decide_retry(again.row))
        recovered = await became(service, "recovered")

    assert (recovered.row.rounds, recovered.row.reactor, recovered.row.sequence) == (2, "faulty", 1)
    assert fault.calls == 5


async def test_a_discarded_reaction_stays_discarded_after_a_restart_that_finds_its_durable_made_anew(
    service: Link, settings: CommonSettings, link: Connection
) -> None:
    fault = Fault()
    async with service.reacting([fault.reactor]):
        await cancel(service)
        found = await became(service, "open")
        await service.rows.reached(await decide(service, found, decide_discard(found.row, uuid4())))
    await link.jetstream.delete_consumer("EVENTS", "gateway")
    await ensure_consumer(link.jetstream, durable_of(Service.GATEWAY))

    async with (
        connected(Service.GATEWAY, settings, projections=[TALLIES]) as restarted,
        restarted.reacting([fault.reactor]),
    ):
        await cancel(restarted)
        another = await became(restarted, "open")

    assert fault.calls == 4
    assert another.key != found.key


async def test_a_wake_up_whose_end_the_server_never_heard_of_makes_one_dead_letter(
    service: Link, link: Connection, provisioned: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = replace(durable_of(Service.GATEWAY), ack_wait=timedelta(milliseconds=200))
    await ensure_consumer(link.jetstream, impatient)
    fault, lost, settled = Fault(), list[int](), asyncio.Event()
    ack = Msg.ack

    async def lose_the_first(message: Msg) -> None:
        if message.metadata.sequence.stream == 1 and not lost:
            lost.append(1)
            raise OSError("the process was killed here")
        await ack(message)
        if message.metadata.sequence.stream == 1:
            settled.set()

    monkeypatch.setattr(Msg, "ack", lose_the_first)
    async with reacting(link, provisioned, impatient, service.attending([fault.reactor])):
        await cancel(service)
        await asyncio.wait_for(settled.wait(), 60)

    assert lost == [1]
    assert fault.calls == 2
    types = [recorded async for recorded in _all(service)]
    assert types.count(ReactionAbandoned) == 1


async def _all(service: Link) -> AsyncIterator[type[Event]]:
    head = await service.log.head()
    async for recorded in service.log.read(0):
        yield type(recorded.event)
        if recorded.sequence == head:
            return


@pytest.fixture(params=["memory", "postgres"])
async def unsettled(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Unsettled]:
    if request.param == "memory":
        yield MemoryUnsettled()
        return
    async with database(database_url, "test") as own:
        await migrate(own, RECORDS)
        yield PostgresUnsettled(own)


async def test_beginnings_without_an_end_are_counted_for_each_reactor_and_forgotten_together(
    unsettled: Unsettled,
) -> None:
    assert [await unsettled.begin(1, "a") for _ in range(3)] == [0, 1, 2]
    await unsettled.end(1, "a")
    assert await unsettled.begin(1, "a") == 2
    assert await unsettled.begin(1, "b") == 0
    assert await unsettled.begin(2, "a") == 0
    await unsettled.forget(1)
    assert [await unsettled.begin(1, "a"), await unsettled.begin(1, "b"), await unsettled.begin(2, "a")] == [0, 0, 1]
