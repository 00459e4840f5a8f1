"""The monitor: probes containers, before and after they are live, and reports; it never restarts anything."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from windlass_contracts.subjects import Service
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.clock import Clock
from windlass_eventlog.link import Link
from windlass_eventlog.service import connected
from windlass_monitor.adapters.command_prober import CommandProber
from windlass_monitor.adapters.docker_engine import DockerEngine, connect
from windlass_monitor.adapters.prober import StreamProber
from windlass_monitor.adapters.traefik_metrics import TraefikMetrics
from windlass_monitor.application.answering import Answering
from windlass_monitor.application.engine import Engine, NoEngine
from windlass_monitor.application.prober import Prober
from windlass_monitor.application.projections import ALL
from windlass_monitor.application.recording import Recording
from windlass_monitor.application.samples import Samples
from windlass_monitor.application.traffic import NoTraffic, Traffic
from windlass_monitor.application.voice import Voice
from windlass_monitor.application.watches import Watches
from windlass_monitor.application.windows import Windows
from windlass_monitor.settings import MonitorSettings


async def serve(started: Callable[[], None]) -> None:
    """Run until cancelled."""
    settings = MonitorSettings()
    async with (
        # It speaks plain HTTP to loopback alone: the certificates of the world would be megabytes for nothing.
        httpx.AsyncClient(trust_env=False, verify=False) as client,  # noqa: S501 - as said
        connected(Service.MONITOR, settings, projections=ALL) as link,
        link.operating(),
        _engine(settings, link.append.clock) as (engine, commands),
    ):
        await link.caught_up(started)
        await work(link, StreamProber(commands), _traffic(settings, client), engine, started)


@asynccontextmanager
async def _engine(settings: MonitorSettings, clock: Clock) -> AsyncIterator[tuple[Engine, Prober | None]]:
    """Give the engine, and what probes by commands: engines run them in containers, nobody does in plain processes."""
    if settings.runtime == "docker":
        async with connect() as docker, asyncio.TaskGroup() as following:
            engine = DockerEngine(docker, clock)
            task = following.create_task(engine.run())
            yield engine, CommandProber(docker)
            task.cancel()
    else:
        yield NoEngine(), None


async def work(link: Link, prober: Prober, traffic: Traffic, engine: Engine, started: Callable[[], None]) -> None:
    """Do all that the monitor does, over whatever log, prober, counters and engine, until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        voice = Voice(link.rows, link.append)
        answering = Answering(link.rows)
        samples = Samples(answering, link.append.clock)
        watches = Watches(link.log, link.rows, voice, prober, samples, link.append.clock, tasks)
        await answering.restore()
        await watches.restore()
        tasks.create_task(Recording(link.bucket(Bucket.SERIES), samples).run())
        windows = Windows(link.rows, link.append, traffic, engine, link.append.clock)
        async with link.reacting([watches.reactor, answering.reactor, windows.reactor]):
            tasks.create_task(windows.run())
            started()
            await asyncio.Event().wait()


def _traffic(settings: MonitorSettings, client: httpx.AsyncClient) -> Traffic:
    url = settings.traefik_api_url
    return NoTraffic() if url is None else TraefikMetrics(str(url).rstrip("/"), client)
