"""A connected service: it catches up, goes on through restarts of what it stands on, and ends loudly when it cannot."""

import asyncio
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import structlog

from support.eventlog_samples import PATIENT, TALLIES, canceled, deployment_key
from windlass_contracts.events import DeploymentCanceled
from windlass_contracts.ids import EventId
from windlass_contracts.subjects import PROJECT_REGISTRY, STREAM, Service
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.errors import (
    ConflictError,
    NotProvisionedError,
    PermissionDeniedError,
    RowsUnavailableError,
    SecretShreddedError,
)
from windlass_eventlog.jetstream import budget as budget_module
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.jetstream.seeds import new_seed
from windlass_eventlog.link import Link
from windlass_eventlog.log import Expected
from windlass_eventlog.postgres import database as database_module
from windlass_eventlog.reactor import Reactor, WakeUp
from windlass_eventlog.service import connected
from windlass_eventlog.settings import CommonSettings

from .conftest import RestartableNats, settings_for

KILL_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def cancel(link: Link) -> int:
    """Append what somebody asked the service for."""
    key = deployment_key()
    return await link.append.commanded(
        key, DeploymentCanceled(), Expected.new(key), actor="token:test", id=EventId(uuid4())
    )


async def test_a_service_begins_with_everything_that_was_in_the_log(settings: CommonSettings) -> None:
    for total in (5, 10):
        async with connected(Service.GATEWAY, settings, projections=[TALLIES]) as link:
            assert link.rows.position == total - 5
            for _ in range(5):
                await cancel(link)

    async with connected(Service.GATEWAY, settings, projections=[TALLIES]) as link:
        assert link.rows.position == 10
        assert len(await link.rows.find(TALLIES, {})) == 10


async def test_a_command_is_visible_once_its_sequence_is_reached(settings: CommonSettings) -> None:
    async with connected(Service.GATEWAY, settings, projections=[TALLIES]) as link:
        sequence = await cancel(link)
        await link.rows.reached(sequence, PATIENT)

        (found,) = await link.rows.find(TALLIES, {})
        assert found.sequence == sequence
        recorded = await anext(link.log.read(0))
        assert recorded.metadata.actor == "token:test"
        assert recorded.metadata.correlation == recorded.metadata.id


async def test_what_a_reactor_causes_follows_from_its_cause(settings: CommonSettings, log: JetStreamLog) -> None:
    async with connected(Service.GATEWAY, settings, projections=[TALLIES]) as link:
        key = deployment_key()
        await log.append(canceled(key, by=Service.BUILDER), Expected.new(key))
        cause = await anext(link.log.read(0))

        first = await link.append.caused(cause, key, DeploymentCanceled(), 1)
        again = await link.append.caused(cause, key, DeploymentCanceled(), 1)
        other = await link.append.caused(cause, key, DeploymentCanceled(), 2, step="another")

        assert (first, again, other) == (2, 2, 3)
        recorded = await anext(link.log.read(1))
        assert recorded.metadata.causation == cause.metadata.id
        assert recorded.metadata.correlation == cause.metadata.correlation
        assert recorded.metadata.actor == "service:gateway"


async def test_a_secret_is_kept_encrypted_and_deleted_for_good(settings: CommonSettings, link: Connection) -> None:
    async with connected(Service.GATEWAY, settings, projections=[]) as service:
        secret = await service.vault.store("hunter2")
        stored = await service.bucket(Bucket.SECRETS).get(str(secret))
        assert stored is not None
        assert b"hunter2" not in stored
        assert await service.vault.reveal(secret) == "hunter2"

        await service.vault.shred(secret)

        with pytest.raises(SecretShreddedError, match=str(secret)):
            await service.vault.reveal(secret)
        left = await link.jetstream.get_last_msg("KV_SECRETS", f"$KV.SECRETS.{secret}")
        assert not left.data


async def test_nats_may_be_killed_under_a_service(
    restartable_nats: RestartableNats, database_url: str, tmp_path: Path
) -> None:
    await provision(restartable_nats.url)
    settings = settings_for(restartable_nats.url, database_url, tmp_path)
    woken: set[int] = set()
    changed = asyncio.Event()

    async def handle(wake: WakeUp) -> None:
        woken.add(wake.recorded.sequence)
        changed.set()

    async with connected(Service.GATEWAY, settings, projections=[TALLIES]) as link:
        async with link.reacting([Reactor("test", frozenset({DeploymentCanceled}), handle)]):
            for outage in range(3):
                appended = [await cancel(link) for _ in range(3)]
                restartable_nats.kill()
                appending = asyncio.gather(*(cancel(link) for _ in range(3)))
                restartable_nats.start()
                appended += await appending
                async with asyncio.timeout(60):
                    while not set(appended) <= woken:
                        changed.clear()
                        await changed.wait()
                assert link.rows.position == 6 * (outage + 1)

        assert len(await link.rows.find(TALLIES, {})) == 18


