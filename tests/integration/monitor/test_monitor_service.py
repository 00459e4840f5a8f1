"""The monitor as a service, on real NATS and PostgreSQL, started and stopped as its supervisor does it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from support.loopback_app import LoopbackApp, http
from support.running_service import INSTALLATION, environment, running, settings_of_a_service
from support.told_deployment import ToldDeployment
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.config import Deadlines, DeploymentConfig
from windlass_contracts.event import Event
from windlass_contracts.events import Failed, Healthy
from windlass_contracts.series import series_key
from windlass_contracts.subjects import Service
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.jetstream.buckets import JetStreamKeyValue
from windlass_eventlog.jetstream.connection import connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.provisioning import provision
from windlass_gateway.application.uptimes import Uptimes
from windlass_gateway.entrypoints.pages.sparkline import sparkline
from windlass_monitor.app import serve


@pytest.fixture
async def log(nats_url: str, database_url: str, tmp_path: Path) -> AsyncIterator[JetStreamLog]:
    await provision(nats_url)
    with environment(settings_of_a_service(tmp_path, nats_url, database_url, Service.MONITOR)):
        async with connection(nats_url, "test") as nats:
            yield JetStreamLog(nats, INSTALLATION)


async def next_event(log: JetStreamLog, told: ToldDeployment, after: int) -> Recorded[Event]:
    async with aclosing(log.read(after, told.key.pattern)) as events:
        return await anext(events)


async def test_a_container_that_was_started_while_the_monitor_was_away_becomes_healthy(
    log: JetStreamLog, free_port: Callable[[], int]
) -> None:
    told, app = ToldDeployment(log), LoopbackApp(http(200), free_port())
    await told.built()
    async with running(serve):
        started = await told.started("web-0", app.port)
    async with running(serve), app.listening():
        recorded = await next_event(log, told, started)

    assert isinstance(recorded.event, Healthy)
    assert recorded.metadata.causation is not None


async def test_an_app_that_never_listens_fails_at_its_deadline(log: JetStreamLog, free_port: Callable[[], int]) -> None:
    told = ToldDeployment(log, DeploymentConfig(deadlines=Deadlines(health_s=1)))
    await told.built()
    async with running(serve):
        recorded = await next_event(log, told, await told.started("web-0", free_port()))

    assert isinstance(recorded.event, Failed)
    assert recorded.event.code == "not-listening"


async def test_what_was_probed_is_kept_when_the_monitor_ends_and_shown_on_a_page(
    log: JetStreamLog, free_port: Callable[[], int]
) -> None:
    told, app = ToldDeployment(log), LoopbackApp(http(200), free_port())
    await told.built()
    await told.answers()
    started = await told.started("web-0", app.port)
    async with running(serve), app.listening():
        assert isinstance((await next_event(log, told, started)).event, Healthy)
    bucket = await JetStreamKeyValue.opened(log.connection, Bucket.SERIES)
    uptimes, news = Uptimes(), asyncio.Event()

    following = asyncio.create_task(uptimes.follow(bucket, lambda _: news.set()))
    await news.wait()
    following.cancel()

    assert await bucket.get(series_key(told.key.project, told.environment)) is not None
    uptime = uptimes.of(told.environment)
    assert uptime is not None
    assert uptime.day.probes >= 1
    assert sparkline(uptime).words.startswith("Last 3 hours: ")
