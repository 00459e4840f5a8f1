"""What must never be in the log, and is: the rows halt right before it, say what helps, and go on once they may."""

import asyncio
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import timedelta

import pytest
import structlog
from nats.js.api import StreamConfig

from support.eventlog_samples import PATIENT, TALLIES, canceled, deployment_key
from support.raw_events import changed, good_message, published
from windlass_contracts.cloudevent import MAX_EVENT_BYTES, TYPE_HEADER
from windlass_contracts.events import DeploymentCanceled
from windlass_contracts.subjects import STREAM, Service
from windlass_eventlog import reaction
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.clock import utc_now
from windlass_eventlog.errors import ConflictError, HaltedError, LogFullError, LogUnavailableError
from windlass_eventlog.jetstream import connection as connection_module
from windlass_eventlog.jetstream import deliveries
from windlass_eventlog.jetstream.connection import Connection, connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.jetstream.streams import ensure_stream
from windlass_eventlog.link import Link
from windlass_eventlog.log import Expected
from windlass_eventlog.message import Message
from windlass_eventlog.operations import Asking, Done, Kind
from windlass_eventlog.postgres.rows import PostgresRows
from windlass_eventlog.quarantine import quarantine_key
from windlass_eventlog.reactor import Reactor, WakeUp
from windlass_eventlog.service import connected
from windlass_eventlog.settings import CommonSettings
from windlass_eventlog.topology import EVENTS_BYTES

from .conftest import RestartableNats

BAD: dict[str, Callable[[], Message]] = {
    "unknown type": lambda: changed(
        good_message(), {TYPE_HEADER: "deployment.teleported.v1"}, type="deployment.teleported.v1"
    ),
    "unknown version": lambda: changed(
        good_message(), {TYPE_HEADER: "deployment.canceled.v9"}, type="deployment.canceled.v9"
    ),
    "no type": lambda: changed(good_message(), {TYPE_HEADER: ""}),
    "oversized": lambda: changed(good_message(), data={"filling": "x" * MAX_EVENT_BYTES}),
    "forged source": lambda: changed(good_message(), source="urn:windlass:0a1b2c3d:router"),
    "forged subject": lambda: changed(good_message(), subject=deployment_key().subject(Service.GATEWAY)),
    "dated 1970": lambda: changed(good_message(), time="1970-01-01T00:00:00Z"),
    "dated 2100": lambda: changed(good_message(), time="2100-01-01T00:00:00Z"),
    "no JSON": lambda: Message(good_message().subject, good_message().headers, b"\xff\x00"),
}


@pytest.fixture
async def service(settings: CommonSettings) -> AsyncIterator[Link]:
    async with connected(Service.GATEWAY, settings, projections=[TALLIES]) as opened:
        yield opened


async def cancel(link: Link) -> int:
    key = deployment_key()
    return await link.log.append(canceled(key), Expected.new(key))


async def passed(service: Link, sequence: int) -> None:
    """Wait until the rows have gone on past what halted them."""
    assert isinstance(service.rows, PostgresRows)
    async with asyncio.timeout(60):
        await service.rows.progress.passed(sequence)


async def halting(service: Link, sequence: int) -> HaltedError:
    with pytest.raises(HaltedError) as halted:
        await service.rows.reached(sequence, PATIENT)
    return halted.value


async def test_each_bad_event_halts_the_rows_until_it_is_quarantined_and_no_other_is_lost(
    service: Link, link: Connection
) -> None:
    bucket = service.bucket(Bucket.QUARANTINE)
    for name, bad in BAD.items():
        before = await cancel(service)
        await service.rows.reached(before, PATIENT)
        with structlog.testing.capture_logs() as said:
            sequence = await published(link.jetstream, bad())
            after = await cancel(service)
            halted = await halting(service, after)

        assert service.rows.position == before, name
        assert f"sequence {sequence} of EVENTS" in str(halted), name
        assert f"windlass quarantine gateway {sequence} --reason" in halted.way_out, name
        (alarm,) = [entry for entry in said if entry["log_level"] == "error"]
        assert (alarm["event"], alarm["stream"], alarm["sequence"]) == ("rows.halted", STREAM, sequence)

        await bucket.create(quarantine_key(Service.GATEWAY, sequence), b"{}")
        await passed(service, after)
        assert service.rows.halted is None, name

    assert len(await service.rows.find(TALLIES, {})) == 2 * len(BAD)
    async with aclosing(service.log.read(0)) as events:
        assert [(await anext(events)).sequence for _ in range(2 * len(BAD))][:4] == [1, 3, 4, 6]


async def test_another_service_s_quarantine_lets_nothing_pass(service: Link, link: Connection) -> None:
    sequence = await published(link.jetstream, BAD["unknown type"]())
    await halting(service, sequence)
    bucket = service.bucket(Bucket.QUARANTINE)
    await bucket.create(quarantine_key(Service.ROUTER, sequence), b"{}")
    await bucket.create(quarantine_key(Service.GATEWAY, sequence + 1), b"{}")
    await asyncio.sleep(0.1)  # nothing is to happen: there is nothing to wait for
    assert service.rows.halted is not None

    await bucket.create(quarantine_key(Service.GATEWAY, sequence), b"{}")
    await passed(service, sequence)


