"""Consumers that somebody deletes or changes from outside are put right at once, and nothing is lost or done twice."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from nats.js import api
from nats.js.errors import APIError
from structlog.typing import EventDict

from support.eventlog_samples import TALLIES, canceled, deployment_key
from support.nats import seed_of
from windlass_contracts.events import DeploymentCanceled
from windlass_contracts.subjects import STREAM, Service
from windlass_eventlog.errors import NotProvisionedError
from windlass_eventlog.jetstream import desired
from windlass_eventlog.jetstream import reactors as reactors_module
from windlass_eventlog.jetstream.connection import Connection, connection
from windlass_eventlog.jetstream.consumers import consumer_drifts
from windlass_eventlog.jetstream.keeping import Keeper
from windlass_eventlog.link import Link
from windlass_eventlog.log import Expected
from windlass_eventlog.reactor import Reactor, WakeUp
from windlass_eventlog.rights import PROVISIONER
from windlass_eventlog.service import connected
from windlass_eventlog.settings import CommonSettings
from windlass_eventlog.topology import durable_of

DURABLE = durable_of(Service.GATEWAY)


@pytest.fixture
async def service(settings: CommonSettings) -> AsyncIterator[Link]:
    async with connected(Service.GATEWAY, settings, projections=[TALLIES]) as opened:
        yield opened


@pytest.fixture
def said() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


@asynccontextmanager
async def kept(url: str) -> AsyncIterator[Keeper]:
    """Run a keeper with the rights that it has in an installation, once it has looked at everything."""
    with tempfile.TemporaryDirectory() as folder:
        seed = seed_of(PROVISIONER, Path(folder))
        async with connection(url, PROVISIONER, seed) as own, _running(own) as keeper:
            yield keeper


@asynccontextmanager
async def _running(own: Connection) -> AsyncIterator[Keeper]:
    keeper = Keeper(own)
    await keeper.look()
    running = asyncio.create_task(keeper.run())
    try:
        yield keeper
    finally:
        running.cancel()
        await asyncio.wait({running})


class Noting:
    """A reactor that notes what woke it up."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.came = asyncio.Condition()
        self.reactor = Reactor("noting", frozenset({DeploymentCanceled}), self._handle)

    async def _handle(self, wake: WakeUp) -> None:
        async with self.came:
            self.seen.append(wake.recorded.sequence)
            self.came.notify_all()

    async def until(self, sequence: int) -> None:
        async with asyncio.timeout(60), self.came:
            await self.came.wait_for(lambda: sequence in self.seen)


async def cancel(service: Link) -> int:
    key = deployment_key()
    return await service.log.append(canceled(key), Expected.new(key))


async def acknowledged(link: Connection, sequence: int) -> None:
    async with asyncio.timeout(60):
        while True:
            floor = (await link.jetstream.consumer_info(STREAM, DURABLE.name)).ack_floor
            if floor is not None and floor.stream_seq >= sequence:
                return
            await asyncio.sleep(0.01)


async def test_a_deleted_durable_is_made_anew_and_goes_on_where_it_was(
    service: Link, link: Connection, provisioned: str, said: list[EventDict]
) -> None:
    noting = Noting()
    async with kept(provisioned) as keeper, service.reacting([noting.reactor]):
        for _ in range(3):
            last = await cancel(service)
        await acknowledged(link, last)
        await keeper.look()
        await link.jetstream.delete_consumer(STREAM, DURABLE.name)
        await noting.until(await cancel(service))

    assert noting.seen == [1, 2, 3, 4], "what was acknowledged does not come again"
    (made,) = [entry for entry in said if entry["event"] == "consumer.made_anew"]
    assert (made["consumer"], made["first_sequence"], made["log_level"]) == ("gateway", 4, "error")
    assert await consumer_drifts(link.jetstream, DURABLE) == []


async def test_what_was_not_acknowledged_comes_again(service: Link, link: Connection, provisioned: str) -> None:
    begun, go_on, seen = asyncio.Event(), asyncio.Event(), list[int]()

    async def hang(wake: WakeUp) -> None:
        begun.set()
        await go_on.wait()
        seen.append(wake.recorded.sequence)

    async with kept(provisioned) as keeper:
        async with service.reacting([Reactor("hanging", frozenset({DeploymentCanceled}), hang)]):
            await cancel(service)
            await begun.wait()
            await link.jetstream.delete_consumer(STREAM, DURABLE.name)
        noting = Noting()
        await keeper.look()
        async with service.reacting([noting.reactor]):
            await noting.until(1)

    assert seen == []


