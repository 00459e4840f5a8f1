"""The monitor: probes containers, before and after they are live, and reports; it never restarts anything."""

import asyncio
from collections.abc import Callable

from windlass_contracts.subjects import Service
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.link import Link
from windlass_eventlog.service import connected
from windlass_eventlog.settings import CommonSettings
from windlass_monitor.adapters.prober import StreamProber
from windlass_monitor.application.answering import Answering
from windlass_monitor.application.prober import Prober
from windlass_monitor.application.projections import ALL
from windlass_monitor.application.recording import Recording
from windlass_monitor.application.samples import Samples
from windlass_monitor.application.voice import Voice
from windlass_monitor.application.watches import Watches


async def serve(started: Callable[[], None]) -> None:
    """Run until cancelled."""
    settings = CommonSettings()
    async with connected(Service.MONITOR, settings, projections=ALL) as link, link.operating():
        await link.caught_up(started)
        await work(link, StreamProber(), started)


async def work(link: Link, prober: Prober, started: Callable[[], None]) -> None:
    """Do all that the monitor does, over whatever log and prober, until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        voice = Voice(link.rows, link.append)
        answering = Answering(link.rows)
        samples = Samples(answering, link.append.clock)
        watches = Watches(link.log, link.rows, voice, prober, samples, link.append.clock, tasks)
        await answering.restore()
        await watches.restore()
        tasks.create_task(Recording(link.bucket(Bucket.SERIES), samples).run())
        async with link.reacting([watches.reactor, answering.reactor]):
            started()
            await asyncio.Event().wait()
