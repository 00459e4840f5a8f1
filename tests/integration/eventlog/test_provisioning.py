"""The provisioner makes what is missing, mends what drifted, and never destroys anything."""

import pytest
from nats.js import api

from support.eventlog_samples import canceled, deployment_key
from windlass_contracts.logs import LOG_STREAM
from windlass_contracts.subjects import STREAM
from windlass_eventlog.errors import ProvisioningError
from windlass_eventlog.jetstream.change import Action, Change
from windlass_eventlog.jetstream.connection import Connection, connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.log import Expected
from windlass_eventlog.topology import DURABLES, LOGS_BYTES


async def test_everything_is_made_once(nats_url: str) -> None:
    first, second = await provision(nats_url), await provision(nats_url)

    assert {change.action for change in first} == {Action.CREATED}
    assert {f"consumer {durable.name}" for durable in DURABLES} <= {change.what for change in first}
    assert second == []


async def test_the_log_keeps_everything_and_evicts_nothing(link: Connection) -> None:
    config = (await link.jetstream.stream_info(STREAM)).config

    assert (config.deny_delete, config.deny_purge, config.allow_direct) == (True, True, True)
    assert (config.storage, config.discard, config.compression) == ("file", "new", "s2")
    assert (config.max_age, config.duplicate_window) == (0, 120)
    assert config.max_bytes is not None
    assert config.max_bytes > 0


async def test_lines_never_make_events_wait_for_the_disk(link: Connection) -> None:
    config = (await link.jetstream.stream_info(LOG_STREAM)).config

    assert (config.persist_mode, config.discard, config.max_bytes) == ("async", "old", LOGS_BYTES)


async def test_drift_is_corrected_and_reported_and_the_events_stay(
    provisioned: str, link: Connection, log: JetStreamLog
) -> None:
    key = deployment_key()
    await log.append(canceled(key), Expected.new(key))
    events = (await link.jetstream.stream_info(STREAM)).config
    await link.jetstream.update_stream(events.evolve(subjects=["evt.>", "more.>"], discard=api.DiscardPolicy.OLD))
    router = (await link.jetstream.consumer_info(STREAM, "router")).config
    router.filter_subject, router.filter_subjects = None, ["evt.builder.>", "evt.router.>"]
    router.max_ack_pending = 7
    await link.jetstream.add_consumer(STREAM, router)
    await link.jetstream.delete_stream("KV_NOTES")

    changes = await provision(provisioned)

    assert [(change.action, change.what) for change in changes] == [
        (Action.CORRECTED, f"stream {STREAM}"),
        (Action.CREATED, "stream KV_NOTES"),
        (Action.CORRECTED, "consumer router"),
    ]
    assert "subjects: ['evt.>', 'more.>'] -> ['evt.>']" in changes[0].details
    assert "max_ack_pending: 7 -> 2000" in changes[2].details
    assert await log.head() == 1
    assert await provision(provisioned) == []


async def test_what_cannot_be_changed_is_refused_with_the_way_out_and_left_alone(nats_url: str) -> None:
    async with connection(nats_url, "test") as link:
        await link.jetstream.add_stream(name=STREAM, subjects=["evt.>"], storage=api.StorageType.MEMORY)
        await link.jetstream.publish("evt.something", b"precious")

        with pytest.raises(ProvisioningError, match="nats stream backup") as refusal:
            await provision(nats_url)

        assert "storage: memory -> file" in str(refusal.value)
        assert (await link.jetstream.stream_info(STREAM)).state.messages == 1


async def test_a_budget_that_the_disk_has_no_room_for_is_halved_until_it_fits(
    nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("windlass_eventlog.topology.EVENTS_BYTES", 1 << 50)

    changes = await provision(nats_url)

    (made,) = [change for change in changes if change.what == f"stream {STREAM}"]
    async with connection(nats_url, "test") as link:
        budget = (await link.jetstream.stream_info(STREAM)).config.max_bytes
    assert budget is not None
    assert 1 << 20 < budget < 1 << 50
    assert made == Change(Action.CREATED, f"stream {STREAM}", (f"max_bytes: {budget}",))
    assert await provision(nats_url) == []
