"""The log on a real server: the contract, and what only a server can do to it."""

import asyncio

import pytest

from support.eventlog_samples import canceled, deployment_key
from support.log_contract import LogContract, read
from windlass_contracts.cloudevent import encode
from windlass_contracts.errors import UnknownEventTypeError
from windlass_contracts.subjects import STREAM
from windlass_eventlog.errors import GapError, LogFullError, LogUnavailableError, NotProvisionedError
from windlass_eventlog.jetstream import connection as connection_module
from windlass_eventlog.jetstream.connection import Connection, connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.log import Expected


class TestJetStreamLog(LogContract):
    """The fixture `log` stands in conftest.py."""


async def test_an_append_whose_answer_was_lost_is_found_again_by_its_id(link: Connection, log: JetStreamLog) -> None:
    key = deployment_key()
    proposed = canceled(key)
    subject, headers, body = encode(proposed, log.installation)
    await link.jetstream.publish(subject, body, headers=headers)

    assert await log.append(proposed, Expected.new(key)) == 1
    assert await log.head() == 1


async def test_a_reader_says_that_it_met_what_it_cannot_read(link: Connection, log: JetStreamLog) -> None:
    key = deployment_key()
    subject, headers, body = encode(canceled(key), log.installation)
    unknown = headers | {"Windlass-Type": "deployment.canceled.v99"}
    await link.jetstream.publish(subject, body.replace(b".v1", b".v99"), headers=unknown)

    with pytest.raises(UnknownEventTypeError, match="v99"):
        await read(log, 1)


async def test_a_message_that_readers_pass_over_is_looked_up_all_the_same(link: Connection, log: JetStreamLog) -> None:
    keys = [deployment_key() for _ in range(3)]
    for key in keys:
        await log.append(canceled(key), Expected.new(key))
    passing = JetStreamLog(link, log.installation, quarantined={2})

    assert [event.sequence for event in await read(passing, 1, after=1)] == [3]
    assert (await passing.message(2)).recorded().key == keys[1]


async def test_a_full_log_says_so_and_loses_nothing(link: Connection, log: JetStreamLog) -> None:
    key = deployment_key()
    await log.append(canceled(key), Expected.new(key))
    config = (await link.jetstream.stream_info(STREAM)).config
    await link.jetstream.update_stream(config.evolve(max_bytes=1_000))
    other = deployment_key()

    with pytest.raises(LogFullError, match="budget"):
        await log.append(canceled(other), Expected.new(other))

    assert [event.key for event in await read(log, 1)] == [key]
    assert await log.head() == 1


async def test_a_stream_that_was_deleted_or_made_anew_is_not_read_on(link: Connection, log: JetStreamLog) -> None:
    key = deployment_key()
    await log.append(canceled(key), Expected.new(key))
    events = log.read(0)
    await anext(events)
    config = (await link.jetstream.stream_info(STREAM)).config

    await link.jetstream.delete_stream(STREAM)
    await link.jetstream.add_stream(config)
    for _ in range(2):
        other = deployment_key()
        await log.append(canceled(other), Expected.new(other))

    with pytest.raises(GapError, match="was deleted"):
        async with asyncio.timeout(60):
            await anext(events)


async def test_a_missing_stream_is_named_with_the_way_out(nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "PATIENCE", connection_module.PATIENCE / 30)
    async with connection(nats_url, "test") as bare:
        log, key = JetStreamLog(bare, "0a1b2c3d"), deployment_key()
        with pytest.raises(NotProvisionedError, match="provision"):
            await read(log, 1)
        with pytest.raises(NotProvisionedError, match="provision"):
            await log.head()
        with pytest.raises(LogUnavailableError, match="append it again"):
            await log.append(canceled(key), Expected.new(key))
