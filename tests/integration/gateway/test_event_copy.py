"""The raw copy: every event as it is stored, past what halts the rows, once each, and compared with the stream."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from support.eventlog_samples import canceled, deployment_key, superseded
from support.nats import seed_of
from support.raw_events import changed, good_message, published
from support.rows_contract import UnreadableAtThree, appended
from windlass_contracts.subjects import STREAM, Service
from windlass_eventlog.background import background
from windlass_eventlog.errors import ProvisioningError
from windlass_eventlog.jetstream.connection import connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.log import EventLog, Expected
from windlass_eventlog.memory import MemoryLog
from windlass_eventlog.postgres.database import Database, database
from windlass_eventlog.postgres.records import migrate
from windlass_gateway.adapters.event_copy import Copied, EventCopy, copied_messages
from windlass_gateway.adapters.event_copy_check import CopyDifference, compare_copy
from windlass_gateway.adapters.event_copy_verification import VerifyingCopy
from windlass_gateway.adapters.records import RECORDS
from windlass_gateway.restore_events import NoSuchCopyError, restored


@pytest.fixture
async def own(database_url: str) -> AsyncIterator[Database]:
    async with database(database_url, "test") as opened:
        await migrate(opened, RECORDS)
        yield opened


@pytest.fixture
async def provisioned_url(nats_url: str) -> str:
    await provision(nats_url)
    return nats_url


async def copied_up_to(log: EventLog, own: Database, sequence: int, processes: int = 1) -> EventCopy:
    """Copy by that many processes until the copy goes as far as `sequence`."""
    copies = [EventCopy(log, own) for _ in range(processes)]
    async with asyncio.timeout(60), background(*(copy.run() for copy in copies)):
        while (await copies[0].place()).position < sequence:  # noqa: ASYNC110 - a table tells nobody that it grew
            await asyncio.sleep(0.02)
    return copies[0]


async def test_every_event_is_copied_as_it_is_stored_the_unreadable_one_too(own: Database) -> None:
    log = UnreadableAtThree()
    await appended(log, 5)
    copy = await copied_up_to(log, own, 5)

    copied = [message async for part in copied_messages(own, await copy.place()) for message in part]

    assert copied == [log.stored(sequence) for sequence in range(1, 6)]
    found = await compare_copy(log, own)
    assert found.agrees
    assert (found.position, found.head, found.compared) == (5, 5, 5)


async def test_two_processes_copy_each_event_once(own: Database) -> None:
    log = MemoryLog()
    await appended(log, 300)
    writing = asyncio.create_task(appended(log, 1_000))
    await copied_up_to(log, own, 1_300, processes=2)
    await writing

    assert await own.pool.fetchval("SELECT count(*) FROM records_gateway.events") == 1_300
    assert (await compare_copy(log, own)).agrees


async def test_what_does_not_agree_is_named(own: Database) -> None:
    log = MemoryLog()
    await appended(log, 5)
    await copied_up_to(log, own, 5)
    await own.pool.execute("DELETE FROM records_gateway.events WHERE sequence = 2")
    await own.pool.execute("UPDATE records_gateway.events SET body = body || '\\x00' WHERE sequence = 4")

    found = await compare_copy(log, own)

    assert found.differences == [CopyDifference(2, "missing from the copy"), CopyDifference(4, "body differ")]
    assert not found.agrees


class Growing(MemoryLog):
    """A log that grows, and is copied on, while somebody asks where it ends."""

    copied_on: Callable[[], Awaitable[None]] | None = None

    async def head(self) -> int:
        head, copied_on = await super().head(), self.copied_on
        if copied_on is not None:
            self.copied_on = None
            await copied_on()
        return head


async def test_a_copy_that_grows_while_it_is_looked_at_is_not_taken_for_another_streams(own: Database) -> None:
    log = Growing()
    await appended(log, 3)

    async def reached(position: int) -> None:
        latest = "SELECT max(position) FROM records_gateway.event_logs"
        while (await own.pool.fetchval(latest) or 0) < position:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)

    async def copied_on() -> None:
        await appended(log, 1)
        await reached(4)

    # One writer alone: where a second one is faster, the first looks for its place, and waits for whoever looks here.
    async with asyncio.timeout(60), background(EventCopy(log, own).run()):
        await reached(3)
        log.copied_on = copied_on
        found = await compare_copy(log, own)

    assert await own.pool.fetchval("SELECT count(*) FROM records_gateway.event_logs") == 1
    assert found.agrees
    assert found.compared >= 3


@pytest.mark.parametrize("length", [2, 9])
async def test_a_stream_made_anew_is_said_aloud_and_copied_beside_the_old_one(own: Database, length: int) -> None:
    older, newer = MemoryLog(), MemoryLog(made=MemoryLog().made + timedelta(days=1))
    await appended(older, 5)
    kept = await (await copied_up_to(older, own, 5)).place()
    await appended(newer, length)

    with structlog.testing.capture_logs() as said:
        await copied_up_to(newer, own, length)

    (alarm,) = [entry for entry in said if entry["log_level"] == "error"]
    assert (alarm["event"], alarm["stream"], alarm["sequence"]) == ("event_copy.other_stream", "EVENTS", 5)
    assert "docs/operations.md" in alarm["way_out"]
    assert len([message async for part in copied_messages(own, kept) for message in part]) == 5
    assert (await compare_copy(newer, own)).agrees


async def test_a_stream_that_went_back_never_overwrites_what_was_copied(own: Database) -> None:
    whole, cut = MemoryLog(), MemoryLog()
    await appended(whole, 5)
    kept = await (await copied_up_to(whole, own, 5)).place()
    await appended(cut, 3)

    await copied_up_to(cut, own, 3)

    assert len([message async for part in copied_messages(own, kept) for message in part]) == 5
    assert (await compare_copy(cut, own)).agrees


async def test_a_lost_stream_is_made_again_from_its_copy(own: Database, nats_url: str, database_url: str) -> None:
    await provision(nats_url)
    async with connection(nats_url, "test") as link:
        log = JetStreamLog(link, "0a1b2c3d")
        await appended(log, 1)
        unreadable = changed(good_message(), time="1970-01-01T00:00:00Z")
        await published(link.jetstream, unreadable)
        await appended(log, 20)
        await copied_up_to(log, own, 22)
        config = (await link.jetstream.stream_info(STREAM)).config
        before = [message async for part in copied_messages(own, Copied(1, 22)) for message in part]
        await link.jetstream.delete_stream(STREAM)
        await link.jetstream.add_stream(config)

        assert await restored(nats_url, database_url) == 22
        assert await restored(nats_url, database_url) == 22, "once more changes nothing"

        await copied_up_to(log, own, 22)
        after = [message async for part in copied_messages(own, Copied(2, 22)) for message in part]
        assert [(one.sequence, one.subject, one.headers, one.body) for one in after] == [
            (one.sequence, one.subject, one.headers, one.body) for one in before
        ]
        (check,) = VerifyingCopy(log, own).checks()
        looked = await check.look(lambda *_: None)
        assert (looked.findings, looked.checked[0].count) == ([], 22)


async def begun(log: EventLog, own: Database, length: int) -> None:
    """Copy a log that has this many events, and was made when no other was."""
    await appended(log, length)
    await copied_up_to(log, own, length)


def made_on(day: int) -> MemoryLog:
    return MemoryLog(made=MemoryLog().made + timedelta(days=day))


async def test_a_copy_that_a_gateway_began_after_the_loss_is_not_taken_for_the_lost_stream(
    own: Database, provisioned_url: str, database_url: str
) -> None:
    await begun(MemoryLog(), own, 5)
    await EventCopy(made_on(1), own).place()

    assert await restored(provisioned_url, database_url) == 5


async def test_events_are_restored_in_the_names_of_their_services_by_their_seeds(
    own: Database, provisioned_url: str, database_url: str, tmp_path: Path
) -> None:
    for service in (Service.GATEWAY, Service.ROUTER):
        seed_of(service, tmp_path)
    log = MemoryLog()
    for written in (canceled(deployment_key()), superseded(deployment_key())):
        await log.append(written, Expected.new(written.key))
    await copied_up_to(log, own, 2)

    assert await restored(provisioned_url, database_url, seeds=tmp_path) == 2

    async with connection(provisioned_url, "test") as link:
        assert [(await JetStreamLog(link, "0a1b2c3d").message(at)).subject for at in (1, 2)] == [
            log.stored(at).subject for at in (1, 2)
        ]


async def test_among_several_copies_the_operator_chooses(
    own: Database, provisioned_url: str, database_url: str
) -> None:
    await begun(MemoryLog(), own, 5)
    await begun(made_on(1), own, 3)
    for named in (None, 3):
        with pytest.raises(NoSuchCopyError) as refused:
            await restored(provisioned_url, database_url, copy=named)
        assert "1: sequences 1 to 5 of the stream that was made 2026-01-01" in str(refused.value)
        assert "2: sequences 1 to 3 of the stream that was made 2026-01-02" in str(refused.value)

    assert await restored(provisioned_url, database_url, copy=1) == 5


async def test_nothing_is_restored_behind_events_that_the_copy_does_not_have(
    own: Database, provisioned_url: str, database_url: str
) -> None:
    await begun(MemoryLog(), own, 5)
    async with connection(provisioned_url, "test") as link:
        foreign = JetStreamLog(link, "0a1b2c3d")
        await appended(foreign, 2)
        with pytest.raises(ProvisioningError, match="another event at sequence 1 than the copy"):
            await restored(provisioned_url, database_url)
        assert await foreign.head() == 2


async def test_a_stream_that_goes_further_than_the_copy_is_not_called_restored(
    own: Database, provisioned_url: str, database_url: str
) -> None:
    async with connection(provisioned_url, "test") as link:
        log = JetStreamLog(link, "0a1b2c3d")
        await begun(log, own, 3)
        await appended(log, 1)
    with pytest.raises(ProvisioningError, match="ends at sequence 4, behind the copy, which ends at 3"):
        await restored(provisioned_url, database_url)