async def settles(link: Connection, wanted: api.ConsumerConfig) -> None:
    async with asyncio.timeout(60):
        while True:
            found = (await link.jetstream.consumer_info(STREAM, DURABLE.name)).config
            if found.max_ack_pending == wanted.max_ack_pending:
                return
            await asyncio.sleep(0.02)


async def test_a_changed_durable_is_corrected_though_nobody_restarts(
    service: Link, link: Connection, provisioned: str, said: list[EventDict]
) -> None:
    noting, wanted = Noting(), desired.consumer(DURABLE)
    async with kept(provisioned), service.reacting([noting.reactor]):
        await noting.until(await cancel(service))
        await link.jetstream.add_consumer(STREAM, replace(wanted, max_ack_pending=1))
        await settles(link, wanted)
        await noting.until(await cancel(service))

    assert noting.seen == [1, 2]
    assert [entry["details"] for entry in said if entry["event"] == "consumer.corrected"] == [
        ("max_ack_pending: 1 -> 2000",)
    ]


async def test_a_durable_that_somebody_puts_in_the_place_of_ours_is_replaced_and_skips_nothing(
    service: Link, link: Connection, provisioned: str
) -> None:
    noting = Noting()
    async with kept(provisioned) as keeper:
        async with service.reacting([noting.reactor]):
            await acknowledged(link, await cancel(service))
        await keeper.look()
        missed = await cancel(service)
        await link.jetstream.delete_consumer(STREAM, DURABLE.name)
        with_nothing = replace(desired.consumer(DURABLE), deliver_policy=api.DeliverPolicy.NEW)
        with suppress(APIError):  # where the keeper was quicker, which is as good
            await link.jetstream.add_consumer(STREAM, with_nothing)
        await keeper.look()
        async with service.reacting([noting.reactor]):
            await noting.until(missed)

    assert noting.seen == [1, missed]


async def test_a_wake_up_that_the_server_dropped_is_said_aloud_and_comes_again(
    service: Link, link: Connection, provisioned: str, said: list[EventDict]
) -> None:
    terminated = asyncio.Event()

    async def terminate(message: object) -> None:
        if not terminated.is_set():
            terminated.set()
            await message.term()  # type: ignore[attr-defined]

    async with kept(provisioned):
        robber = await link.client.subscribe(DURABLE.deliver_subject, queue=DURABLE.name, cb=terminate)
        await cancel(service)
        await asyncio.wait_for(terminated.wait(), 60)
        await robber.unsubscribe()
        noting = Noting()
        async with service.reacting([noting.reactor]):
            await noting.until(1)

    (alarm,) = [entry for entry in said if entry["event"] == "wakeup.lost"]
    assert (alarm["log_level"], alarm["consumer"], alarm["sequence"], alarm["kind"]) == (
        "critical",
        "gateway",
        1,
        "terminated",
    )


async def test_the_log_itself_is_never_made_anew(link: Connection, provisioned: str, said: list[EventDict]) -> None:
    async with kept(provisioned) as keeper:
        await link.jetstream.delete_stream(STREAM)
        await keeper.look()
        names = [info.config.name for info in await link.jetstream.streams_info()]

    assert STREAM not in names
    alarms = [entry for entry in said if entry["event"] == "stream.lost"]
    assert [(alarm["log_level"], alarm["stream"]) for alarm in alarms] == [("critical", STREAM)]
    assert "nats stream restore EVENTS" in alarms[0]["way_out"]
    json.dumps(alarms)


async def test_a_service_waits_for_the_keeper_for_a_while_and_then_ends(
    service: Link, link: Connection, monkeypatch: pytest.MonkeyPatch, said: list[EventDict]
) -> None:
    monkeypatch.setattr(reactors_module, "_CHECK_EVERY_S", 0.01)
    monkeypatch.setattr(reactors_module, "_MENDED_WITHIN_S", 0.2)

    async def serve() -> None:
        async with service.reacting([Noting().reactor]):
            await link.jetstream.delete_consumer(STREAM, DURABLE.name)
            await asyncio.Event().wait()

    with pytest.raises(NotProvisionedError, match="no consumer gateway"):
        await asyncio.wait_for(serve(), 60)
    assert [entry["event"] for entry in said].count("consumer.not_as_it_should_be") > 1