async def test_a_wake_up_for_what_cannot_be_read_is_kept_until_that_is_quarantined(
    service: Link, link: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (reaction, deliveries):
        monkeypatch.setattr(module, "UNTIL_MENDED", timedelta(milliseconds=100))
    woken: list[int] = []
    changed_now = asyncio.Event()

    async def handle(wake: WakeUp) -> None:
        woken.append(wake.recorded.sequence)
        changed_now.set()

    async with service.reacting([Reactor("test", frozenset({DeploymentCanceled}), handle)]):
        bad = await published(link.jetstream, BAD["dated 1970"]())
        after = await cancel(service)
        await halting(service, after)
        async with asyncio.timeout(60):  # neither the unreadable wake-up nor the one behind it is given up
            while (await link.jetstream.consumer_info(STREAM, "gateway")).num_ack_pending != 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # the server tells nobody what it has sent

        await service.bucket(Bucket.QUARANTINE).create(quarantine_key(Service.GATEWAY, bad), b"{}")
        await passed(service, after)
        async with asyncio.timeout(60):
            await changed_now.wait()
            while (await link.jetstream.consumer_info(STREAM, "gateway")).num_ack_pending:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # an acknowledgement tells nobody that it came

    assert set(woken) == {after}


async def test_an_event_that_is_sent_twice_is_one(service: Link, link: Connection) -> None:
    message = good_message()
    assert await published(link.jetstream, message) == await published(link.jetstream, message)
    assert await service.log.head() == 1


async def test_a_stream_made_anew_is_refused_also_where_it_is_longer(
    settings: CommonSettings, link: Connection, log: JetStreamLog
) -> None:
    async with connected(Service.GATEWAY, settings, projections=[TALLIES]) as service:
        for _ in range(3):
            last = await cancel(service)
        await service.rows.reached(last, PATIENT)
    config: StreamConfig = (await link.jetstream.stream_info(STREAM)).config
    await link.jetstream.delete_stream(STREAM)
    await link.jetstream.add_stream(config)
    for _ in range(5):
        key = deployment_key()
        await log.append(canceled(key), Expected.new(key))

    async with connected(Service.GATEWAY, settings, projections=[TALLIES]) as service, service.operating():
        halted = service.rows.halted
        assert halted is not None
        assert "sequence 3 of the EVENTS that was made at" in str(halted)
        assert halted.way_out.endswith("`windlass rebuild gateway`.")
        assert service.rows.position == 0

        asking = Asking(service.bucket(Bucket.OPERATIONS), utc_now)
        assert isinstance(await asking.outcome(Service.GATEWAY, Kind.REBUILD, "token:test"), Done)
        await service.caught_up(lambda: None)
        assert len(await service.rows.find(TALLIES, {})) == 5


async def test_a_full_log_refuses_with_the_way_out_and_loses_nothing(service: Link, link: Connection) -> None:
    await cancel(service)
    info = await link.jetstream.stream_info(STREAM)
    await link.jetstream.update_stream(info.config.evolve(max_bytes=info.state.bytes + 10))

    with pytest.raises(LogFullError, match=r"EVENTS is full.*nats stream edit EVENTS --max-bytes"):
        await cancel(service)

    raised = 2 * EVENTS_BYTES
    await link.jetstream.update_stream(info.config.evolve(max_bytes=raised))
    assert await ensure_stream(link.jetstream, info.config) is None
    assert (await link.jetstream.stream_info(STREAM)).config.max_bytes == raised
    await service.rows.reached(await cancel(service), PATIENT)
    assert len(await service.rows.find(TALLIES, {})) == 2


async def test_a_conflict_is_no_full_log(service: Link) -> None:
    key = deployment_key()
    await service.log.append(canceled(key), Expected.new(key))
    with pytest.raises(ConflictError):
        await service.log.append(canceled(key), Expected.new(key))


async def test_a_disk_that_takes_nothing_is_named_with_the_way_out_and_costs_nothing(
    restartable_nats: RestartableNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    await provision(restartable_nats.url)
    async with connection(restartable_nats.url, "test") as link:
        log = JetStreamLog(link, "0a1b2c3d")
        key, refused = deployment_key(), canceled(deployment_key())
        assert await log.append(canceled(key), Expected.new(key)) == 1
        monkeypatch.setattr(connection_module, "PATIENCE", timedelta(milliseconds=500))
        monkeypatch.setattr(connection_module, "ANSWER_WITHIN_S", 0.5)
        resource.prlimit(restartable_nats.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

        with pytest.raises(LogUnavailableError, match=r"EVENTS.*disk is full or read-only.*restart"):
            await log.append(refused, Expected.new(refused.key))

        restartable_nats.kill()
        restartable_nats.start()
        monkeypatch.undo()
        assert await log.append(refused, Expected.new(refused.key)) == 2
        async with aclosing(log.read(0)) as events:
            assert [(await anext(events)).sequence for _ in range(2)] == [1, 2]