async def test_postgresql_may_be_killed_under_a_service(settings: CommonSettings) -> None:
    async with connected(Service.GATEWAY, settings, projections=[TALLIES]) as link:
        for expected in range(1, 4):
            outsider = await asyncpg.connect(settings.database_url.get_secret_value())
            await outsider.execute(KILL_SESSIONS)
            await outsider.close()

            await link.rows.reached(await cancel(link), PATIENT)
            assert len(await link.rows.find(TALLIES, {})) == expected


async def test_what_is_not_there_at_the_start_is_named(
    nats_url: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start(settings: CommonSettings) -> None:
        async with connected(Service.GATEWAY, settings, projections=[TALLIES]):
            raise AssertionError

    settings = settings_for(nats_url, database_url, tmp_path)
    with pytest.raises(NotProvisionedError, match="provision the installation"):
        await start(settings)
    monkeypatch.setattr(database_module, "PATIENCE", database_module.PATIENCE / 50)
    with pytest.raises(RowsUnavailableError, match="WINDLASS_DATABASE_URL"):
        await start(settings_for(nats_url, "postgresql://nobody@/none?host=/nowhere", tmp_path))
    with pytest.raises(PermissionDeniedError, match="WINDLASS_DATABASE_URL"):
        await start(settings_for(nats_url, database_url.replace("/test_", "/no_such_"), tmp_path))


async def test_a_service_does_all_it_needs_with_the_rights_that_it_has(
    settings: CommonSettings,
) -> None:
    woken = asyncio.Event()

    async def handle(_wake: WakeUp) -> None:
        woken.set()

    async with (
        asyncio.timeout(60),
        connected(Service.GATEWAY, settings, projections=[TALLIES]) as link,
        link.reacting([Reactor("test", frozenset({DeploymentCanceled}), handle)]),
    ):
        await link.rows.reached(await cancel(link), PATIENT)
        await woken.wait()
        assert await link.vault.reveal(await link.vault.store("x")) == "x"
        key = deployment_key()
        with pytest.raises(ConflictError):
            await link.log.append(canceled(key), Expected(PROJECT_REGISTRY, 9))


async def test_a_refused_subject_ends_the_service_and_is_named(settings: CommonSettings) -> None:
    async def forge() -> None:
        async with connected(Service.GATEWAY, settings, projections=[]) as link:
            key = deployment_key()
            await link.log.append(canceled(key, by=Service.BUILDER), Expected.new(key))

    with pytest.raises(PermissionDeniedError, match=r"evt\.builder\..*grant it"):
        await asyncio.wait_for(forge(), 60)


@pytest.mark.parametrize("seed", ["unknown", "none", "missing"])
async def test_a_key_that_the_server_does_not_know_ends_the_service_at_once(
    settings: CommonSettings, tmp_path: Path, seed: str
) -> None:
    file = tmp_path / f"{seed}.key"
    if seed != "missing":
        file.write_text(new_seed() if seed == "unknown" else "geheim")

    async def start() -> None:
        own = settings.model_copy(update={"nats_seed_file": file})
        async with connected(Service.GATEWAY, own, projections=[]):
            raise AssertionError

    with pytest.raises(PermissionDeniedError, match="WINDLASS_NATS_SEED_FILE") as refusal:
        await asyncio.wait_for(start(), 60)
    assert "geheim" not in str(refusal.value)


async def test_the_alarm_comes_long_before_the_log_is_full(
    settings: CommonSettings, link: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget_module, "_LOOK_EVERY_S", 0.01)
    async with connected(Service.GATEWAY, settings, projections=[]) as service:
        await cancel(service)
        state = await link.jetstream.stream_info(STREAM)
        with structlog.testing.capture_logs() as said:
            await cancel(service)
            assert not said
            await link.jetstream.update_stream(state.config.evolve(max_bytes=int(2.3 * state.state.bytes)))
            async with asyncio.timeout(60):
                while not said:  # noqa: ASYNC110 - a log tells nobody that it was written
                    await asyncio.sleep(0.01)

    assert {(entry["log_level"], entry["event"]) for entry in said} == {("error", "log.nearly_full")}
